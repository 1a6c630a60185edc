"""Reading a configuration of the old engines as they read it: by the rules of Python 2's ConfigParser.

Section names are compared exactly, keys without case. `=` and `:` separate; ` ;` begins a comment; a line that begins with space
goes on with the value before it; the last of several equal keys counts; `%(name)s` stands for another key of the section or of
[DEFAULT].
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SECTION = re.compile(r"\[(?P<name>[^]]+)\]")
# No two parts of a pattern can match the same blanks or signs: that would take hours on a line full of them.
_OPTION = re.compile(r"(?P<key>[^:=\s][^:=]*)[:=]\s*(?P<value>.*)$")
_REFERENCE = re.compile(r"%\((?P<name>[^()%]*)\)s|%%")
_NESTED = 10
"""Values that name values that name values ...: as deep as the old reader went."""
_LONGEST = 10_000
"""Characters of a value with its references filled in; beyond, they are left as they stand."""
DEFAULT = "DEFAULT"


@dataclass(frozen=True, slots=True)
class OldKey:
    """One key where it stands in the old file. Its value may be a secret."""

    section: str
    key: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the old file that its author may not know. Never a value."""

    line: int
    sentence: str


@dataclass(slots=True)
class OldFile:
    """What the old file says."""

    keys: list[OldKey] = field(default_factory=list)
    """In the file's order, each once; names of keys in small letters."""
    remarks: list[Remark] = field(default_factory=list)

    def section(self, name: str) -> Mapping[str, str]:
        """A section's values, those of [DEFAULT] included, references filled in; empty if there is no such section."""
        if name != DEFAULT and not any(each.section == name for each in self.keys):
            return {}
        raw = {each.key: each.value for wanted in (DEFAULT, name) for each in self.keys if each.section == wanted}
        return {key: _filled(value, raw) for key, value in raw.items()}

    @property
    def sections(self) -> tuple[str, ...]:
        """The names of sections that have keys."""
        return tuple(dict.fromkeys(each.section for each in self.keys if each.section != DEFAULT))


def read_old(text: str) -> OldFile:
    """Read the file. Never fails: a line that is none of its form is remarked."""
    found = OldFile()
    seen: set[tuple[str, str]] = set()
    section: str | None = None
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or _is_comment(line):
            continue
        if line[0].isspace() and found.keys and found.keys[-1].section == section:
            last = found.keys[-1]
            found.keys[-1] = OldKey(last.section, last.key, f"{last.value}\n{line.strip()}", last.line)
        elif header := _SECTION.match(line):
            section = header["name"]
        elif section is not None and (option := _OPTION.match(line)):
            new = OldKey(section, option["key"].strip().lower(), _value(option["value"]), number)
            if (section, new.key) in seen:
                _drop_earlier(found, new)
            seen.add((section, new.key))
            found.keys.append(new)
        else:
            found.remarks.append(Remark(number, "is neither a section, a key nor a comment, and was passed over"))
    _check_references(found)
    return found


def _is_comment(line: str) -> bool:
    return line[0] in "#;" or (line[0] in "rR" and line.split(None, 1)[0].lower() == "rem")


def _value(text: str) -> str:
    """Without a comment behind it; a pair of quotes alone is nothing."""
    cut = re.split(r"\s;", text, maxsplit=1)[0].strip()
    return "" if cut == '""' else cut


def _drop_earlier(found: OldFile, new: OldKey) -> None:
    """The last one counts, and stands at its own place."""
    for position, old in enumerate(found.keys):
        if (old.section, old.key) == (new.section, new.key):
            del found.keys[position]
            sentence = f"[{new.section}] {new.key} stands here again, and line {old.line} does not count"
            found.remarks.append(Remark(new.line, sentence))
            break


def _filled(value: str, raw: Mapping[str, str]) -> str:
    for _ in range(_NESTED):
        if "%(" not in value:
            break
        if len(value) + sum(len(_referred(found, raw)) for found in _REFERENCE.finditer(value)) > _LONGEST:
            # Ten values that name each other ten times would fill the memory.
            return value
        value = _REFERENCE.sub(lambda found: _referred(found, raw), value)
    return value


def _referred(found: re.Match[str], raw: Mapping[str, str]) -> str:
    if found["name"] is None:
        return "%"
    return raw.get(found["name"].lower(), f"FILL-IN-{found['name']}")


def _check_references(found: OldFile) -> None:
    known = {(each.section, each.key) for each in found.keys}
    for each in found.keys:
        for reference in _REFERENCE.finditer(each.value):
            name = reference["name"]
            if name is not None and not known & {(DEFAULT, name.lower()), (each.section, name.lower())}:
                sentence = f"[{each.section}] {each.key} refers to {name}, which stands neither there nor in [DEFAULT]"
                found.remarks.append(Remark(each.line, sentence))
