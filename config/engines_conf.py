"""Turning the engines.conf of the old engines into a configuration of ours, and saying what became of each of its keys.

No value that may be a secret is copied, nor shown: of a password, only where to put it.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from config.engines_keys import ARCHIVE_KEYS, KEYS, SECTIONS, Fate, Meaning
from config.engines_words import Words
from config.faults import ConfigError, ConfigFault, nearest
from config.old_ini import DEFAULT, OldFile, OldKey, read_old


@dataclass(frozen=True, slots=True)
class OldSetting:
    """One key of the old file: what became of it, where that is now, and what to do."""

    section: str
    key: str
    line: int
    fate: Fate
    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The new configuration's text, every key of the old file, and what else is to be said of it."""

    toml: str
    keys: tuple[OldSetting, ...]
    remarks: tuple[str, ...]


class _Text(Template):
    """TOML has many a `$` of its own."""

    delimiter = "@@"


_LARGEST = 128 * 1024
"""Bytes; the largest that was seen has 7,000."""
_MOST_KEYS = 500


def import_engines_conf(path: Path) -> Imported:
    """Read the old file. Raises ConfigError if it cannot be read or is none."""
    old = _read(path)
    remarks = [f"line {remark.line}: {remark.sentence}" for remark in old.remarks]
    words = Words(old, path.parent, remarks)
    text = _Text(files("config").joinpath("engines_conf.toml").read_text(encoding="utf-8")).substitute(words.all())
    keys = tuple(_old(key, _meaning(key, old, words)) for key in old.keys)
    remarks += [f"[{name}] is missing: {what}" for name, what in SECTIONS.items() if name not in old.sections]
    return Imported(text, keys, tuple(dict.fromkeys(remarks)))


def _read(path: Path) -> OldFile:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError([ConfigFault(str(path), "", f"cannot be read: {error.strerror}")]) from error
    if len(raw) > _LARGEST:
        raise ConfigError([ConfigFault(str(path), "", "is larger than any configuration of the old engines")])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        # The old engines did not care: every byte is a letter there.
        text = raw.decode("latin-1")
    old = read_old(text)
    if not set(SECTIONS) & set(old.sections):
        known = ", ".join(f"[{name}]" for name in SECTIONS)
        raise ConfigError([ConfigFault(str(path), "", f"has none of the sections of the old engines: {known}")])
    if len(old.keys) > _MOST_KEYS:
        raise ConfigError(
            [ConfigFault(str(path), "", f"has more than {_MOST_KEYS} keys, which no configuration of the old engines has")]
        )
    return old


def _old(key: OldKey, meaning: Meaning) -> OldSetting:
    return OldSetting(key.section, key.key, key.line, meaning.fate, meaning.place, meaning.sentence)


def _meaning(key: OldKey, old: OldFile, words: Words) -> Meaning:
    if key.section == DEFAULT:
        users = [f"[{section}]" for section in old.sections if _known(section, key.key, words)]
        users += [f"[{each.section}] {each.key}" for each in old.keys if f"%({key.key})s" in each.value.lower()]
        return Meaning(Fate.CARRIED, "", f"counts in {', '.join(users)}") if users else _unknown(key, words)
    return _known(key.section, key.key, words) or _unknown(key, words)


def _known(section: str, key: str, words: Words) -> Meaning | None:
    if (section, key) == ("CMS", "url") and words.editors_url_is_used:
        return Meaning(Fate.CARRIED, "sources.cms.url", "there is no engine_url")
    if section in words.archives and key in ARCHIVE_KEYS:
        name, meaning = words.archive_name(section), ARCHIVE_KEYS[key]
        return Meaning(meaning.fate, meaning.place.replace("*", name), meaning.sentence.replace("*", name))
    return KEYS.get((section, key))


def _unknown(key: OldKey, words: Words) -> Meaning:
    known = [*ARCHIVE_KEYS] if key.section in words.archives else [name for section, name in KEYS if section == key.section]
    meant = nearest(key.key, known)
    hint = f"did you mean {meant}? " if meant else ""
    return Meaning(
        Fate.UNKNOWN, "", f"{hint}no key of the old engines that is known; if something depends on it, carry it over by hand"
    )
