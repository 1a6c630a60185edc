"""A script as the stream's program takes it: what is sent, and what its answers mean."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from targets.disk import Entry, Write
from targets.sftp.calls import Change
from targets.sftp.fields import Attributes
from targets.sftp.looking import entry_of
from targets.sftp.receiver import Receiver

_FOUND = re.compile(r"=([0-9]+) ([0-9]+) (-?[0-9]+)")


class Steps(NamedTuple):
    """A `Script` with the server's own names."""

    first: Sequence[Change]
    writes: Sequence[tuple[Write, bytes]]
    calls: Sequence[Change]
    stats: Sequence[bytes]


class Said(NamedTuple):
    """The answers to it: "" for good, or what went wrong; to `calls`, to the first refusal at the most."""

    first: Sequence[str]
    writes: Sequence[str]
    calls: Sequence[str]
    stats: Sequence[str]


def send(receiver: Receiver, steps: Steps) -> None:
    """Put all of it on its way. Raises CorruptTransfer like `Receiver.write`."""
    for change in steps.first:
        receiver.change(change)
    receiver.begin()
    for write, path in steps.writes:
        for _ in receiver.write([(write, path)]):
            """Its answer comes with the others."""
    for change in steps.calls:
        receiver.change(change, orderly=True)
    for path in steps.stats:
        receiver.look(path)


def sorted_out(steps: Steps, answers: Sequence[str]) -> Said:
    """Which answer belongs to what."""
    said = iter(answers)
    first, _ = list(islice(said, len(steps.first))), next(said)
    writes, calls = list(islice(said, len(steps.writes))), list(islice(said, len(steps.calls)))
    return Said(first, writes, list(_to_the_first_refusal(calls)), list(said))


def _to_the_first_refusal(calls: Sequence[str]) -> Iterator[str]:
    for said in calls:
        yield said
        if said:
            return


def entry(said: str) -> Entry | None:
    """What lies at a name; None where the answer is no finding."""
    found = _FOUND.fullmatch(said)
    return entry_of(Attributes(int(found[2]), int(found[1]), int(found[3]))) if found else None
