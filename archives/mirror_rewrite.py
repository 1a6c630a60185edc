"""What each marked value of a page becomes: one link, a list of them, a style, an applet's parts."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin

from archives.mirror_css import urls_in_css
from archives.mirror_links import Fate, Link, Linker, Standing
from archives.mirror_marks import Form, Mark, Scan
from archives.mirror_tree import joined, relative, relative_folder

# Pages from elsewhere are anybody's: no expression here may take longer than the text is long.
_CANDIDATE = re.compile(r"[\s,]*+(?:([^\s,](?:\S*[^\s,])?)(?:,++|\s[^,]*+)?)?")
"""One image of a srcset (HTML 4.8.4.2.1): a URL, which may hold commas but not end with one, and a descriptor; or separators."""
_REFRESH = re.compile(
    r"""\s*+[\d.]*+(?=[;,\s])\s*+[;,]?\s*+(?:url\s*+=\s*+)?(?:"([^"]*+)|'([^']*+)|([^"'\s].*+))""", re.IGNORECASE | re.DOTALL
)
_PART = re.compile(r"[^\s,]+")
_UNSAFE_IN_CSS = re.compile(r"""[\s"'()\\]|[^\x00-\x7f]""")
"""A sheet's own encoding may not have what an escape in it means, so links are written in ASCII."""

Write = Callable[[str], str | None]
"""What a link becomes; None: it stays."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one marked value (None: it stays as it is), and of each link in it, as (what it said, its fate)."""

    value: str | None
    links: tuple[tuple[str, Link], ...] = ()


def decide(linker: Linker, page: Standing, mark: Mark) -> Verdict:
    """What becomes of this value on this page."""
    links: list[tuple[str, Link]] = []

    def write(value: str) -> str | None:
        link = linker.link(page, value, embed=mark.embed)
        links.append((value, link))
        return link.written

    match mark.form:
        case Form.BASE:
            # An empty one means the page itself, in browsers as in the standard.
            return Verdict("" if mark.value else None)
        case Form.CODEBASE | Form.ARCHIVE | Form.CODE:
            return _applet(linker, page, mark)
        case _:
            made = _each(mark, write)
            return Verdict(made if made != mark.value else None, tuple(links))


def addresses(linker: Linker, page: Standing, scan: Scan) -> Iterator[str]:
    """The whole URL of everything that a page points to."""
    for mark in scan.marks:
        where, values = page, list[str]()
        if mark.form in (Form.ARCHIVE, Form.CODE):
            where, values = _beside(page, mark.beside), _PART.findall(mark.value)
        elif mark.form not in (Form.BASE, Form.CODEBASE):
            _each(mark, values.append)
        for value in values:
            if address := linker.address(where, value):
                yield address


def _each(mark: Mark, write: Write) -> str:
    """The value with each of its links as `write` says."""
    match mark.form:
        case Form.SET:
            return _spliced(mark.value, [found.span(1) for found in _CANDIDATE.finditer(mark.value) if found[1]], write)
        case Form.STYLE:
            marks = list(urls_in_css(mark.value, str))
            written = (_in_css(write(each.value)) for each in marks)
            return _replaced(mark.value, [(each.start, each.end) for each in marks], list(written))
        case Form.REFRESH:
            found = _REFRESH.match(mark.value)
            spans = [span for group in (1, 2, 3) if found and (span := found.span(group)) != (-1, -1)]
            return _spliced(mark.value, spans, write)
        case Form.SHEET:
            made = _in_css(write(mark.value))
            return mark.value if made is None else made
        case _:
            made = write(mark.value)
            return mark.value if made is None else made


def _in_css(url: str | None) -> str | None:
    return url if url is None else _UNSAFE_IN_CSS.sub(lambda found: quote(found[0], safe=""), url)


def _spliced(value: str, spans: Sequence[tuple[int, int]], write: Write) -> str:
    return _replaced(value, spans, [write(value[start:end]) for start, end in spans])


def _replaced(value: str, spans: Sequence[tuple[int, int]], written: Sequence[str | None]) -> str:
    parts, position = [], 0
    for (start, end), new in zip(spans, written, strict=True):
        parts += [value[position:start], value[start:end] if new is None else new]
        position = end
    return "".join([*parts, value[position:]])


def _beside(page: Standing, codebase: str) -> Standing:
    """The page, with links relative to an applet's codebase."""
    if not codebase:
        return page
    return replace(page, base=urljoin(page.base, codebase if codebase.endswith("/") else codebase + "/"))


def _applet(linker: Linker, page: Standing, mark: Mark) -> Verdict:
    """The parts of an applet: its files are relative to the codebase, whose place is where the first of them lies."""
    if mark.form is Form.CODEBASE:
        return _codebase(linker, page, mark)
    where = _beside(page, mark.beside)
    names = _PART.findall(mark.value)
    links = [linker.link(where, name, embed=True) for name in names]
    found = tuple(zip(names, links, strict=True))
    folder = _folder(names[0], links[0]) if mark.beside else page.place.rpartition("/")[0]
    if folder is None or mark.form is Form.CODE:
        return Verdict(None, found)
    written = (relative(f"{folder}/_".lstrip("/"), link.place) if link.place is not None else link.written for link in links)
    made = _replaced(mark.value, [each.span() for each in _PART.finditer(mark.value)], list(written))
    return Verdict(made if made != mark.value else None, found)


def _codebase(linker: Linker, page: Standing, mark: Mark) -> Verdict:
    link = linker.link(_beside(page, mark.value), mark.beside, embed=True)
    folder = _folder(mark.beside, link)
    if folder is None:
        ends = link.fate is Fate.ABSENT and link.written is not None and link.written.endswith("/" + mark.beside)
        return Verdict(link.written[: -len(mark.beside)] if ends and link.written else None)
    written = mark.value.strip()
    if (
        not page.moved
        and ":" not in written
        and not written.startswith("/")
        and joined(page.place, written).rstrip("/") == folder
    ):
        return Verdict(None)
    return Verdict(relative_folder(page.place, folder))


def _folder(name: str, link: Link) -> str | None:
    """The codebase's place, if the first of an applet's files lies in the mirror; None: it does not, or under another name."""
    if link.place is None or not f"/{link.place}".endswith(f"/{name}"):
        return None
    return link.place[: -len(name)].rstrip("/")
