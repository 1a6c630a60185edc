"""Checking a slip without keeping it: every fault at once, for whoever writes slips."""

from typing import BinaryIO

from packageslip.document import Faults, chunks
from packageslip.errors import Fault
from packageslip.reader import Draft
from packageslip.values import Limits


def check_slip(stream: BinaryIO, name: str, limits: Limits = Limits()) -> list[Fault]:  # noqa: B008 - frozen
    """All that is wrong with a slip, in the order of the document; empty if it is right. Never raises for bad content.

    The reader's rules first, because they name lines; the XSD is the backstop, asked beside them and heard only if they
    found nothing. Each file costs the memory of its name. OSError of the stream carries `name` in a note.
    """
    # Imported when there is something to check, as in reader.py.
    from packageslip.parsing import Validation  # noqa: PLC0415

    faults, validation = Faults(), Validation()
    try:
        Draft(faults, limits, keep=False).read(validation.watch(chunks(stream, limits, faults)))
    except OSError as error:
        error.add_note(f"while checking {name}")
        raise
    if not faults.found and validation.message:
        return [Fault(0, "XSD", validation.message)]
    return faults.sorted()
