"""An independent look at a tree of pages: which of their links lead nowhere. Imports nothing of Slipway.

By the standard library's parser, which reads broken pages in its own way; that is the point.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ATTRIBUTES = {"href", "src", "background", "poster", "data", "longdesc", "cite", "action", "srcset"}
IN_CSS = re.compile(r"""url\(\s*["']?([^"')]+)["']?\s*\)""")
COMMENT = re.compile(r"/\*.*?(\*/|$)", re.DOTALL)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._style = False
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        if self._text:
            return
        if tag in {"title", "textarea"}:
            # Text for browsers; some versions of the parser take it for markup.
            self._text = tag
        for name, value in dict(reversed(attrs)).items():
            if not value or (tag, name) == ("base", "href"):
                continue
            if name == "style":
                self.found += IN_CSS.findall(value)
            elif name == "srcset":
                self.found += [part.split()[0] for part in value.split(",") if part.strip()]
            elif name in ATTRIBUTES:
                self.found.append(value.strip())
            elif tag == "meta" and name == "content" and "url=" in value.lower():
                self.found.append(re.split("url=", value, flags=re.IGNORECASE)[1].strip("'\" "))

    def handle_data(self, data: str) -> None:
        if self._style:
            self.found += IN_CSS.findall(COMMENT.sub("", data))

    def handle_endtag(self, tag: str) -> None:
        self._style = False
        if tag == self._text:
            self._text = ""


def links_of(page: Path) -> list[str]:
    """Every link that a page or style sheet names."""
    content = page.read_bytes()
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1")
    if page.suffix == ".css":
        return IN_CSS.findall(COMMENT.sub("", text))
    parser = _Links()
    parser.feed(text)
    parser.close()
    return parser.found


def broken_links(tree: Path) -> Iterator[tuple[str, str]]:
    """Every link of a page in the tree that leads to nothing: (page, link). What begins with / leads out of a stick."""
    for page in sorted(tree.rglob("*")):
        if page.suffix not in {".htm", ".html", ".xhtml", ".css"} or not page.is_file():
            continue
        for link in links_of(page):
            if leads_nowhere(page, link):
                yield page.relative_to(tree).as_posix(), link


def leads_nowhere(page: Path, link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    if parts.scheme:
        return False
    if parts.netloc or link.startswith("/"):
        return True
    return bool(parts.path) and not (page.parent / unquote(parts.path)).is_file()
