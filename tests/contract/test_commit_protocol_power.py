"""The real commit protocol when the target loses power, the connection is cut, or the disk is a real one."""

import random
from itertools import chain, combinations
from pathlib import Path

import pytest

from support.claims import TestQueue
from support.histories import GOALS, Killed, World, copy_of, do, world_with
from support.stopping import StoppingDisk, UnsyncedDisk
from support.target_kinds import PathTree, leftovers, visible
from targets import LocalDisk, MemoryDisk, OrderedTarget, TargetUnreachable

WHOLE = 6
"""Up to so many unsynced calls every subset of them is lost in turn, otherwise some."""


def losses(count: int, seed: int) -> list[frozenset[int]]:
    """Which of so many calls are lost."""
    if count <= WHOLE:
        return [frozenset(lost) for lost in chain.from_iterable(combinations(range(count), size) for size in range(count + 1))]
    chance = random.Random(seed)
    some = [frozenset(number for number in range(count) if chance.random() < 0.5) for _ in range(20)]
    return [frozenset(range(count)), frozenset(range(1, count)), frozenset(range(count - 1)), *some]


@pytest.mark.parametrize(("before", "goal"), [("one", "two"), ("two", "one"), ("one", "three"), ("two", "none"), (None, "two")])
def test_power_loss_at_any_call_loses_no_release(before: str | None, goal: str) -> None:
    base = world_with(before)
    for calls in range(200):
        world = copy_of(base)
        disk = UnsyncedDisk(world.files, calls)
        killed = run_to_death(world, disk, goal)
        for lost in losses(len(disk.unsynced), calls):
            after = World(queue=TestQueue(world.queue.id, world.queue.counter))
            after.files = disk.after_power_loss(lost)
            after.check()
            after.finish_alone("three" if goal == "one" else "one")
        if not killed:
            break


def run_to_death(world: World, disk: UnsyncedDisk, goal: str) -> bool:
    try:
        do(OrderedTarget("t", disk, world.options), GOALS[goal], world.queue.claim())
    except Killed:
        return True
    return False


@pytest.mark.parametrize(("before", "goal"), [("one", "two"), ("two", "one"), ("three", "none"), (None, "two")])
def test_a_connection_cut_at_any_call_is_mended_by_the_next_task(before: str | None, goal: str) -> None:
    base = world_with(before)
    for calls in range(200):
        world = copy_of(base)
        disk = StoppingDisk(MemoryDisk(world.files), calls, TargetUnreachable("cut"))
        try:
            do(OrderedTarget("t", disk, world.options), GOALS[goal], world.queue.claim())
        except TargetUnreachable:
            world.check()
            world.finish_alone("three")
        else:
            break


@pytest.mark.parametrize(("before", "goal", "after"), [("one", "two", "three"), ("two", "one", "two"), ("one", "none", "two")])
def test_the_same_on_a_real_file_system(tmp_path: Path, before: str, goal: str, after: str) -> None:
    for calls in range(0, 200, 3):
        root = tmp_path / str(calls)
        root.mkdir()
        queue = TestQueue()
        do(OrderedTarget("t", LocalDisk(root)), GOALS[before], queue.claim())
        disk = StoppingDisk(LocalDisk(root), calls)
        killed = False
        try:
            do(OrderedTarget("t", disk), GOALS[goal], queue.claim())
        except Killed:
            killed = True
        do(OrderedTarget("t", LocalDisk(root)), GOALS[after], queue.claim())
        assert visible(PathTree(root)) == {f"m/{path}": content for path, content in (GOALS[after] or {}).items()}
        assert leftovers(PathTree(root)) == []
        if not killed:
            break
