"""Where each link of a mirrored page leads, and how it is written so that it works without the site.

Rules and lookups see a link in one form, however it is written: what is on the site as a path that begins with "/", with its
query and fragment; everything else as a whole URL.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import quote, urljoin, urlsplit

from archives.mirror_tree import find_place, joined, path_of, relative

NOWHERE = "http://site.invalid"
"""Stands for the site where the configuration does not say its URL."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
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

    def standing(self, place: str, base: str | None, url: str | None = None) -> Standing:
        """Where a page stands. `base`: what its <base> says; `url`: of a page from elsewhere."""
        own = url or self.url_of(place)
        return Standing(place, own, _join(own, base) or own if base else own)

    def url_of(self, place: str) -> str:
        """The URL that a file of the site has for its visitors."""
        return f"{self._site[0]}/{quote(place)}"

    def address(self, page: Standing, value: str) -> str | None:
        """The whole URL that a link of the page means, without its fragment; None if it is no web address."""
        text = _clean(value)
        if not text or text.startswith("#") or (_SCHEME.match(text) and not _is_web(text)):
            return None
        address = _join(page.base, text)
        return address.partition("#")[0] if address else None

    def find(self, path: str) -> str | None:
        """The file of the mirror that a path of the site leads to."""
        return find_place(path_of(path), self._exists, self._indexes)

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
        web = _is_web(text) or not _SCHEME.match(text)
        address = _join(page.base, text) if web else text
        if address is None:
            return Link(Fate.OUTSIDE)
        asked = _Asked(page, value, text, address, self._canonical(address))
        return self._ruled(asked, embed=embed) or self._plain(asked)

    def _ruled(self, asked: "_Asked", *, embed: bool) -> Link | None:
        """By the first rule that fits; None: there is none, or what it asks for is not in the mirror."""
        for pattern, replace, on in self._rules:
            found = pattern.match(asked.canonical) if on in ("any", "embed" if embed else "link") else None
            if found:
                made = self._canonical(found.expand(replace) + asked.canonical[found.end() :])
                if not made.startswith("/"):
                    return Link(Fate.OUTSIDE if _is_web(made) else Fate.NONE, made if made != asked.canonical else None)
                place = self.find(_path(made))
                return asked.inside(place, made) if place else None
        return None

    def _plain(self, asked: "_Asked") -> Link:
        """Without a rule."""
        on_site = asked.canonical.startswith("/")
        place = self.find(_path(asked.canonical)) if on_site else None
        if place:
            return asked.inside(place, asked.canonical)
        whole, mark, fragment = asked.address.partition("#")
        place = self._outside.get(whole)
        if place:
            return asked.inside(place, mark + fragment)
        if on_site:
            return self._absent(asked)
        if not _is_web(asked.address):
            return _STAYS
        # "//host" would mean a server of files on a stick, and what is relative to another site is not there.
        return Link(Fate.OUTSIDE, None if _is_web(asked.text) else asked.address)

    def _absent(self, asked: "_Asked") -> Link:
        if not self._known_site:
            return Link(Fate.BROKEN)
        return Link(Fate.ABSENT, None if _is_web(asked.text) else self._site[0] + _ascii(asked.canonical))

    def _canonical(self, address: str) -> str:
        """A path for what is on the site, else the URL."""
        address = _normal(address)
        for site in self._site:
            rest = address[len(site) :]
            if address.startswith(site) and (not rest or rest[0] in "/?#"):
                return rest if rest.startswith("/") else "/" + rest
        return address


@dataclass(frozen=True, slots=True)
class _Asked:
    """One link to decide about: what the page says, the same without what browsers overlook, and what that means."""

    page: Standing
    value: str
    text: str
    address: str
    canonical: str

    def inside(self, place: str, canonical: str) -> Link:
        """It leads to this file of the mirror. Where what the page says does that already, nothing is written."""
        path, page = _path(self.text), self.page
        own = not page.moved and not path.startswith("/") and not _SCHEME.match(path) and "\\" not in self.value
        if own and (joined(page.place, path) if path else page.place) == place:
            return Link(Fate.INSIDE, None, place)
        return Link(Fate.INSIDE, relative(page.place, place) + _ascii(canonical[len(_path(canonical)) :]), place)


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
