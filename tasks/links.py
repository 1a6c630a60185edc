"""The links of a page, as whole addresses. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin, urlsplit

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NO_PAGES = frozenset({"action", "formaction", "codebase", "classid", "cite", "profile", "usemap"})
"""Attributes that name folders, programs and ids, or where forms are sent to, and no file that must be there."""
_NO_FILES = frozenset({"preconnect", "dns-prefetch"})
"""What <link rel> says of a server alone."""


def links_of(content: bytes, address: str) -> Iterator[tuple[str, str]]:
    """Each link as it is written, and the address that it leads to (without its fragment; empty if it is none at all).

    `address`: the page's own. Links by other schemes than http and https are left out.
    """
    from lxml import html  # noqa: PLC0415 - only this task needs it
    from lxml.etree import LxmlError  # noqa: PLC0415 - as above

    try:
        page = html.document_fromstring(content, html.HTMLParser(encoding=_encoding(content)))
    except LxmlError:
        # An empty page has no links.
        return
    base = next((_joined(address, each.get("href") or "") for each in page.iter("base")), "") or address
    for link in _written(page):
        there = _joined(base, link)
        if not there or urlsplit(there).scheme in {"http", "https"}:
            yield link, there


def _written(page: "HtmlElement") -> Iterator[str]:
    for element, attribute, link, _ in page.iterlinks():
        if element.tag != "base" and attribute not in _NO_PAGES and not _names_a_server(element):
            yield link
    for element in page.iter("img", "source"):
        # Images to choose from: each with a width or density, between commas.
        choices = (choice.split() for choice in (element.get("srcset") or "").split(","))
        yield from (words[0] for words in choices if words)


def _encoding(content: bytes) -> str | None:
    """UTF-8 where it fits; else the page itself may say what it is."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _names_a_server(element: "HtmlElement") -> bool:
    return element.tag == "link" and not _NO_FILES.isdisjoint((element.get("rel") or "").lower().split())


def _joined(base: str, link: str) -> str:
    try:
        return urldefrag(urljoin(base, link.strip())).url
    except ValueError:
        return ""
