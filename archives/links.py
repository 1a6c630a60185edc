"""Links of packaged pages: relative where they lead to something in the package, absolute where they leave it."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from archives.markup import Link, change_page, change_sheet

_INDEXES = ("index.htm", "index.html", "index.xhtml")
_WEB = frozenset({"", "http", "https"})
_TAIL = re.compile(r"[?#].*", re.DOTALL)
_BREAKS = re.compile(r"[\t\r\n]")
"""Browsers take these out of a link wherever they stand."""
_SAFE = "/~!$&'()*+,;=@-._"
_NAMES_ITSELF = frozenset({"canonical", "shortlink"})
"""Relations that say where a page is on the site: they stay absolute wherever a copy of it lies."""


@dataclass(frozen=True)
class Places:
    """Where everything is: on the site, and in the package."""

    by_url: Mapping[str, str]
    """Path on the site, such as /images/logo.png, to path in the package."""
    site: str | None = None
    """The site's URL, such as https://ocw.example.edu."""

    @cached_property
    def paths(self) -> frozenset[str]:
        """Every path in the package that a link can lead to."""
        return frozenset(self.by_url.values())

    @cached_property
    def host(self) -> str:
        return urlsplit(self.site or "").netloc.lower()

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder of the package."""
        return frozenset(str(folder) for path in self.paths for folder in PurePosixPath(path).parents)

    def inside(self, path: str, *, folder: bool = False) -> str | None:
        """Where a path of the site lies in the package. A folder's is its index page; with `folder`, the folder itself."""
        plain = unquote(path)
        if folder:
            below = plain.rstrip("/") + "/"
            found = next((url for url in self.by_url if url.startswith(below)), None)
            return self.by_url[found][: len(below) - len(found)] if found else None
        if plain in self.by_url:
            return self.by_url[plain]
        stem = plain.rstrip("/")
        return next((self.by_url[name] for index in _INDEXES if (name := f"{stem}/{index}") in self.by_url), None)

    def reached(self, path: str, url: str) -> str | None:
        """What a link leads to, as it is written on the page at `path` in the package; None for all that is no file here."""
        parts = split(url)
        if parts is None or parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
            return None
        place = resolve(path, parts.path)
        return place if place in self.paths else None


def relink_page(page: bytes, url: str, path: str, places: Places) -> bytes:
    """The page as it is in the package. `url`: its path on the site; `path`: that in the package."""
    return change_page(page, _Mover(url, path, places).change)


def relink_sheet(sheet: bytes, url: str, path: str, places: Places) -> bytes:
    """The style sheet as it is in the package."""
    return change_sheet(sheet, _Mover(url, path, places).change)


def written(path: str) -> str:
    """A path as a link writes it."""
    return quote(path, _SAFE)


def split(url: str) -> SplitResult | None:
    """A link's parts as browsers see them: in a path of the web a backslash is a slash. None if it is no URL."""
    try:
        parts = urlsplit(url)
        if "\\" not in url or parts.scheme not in _WEB:
            return parts
        path = _TAIL.sub("", url)
        return urlsplit(path.replace("\\", "/") + url[len(path) :])
    except ValueError:
        return None


def resolve(path: str, url: str) -> str:
    """The path in a package that a relative URL on the page at `path` leads to; one that leaves the package begins with `../`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(url)))


class _Mover:
    """One page, on its way from the site into the package."""

    def __init__(self, url: str, path: str, places: Places) -> None:
        self._path = path
        self._folders = path.split("/")[:-1]
        self._places = places
        self._base = written(url)
        self._rebased = False
        self._elsewhere = False

    def change(self, link: Link) -> str | None:
        """What a link becomes; None: it stays."""
        parts = split(link.url)
        if parts is None:
            return None
        if link.element == "base" and link.attribute == "href":
            return self._rebase(parts)
        if parts.scheme not in _WEB or not (parts.netloc or parts.path):
            return None
        if parts.netloc and parts.netloc.lower() != self._places.host:
            # Without a scheme a link follows that of its page, which will be a file.
            return None if parts.scheme else f"https:{link.url}"
        if self._elsewhere and not parts.netloc:
            return None
        return self._on_site(link, parts, _tail(link.url))

    def _on_site(self, link: Link, parts: SplitResult, tail: str) -> str | None:
        is_folder = link.attribute == "codebase"
        relative = not parts.netloc and not parts.path.startswith("/")
        here = self._places.folders if is_folder else self._places.paths
        if relative and not self._rebased and resolve(self._path, parts.path) in here:
            return None
        path = parts.path or "/" if parts.netloc else _joined(self._base, parts.path)
        inside = None if self._names_itself(link) else self._places.inside(path, folder=is_folder)
        if inside is not None:
            return written(_relative(inside, self._folders)) + tail
        if (parts.scheme and parts.netloc) or self._places.site is None:
            return None
        return self._places.site.rstrip("/") + path + tail

    def _names_itself(self, link: Link) -> bool:
        return not _NAMES_ITSELF.isdisjoint(link.rel.split())

    def _rebase(self, parts: SplitResult) -> str | None:
        """A base says where relative links start from. In a package that is the page itself, once they are changed."""
        if self._rebased or self._elsewhere:
            # The first one counts, and no other.
            return None
        if parts.scheme not in _WEB or parts.netloc.lower() not in {"", self._places.host}:
            self._elsewhere = True
            return None
        self._base, self._rebased = urljoin(self._base, parts.path), True
        return ""


def _tail(url: str) -> str:
    """Query and fragment as they stand: an empty query, too, means something to old browsers (`font.eot?#iefix`)."""
    found = _TAIL.search(url)
    return _BREAKS.sub("", found[0]) if found else ""


def _joined(base: str, path: str) -> str:
    """The path on the site that a path on the page at `base` means."""
    return path if path.startswith("/") and "/." not in path else urljoin(base, path)


def _relative(path: str, folders: list[str]) -> str:
    """The path, as a page in these folders writes it."""
    parts = path.split("/")
    same = 0
    while same < min(len(folders), len(parts) - 1) and folders[same] == parts[same]:
        same += 1
    return "../" * (len(folders) - same) + "/".join(parts[same:])
