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

_XSD = Path(__file__).with_name("packageslip.xsd")
_EVENTS = ("start", "end")
_OPTIONS = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_BLANKS = " \t\r\n"
_ENCODING_ERRORS = frozenset({9, 31, 32, 81})
"""libxml2's codes: invalid character, unknown encoding, unsupported encoding, bytes that are not of the encoding."""


def elements(pieces: Iterable[bytes], limits: Limits, faults: Faults, *, validate: bool = False) -> Iterator[Element]:
    """Every element as it starts. Raises Unreadable, after noting why, unless the root's end was seen.

    With `validate` the XSD is asked too. The library then answers after the last element, without a line, and has nothing
    good to say about documents that are not well-formed: whoever gets a fault reads again without, for a better one.
    """
    schema = {"schema": etree.XMLSchema(file=str(_XSD))} if validate else {}
    parser = etree.XMLPullParser(_EVENTS, **_OPTIONS, **schema)
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
        if validate:
            faults.end(0, "XSD", error.msg)
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
        if self.ended:
            # While it validates, the library starts anew after an error and says nothing.
            self.faults.end(node.sourceline, "X1", "the document goes on after its root element")
        if self.depth == 1 and node.getroottree().docinfo.internalDTD is not None:
            self._refuse_doctype(node.sourceline)
        if self.depth > self.limits.depth:
            self.faults.end(node.sourceline, "X4", f"elements are nested more than {self.limits.depth} deep")

    def _close(self, node: etree._Element) -> None:
        """Check the text in and before this element, and forget the element before it: a slip never is in memory whole."""
        if (text := node.text) and text.strip(_BLANKS):
            self._refuse_text(node, text)
        if len(node):
            self._look_after(node[-1])
        # Not the parent's children by number: the library counts them anew each time, and a piece holds thousands.
        before, parent = node.getprevious(), node.getparent()
        if before is not None and parent is not None:
            self._look_after(before)
            parent.remove(before)

    def _look_after(self, node: etree._Element) -> None:
        if (text := node.tail) and text.strip(_BLANKS):
            self._refuse_text(node, text)

    def _refuse_text(self, node: etree._Element, text: str) -> None:
        self.faults.add(node.sourceline, "X5", f"there is text between the elements: {text.strip(_BLANKS)[:40]!r}")

    def _refuse_doctype(self, line: int) -> None:
        self.faults.end(line, "X2", "there is a DOCTYPE; slips have none, so that nothing in them expands or refers elsewhere")

    def explain(self, error: etree.XMLSyntaxError) -> None:
        line = error.lineno or 0
        # Where entities make a document break its limits, the DOCTYPE is the reason. (NULs: UTF-16.)
        if not self.depth and b"<!DOCTYPE" in self.head.replace(b"\0", b""):
            self._refuse_doctype(line)
        rule = "X6" if error.code in _ENCODING_ERRORS else "X1"
        self.faults.end(line, rule, f"the document is cut short or not well-formed: {error.msg}")
