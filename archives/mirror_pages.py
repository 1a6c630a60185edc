"""A page or style sheet as a mirror handles it: its links found, and other values put in their places, byte for byte the rest."""

import codecs
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from archives.mirror_css import urls_in_css
from archives.mirror_html import links_in_html
from archives.mirror_marks import Form, Mark, Scan

LARGEST = 32 * 1024 * 1024
"""Bytes. A larger page is data that happens to be HTML; it stays as it is."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(
    rb"""<meta[^>]*?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)|<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""", re.IGNORECASE
)
_XML = re.compile(rb"\s*<\?xml\s")
_QUOTES = {'"': "&quot;", "'": "&#39;"}
_LOOKED_AT = 4096
"""Bytes at the start in which a page says what encoding it has; browsers look at 1,024, some pages say it later."""
_NOT_ASCII = ("utf-16", "utf-32", "utf-7", "iso2022", "hz")
"""Encodings in which the byte of a quote or a bracket may mean something else."""
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs of Python's own, some of which fail whatever they are told to do with errors; no browser knows them."""


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's text. Where the encoding allows, each character stands for one byte, so that nothing is lost on the way back."""

    text: str
    encoding: str
    """What the bytes mean."""
    plain: bool
    """Whether `text` is the characters themselves, not one for each byte."""
    start: bytes = b""
    """The byte order mark."""

    def decode(self, part: str) -> str:
        """The characters of a part of the text."""
        if self.plain:
            # Half a character of UTF-16 can be kept, but stands in no URL and no report.
            return part.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return part.encode("latin-1").decode(self.encoding, "replace")

    def encode(self, text: str) -> bytes:
        """The page of this text."""
        return self.start + text.encode(self.encoding if self.plain else "latin-1", "surrogatepass" if self.plain else "strict")


def page_text(content: bytes) -> PageText:
    """The text of a page, by its byte order mark, what it says itself, or as browsers guess."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _text(content[len(mark) :], encoding, mark)
    declared = _DECLARED.search(content[:_LOOKED_AT])
    if declared:
        encoding = (declared[1] or declared[2]).decode("ascii")
        return _text(content, encoding if _known(encoding) else "windows-1252")
    try:
        content.decode()
        return _text(content, "utf-8")
    except UnicodeDecodeError:
        return _text(content, "windows-1252")


def _known(encoding: str) -> bool:
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        return False
    return codec._is_text_encoding and codec.name not in _NO_CHARSETS  # noqa: SLF001


def _text(content: bytes, encoding: str, start: bytes = b"") -> PageText:
    name = codecs.lookup(encoding).name.replace("_", "")
    if name.startswith(_NOT_ASCII):
        try:
            text = content.decode(encoding, "surrogatepass" if name.startswith("utf") else "strict")
            page = PageText(text, encoding, True, start)
            if page.encode(text) == start + content:
                return page
        except UnicodeError:
            pass
        # A page that only claims to be UTF-16 (its own <meta> was read as bytes) is one of bytes.
        encoding = "utf-8"
    return PageText(content.decode("latin-1"), encoding, False, start)


def scan_page(content: bytes, *, sheet: bool) -> Scan:
    """The links of a page, or of a style sheet. One that is too large has none."""
    if len(content) > LARGEST:
        return Scan()
    page = page_text(content)
    if sheet:
        return Scan(tuple(urls_in_css(page.text, page.decode)))
    return links_in_html(page.text, page.decode, xml=bool(_XML.match(content)))


def rewrite_page(content: bytes, values: Mapping[Mark, str]) -> bytes:
    """The page with these values in place of what the marks say. Everything else stays byte for byte."""
    page, parts, position = page_text(content), list[str](), 0
    for mark in sorted(values, key=lambda mark: mark.start):
        parts += [page.text[position : mark.start], _written(mark, values[mark])]
        position = mark.end
    return page.encode("".join([*parts, page.text[position:]]))


def _written(mark: Mark, value: str) -> str:
    """A value as it stands in the page. Links are plain ASCII; a style's other text may be anything."""
    if mark.form is Form.SHEET:
        return value
    written = html.escape(value, quote=False)
    if mark.quote:
        written = written.replace(mark.quote, _QUOTES[mark.quote])
    elif not value or re.search(r"[\s\"'<>`]", value):
        # It stood without quotes, and would not be one value any more.
        written = '"' + written.replace('"', _QUOTES['"']) + '"'
    return written.encode("ascii", "xmlcharrefreplace").decode("ascii")
