"""Checking a slip without keeping it: every fault at once, for whoever writes slips."""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

from packageslip.document import Faults, chunks
from packageslip.errors import Fault
from packageslip.reader import Draft
from packageslip.values import Limits


def check_slip(stream: BinaryIO | bytes, name: str, limits: Limits = Limits()) -> list[Fault]:  # noqa: B008 - frozen
    """All that is wrong with a slip, in the order of the document; empty if it is right. Never raises for bad content.

    A right and plain slip is read once, by the reader's rules and the XSD together. Any other is read again without the
    XSD, which names no lines: it is the backstop, and heard only if the rules find nothing. Each file costs the memory of
    its name. An OSError of the stream carries `name` in a note.
    """
    try:
        document = _rewindable(stream, limits)
        start = document.tell()
        ending = _Ending()
        faults = _faults(document, limits, ending)
        if faults or not ending.is_plain():
            document.seek(start)
            faults = _faults(document, limits) or faults
        return faults
    except OSError as error:
        error.add_note(f"while checking {name}")
        raise


class _Ending:
    """Whether a document ends so plainly that the library can be believed about it.

    While it validates, it is silent about what is unfinished after the root: a lone "<", an open comment or instruction.
    So a document that has any comment or instruction, or does not end with the root's end tag, is not plain.
    """

    def __init__(self) -> None:
        self._marked = False
        self._end = b""

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the pieces through."""
        first = True
        for piece in pieces:
            seen = self._end + piece
            begin = _declared(piece) if first else 0
            self._marked = self._marked or seen.find(b"<!", begin) >= 0 or seen.find(b"<?", begin) >= 0
            self._end, first = seen[-_END_TAG:], False
            yield piece

    def is_plain(self) -> bool:
        return not self._marked and re.search(rb"</packageslip\s*>\s*\Z", self._end) is not None


_END_TAG = 64
"""Bytes that hold the root's end tag and some blanks."""
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[ \t\r\n]")


def _declared(head: bytes) -> int:
    """Where a document goes on after the beginning of its XML declaration, which looks like an instruction and is none."""
    found = _DECLARATION.match(head)
    return found.end() if found else 0


def _faults(document: BinaryIO, limits: Limits, ending: _Ending | None = None) -> list[Fault]:
    """With an ending to watch, by the XSD too."""
    faults = Faults()
    pieces = chunks(document, limits, faults)
    Draft(faults, limits, keep=False).read(ending.watch(pieces) if ending else pieces, validate=ending is not None)
    return faults.sorted()


def _rewindable(stream: BinaryIO | bytes, limits: Limits) -> BinaryIO:
    """The stream itself, if it can be read twice; a pipe cannot, and is held in memory up to the limit."""
    if isinstance(stream, bytes):
        return BytesIO(stream)
    return stream if stream.seekable() else BytesIO(stream.read(limits.bytes + 1))
