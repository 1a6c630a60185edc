"""XML that is written the same way for ever: by hand, indented, every attribute in the order given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, slots=True)
class Element:
    """An element with text, or with children; prefixes are part of the names."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple["Element", ...] = ()
    text: str | None = None


def document(root: Element) -> bytes:
    """The document's bytes, UTF-8."""
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *_lines(root, ""), ""]).encode()


def text(name: str, value: str, **attributes: str) -> Element:
    """An element with text."""
    return Element(name, attributes, text=value)


def branch(name: str, *children: Element | None, **attributes: str) -> Element:
    """An element with children; those that are None are left out."""
    return Element(name, attributes, tuple(child for child in children if child is not None))


def _lines(element: Element, indent: str) -> Iterator[str]:
    start = element.name + "".join(f" {name}={_quoted(value)}" for name, value in element.attributes.items())
    if element.text is not None:
        yield f"{indent}<{start}>{escape(element.text)}</{element.name}>"
    elif not element.children:
        yield f"{indent}<{start}/>"
    else:
        yield f"{indent}<{start}>"
        for child in element.children:
            yield from _lines(child, indent + "  ")
        yield f"{indent}</{element.name}>"


def _quoted(value: str) -> str:
    """Line ends and tabs as references, since a parser would make blanks of them."""
    return quoteattr(value, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
