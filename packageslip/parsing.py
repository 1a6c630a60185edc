"""From bytes to elements: the only place that knows the XML library, and what it lets pass.

Refused here: documents that are cut short or not well-formed, any DOCTYPE (so there are no entities to expand), text
between elements, nesting beyond the limit. Processing instructions and comments are not acted on. Imported when the first
document is read, so that values and names alone stay cheap to import.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from packageslip.document import Element, Faults
from packageslip.values import Limits

_EVENTS = ("start", "end")
_OPTIONS = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_blank_text": True,
    "remove_comments": True,
    "remove_pis": True,
}
_BLANKS = " \t\r\n"
_ENCODING_ERRORS = frozenset({9, 31, 32, 81})
"""libxml2's codes: invalid character, unknown encoding, unsupported encoding, bytes that are not of the encoding."""


def elements(pieces: Iterable[bytes], limits: Limits, faults: Faults) -> Iterator[Element]:
    """Every element as it starts. Raises Unreadable, after noting why, unless the root's end was seen."""
    parser = etree.XMLPullParser(_EVENTS, **_OPTIONS)
    document = _Document(limits, faults)
    try:
        for piece in pieces:
            document.head = document.head or piece
            parser.feed(piece)
            yield from document.elements(parser.read_events())
        parser.close()
        yield from document.elements(parser.read_events())
    except etree.XMLSyntaxError as error:
        yield from document.elements(parser.read_events())
        document.explain(error)
    if not document.ended:
        # The library accepts some documents that end early; without the root's end nothing of them counts.
        faults.end(0, "X1", "the document ends before its root element does")


@dataclass(slots=True)
class _Document:
    """How far a document was read, and its checks that are not about the vocabulary."""

    limits: Limits
    faults: Faults
    head: bytes = b""
    depth: int = 0
    ended: bool = False

    def elements(self, events: Iterable[tuple[str, etree._Element]]) -> Iterator[Element]:
        for event, node in events:
            if event == "start":
                self.depth += 1
                self._open(node)
                yield Element(self.depth, node.tag, node.items(), node.sourceline)
            else:
                self.depth -= 1
                self.ended = self.depth == 0
                self._close(node)

    def _open(self, node: etree._Element) -> None:
        if self.depth == 1 and node.getroottree().docinfo.internalDTD is not None:
            self._refuse_doctype(node.sourceline)
        if self.depth > self.limits.depth:
            self.faults.end(node.sourceline, "X4", f"elements are nested more than {self.limits.depth} deep")

    def _close(self, node: etree._Element) -> None:
        """Check the text in and before this element, and forget the element before it: a slip never is in memory whole."""
        if text := node.text or (len(node) and node[-1].tail):
            self._refuse_text(node, text)
        parent = node.getparent()
        if parent is not None and len(parent) > 1:
            if text := parent[0].tail:
                self._refuse_text(node, text)
            del parent[0]

    def _refuse_text(self, node: etree._Element, text: str) -> None:
        # Most blanks between elements do not come this far, but the library lets some pass.
        if stray := text.strip(_BLANKS):
            self.faults.add(node.sourceline, "X5", f"there is text between the elements: {stray[:40]!r}")

    def _refuse_doctype(self, line: int) -> None:
        self.faults.end(line, "X2", "there is a DOCTYPE; slips have none, so that nothing in them expands or refers elsewhere")

    def explain(self, error: etree.XMLSyntaxError) -> None:
        line = error.lineno or 0
        # Where entities make a document break its limits, the DOCTYPE is the reason. (NULs: UTF-16.)
        if not self.depth and b"<!DOCTYPE" in self.head.replace(b"\0", b""):
            self._refuse_doctype(line)
        rule = "X6" if error.code in _ENCODING_ERRORS else "X1"
        self.faults.end(line, rule, f"the document is cut short or not well-formed: {error.msg}")


class Validation:
    """A document fed piece by piece to the XSD, beside its reading. The library gives no lines for what it finds."""

    def __init__(self) -> None:
        self._schema = etree.XMLSchema(file=str(Path(__file__).with_name("packageslip.xsd")))
        self._parser = etree.XMLPullParser(("end",), schema=self._schema, **_OPTIONS)
        self.message = ""

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the pieces through; after the last one, `message` says what the XSD refuses, or is empty."""
        for piece in pieces:
            self._validate(piece)
            yield piece
        self._validate(b"")

    def _validate(self, piece: bytes) -> None:
        """Feed a piece, or close at its end. What is not well-formed is the reader's to tell."""
        try:
            if piece:
                self._parser.feed(piece)
            else:
                self._parser.close()
        except etree.XMLSyntaxError as error:
            self.message = self.message or error.msg
        for _, node in self._parser.read_events():
            parent = node.getparent()
            if parent is not None and len(parent) > 1:
                del parent[0]
