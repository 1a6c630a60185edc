"""Where everything lies in a package with a tree of pages: contents/ is the module, common/ what it shares with the site."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import BinaryIO

from archives.content import Content, Form, is_media, packaged, sidecars
from archives.links import Places, relink_page, relink_sheet
from archives.markup import links_of_page, links_of_sheet
from archives.naming import last_part
from config import PackageSettings
from packageslip import ITSELF, Packageslip, Resource, is_page

_LONGEST_TEXT = 64 * 1024 * 1024
"""Bytes of a page or style sheet whose links are changed; a longer one is nothing that a browser shows, and stays as it is."""
_INDEXES = ("index.htm", "index.html", "index.xhtml")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the module, or of a shared one, in a package."""

    path: str
    """In the package, below its top folder."""
    url: str
    """Its path on the site."""
    resource: Resource

    @property
    def is_page(self) -> bool:
        return is_page(self.resource)

    @property
    def is_sheet(self) -> bool:
        return self.resource.type.partition(";")[0].strip().lower() == "text/css" or self.path.lower().endswith(".css")


@dataclass(frozen=True)
class Layout:
    """A package's files. Each part is sorted by path."""

    contents: tuple[Entry, ...]
    sidecars: dict[str, Entry]
    """The metadata that the module itself has, by the path of what it describes, both in the package."""
    common: tuple[Entry, ...]
    places: Places

    @cached_property
    def home(self) -> Entry | None:
        """The page to begin with: the index page, else the first page, else the first file."""
        for name in _INDEXES:
            for entry in self.contents:
                if entry.path == f"contents/{name}":
                    return entry
        return min(self.contents, key=lambda entry: (not entry.is_page, *reading_order(entry)), default=None)


def lay_out(content: Content, form: Form, options: PackageSettings, *, media: bool) -> Layout:
    """Decide what lies where. With `shared_files = "used"` this reads the pages, to see what they use."""
    slip = content.slip
    chosen = packaged(slip, form, options, media=media)
    owners = sidecars(slip)
    contents = tuple(_entry(slip, each, "contents") for each in chosen if each.path not in owners)
    beside = {f"contents/{owners[each.path]}": _entry(slip, each, "contents") for each in chosen if each.path in owners}
    common = tuple(_shared(content, form, media=media))
    if options.shared_files == "used":
        wanted = _used(content, contents, common, Places(_by_url([*contents, *common]), options.site), options)
        common = tuple(entry for entry in common if entry.path in wanted)
    places = Places(_by_url([*common, *contents, *beside.values()]), options.site)
    return Layout(contents, beside, common, places)


def text_of(entry: Entry, content: Content, places: Places) -> bytes | None:
    """A page or style sheet as it is in the package; None for everything that is packed as it is."""
    if not (entry.is_page or entry.is_sheet) or (entry.resource.size or 0) > _LONGEST_TEXT:
        return None
    with opened(entry, content) as stream:
        text = stream.read()
    return (relink_page if entry.is_page else relink_sheet)(text, entry.url, entry.path, places)


def reading_order(entry: Entry) -> tuple[bool, int, str]:
    """By the slip's order; what has none comes last, by path."""
    order = entry.resource.order
    return order is None, order or 0, entry.path


def _entry(slip: Packageslip, resource: Resource, folder: str) -> Entry:
    if resource.path == ITSELF:
        return Entry(f"{folder}/{last_part(slip)}", slip.url, resource)
    return Entry(f"{folder}/{resource.path}", f"{slip.url.rstrip('/')}/{resource.path}", resource)


def _shared(content: Content, form: Form, *, media: bool) -> Iterator[Entry]:
    """Every file of the shared modules, by path. What belongs to the module itself is none."""
    entries = {}
    for slip in content.shared:
        if slip.url == content.slip.url:
            continue
        beside = sidecars(slip)
        for resource in slip.resources:
            is_kept_out = form is Form.DOWNLOAD and not resource.download
            if resource.path not in beside and not is_kept_out and (media or not is_media(resource)):
                entry = _entry(slip, resource, "common")
                place = f"common{entry.url}" if resource.path != ITSELF else f"common{slip.url}"
                entries[place] = replace(entry, path=place)
    return (entries[path] for path in sorted(entries))


def _by_url(entries: Iterable[Entry]) -> dict[str, str]:
    return {entry.url: entry.path for entry in entries}


def _used(
    content: Content, contents: tuple[Entry, ...], common: tuple[Entry, ...], places: Places, options: PackageSettings
) -> set[str]:
    """Which shared files the module's pages lead to, over pages and style sheets in between."""
    entries = {entry.path: entry for entry in (*contents, *common)}
    shared = {entry.path for entry in common}
    closing = [place for each in options.closing if (place := places.inside(each.page))]
    found = set(closing)
    ahead = [*(entry.path for entry in contents), *closing]
    while ahead:
        for path in _leads_to(entries[ahead.pop()], content, places):
            if path in shared and path not in found:
                found.add(path)
                ahead.append(path)
    return found


def _leads_to(entry: Entry, content: Content, places: Places) -> Iterator[str]:
    """Paths in the package that a page or a style sheet links to."""
    text = text_of(entry, content, places)
    if text is None:
        return
    for link in links_of_page(text) if entry.is_page else links_of_sheet(text):
        if path := places.reached(entry.path, link.url):
            yield path


def opened(entry: Entry, content: Content) -> BinaryIO:
    """The entry's bytes, as they are in the store."""
    assert entry.resource.digest is not None, f"{entry.url} has no digest"
    return content.open(entry.resource.digest)


def folder_of(path: str) -> str:
    """The folder that a path lies in; `.` at the top."""
    return str(PurePosixPath(path).parent)
