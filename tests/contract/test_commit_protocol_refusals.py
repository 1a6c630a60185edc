"""The real commit protocol over a server that refuses one call without a reason, each call in turn: SFTP has one word for all faults.

Either the release says so, and the next one makes all good; or everything is as it should be. Never a quiet half.
"""

from collections.abc import Callable

import pytest

from support.histories import GOALS, World, copy_of, do, world_with
from support.versioned_histories import VersionedWorld
from targets import MemoryDisk, MemoryFiles, OrderedTarget, TransientTargetError
from targets.disk import Answer, Call

CHANGES = [(None, "one"), ("one", "two"), ("two", "three"), ("one", "none")]


class RefusingDisk(MemoryDisk):
    """Refuses the call of this number, and does not do it."""

    def __init__(self, files: MemoryFiles, nth: int) -> None:
        super().__init__(files)
        self._nth = nth
        self.calls: list[Call] = []

    def _run(self, call: Call) -> Answer:
        self.calls.append(call)
        return Answer.REFUSED if len(self.calls) == self._nth else super()._run(call)


def _versioned(before: str | None) -> World:
    world = VersionedWorld()
    if before is not None:
        world.finish_alone(before)
    return world


@pytest.mark.parametrize("made", [world_with, _versioned], ids=["ordered", "versioned"])
@pytest.mark.parametrize(("before", "goal"), CHANGES)
def test_a_call_that_is_refused_once_is_noticed_or_makes_no_difference(
    made: Callable[[str | None], World], before: str | None, goal: str
) -> None:
    base = made(before)
    nth = noticed = 0
    while True:
        world, nth = copy_of(base), nth + 1
        disk = RefusingDisk(world.files, nth)
        try:
            do(OrderedTarget("t", disk, world.options), GOALS[goal], world.queue.claim(None))
        except TransientTargetError:
            noticed += 1
        else:
            assert world.live() == _live_with(world, goal), f"{disk.calls[nth - 1 : nth]} was refused, and nobody noticed"
        if len(disk.calls) < nth:
            break
        world.finish_alone(goal)
    assert noticed > 3


def _live_with(world: World, goal: str) -> dict[str, bytes]:
    return {**world.foreign, **{f"m/{path}": content for path, content in (GOALS[goal] or {}).items()}}
