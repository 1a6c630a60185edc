"""What must be true of a mirror's settings beyond their types."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.settings import EnvironmentSettings
from config.snapshots import ExternalSettings, RewriteRule, SnapshotSettings
from config.validate import Finding, Location

_PATH = "must be a path that begins with /"


def snapshot_faults(place: Location, environment: EnvironmentSettings) -> Iterator[Finding]:
    """Every contradiction in how an environment makes its mirror. An empty value is a stand-in for a fault found before."""
    settings = environment.snapshot
    if settings is None:
        return
    if environment.source and not environment.source.startswith("target:"):
        yield Finding((*place, "source"), "must be target:NAME, for a mirror is made of what is published")
    here = (*place, "snapshot")
    yield from _places(here, settings)
    for number, rule in enumerate(settings.rules):
        yield from _rule((*here, "rules", number), rule)
    for number, external in enumerate(settings.externals):
        yield from _external((*here, "externals", number), external)


def _places(here: Location, settings: SnapshotSettings) -> Iterator[Finding]:
    for key in ("url", "zips_into"):
        if not getattr(settings, key).startswith("/"):
            yield Finding((*here, key), _PATH)
    if settings.report is not None and (not settings.report or settings.report.startswith("/") or ".." in settings.report):
        yield Finding((*here, "report"), "must be a path below the mirror's top, such as mirror-report.json")
    for number, site in enumerate(settings.site):
        if not _is_web(site):
            yield Finding((*here, "site", number), "must be a URL like https://www.example.edu")
    for number, ending in enumerate(settings.drop_unreferenced):
        if not ending.startswith("."):
            yield Finding((*here, "drop_unreferenced", number), "must be an ending with its dot, such as .mp4")


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _rule(here: Location, rule: RewriteRule) -> Iterator[Finding]:
    fault = _pattern_fault(rule.match)
    if fault:
        yield Finding((*here, "match"), fault)
        return
    try:
        # A match of nothing makes the replacement be read, without a link at hand.
        re.sub(f"(?:{rule.match})|", rule.replace, "")
    except (re.error, IndexError) as error:
        yield Finding((*here, "replace"), f"does not fit its match: {error}")


def _pattern_fault(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"is no regular expression: {error}"
    return None


def _external(here: Location, external: ExternalSettings) -> Iterator[Finding]:
    if sum(each is not None for each in (external.match, external.folder, external.list)) != 1:
        yield Finding(here, "needs exactly one of: match, folder, list")
    if external.match is not None and (fault := _pattern_fault(external.match)):
        yield Finding((*here, "match"), fault)
    if external.folder is not None and not external.folder.startswith("/"):
        yield Finding((*here, "folder"), "must be absolute")
    if external.list is not None and not external.list.startswith("/"):
        yield Finding((*here, "list"), _PATH)
    if external.recursive and external.match is None:
        yield Finding((*here, "recursive"), "is for what is found by match")
    if external.into and not external.into.startswith("/"):
        yield Finding((*here, "into"), _PATH)
