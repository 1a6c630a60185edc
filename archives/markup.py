"""Links in HTML and CSS: finding them, and changing them in place, so that every other byte of a page stays as it is.

A parser that builds a tree cannot write the same bytes again; so this walks over the tags as the tokenizer of the HTML
standard does (section 13.2.5) and remembers where each value stands. It reads every input in one pass, without backtracking.
Bytes are taken for an encoding that extends ASCII (UTF-8, Latin-1, Windows-1252, ...); a UTF-16 page is left as it is.
"""

import html
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

_LINKS = frozenset({"action", "background", "cite", "codebase", "formaction", "href", "longdesc", "manifest", "poster", "src"})
_SETS = frozenset({"srcset", "imagesrcset"})
_ONLY_ON = {"data": "object"}
"""Attributes that are links on one element alone. An applet's `code` and `archive` are none: they count from its codebase."""
_PARAMETERS = frozenset({"movie", "src", "filename", "url", "href", "data", "archive", "file"})
"""Names of `param` whose value is a link."""
_NAVIGATION = frozenset({"a", "area", "base", "blockquote", "button", "del", "form", "ins", "meta", "q"})
_RAW = frozenset({"script", "style", "textarea", "title", "xmp", "noembed"})
"""Elements whose content is text: it ends at their end tag and nowhere else."""

_COMMENT = re.compile(r"<!--(?:-?>|.*?--!?>)", re.DOTALL)
_TAG = re.compile(r"<([a-zA-Z][^\s/>]*+)")
_ATTRIBUTE = re.compile(
    r"""[\s/]*+(?:(?P<end>>)|(?P<name>=?[^\s/>=]++)"""
    r"""(?:\s*+=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>(?!["'])[^\s>]*+)|(?P<open>["'])))?+)"""
)
_SHEET = re.compile(
    r"""/\*.*?(?:\*/|\Z)"""
    r"""|\burl\(\s*+(?:"(?P<double>[^"\n]*+)"|'(?P<single>[^'\n]*+)'|(?P<bare>[^)\s"'(]*+))\s*+\)"""
    r"""|@import\s++(?:"(?P<import2>[^"\n]*+)"|'(?P<import1>[^'\n]*+)')""",
    re.IGNORECASE | re.DOTALL,
)
_REFRESH = re.compile(r"""[\s\d.]*+[;,]?\s*+(?:url\s*+=\s*+)?["']?(?P<url>[^"']*+)""", re.IGNORECASE)
_CANDIDATE = re.compile(r"[\s,]*+(?P<url>\S++)(?:(?<=,)|[^,]*+)")
_UNSAFE_BARE = re.compile(r"""[\s"'=<>`]|\A\Z""")
_UNSAFE_SHEET = re.compile(r"""[\s"'()\\]""")


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a page or a style sheet."""

    url: str
    """Without character references, and without blanks around it."""
    element: str
    """The element's name, lower-case; `css` in style sheets and styles."""
    attribute: str
    rel: str = ""
    """The rel of a `link`, lower-case."""

    @property
    def embeds(self) -> bool:
        """Whether what it leads to is part of the page: an image, a style, a frame; not something that a visitor goes to."""
        if self.element == "link":
            return "stylesheet" in self.rel or "icon" in self.rel
        return self.element not in _NAVIGATION


Change = Callable[[Link], str | None]
"""What a link becomes; None: it stays."""


def change_page(page: bytes, change: Change) -> bytes:
    """The page with changed links; the very same bytes if none changes."""
    text = page.decode("latin-1")
    parts: list[str] = []
    done = 0
    for spot in _spots(text):
        value = text[spot.start : spot.end]
        old = _value(value, unescape=spot.quote != "raw")
        new = spot.changed(old, change)
        if new != old:
            parts += (text[done : spot.start], spot.written(new, _encoding(value.encode("latin-1"))))
            done = spot.end
    return "".join([*parts, text[done:]]).encode("latin-1") if parts else page


def change_sheet(sheet: bytes, change: Change) -> bytes:
    """The style sheet with changed links; the very same bytes if none changes."""
    encoding = _encoding(sheet)
    text = sheet.decode(encoding)
    changed = _change_css(text, change)
    return sheet if changed == text else changed.encode(encoding, "xmlcharrefreplace")


def links_of_page(page: bytes) -> list[Link]:
    """Every link of a page, in order."""
    found: list[Link] = []
    change_page(page, found.append)
    return found


def links_of_sheet(sheet: bytes) -> list[Link]:
    """Every link of a style sheet, in order."""
    found: list[Link] = []
    change_sheet(sheet, found.append)
    return found


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a value with links stands in a page."""

    start: int
    end: int
    quote: Literal["double", "single", "bare", "raw"]
    holds: Literal["url", "set", "css", "refresh"]
    element: str
    attribute: str
    rel: str = ""

    def changed(self, value: str, change: Change) -> str:
        if self.holds == "css":
            return _change_css(value, change)
        if self.holds == "set":
            return _change_each(_CANDIDATE, value, lambda url: change(Link(url.rstrip(","), self.element, self.attribute)))
        if self.holds == "refresh":
            return _change_each(_REFRESH, value, lambda url: change(Link(url.strip(), self.element, self.attribute)), once=True)
        new = change(Link(value.strip(), self.element, self.attribute, self.rel))
        return value if new is None else new

    def written(self, value: str, encoding: str) -> str:
        """The value as it is written there: one character for each byte."""
        raw = value if self.quote == "raw" else html.escape(value)
        escaped = raw.encode(encoding, "xmlcharrefreplace").decode("latin-1")
        return f'"{escaped}"' if self.quote == "bare" and _UNSAFE_BARE.search(value) else escaped


def _spots(text: str) -> Iterator[_Spot]:
    at = 0
    is_xml = text.lstrip().startswith("<?xml")
    while (at := text.find("<", at)) >= 0:
        if text.startswith("<!--", at):
            # What stands in a conditional comment is a page to the browsers that it is for.
            if text.startswith("[if", at + 4):
                at += 4
            elif comment := _COMMENT.match(text, at):
                at = comment.end()
            else:
                return
        elif tag := _TAG.match(text, at):
            element = tag[1].lower()
            attributes, at = _attributes(text, tag.end())
            if at < 0:
                return
            yield from _spots_of_tag(text, element, attributes)
            if element in _RAW and not (is_xml and text[at - 2] == "/"):
                start, at = at, _end_of_raw(text, at, element)
                if element == "style":
                    yield _Spot(start, at, "raw", "css", "css", "style")
        else:
            at += 1


_Attributes = dict[str, tuple[int, int, Literal["double", "single", "bare"]]]


def _attributes(text: str, at: int) -> tuple[_Attributes, int]:
    """Where a tag's values stand, by name, and where the tag ends; -1 if it never does. The first of a name counts."""
    found: _Attributes = {}
    while match := _ATTRIBUTE.match(text, at):
        at = match.end()
        if match["end"]:
            return found, at
        if match["open"]:
            break
        quotes: tuple[Literal["double", "single", "bare"], ...] = ("double", "single", "bare")
        for quote in quotes:
            if match[quote] is not None:
                found.setdefault(match["name"].lower(), (*match.span(quote), quote))
    return found, -1


def _spots_of_tag(text: str, element: str, attributes: _Attributes) -> Iterator[_Spot]:
    def said(name: str) -> str:
        return _value(text[slice(*attributes[name][:2])]).strip().lower() if name in attributes else ""

    rel = said("rel") if element == "link" else ""
    for name, (start, end, quote) in sorted(attributes.items(), key=lambda each: each[1]):
        if name in _LINKS or name == "xlink:href" or _ONLY_ON.get(name) == element:
            yield _Spot(start, end, quote, "url", element, name, rel)
        elif name in _SETS:
            yield _Spot(start, end, quote, "set", element, name)
        elif name == "style":
            yield _Spot(start, end, quote, "css", "css", name)
        elif name == "content" and element == "meta" and said("http-equiv") == "refresh":
            yield _Spot(start, end, quote, "refresh", element, name)
        elif name == "value" and element == "param" and said("name") in _PARAMETERS:
            yield _Spot(start, end, quote, "url", element, name)


def _end_of_raw(text: str, at: int, element: str) -> int:
    end = re.compile(rf"</{re.escape(element)}(?=[\s/>])", re.IGNORECASE).search(text, at)
    return end.start() if end else len(text)


def _change_css(text: str, change: Change) -> str:
    def one(found: re.Match[str]) -> str:
        group = found.lastgroup
        if group is None or "\\" in found[group]:
            # A link with escapes works as it is where it is relative, which nearly all are.
            return found[0]
        new = change(Link(found[group].strip(), "css", "import" if group.startswith("import") else "url"))
        if new is None:
            return found[0]
        start, end = (place - found.start() for place in found.span(group))
        return found[0][:start] + _UNSAFE_SHEET.sub(lambda each: f"%{ord(each[0]):02X}", new) + found[0][end:]

    return _SHEET.sub(one, text)


def _change_each(pattern: re.Pattern[str], value: str, change: Callable[[str], str | None], *, once: bool = False) -> str:
    """Change the group `url` of each match."""

    def one(found: re.Match[str]) -> str:
        new = change(found["url"])
        if new is None:
            return found[0]
        start, end = (place - found.start() for place in found.span("url"))
        comma = "," if found["url"].endswith(",") else ""
        return found[0][:start] + new + comma + found[0][end:]

    return pattern.sub(one, value, count=1 if once else 0)


def _value(raw: str, *, unescape: bool = True) -> str:
    """A value's characters."""
    octets = raw.encode("latin-1")
    text = octets.decode(_encoding(octets))
    return html.unescape(text) if unescape else text


def _encoding(octets: bytes) -> str:
    """UTF-8, or else Latin-1, which gives any bytes back as they were. Bare ASCII fits all: what is added must do so, too."""
    for encoding in ("ascii", "utf-8"):
        with suppress(UnicodeDecodeError):
            octets.decode(encoding)
            return encoding
    return "latin-1"
