"""What must be true of archives: collections that can be deposited in, patterns that can be used, no account in a URL."""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from config.archives import ArchiveSettings
from config.validate import Finding, Location


def archive_findings(place: Location, archive: ArchiveSettings) -> Iterator[Finding]:
    """Every contradiction in one archive's table."""
    for key, url in archive.deposits.items():
        yield from _address((*place, "deposits", key), url)
    for key in ("service", "lookup"):
        yield from _address((*place, key), getattr(archive, key))
    yield from _pattern((*place, "duplicate"), archive.duplicate, 0)
    yield from _pattern((*place, "handle"), archive.handle, 1)
    if archive.on_behalf_of and not (archive.on_behalf_of.isprintable() and archive.on_behalf_of.isascii()):
        yield Finding((*place, "on_behalf_of"), "must be plain ASCII: it goes into a header")
    if archive.password is not None and archive.username is None:
        yield Finding((*place, "username"), "is missing; there is a password")
    if archive.username is not None and archive.password is None:
        yield Finding((*place, "password"), "is missing; there is a username")


def _address(place: Location, url: str | None) -> Iterator[Finding]:
    parts = _parts(url or "")
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
        yield Finding(place, "must be a URL like https://archive.example.edu/sword/deposit/1721.1/1")
    if parts.username is not None:
        yield Finding(place, "has an account in it; use username and password")


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # An unfinished IPv6 address: it has no scheme then that anything accepts.
        return urlsplit("")


def _pattern(place: Location, pattern: str, groups: int) -> Iterator[Finding]:
    try:
        found = re.compile(pattern).groups
    except re.error:
        yield Finding(place, "is no regular expression")
        return
    if pattern and found < groups:
        yield Finding(place, "needs a group in parentheses around the handle itself")
