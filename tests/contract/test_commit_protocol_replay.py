"""The real commit protocol over a server in memory, stopped at every single call."""

import random

import pytest

from support.histories import GOALS, calls_of, copy_of, world_with
from targets import Fenced, PlacedOptions, SerialTooHigh

BEFORE = [None, "one", "two"]
TASKS = [(before, goal) for before in BEFORE for goal in GOALS if before != goal and (before, goal) != (None, "none")]


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_killed_at_any_call_a_lone_engine_ends_with_its_own_tree(before: str | None, goal: str) -> None:
    base = world_with(before)
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        world.start(goal).run(calls)
        world.finish_alone(list(GOALS)[calls % len(GOALS)])


@pytest.mark.parametrize("after", GOALS)
def test_killed_at_any_call_whatever_comes_next(after: str) -> None:
    base = world_with("one")
    for calls in range(calls_of(base, "two") + 1):
        world = copy_of(base)
        world.start("two").run(calls)
        world.finish_alone(after)


@pytest.mark.parametrize(("before", "goal", "after"), [("one", "two", "three"), ("two", "one", "none"), ("one", "none", "two")])
def test_killed_during_recovery_at_any_call(before: str, goal: str, after: str) -> None:
    base = world_with(before)
    for calls in range(4, calls_of(base, goal) + 1, 5):
        struck = copy_of(base)
        struck.start(goal).run(calls)
        struck.close()
        for more in range(calls % 6, calls_of(struck, after) + 1, 6):
            world = copy_of(struck)
            world.start(after).run(more)
            world.finish_alone(goal)


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_a_stale_engine_that_wakes_after_another_finished(before: str | None, goal: str) -> None:
    base = world_with(before)
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        stale = world.start(goal)
        stale.run(calls)
        committed = stale.committed()
        newer = world.start("three")
        newer.run()
        assert newer.stepper.error is None, repr(newer.stepper.error)
        stale.run()
        # Before its takeover it cannot tell a newer engine from a queue that was put back: the queue itself ignores its answer.
        assert committed or isinstance(stale.stepper.error, Fenced | SerialTooHigh), repr(stale.stepper.error)
        world.finish_alone("one")


@pytest.mark.parametrize(("goal", "other"), [("two", "three"), ("none", "two"), ("two", "none"), ("three", "two")])
def test_a_stale_engine_that_wakes_in_the_middle_of_another(goal: str, other: str) -> None:
    base = world_with("one")
    for calls in range(0, calls_of(base, goal) + 1, 4):
        for more in range(calls % 7, calls_of(base, other) + 1, 7):
            world = copy_of(base)
            stale = world.start(goal)
            stale.run(calls)
            newer = world.start(other)
            newer.run(more)
            stale.run()
            newer.run()
            assert newer.stepper.error is None, repr(newer.stepper.error)
            world.finish_alone(other)


def test_two_engines_bear_a_module_at_once() -> None:
    base = world_with(None)
    for calls in range(18):
        for more in range(calls % 3, 18, 3):
            world = copy_of(base)
            first, second = world.start("one"), world.start("two")
            first.run(calls)
            second.run(more)
            first.run()
            second.run()
            assert second.stepper.error is None, repr(second.stepper.error)
            world.finish_alone("two")


@pytest.mark.parametrize("goal", ["two", "none"])
def test_an_engine_of_a_lost_database_wakes_at_any_call(goal: str) -> None:
    base = world_with("one")
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        stale = world.start(goal)
        stale.run(calls)
        world.lose_database()
        newer = world.start("three")
        newer.run(30)
        stale.run()
        newer.run()
        assert newer.stepper.error is None, repr(newer.stepper.error)
        world.finish_alone("one")


@pytest.mark.parametrize("seed", range(40))
def test_random_histories(seed: int) -> None:
    """Engines claim, retry, pause, wake and die, and once the database is lost; whoever is left alone at the end succeeds."""
    chance = random.Random(seed)
    world = world_with(chance.choice([None, *GOALS]), PlacedOptions(durability=chance.choice(["none", "commit", "file"])))
    lost = False
    for _ in range(chance.randrange(4, 16)):
        match chance.randrange(10):
            case 0 | 1 if len(world.engines) < 5:
                retry = chance.choice(world.engines) if world.engines and chance.random() < 0.5 else None
                world.start(chance.choice(list(GOALS)), retry)
            case 2 if world.engines:
                chance.choice(world.engines).kill()
            case 3 if not lost and chance.random() < 0.3:
                lost = True
                world.lose_database()
            case _ if world.engines:
                chance.choice(world.engines).run(chance.randrange(1, 50))
            case _:
                world.start(chance.choice(list(GOALS)))
    world.finish_alone(chance.choice(list(GOALS)))
