"""Loss of power beside a plain release: in a recovery, in an expiry, on a member of a group, when an area is adopted.

At some call, and any of the calls that were not synced is lost. With EVERY_CALL in the environment at each call (`make model`).
"""

import os
from collections.abc import Callable
from contextlib import suppress

import pytest

from support.claims import TestQueue
from support.group_histories import group_with
from support.histories import GOALS, URL, Killed, World, copy_of, do, world_with
from support.stopping import UnsyncedDisk
from support.target_kinds import MemoryTree
from targets import GroupTarget, MemoryDisk, MemoryFiles, NoSpace, OrderedTarget, PlacedOptions, Target, TargetError
from targets.departing import SEEN

EVERY = 1 if os.environ.get("EVERY_CALL") else 8
GRACE = PlacedOptions(delete_grace=100)


def losses(count: int) -> list[frozenset[int]]:
    """Which of so many unsynced calls are lost: all, each alone, all but each."""
    every = frozenset(range(count))
    return [every, *(frozenset({number}) for number in range(count)), *(every - {number} for number in range(count))]


def after_losses(world: World, disk: UnsyncedDisk) -> list[World]:
    """The server as it is after each loss, with a queue that goes on."""
    found = []
    for lost in losses(len(disk.unsynced)):
        after = World(queue=TestQueue(world.queue.id, world.queue.counter, world.queue.now), options=world.options)
        after.files = disk.after_power_loss(lost)
        found.append(after)
    return found


def struck(world: World, calls: int, work: Callable[[Target], object]) -> tuple[UnsyncedDisk, bool]:
    """Some work over a disk that loses power at its n-th call; whether it came to its end before."""
    disk = UnsyncedDisk(world.files, calls)
    try:
        with suppress(TargetError):
            work(OrderedTarget("t", disk, world.options))
    except Killed:
        return disk, False
    return disk, True


@pytest.mark.parametrize(("before", "goal", "after"), [("one", "two", "three"), ("one", "none", "two")])
def test_in_a_recovery(before: str, goal: str, after: str) -> None:
    base = world_with(before)
    for first in range(5, 60, 4 * EVERY):
        killed = copy_of(base)
        with suppress(Killed):
            do(OrderedTarget("t", UnsyncedDisk(killed.files, first)), GOALS[goal], killed.queue.claim())
        for calls in range(first % EVERY, 200, EVERY):
            world = copy_of(killed)
            claim = world.queue.claim()
            disk, ended = struck(world, calls, lambda target, claim=claim: do(target, GOALS[after], claim))  # type: ignore[misc]
            for left in after_losses(world, disk):
                left.check()
                left.finish_alone("one")
            if ended:
                break


def with_stale() -> World:
    """Version three after version one: `a` is stale."""
    world = world_with("one", GRACE)
    do(OrderedTarget("t", MemoryDisk(world.files), GRACE), GOALS["three"], world.queue.claim())
    return world


def check_stale(world: World) -> None:
    """What lies there is what the record lists, and nothing else."""
    slip = world.slip()
    assert slip is not None
    present = {path for path in world.live() if path.startswith("m/") and path != "m/foreign"}
    listed = {f"m/{file.path}" for file in slip.files()}
    assert listed <= present
    if not world.noted():
        assert present <= listed | {f"m/{file.path}" for file in slip.stale}


@pytest.mark.parametrize("late", [0, 100 + SEEN])
def test_in_an_expiry_and_in_a_release_that_leaves_files_stale(late: int) -> None:
    base = with_stale()
    base.queue.now += late
    for calls in range(0, 200, max(1, EVERY // 2)):
        world = copy_of(base)
        world.queue.now = base.queue.now
        claim = world.queue.claim()

        def work(target: Target, claim: object = claim) -> None:
            if late:
                target.expire(target.present(URL, claim))  # type: ignore[arg-type]
            else:
                do(target, GOALS["one"], claim)  # type: ignore[arg-type]

        disk, ended = struck(world, calls, work)
        for left in after_losses(world, disk):
            check_stale(left)
            heir = OrderedTarget("t", MemoryDisk(left.files), GRACE)
            do(heir, GOALS["two"], left.queue.claim())
            left.queue.now += 1000
            heir.expire(heir.present(URL, left.queue.claim()))
            left.check_end("two")
        if ended:
            break


def test_in_a_recovery_that_counts_the_grace_anew() -> None:
    base = with_stale()
    dying = copy_of(base)
    with suppress(Killed):
        do(OrderedTarget("t", UnsyncedDisk(dying.files, 33), GRACE), GOALS["one"], dying.queue.claim())
    assert dying.noted()
    for calls in range(0, 120, max(1, EVERY // 2)):
        world = copy_of(dying)
        world.queue.now = base.queue.now + 500
        claim = world.queue.claim()
        disk, ended = struck(world, calls, lambda target, claim=claim: target.present(URL, claim))  # type: ignore[misc]
        for left in after_losses(world, disk):
            heir = OrderedTarget("t", MemoryDisk(left.files), GRACE)
            present = heir.present(URL, left.queue.claim())
            assert present.slip is not None
            assert {file.path for file in present.slip.stale} >= {"q.htm"}
            assert all(file.since >= base.queue.now + 500 for file in present.slip.stale if file.path == "q.htm")
            assert heir.expire(present) in ((), [])
            assert "m/q.htm" in left.live()
        if ended:
            break


def test_on_a_member_whose_note_is_taken_back() -> None:
    """The second member is full, so that the first takes its note back; then the first loses power."""
    base = group_with("one", 2)
    for calls in range(20, 120, EVERY):
        world = copy_of(base.members[0])
        disk = UnsyncedDisk(world.files, calls)

        def full(verb: str, path: str, to: str) -> None:
            if verb == "create" and path.endswith("note.tmp"):
                raise NoSpace("full")

        other = copy_of(base.members[1])
        group = GroupTarget("g", [OrderedTarget("m0", disk), OrderedTarget("m1", MemoryDisk(other.files, full))])
        ended = True
        try:
            with suppress(TargetError):
                do(group, GOALS["two"], world.queue.claim())
        except Killed:
            ended = False
        for left in after_losses(world, disk):
            left.check()
            left.finish_alone("three")
        if ended:
            break


def test_when_an_area_is_adopted_or_born() -> None:
    for first in (None, "one"):
        base = world_with(first)
        for calls in range(20):
            world = copy_of(base)
            world.queue = TestQueue("f" * 32)
            disk, ended = struck(world, calls, lambda target: target.adopt("f" * 32))
            for left in after_losses(world, disk):
                OrderedTarget("t", MemoryDisk(left.files)).adopt("f" * 32)
                left.finish_alone("two")
                areas = {path.split("/")[1] for path in MemoryTree(left.files).folders() if path.startswith(".slipway/")}
                assert areas == {f"modules-{'f' * 32}"}
            if ended:
                break


def test_nothing_of_a_module_is_known_before_its_birth_is() -> None:
    for calls in range(30):
        world = World(files=MemoryFiles())
        claim = world.queue.claim()
        disk, ended = struck(world, calls, lambda target, claim=claim: target.present(URL, claim))  # type: ignore[misc]
        for left in after_losses(world, disk):
            left.check()
            left.finish_alone("one")
        if ended:
            break
