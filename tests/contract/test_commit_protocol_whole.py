"""The real commit protocol where nothing of the module is there, not even its folder: it comes whole, by one rename.

Or file by file, because somebody has made that folder since.
"""

import random
from dataclasses import replace

import pytest

from support.histories import GOALS, URL, Killed, World, calls_of, copy_of, do, world_after
from support.releases import publish
from support.stopping import StoppingDisk, UnsyncedDisk
from support.target_kinds import MemoryTree
from targets import MemoryDisk, OrderedTarget, PlacedOptions, TargetUnreachable, TransientTargetError
from targets.disk import Answer, Call

OUTSIDE = {"outside": b"theirs too"}
PUBLISHED = ["one", "two", "three"]


def nowhere(options: PlacedOptions | None = None, goal: str | None = None) -> World:
    """A server on which others have something, but not where the module goes; this was published there."""
    return world_after([goal] if goal else [], World(options=options or PlacedOptions(), foreign=OUTSIDE))


def intrude(world: World, path: str = "m/foreign") -> None:
    """Somebody makes the module's folder and puts a file into it."""
    MemoryTree(world.files).write(path, b"theirs")
    world.foreign = {**world.foreign, path: b"theirs"}


@pytest.mark.parametrize("goal", PUBLISHED)
def test_visitors_see_nothing_of_it_then_all(goal: str) -> None:
    world = nowhere()
    engine, seen = world.start(goal), [world.live()]
    while engine.step():
        if world.live() != seen[-1]:
            seen.append(world.live())
    whole = {f"m/{path}": content for path, content in (GOALS[goal] or {}).items()}
    assert seen == [OUTSIDE, OUTSIDE | whole]


@pytest.mark.parametrize("after", GOALS)
@pytest.mark.parametrize("goal", PUBLISHED)
def test_killed_at_any_call_whatever_comes_next(goal: str, after: str) -> None:
    base = nowhere()
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        world.start(goal).run(calls)
        world.finish_alone(after)


@pytest.mark.parametrize(("goal", "after"), [("one", "two"), ("two", "three"), ("two", "none")])
def test_killed_during_recovery_at_any_call(goal: str, after: str) -> None:
    base = nowhere()
    for calls in range(4, calls_of(base, goal) + 1, 3):
        struck = copy_of(base)
        struck.start(goal).run(calls)
        struck.close()
        for more in range(calls % 4, calls_of(struck, after) + 1, 4):
            world = copy_of(struck)
            world.start(after).run(more)
            world.finish_alone(goal)


@pytest.mark.parametrize(("goal", "other"), [("one", "three"), ("two", "none"), ("three", "two")])
def test_a_stale_engine_that_wakes_in_the_middle_of_another(goal: str, other: str) -> None:
    base = nowhere()
    for calls in range(0, calls_of(base, goal) + 1, 2):
        for more in range(calls % 5, calls_of(base, other) + 30, 5):
            world = copy_of(base)
            stale = world.start(goal)
            stale.run(calls)
            newer = world.start(other)
            newer.run(more)
            stale.run()
            newer.run()
            assert newer.stepper.error is None, repr(newer.stepper.error)
            world.finish_alone(other)


@pytest.mark.parametrize("options", [PlacedOptions(), PlacedOptions(durability="file"), PlacedOptions(public_slip=False)])
@pytest.mark.parametrize("goal", PUBLISHED)
def test_a_folder_that_appears_at_any_call(goal: str, options: PlacedOptions) -> None:
    base = nowhere(options)
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        engine = world.start(goal)
        engine.run(calls)
        intrude(world)
        engine.run()
        assert engine.stepper.error is None, repr(engine.stepper.error)
        world.close()
        assert world.live() == {**world.foreign, **{f"m/{path}": content for path, content in (GOALS[goal] or {}).items()}}
        if options.public_slip:
            world.check_end(goal)


@pytest.mark.parametrize(
    ("goal", "after", "foreign"), [("one", "two", "foreign"), ("two", "two", "a/foreign"), ("two", "none", "a/y/f")]
)
def test_a_folder_that_appears_and_an_engine_that_dies_at_any_call_thereafter(goal: str, after: str, foreign: str) -> None:
    base = nowhere()
    for calls in range(0, calls_of(base, goal) + 1, 2):
        for more in range(calls % 3, 40, 3):
            world = copy_of(base)
            engine = world.start(goal)
            engine.run(calls)
            intrude(world, f"m/{foreign}")
            engine.run(more)
            world.finish_alone(after)


@pytest.mark.parametrize("durability", ["none", "commit", "file"])
@pytest.mark.parametrize("seed", range(20))
def test_random_histories(seed: int, durability: str) -> None:
    """Engines claim, pause, wake and die, and somebody makes the module's folder at some moment."""
    chance = random.Random(f"{seed} {durability}")
    world = nowhere(PlacedOptions(durability=durability))  # type: ignore[arg-type]
    world.start(chance.choice(PUBLISHED))
    for _ in range(chance.randrange(4, 16)):
        match chance.randrange(8):
            case 0 | 1 if len(world.engines) < 5:
                world.start(chance.choice(list(GOALS)))
            case 2:
                chance.choice(world.engines).kill()
            case 3 if len(world.foreign) == 1:
                intrude(world)
            case _:
                chance.choice(world.engines).run(chance.randrange(1, 50))
    world.finish_alone(chance.choice(list(GOALS)))


@pytest.mark.parametrize("appears", [False, True])
@pytest.mark.parametrize("goal", ["one", "two"])
def test_power_loss_at_any_call_loses_no_release(goal: str, appears: bool) -> None:
    base = nowhere()
    for calls in range(200):
        world = copy_of(base)
        disk = UnsyncedDisk(world.files, calls)
        if appears and calls >= 12:
            intrude(world)
        killed = _runs_to_its_death(world, disk, goal)
        count = len(disk.unsynced)
        for lost in {frozenset[int](), frozenset(range(count)), frozenset(range(1, count)), frozenset(range(count - 1))}:
            after = replace(copy_of(world), files=disk.after_power_loss(lost))
            after.check()
            after.finish_alone("three" if goal == "one" else "one")
        if not killed:
            break


def _runs_to_its_death(world: World, disk: UnsyncedDisk, goal: str) -> bool:
    try:
        do(OrderedTarget("t", disk, world.options), GOALS[goal], world.queue.claim())
    except Killed:
        return True
    return False


@pytest.mark.parametrize("goal", PUBLISHED)
def test_a_connection_cut_at_any_call_is_mended_by_the_next_task(goal: str) -> None:
    base = nowhere()
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


class RefusingDisk(MemoryDisk):
    """Refuses calls from this one on, so many of them, and does none of these."""

    def __init__(self, world: World, first: int, times: int) -> None:
        super().__init__(world.files)
        self._refused = range(first, first + times)
        self.calls = 0

    def _run(self, call: Call) -> Answer:
        self.calls += 1
        return Answer.REFUSED if self.calls - 1 in self._refused else super()._run(call)


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("goal", PUBLISHED)
def test_a_refused_call_is_noticed_or_makes_no_difference(goal: str, times: int) -> None:
    base = nowhere()
    wanted = OUTSIDE | {f"m/{path}": content for path, content in (GOALS[goal] or {}).items()}
    for first in range(200):
        world = copy_of(base)
        disk = RefusingDisk(world, first, times)
        try:
            publish(OrderedTarget("t", disk, world.options), URL, GOALS[goal] or {}, world.queue.claim())
        except TransientTargetError:
            pass
        else:
            assert world.live() == wanted, f"call {first} was refused, and nobody noticed"
        if disk.calls <= first:
            break
        world.finish_alone(goal)
    assert first > 10


def test_what_is_built_for_it_is_no_hindrance_once_another_queue_holds_it() -> None:
    base = nowhere()
    for calls in range(calls_of(base, "two") + 1):
        world = copy_of(base)
        stale = world.start("two")
        stale.run(calls)
        world.lose_database()
        newer = world.start("three")
        newer.run(30)
        stale.run()
        newer.run()
        assert newer.stepper.error is None, repr(newer.stepper.error)
        world.finish_alone("one")
