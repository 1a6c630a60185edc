"""Where each link of a mirrored page leads, and how it is written so that it works without the site.

Rules and lookups see a link in one form, however it is written: what is on the site as a path that begins with "/", with its
query and fragment; everything else as a whole URL.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, urljoin, urlsplit

from archives.mirror_tree import find_place, joined, path_of, relative

NOWHERE = "http://site.invalid"
"""Stands for the site where the configuration does not say its URL."""
REMEMBERED = 1 << 16
"""Links whose meaning is kept at hand: some twenty megabytes."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NO_PATH = re.compile(r"\A\w+://[^/?#]+(?![^?#])")
_BREAKS = re.compile(r"[\t\r\n]")
_END_OF_PATH = re.compile(r"[?#]")


class RuleSetting(Protocol):
    """One line of the table of rules, as the configuration has it."""

    @property
    def match(self) -> str: ...
    @property
    def replace(self) -> str: ...
    @property
    def on(self) -> str: ...


class Fate(StrEnum):
    """Where a link leads in the mirror."""

    NONE = "none"
    """Nowhere: mail, a script, a place in the same page."""
    INSIDE = "inside"
    """To a file of the mirror."""
    OUTSIDE = "outside"
    """To another site."""
    ABSENT = "absent"
    """To a file of the site that the mirror does not have; written with the site's URL."""
    BROKEN = "broken"
    """To nothing: the mirror does not have it, and nobody said where the site is."""


@dataclass(frozen=True, slots=True)
class Link:
    """What becomes of one link. `written` None: it stays as it is. `place`: the file of the mirror that it leads to."""

    fate: Fate
    written: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a page stands: its path in the mirror, the URL it was made for, and what its links are relative to."""

    place: str
    url: str
    base: str

    @property
    def moved(self) -> bool:
        """Whether its links are relative to something else than itself."""
        return self.base != self.url

    def base_for(self, text: str) -> str:
        """As much of the base as this link depends on, so that pages of one folder, or of one site, ask the same."""
        if text[:1] in {"?", "#"}:
            return self.base
        path = self.base.partition("?")[0]
        if text.startswith("/") or _SCHEME.match(text):
            return path[: path.find("/", path.find("//") + 2) + 1]
        return path[: path.rfind("/") + 1]


_STAYS = Link(Fate.NONE)


class Linker:
    """Decides about links by the rules, the site's URLs and what the mirror holds. `outside`: URL to path of what was fetched."""

    def __init__(
        self,
        rules: Sequence[RuleSetting],
        site: Sequence[str],
        exists: Callable[[str], bool],
        outside: Mapping[str, str],
        indexes: Sequence[str],
    ) -> None:
        self._rules = [(re.compile(rule.match), rule.replace, rule.on) for rule in rules]
        self._site = tuple(_normal(url.rstrip("/")) for url in site) or (NOWHERE,)
        self._known_site = bool(site)
        self._exists, self._outside, self._indexes = exists, outside, tuple(indexes)
        # A site's pages share most of their links. What they lead to is asked once the mirror's files are known.
        self._goal = lru_cache(REMEMBERED)(self._decide)
        self._join = lru_cache(REMEMBERED)(_join)

    def standing(self, place: str, base: str | None, url: str | None = None) -> Standing:
        """Where a page stands. `base`: what its <base> says; `url`: of a page from elsewhere."""
        own = _with_path(url or self.url_of(place))
        return Standing(place, own, _with_path(_join(own, base) or own) if base else own)

    def url_of(self, place: str) -> str:
        """The URL that a file of the site has for its visitors."""
        return f"{self._site[0]}/{quote(place)}"

    def address(self, page: Standing, value: str) -> str | None:
        """The whole URL that a link of the page means, without its fragment; None if it is no web address."""
        text = _clean(value)
        if not text or text.startswith("#") or (_SCHEME.match(text) and not _is_web(text)):
            return None
        address = self._join(page.base_for(text), text)
        return address.partition("#")[0] if address else None

    def find(self, path: str) -> str | None:
        """The file of the mirror that a path of the site leads to."""
        return find_place(path_of(path), self._exists, self._indexes)

    def has(self, url: str) -> bool:
        """Whether a whole URL is the site's, and the mirror has what is there."""
        canonical = self._canonical(url)
        return canonical.startswith("/") and self.find(_path(canonical)) is not None

    def site_path(self, page: Standing, value: str) -> str | None:
        """The path on the site that a link means; None if it leads elsewhere."""
        address = self.address(page, value)
        canonical = self._canonical(address) if address else ""
        return _path(canonical) if canonical.startswith("/") else None

    def link(self, page: Standing, value: str, *, embed: bool) -> Link:
        """What becomes of a link with this value."""
        text = _clean(value)
        if not text or (text.startswith("#") and not page.moved):
            return _STAYS
        goal = self._goal(page.base_for(text), text, embed)
        if goal.place is None:
            return Link(goal.fate, goal.written)
        if not page.moved and "\\" not in value and _leads_there(page.place, _path(text), goal.place):
            return Link(Fate.INSIDE, None, goal.place)
        return Link(Fate.INSIDE, relative(page.place, goal.place) + goal.tail, goal.place)

    def _decide(self, base: str, text: str, embed: bool) -> "_Goal":
        web = _is_web(text) or not _SCHEME.match(text)
        address = self._join(base, text) if web else text
        if address is None:
            return _Goal(Fate.OUTSIDE)
        canonical = self._canonical(address)
        return self._ruled(canonical, embed=embed) or self._plain(text, address, canonical)

    def _ruled(self, canonical: str, *, embed: bool) -> "_Goal | None":
        """By the first rule that fits; None: there is none, or what it asks for is not in the mirror."""
        for pattern, replace, on in self._rules:
            found = pattern.match(canonical) if on in ("any", "embed" if embed else "link") else None
            if found:
                made = self._canonical(found.expand(replace) + canonical[found.end() :])
                if not made.startswith("/"):
                    return _Goal(Fate.OUTSIDE if _is_web(made) else Fate.NONE, made if made != canonical else None)
                place = self.find(_path(made))
                return _inside(place, made) if place else None
        return None

    def _plain(self, text: str, address: str, canonical: str) -> "_Goal":
        """Without a rule."""
        on_site = canonical.startswith("/")
        place = self.find(_path(canonical)) if on_site else None
        if place:
            return _inside(place, canonical)
        whole, mark, fragment = address.partition("#")
        place = self._outside.get(whole)
        if place:
            return _inside(place, mark + fragment)
        if on_site:
            return self._absent(text, canonical)
        if not _is_web(address):
            return _Goal(Fate.NONE)
        # "//host" would mean a server of files on a stick, and what is relative to another site is not there.
        return _Goal(Fate.OUTSIDE, None if _is_web(text) else address)

    def _absent(self, text: str, canonical: str) -> "_Goal":
        if not self._known_site:
            return _Goal(Fate.BROKEN)
        return _Goal(Fate.ABSENT, None if _is_web(text) else self._site[0] + _ascii(canonical))

    def _canonical(self, address: str) -> str:
        """A path for what is on the site, else the URL."""
        address = _normal(address)
        for site in self._site:
            rest = address[len(site) :]
            if address.startswith(site) and (not rest or rest[0] in "/?#"):
                return rest if rest.startswith("/") else "/" + rest
        return address


@dataclass(frozen=True, slots=True)
class _Goal:
    """Where a link leads, for whatever page: how it is written if not by a place, or its place and what follows that."""

    fate: Fate
    written: str | None = None
    place: str | None = None
    tail: str = ""


def _inside(place: str, canonical: str) -> _Goal:
    return _Goal(Fate.INSIDE, None, place, _ascii(canonical[len(_path(canonical)) :]))


def _leads_there(page: str, path: str, place: str) -> bool:
    """Whether a path, as it is written on a page of the mirror, leads to this place already."""
    if path.startswith("/") or _SCHEME.match(path):
        return False
    return (joined(page, path) if path else page) == place


def _path(text: str) -> str:
    """Without query and fragment."""
    return _END_OF_PATH.split(text, maxsplit=1)[0]


def _clean(value: str) -> str:
    """A link as browsers take it: blanks around it and breaks within mean nothing, a backslash in its path is a slash."""
    text = _BREAKS.sub("", value).strip()
    if "\\" in text and (not _SCHEME.match(text) or _is_web(text)):
        path, *_ = _END_OF_PATH.split(text, maxsplit=1)
        text = path.replace("\\", "/") + text[len(path) :]
    return text


def _is_web(text: str) -> bool:
    return text[:8].lower().startswith(("http:", "https:"))


def _join(base: str, text: str) -> str | None:
    """The absolute URL, or None for what is none, such as half an IPv6 address."""
    try:
        joined_url = urljoin(base, text)
        _ = urlsplit(joined_url).hostname
    except ValueError:
        return None
    return joined_url


def _with_path(url: str) -> str:
    """A URL that says no more than its host means the top there."""
    return _NO_PATH.sub(lambda found: found[0] + "/", url)


def _normal(url: str) -> str:
    """Scheme and host in lower case, the scheme's own port left out."""
    if not _is_web(url):
        return url
    scheme, _, rest = url.partition("://")
    host, *_ = re.split(r"[/?#]", rest, maxsplit=1)
    scheme = scheme.lower()
    return f"{scheme}://{host.lower().removesuffix(':80' if scheme == 'http' else ':443')}{rest[len(host) :]}"


def _ascii(text: str) -> str:
    """A query or fragment with everything escaped that no link may hold, in the way browsers send it."""
    return quote(text, safe="%/-._~!$&*+,;=:@?#[]")
