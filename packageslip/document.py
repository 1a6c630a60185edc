"""What reading a document is made of: its bytes, its elements, its faults. `parsing.py` makes the second from the first."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn, Protocol

from packageslip.errors import Fault
from packageslip.values import Limits

CHUNK = 64 * 1024
PIECE = 1024 * 1024
MOST_FAULTS = 1000
"""A generator that errs once errs on each line; a thousand examples are enough for anyone."""


class Unreadable(Exception):
    """Reading cannot go on; the reason is among the faults. Never leaves this package."""


class Element(NamedTuple):
    """The start of one element. `depth` is 1 for the root; `tag` has its namespace in braces."""

    depth: int
    tag: str
    attributes: list[tuple[str, str]]
    line: int


@dataclass(slots=True)
class Faults:
    """What was found so far."""

    found: list[Fault] = field(default_factory=list)

    def add(self, line: int, rule: str, message: str) -> None:
        """Note one. Raises Unreadable when there are too many to go on."""
        self.found.append(Fault(line, rule, message))
        if len(self.found) == MOST_FAULTS:
            self.end(line, "X4", f"{MOST_FAULTS} faults were found; what follows was not read")

    def end(self, line: int, rule: str, message: str) -> NoReturn:
        """Note one after which nothing can be read. Raises Unreadable."""
        self.found.append(Fault(line, rule, message))
        raise Unreadable

    def sorted(self) -> list[Fault]:
        """In the order of the document; those of the document as a whole (line 0) last."""
        return sorted(self.found, key=lambda fault: fault.line or float("inf"))


class Readable(Protocol):
    """What gives bytes, as any stream does."""

    def read(self, size: int, /) -> bytes: ...


class Begun:
    """A stream whose beginning was read: `first`, so many bytes and one more at the most; `more`: whether that is not all."""

    def __init__(self, stream: Readable, most: int) -> None:
        pieces: list[bytes] = []
        left = most + 1
        while left and (piece := stream.read(min(left, PIECE))):
            pieces.append(piece)
            left -= len(piece)
        self.first = b"".join(pieces)
        self.more = len(self.first) > most
        self._rest, self._at = stream, 0

    def read(self, size: int, /) -> bytes:
        """Bytes from the stream's beginning on."""
        piece = self.first[self._at : self._at + size]
        self._at += len(piece)
        if self._at == len(self.first):
            self.first, self._at = b"", 0
        return piece or self._rest.read(size)


def chunks(stream: Readable, limits: Limits, faults: Faults) -> Iterator[bytes]:
    """The document piece by piece. Raises Unreadable where it is empty or longer than the limit."""
    read = 0
    while chunk := stream.read(CHUNK):
        read += len(chunk)
        if read > limits.bytes:
            faults.end(0, "X4", f"the document is longer than {limits.bytes} bytes")
        yield chunk
    if not read:
        faults.end(0, "X1", "the document is empty")
