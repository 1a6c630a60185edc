"""Which URLs that pages point to a mirror has, where each lies in it, and what it is: decisions, without asking anybody."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from urllib.parse import urlsplit

from archives import path_of
from config import ExternalSettings
from packageslip import Kind
from tasks.snapshot_items import Item

_HTML_ENDINGS = (".htm", ".html", ".xhtml")
_MEDIA = ("video/", "audio/")


@dataclass(frozen=True, slots=True)
class Wish:
    """One URL to have, by which external, and where it will lie if its bytes do not say otherwise."""

    url: str
    external: int
    place: str
    root: str = ""
    """Of a recursive fetch: the URL that all of it lies below."""
    top: str = ""
    """Where in the mirror what lies below `root` is put."""
    depth: int = 0

    def redirected(self, url: str) -> "Wish":
        """The wish once its index page was found elsewhere: all of it lies below that then."""
        return replace(self, root=folder_of(url)) if self.root and self.depth == 0 else self


class Wishes:
    """Decides which URLs are to be fetched, and where they lie."""

    def __init__(self, externals: Iterable[ExternalSettings]) -> None:
        self._externals = list(externals)
        self._patterns = [(number, re.compile(each.match)) for number, each in enumerate(self._externals) if each.match]

    def of(self, url: str) -> Wish | None:
        """The wish for a URL that a page points to; None: no external takes it."""
        for number, pattern in self._patterns:
            found = pattern.match(url)
            if found:
                rest = url[found.end() :] or urlsplit(url).path.rpartition("/")[2]
                external = self._externals[number]
                place = below(external.into, rest)
                return Wish(url, number, place, folder_of(url) if external.recursive else "", place.rpartition("/")[0])
        return None

    def further(self, wish: Wish, url: str) -> Wish | None:
        """The wish for what a fetched page of a recursive external points to; None: it is not below it, or too far."""
        if not wish.root or not url.startswith(wish.root) or wish.depth >= self._externals[wish.external].depth:
            return None
        return replace(wish, url=url, place=below(wish.top, url[len(wish.root) :]), depth=wish.depth + 1)


def folder_of(url: str) -> str:
    """The URL without what follows its path's last slash."""
    path = url.partition("?")[0]
    return path[: path.rfind("/") + 1]


def below(folder: str, rest: str) -> str:
    """The path in the mirror of what a URL's rest names. A query becomes a part of the name, for each may be another file."""
    written, _, query = rest.partition("?")
    path = path_of(written)
    if not path or path.endswith("/"):
        path += "index.htm"
    if query:
        stem, dot, ending = path.rpartition(".")
        mark = "-" + sha256(query.encode()).hexdigest()[:8]
        path = f"{stem}{mark}.{ending}" if dot and "/" not in ending else path + mark
    return f"{folder.strip('/')}/{path}".lstrip("/")


def is_web_url(text: str) -> bool:
    """Whether somebody can be asked for this."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def host_of(url: str) -> str:
    """Scheme, host and port."""
    return "://".join(urlsplit(url)[:2])


def placed(wish: Wish, item: Item) -> str:
    """Where an item lies: a page gets an ending by which it is known as one without a server."""
    if item.is_html and not wish.place.lower().endswith(_HTML_ENDINGS):
        return wish.place + ".htm"
    return wish.place


def kind_of(item: Item) -> Kind:
    """What an item is to the mirror."""
    if item.is_html:
        return Kind.PAGE
    if item.type.lower().startswith("image/"):
        return Kind.IMAGE
    return Kind.MEDIA if item.type.lower().startswith(_MEDIA) else Kind.FILE


def type_of(item: Item) -> str:
    """The media type, as far as a slip can hold it."""
    main = item.type.partition(";")[0].strip().lower()
    return main if re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", main) else "application/octet-stream"
