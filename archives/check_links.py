"""Whether every link of the pages in a package leads somewhere when the package lies on a disk, without a server."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from archives.errors import PackageError
from archives.findings import Finding, failure, warning
from archives.links import resolve, split
from archives.markup import Link, links_of_page, links_of_sheet
from archives.naming import plain_name, uri_name
from archives.unpacking import Unpacked

_PAGES = frozenset({".htm", ".html", ".xhtml"})
_NAMED = 3
"""How many links of a style sheet are named in its finding."""


def check_links(zipped: Unpacked) -> Iterator[Finding]:
    """Pages must not have a link that leads nowhere. In style sheets browsers live with it: a warning."""
    folders = {str(folder) for name in zipped.entries for folder in PurePosixPath(name).parents}
    for name in zipped.entries:
        ending = PurePosixPath(name).suffix.lower()
        if ending not in _PAGES and ending != ".css":
            continue
        try:
            text = zipped.read(name)
        except PackageError as error:
            yield failure(name, str(error))
            continue
        if ending in _PAGES:
            yield from _of_page(name, links_of_page(text), zipped, folders)
        else:
            yield from _of_sheet(name, links_of_sheet(text), zipped, folders)


def _of_page(name: str, links: list[Link], zipped: Unpacked, folders: set[str]) -> Iterator[Finding]:
    seen = set()
    for link in links:
        if (link.element, link.attribute) == ("base", "href") and _is_elsewhere(link.url):
            # Relative links after it lead out into the network.
            return
        why = _broken(name, link, zipped, folders)
        if why and link.url not in seen:
            seen.add(link.url)
            yield failure(name, f"has a link {link.url!r} ({link.element} {link.attribute}) that {why}")


def _of_sheet(name: str, links: list[Link], zipped: Unpacked, folders: set[str]) -> Iterator[Finding]:
    broken = [link.url for link in links if _broken(name, link, zipped, folders)]
    if broken:
        more = f" and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
        yield warning(name, f"has links that lead nowhere: {', '.join(broken[:_NAMED])}{more}")


def _broken(name: str, link: Link, zipped: Unpacked, folders: set[str]) -> str | None:
    """Why a link leads nowhere; None if it does lead somewhere, or out into the network."""
    parts = split(link.url)
    if parts is None or parts.scheme or not (parts.path or parts.netloc):
        return None
    if parts.netloc or parts.path.startswith("/"):
        return "starts from a server's root, and a package has no server"
    place = resolve(name, parts.path)
    # In METS the names of entries are escaped, those of folders as well.
    if place in zipped.entries or uri_name(resolve(plain_name(name), parts.path)) in zipped.entries:
        return None
    if place in folders and link.attribute == "codebase":
        return None
    return "leads to a folder, which only a server turns into a page" if place in folders else "leads nowhere"


def _is_elsewhere(base: str) -> bool:
    parts = split(base)
    return parts is not None and bool(parts.netloc)
