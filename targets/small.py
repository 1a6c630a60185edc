"""Documents of ours, written like any file: in memory, or, of a large slip, made again piece by piece."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from packageslip import Packageslip, slip_pieces, write_slip
from targets.disk import Write
from targets.note import Note, note_pieces, write_note

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Document = bytes | Callable[[], Iterator[bytes]]
"""The bytes, or what makes them: each call from their start, each time the same."""
LARGE = 50_000
"""Lines of a document that is not held in memory: the slip's and the note's would take as much again as the slip's values do."""


def slip_document(slip: Packageslip) -> Document:
    """The document of a slip. Raises ValueError like `write_slip`, of a large one when it is made."""
    lines = len(slip.resources) + len(slip.views) + len(slip.stale)
    return write_slip(slip) if lines <= LARGE else partial(slip_pieces, slip)


def note_document(note: Note) -> Document:
    """The document of a note."""
    lines = len(note.puts) + len(note.drops) + len(note.folders)
    return write_note(note) if lines <= LARGE else partial(note_pieces, note)


def small_write(path: str, document: Document, mode: int | None, *, sync: bool) -> Write:
    """A document to be written like any file."""
    if isinstance(document, bytes):
        return Write(path, lambda: io.BytesIO(document), len(document), sha256(document).digest(), mode=mode, sync=sync)
    size, hasher = 0, sha256()
    for piece in document():
        size += len(piece)
        hasher.update(piece)
    return Write(path, lambda: io.BufferedReader(_Pieces(document())), size, hasher.digest(), mode=mode, sync=sync)


class _Pieces(io.RawIOBase):
    """A stream of bytes that are made as they are read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._piece = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        room = memoryview(buffer)
        while not self._piece and (piece := next(self._pieces, None)) is not None:
            self._piece = memoryview(piece)
        taken = self._piece[: len(room)]
        room[: len(taken)] = taken
        self._piece = self._piece[len(taken) :]
        return len(taken)
