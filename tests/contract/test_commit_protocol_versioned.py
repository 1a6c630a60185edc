"""The real commit protocol in the versioned layout, over a server in memory, stopped at every single call."""

import random

import pytest

from support.claims import TestQueue
from support.histories import GOALS, Killed, World, calls_of, copy_of, do
from support.stopping import UnsyncedDisk
from support.versioned_histories import ORDERED, VERSIONED, VersionedWorld, versioned_world
from targets import Fenced, OrderedTarget, PlacedOptions, SerialTooHigh

TASKS = [
    ((), "two"),
    (("one",), "two"),
    (("one", "two"), "one"),
    (("one", "two"), "none"),
]
"""What was published, and what a task wants then: a first release, a second, one to go back to, none."""
NEXT = list(GOALS)


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_killed_at_any_call_a_lone_engine_ends_with_its_own_tree(before: tuple[str, ...], goal: str) -> None:
    base = versioned_world(*before)
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        world.start(goal).run(calls)
        world.finish_alone(NEXT[calls % len(NEXT)])


@pytest.mark.parametrize(("before", "goal", "after"), [(("one",), "two", "one"), (("one", "two"), "one", "none")])
def test_killed_during_recovery_at_any_call(before: tuple[str, ...], goal: str, after: str) -> None:
    base = versioned_world(*before)
    for calls in range(4, calls_of(base, goal) + 1, 5):
        struck = copy_of(base)
        struck.start(goal).run(calls)
        struck.close()
        for more in range(calls % 6, calls_of(struck, after) + 1, 6):
            world = copy_of(struck)
            world.start(after).run(more)
            world.finish_alone(goal)


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_a_stale_engine_that_wakes_after_another_finished(before: tuple[str, ...], goal: str) -> None:
    base = versioned_world(*before)
    for calls in range(0, calls_of(base, goal) + 1, 3):
        world = copy_of(base)
        stale = world.start(goal)
        stale.run(calls)
        committed = stale.committed()
        newer = world.start("three")
        newer.run()
        assert newer.stepper.error is None, repr(newer.stepper.error)
        stale.run()
        assert committed or isinstance(stale.stepper.error, Fenced | SerialTooHigh), repr(stale.stepper.error)
        world.finish_alone("one")


@pytest.mark.parametrize(("goal", "other"), [("two", "one"), ("one", "none"), ("none", "two")])
def test_a_stale_engine_that_wakes_in_the_middle_of_another(goal: str, other: str) -> None:
    base = versioned_world("one", "three")
    for calls in range(0, calls_of(base, goal) + 1, 7):
        for more in range(calls % 11, calls_of(base, other) + 1, 11):
            world = copy_of(base)
            stale = world.start(goal)
            stale.run(calls)
            newer = world.start(other)
            newer.run(more)
            stale.run()
            newer.run()
            assert newer.stepper.error is None, repr(newer.stepper.error)
            world.finish_alone(other)


@pytest.mark.parametrize(("first", "then"), [(ORDERED, VERSIONED), (VERSIONED, ORDERED)])
@pytest.mark.parametrize("goal", ["one", "two"])
def test_killed_at_any_call_while_the_layout_changes(first: PlacedOptions, then: PlacedOptions, goal: str) -> None:
    base = VersionedWorld()
    base.turn(first)
    base.start("one").run()
    base.engines.clear()
    base.turn(then)
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        world.start(goal).run(calls)
        world.finish_alone(NEXT[calls % len(NEXT)])


@pytest.mark.parametrize("goal", ["two", "none"])
def test_an_engine_of_a_lost_database_wakes_at_any_call(goal: str) -> None:
    base = versioned_world("one", "three")
    for calls in range(0, calls_of(base, goal) + 1, 3):
        world = copy_of(base)
        stale = world.start(goal)
        stale.run(calls)
        world.lose_database()
        newer = world.start("one")
        newer.run(30)
        stale.run()
        newer.run()
        assert newer.stepper.error is None, repr(newer.stepper.error)
        world.finish_alone("one")


@pytest.mark.parametrize(("before", "goal"), TASKS[1:])
def test_power_loss_at_any_call_loses_no_release(before: tuple[str, ...], goal: str) -> None:
    """Any subset of the calls since the last sync may be lost."""
    base = versioned_world(*before)
    chance = random.Random(7)
    for calls in range(0, 300, 3):
        world = copy_of(base)
        disk = UnsyncedDisk(world.files, calls)
        killed = run_to_death(world, disk, goal)
        for lost in losses(len(disk.unsynced), chance):
            after = copy_of(base)
            after.queue, after.files = TestQueue(world.queue.id, world.queue.counter), disk.after_power_loss(lost)
            after.check()
            after.finish_alone("three" if goal == "one" else "one")
        if not killed:
            break


def losses(count: int, chance: random.Random) -> list[frozenset[int]]:
    some = [frozenset(number for number in range(count) if chance.random() < 0.5) for _ in range(2)]
    return [frozenset(range(count)), frozenset(range(1, count)), frozenset(range(count - 1)), *some]


def run_to_death(world: World, disk: UnsyncedDisk, goal: str) -> bool:
    try:
        do(OrderedTarget("t", disk, world.options), GOALS[goal], world.queue.claim())
    except Killed:
        return True
    return False


@pytest.mark.parametrize("seed", range(12))
def test_random_histories(seed: int) -> None:
    """Engines claim, retry, pause, wake and die, and once the layout changes; whoever is left alone at the end succeeds."""
    chance = random.Random(seed)
    world = versioned_world(*chance.sample(["one", "two", "three"], chance.randrange(3)))
    for _ in range(chance.randrange(4, 16)):
        match chance.randrange(10):
            case 0 | 1 if len(world.engines) < 5:
                retry = chance.choice(world.engines) if world.engines and chance.random() < 0.5 else None
                world.start(chance.choice(NEXT), retry)
            case 2 if world.engines:
                chance.choice(world.engines).kill()
            case 3 if isinstance(world, VersionedWorld) and chance.random() < 0.2:
                world.turn(chance.choice([ORDERED, VERSIONED]))
            case _ if world.engines:
                chance.choice(world.engines).run(chance.randrange(1, 60))
            case _:
                world.start(chance.choice(NEXT))
    world.finish_alone(chance.choice(NEXT))
