"""What comes next for a deposit. Pure: what the record knows and what is wanted in, the next step out."""

import hashlib
from enum import StrEnum

from database import Deposit, DepositState
from packageslip import Digest


class Next(StrEnum):
    """The step that a deposit needs."""

    BUILD = "build the package"
    SEND = "send the package that is ready"
    LOOK = "look whether the last deposit arrived"
    ASK = "ask for the handle"
    FINISH = "tell the CMS and write the tombstone"
    CHANGED = "decide: the archive has another version"


def next_step(deposit: Deposit | None, version: Digest, *, again: bool) -> Next:
    """`deposit`: the newest of the module in this archive; `version`: the module's, now; `again`: a person wants a new one.

    What may be at the archive comes first, whatever is wanted: nothing is sent before that is known.
    """
    if deposit is None:
        return Next.BUILD
    if deposit.state is DepositState.SENT:
        return Next.LOOK
    if deposit.version != version:
        return Next.BUILD if again or deposit.state is DepositState.PREPARED else Next.CHANGED
    if deposit.state is DepositState.PREPARED:
        return Next.SEND
    return Next.FINISH if deposit.complete else Next.ASK


def identifier_of(url: str, version: Digest, name: str) -> str:
    """What a deposit is called at the archive: the package's name, and digits that no other module or version has."""
    return f"{name}-{hashlib.sha256(url.encode() + bytes(1) + version).hexdigest()[:16]}"


def question(deposit: Deposit, version: Digest) -> str:
    """The digest (hex) of what a person is asked about this deposit.

    An approval answers one question once: after another sending, or for another version, it is another question.
    """
    words = f"{deposit.url}\0{deposit.archive}\0{deposit.id}\0{deposit.state}\0{deposit.md5}\0{deposit.sendings}\0{version.hex()}"
    return hashlib.sha256(words.encode()).hexdigest()
