"""Sitemaps by the protocol of sitemaps.org: sets of URLs that are never too large, and an index of them. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from packageslip import format_time

MOST_URLS = 50_000
"""URLs in one file, by the protocol."""
MOST_BYTES = 50 * 1024 * 1024
"""Bytes of one file before any compression, by the protocol."""
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<{} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
_QUOTES = {"'": "&apos;", '"': "&quot;"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One URL and when it last changed (seconds since the epoch), if that is known."""

    url: str
    modified: int | None = None

    def xml(self, element: str) -> bytes:
        """The entry as one line."""
        changed = "" if self.modified is None else f"<lastmod>{format_time(self.modified)}</lastmod>"
        return f"<{element}><loc>{escape(self.url, _QUOTES)}</loc>{changed}</{element}>\n".encode()


@dataclass(frozen=True, slots=True)
class Urlset:
    """One file of URLs. `modified`: of its newest page."""

    content: bytes
    urls: int
    modified: int | None


def urlsets(entries: Iterable[Entry]) -> Iterator[Urlset]:
    """As many files as the entries need, in their order; one without any URL if there are none."""
    head, foot = _HEAD.format("urlset").encode(), b"</urlset>\n"
    lines: list[bytes] = []
    size, newest = len(head) + len(foot), None
    for entry in entries:
        line = entry.xml("url")
        if lines and (len(lines) >= MOST_URLS or size + len(line) > MOST_BYTES):
            yield Urlset(b"".join([head, *lines, foot]), len(lines), newest)
            lines, size, newest = [], len(head) + len(foot), None
        lines.append(line)
        size += len(line)
        newest = entry.modified if newest is None else max(newest, entry.modified or newest)
    yield Urlset(b"".join([head, *lines, foot]), len(lines), newest)


def index(entries: Iterable[Entry]) -> bytes:
    """The file that names the others."""
    return b"".join([_HEAD.format("sitemapindex").encode(), *(each.xml("sitemap") for each in entries), b"</sitemapindex>\n"])
