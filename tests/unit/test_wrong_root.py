"""A root with nothing of ours in it, although the record knows of modules there: wrong, unless somebody has just begun."""

from dataclasses import dataclass, field

import pytest

from support.claims import TestQueue, Ticket
from targets import AreaMissing, MemoryDisk, MemoryFiles, OrderedTarget


@dataclass(slots=True)
class Late(Ticket):
    """Between this claim's look at the target and the record's answer, another engine publishes there for the first time."""

    files: MemoryFiles = field(default_factory=MemoryFiles)

    def begins(self, target: str) -> None:
        OrderedTarget(target, MemoryDisk(self.files)).present("/other", self.source.claim())
        raise AreaMissing(f"{target}: modules are live there by the record", target=target)


def test_an_engine_that_began_meanwhile_makes_no_root_wrong() -> None:
    claim = Late(TestQueue(counter=1), 1, 1, "0000000a")
    assert OrderedTarget("t", MemoryDisk(claim.files)).present("/m", claim).slip is None


def test_a_root_where_nobody_began_is_wrong() -> None:
    queue = TestQueue(known=frozenset({"t"}))
    with pytest.raises(AreaMissing, match="live there by the record"):
        OrderedTarget("t", MemoryDisk(MemoryFiles())).present("/m", queue.claim())
