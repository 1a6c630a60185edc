"""Finding every link of an HTML page with its place in the text, as browsers read it, however broken the page is.

No parser tells where in the file an attribute's value stands, and a page must stay as it is but for the links that change.
So this reads tags and attributes by the tokenizer's rules of the HTML standard (13.2.5), and leaves out only what cannot
hold a link: comments, scripts, titles.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.entities import html5

from archives.mirror_css import urls_in_css
from archives.mirror_marks import Form, Mark, Scan

Attribute = tuple[int, int, str]
"""Where the value stands (without quotes), and its quote: one of " and ', or nothing."""

_MARKUP = re.compile(r"<(?:(!--)|(/?)([A-Za-z][^ \t\n\r\f/>]*)|[!?/])")
_BLANKS = re.compile(r"[ \t\n\r\f/]*")
_NAME = re.compile(r"=?[^ \t\n\r\f/>=]*")
_EQUALS = re.compile(r"[ \t\n\r\f]*=[ \t\n\r\f]*")
_UNQUOTED = re.compile(r"[^ \t\n\r\f>]*")
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(r"&(?:#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?|([A-Za-z][A-Za-z0-9]*;?)(?!=))")

_NO_MARKUP = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "plaintext"})
"""Elements whose content is text. What only shows without scripts or frames (noscript, noframes) is read as markup."""

_LINKS: Mapping[str, tuple[str, ...]] = {
    "a": ("href",),
    "area": ("href",),
    "form": ("action",),
    "button": ("formaction",),
    "blockquote": ("cite",),
    "q": ("cite",),
}
_EMBEDS: Mapping[str, tuple[str, ...]] = {
    "img": ("src", "longdesc", "lowsrc", "dynsrc"),
    "image": ("src", "href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "script": ("src",),
    "iframe": ("src", "longdesc"),
    "frame": ("src", "longdesc"),
    "embed": ("src",),
    "object": ("data",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "source": ("src",),
    "track": ("src",),
    "input": ("src",),
    "bgsound": ("src",),
    "html": ("manifest",),
    **dict.fromkeys(("body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"), ("background",)),
}
_SETS: Mapping[str, tuple[str, ...]] = {"img": ("srcset",), "source": ("srcset",), "link": ("imagesrcset",)}
_PARAMS = frozenset({"movie", "src", "url", "filename", "file", "data", "href"})
"""Names of <param> whose value is a link, for the players that were common."""
_APPLET = ("code", "codebase", "archive")
_EMBEDDED_RELATIONS = frozenset(
    {"stylesheet", "icon", "shortcut", "apple-touch-icon", "preload", "prefetch", "manifest", "import"}
)
_ITS_OWN_NAME = frozenset({"canonical", "shortlink"})
"""Relations that say where the original is: they stay as they are."""


def links_in_html(text: str, decode: Callable[[str], str], *, xml: bool = False) -> Scan:
    """Every link. `decode` makes characters of what stands in `text`; `xml`: an element that closes itself has no content."""
    reader = _Reader(text, decode, xml=xml)
    reader.read()
    return Scan(tuple(sorted(reader.marks, key=lambda mark: mark.start)), reader.base)


@dataclass(slots=True)
class _Applet:
    """One <applet>, or an <object> or <embed> that may be one, while it is open."""

    tag: str
    java: bool
    values: dict[str, Attribute] = field(default_factory=dict)


class _Reader:
    def __init__(self, text: str, decode: Callable[[str], str], *, xml: bool) -> None:
        self._text, self._decode, self._xml = text, decode, xml
        self.marks: list[Mark] = []
        self.base: str | None = None
        self._applets: list[_Applet] = []

    def read(self) -> None:
        position = 0
        while found := _MARKUP.search(self._text, position):
            position = self._markup(found)
            if position < 0:
                break
        while self._applets:
            self._close_applet()

    def _markup(self, found: re.Match[str]) -> int:
        """Where to go on; -1: the page ends within this."""
        if found[1]:
            return self._comment(found.end())
        if not found[3]:
            return self._text.find(">", found.end()) + 1 or -1
        tag = found[3].lower()
        parsed = self._attributes(found.end())
        if parsed is None:
            return -1
        attributes, position = parsed
        if found[2]:
            if self._applets and self._applets[-1].tag == tag:
                self._close_applet()
            return position
        self._element(tag, attributes)
        closed = self._xml and self._text[position - 2] == "/"
        return self._content(tag, position) if tag in _NO_MARKUP and not closed else position

    def _comment(self, start: int) -> int:
        if self._text.startswith("[if", start):
            # Markup, for the browsers that it is meant for.
            return start
        for short in (">", "->"):
            if self._text.startswith(short, start):
                return start + len(short)
        end = _COMMENT_END.search(self._text, start)
        return end.end() if end else -1

    def _attributes(self, position: int) -> tuple[dict[str, Attribute], int] | None:
        """Names in lower case to values, the first of each name, and where the tag ends; None: it does not."""
        text, found = self._text, dict[str, Attribute]()
        while True:
            position = _end(_BLANKS, text, position)
            if position >= len(text):
                return None
            if text[position] == ">":
                return found, position + 1
            end = _end(_NAME, text, position)
            name, position = text[position:end].lower(), end
            equals = _EQUALS.match(text, position)
            if not equals:
                continue
            start = equals.end()
            quote = text[start : start + 1]
            if quote in {'"', "'"}:
                start += 1
                end = text.find(quote, start)
                position = end + 1
            else:
                quote, end = "", _end(_UNQUOTED, text, start)
                position = end
            if end < 0:
                return None
            found.setdefault(name, (start, end, quote))

    def _content(self, tag: str, start: int) -> int:
        """Where the end tag of an element without markup begins."""
        end = re.compile(rf"</{tag}(?=[ \t\n\r\f/>])", re.IGNORECASE).search(self._text, start)
        stop = end.start() if end else len(self._text)
        if tag == "style":
            self.marks += urls_in_css(self._text[start:stop], self._decode, start)
        return stop if end else -1

    def _value(self, attribute: Attribute) -> str:
        return unescaped(self._decode(self._text[attribute[0] : attribute[1]]))

    def _text_of(self, attributes: Mapping[str, Attribute], name: str) -> str:
        return self._value(attributes[name]) if name in attributes else ""

    def _mark(self, attribute: Attribute, form: Form, *, embed: bool = True, value: str | None = None, beside: str = "") -> None:
        found = self._value(attribute) if value is None else value
        self.marks.append(Mark(*attribute, form, embed, found, beside))

    def _element(self, tag: str, attributes: dict[str, Attribute]) -> None:
        for name in _LINKS.get(tag, ()):
            if name in attributes:
                self._mark(attributes[name], Form.URL, embed=False)
        for name in _EMBEDS.get(tag, ()):
            if name in attributes:
                self._mark(attributes[name], Form.URL)
        for name in _SETS.get(tag, ()):
            if name in attributes:
                self._mark(attributes[name], Form.SET)
        if "style" in attributes:
            self._mark(attributes["style"], Form.STYLE)
        special = {"base": self._base, "link": self._link, "meta": self._meta, "param": self._param}.get(tag)
        if special:
            special(attributes)
        elif tag in {"applet", "object", "embed"}:
            self._open_applet(tag, attributes)

    def _base(self, attributes: dict[str, Attribute]) -> None:
        if self.base is None and "href" in attributes:
            self.base = self._value(attributes["href"]).strip()
            self._mark(attributes["href"], Form.BASE)

    def _link(self, attributes: dict[str, Attribute]) -> None:
        relations = set(self._text_of(attributes, "rel").lower().split())
        if "href" in attributes and not relations & _ITS_OWN_NAME:
            self._mark(attributes["href"], Form.URL, embed=bool(relations & _EMBEDDED_RELATIONS))

    def _meta(self, attributes: dict[str, Attribute]) -> None:
        if "content" in attributes and self._text_of(attributes, "http-equiv").strip().lower() == "refresh":
            self._mark(attributes["content"], Form.REFRESH, embed=False)

    def _param(self, attributes: dict[str, Attribute]) -> None:
        name = self._text_of(attributes, "name").strip().lower()
        if "value" not in attributes:
            return
        if name in _APPLET and self._applets:
            self._applets[-1].values.setdefault(name, attributes["value"])
        elif name in _PARAMS:
            self._mark(attributes["value"], Form.URL)

    def _open_applet(self, tag: str, attributes: dict[str, Attribute]) -> None:
        java = tag == "applet" or "java" in self._text_of(attributes, "type").lower()
        applet = _Applet(tag, java, {name: attributes[name] for name in _APPLET if name in attributes})
        if self._text_of(attributes, "classid").lower().startswith("java:"):
            applet.java = True
        self._applets.append(applet)
        if tag == "embed":
            self._close_applet()

    def _close_applet(self) -> None:
        """What an applet is made of: its archives, or without one its class; all relative to its codebase."""
        applet = self._applets.pop()
        if not applet.java:
            return
        values = applet.values
        codebase = self._text_of(values, "codebase").strip()
        files = [part.strip() for part in self._text_of(values, "archive").split(",") if part.strip()]
        if files:
            self._mark(values["archive"], Form.ARCHIVE, beside=codebase)
        elif "code" in values:
            files = [class_file(self._text_of(values, "code"))]
            self._mark(values["code"], Form.CODE, beside=codebase, value=files[0])
        if codebase and files:
            self._mark(values["codebase"], Form.CODEBASE, beside=files[0])


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where a pattern that always matches ends."""
    found = pattern.match(text, position)
    return found.end() if found else position


def class_file(code: str) -> str:
    """The file of an applet's class, however it is named: Ball, Ball.class, physics.Ball."""
    name = code.strip().removeprefix("java:")
    return name.removesuffix(".class").replace(".", "/") + ".class"


def unescaped(value: str) -> str:
    """An attribute's value with its character references read (HTML 13.2.5.73: `&copy=1` is no reference)."""
    return _REFERENCE.sub(_referred, value) if "&" in value else value


def _referred(found: re.Match[str]) -> str:
    if found[3]:
        return html5.get(found[3], found[0])
    # More digits than any character has may be a million of them.
    number = int(found[1], 16) if found[1] else int(found[2].lstrip("0")[:8] or "0")
    return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
