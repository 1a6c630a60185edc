"""Checking a slip without keeping it: every fault at once, for whoever writes slips."""

from io import BytesIO
from typing import BinaryIO

from packageslip.document import Faults, chunks
from packageslip.errors import Fault
from packageslip.reader import Draft
from packageslip.values import Limits


def check_slip(stream: BinaryIO | bytes, name: str, limits: Limits = Limits()) -> list[Fault]:  # noqa: B008 - frozen
    """All that is wrong with a slip, in the order of the document; empty if it is right. Never raises for bad content.

    A right slip is read once, by the reader's rules and the XSD together. A wrong one is read again without the XSD, which
    names no lines: it is the backstop, and heard only if the rules find nothing. Each file costs the memory of its name.
    An OSError of the stream carries `name` in a note.
    """
    try:
        document = _rewindable(stream, limits)
        start = document.tell()
        faults = _faults(document, limits, validate=True)
        if faults:
            document.seek(start)
            faults = _faults(document, limits, validate=False) or faults
        return faults
    except OSError as error:
        error.add_note(f"while checking {name}")
        raise


def _faults(document: BinaryIO, limits: Limits, *, validate: bool) -> list[Fault]:
    faults = Faults()
    Draft(faults, limits, keep=False).read(chunks(document, limits, faults), validate=validate)
    return faults.sorted()


def _rewindable(stream: BinaryIO | bytes, limits: Limits) -> BinaryIO:
    """The stream itself, if it can be read twice; a pipe cannot, and is held in memory up to the limit."""
    if isinstance(stream, bytes):
        return BytesIO(stream)
    return stream if stream.seekable() else BytesIO(stream.read(limits.bytes + 1))
