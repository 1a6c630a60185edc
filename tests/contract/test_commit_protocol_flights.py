"""The real commit protocol at a server that carries out a script by itself: stopped, refused and cut at any of its steps.

Whether the engine or the server ends in the middle of a flight, what is done of it is a beginning; whether an engine is there
still when the rest of its flight is carried out, makes no difference to the server.
"""

import random

import pytest

from support.histories import GOALS, URL, World, calls_of, copy_of, do, world_after
from support.releases import publish
from support.stepping import FollowingDisk
from support.stopping import StoppingDisk
from support.target_kinds import MemoryTree
from targets import Fenced, OrderedTarget, PlacedOptions, SerialTooHigh, TargetError, TargetUnreachable
from targets.disk import Answer, Call, Done, Op, Script

QUICK = PlacedOptions(durability="none")
OUTSIDE = {"outside": b"theirs too"}
TASKS = [(before, goal) for before in (None, "nowhere", "one", "two") for goal in GOALS if goal not in {before, "none"}]
TASKS += [("one", "none"), ("two", "none")]


def world_with(before: str | None, options: PlacedOptions = QUICK) -> World:
    """A server on which this was published; None: one on which others have put something into the module's folder."""
    if before == "nowhere":
        return World(options=options, foreign=OUTSIDE, disk=FollowingDisk)
    return world_after([before] if before else [], World(options=options, disk=FollowingDisk))


def intrude(world: World) -> None:
    MemoryTree(world.files).write("m/foreign", b"theirs")
    world.foreign = {**world.foreign, "m/foreign": b"theirs"}


class Noting(FollowingDisk):
    """Keeps the scripts."""

    scripts: list[Script]

    def carry_out(self, script: Script) -> Done | None:
        self.scripts.append(script)
        return super().carry_out(script)


@pytest.mark.parametrize("durability", ["none", "commit"])
@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_few_flights_bring_a_release(before: str | None, goal: str, durability: str) -> None:
    world = world_with(before, PlacedOptions(durability=durability))  # type: ignore[arg-type]
    disk = Noting(world.files)
    disk.scripts = []
    do(OrderedTarget("t", disk, world.options), GOALS[goal], world.queue.claim())
    # Files that become folders, or go, or have to be safe on the disk before the next call: these are waited for.
    easy = durability == "none" and goal != "none" and (before, goal) not in {("one", "two"), ("two", "one")}
    assert len(disk.scripts) == (2 if easy else 1)
    world.check()
    world.check_end(goal)


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_killed_at_any_call_a_lone_engine_ends_with_its_own_tree(before: str | None, goal: str) -> None:
    base = world_with(before)
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        world.start(goal).run(calls)
        world.finish_alone(list(GOALS)[calls % len(GOALS)])


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_a_stale_engine_that_wakes_in_the_middle_of_another(before: str | None, goal: str) -> None:
    base, other = world_with(before), "none" if goal == "three" else "three"
    for calls in range(0, calls_of(base, goal) + 1, 2):
        for more in range(calls % 9, calls_of(base, other) + 30, 9):
            world = copy_of(base)
            stale = world.start(goal)
            stale.run(calls)
            committed = stale.committed()
            newer = world.start(other)
            newer.run(more)
            stale.run()
            newer.run()
            assert newer.stepper.error is None, repr(newer.stepper.error)
            if more > 30 and not committed:
                assert isinstance(stale.stepper.error, Fenced | SerialTooHigh), repr(stale.stepper.error)
            world.finish_alone(other)


@pytest.mark.parametrize("goal", ["one", "two", "three"])
def test_a_folder_that_appears_at_any_call(goal: str) -> None:
    base = world_with("nowhere")
    for calls in range(calls_of(base, goal) + 1):
        world = copy_of(base)
        engine = world.start(goal)
        engine.run(calls)
        intrude(world)
        engine.run()
        assert engine.stepper.error is None, repr(engine.stepper.error)
        world.close()
        world.check_end(goal)


@pytest.mark.parametrize("seed", range(60))
def test_random_histories(seed: int) -> None:
    chance = random.Random(seed)
    world = world_with(chance.choice([None, "nowhere", "one"]))
    world.start(chance.choice(list(GOALS)))
    for _ in range(chance.randrange(4, 16)):
        match chance.randrange(8):
            case 0 | 1 if len(world.engines) < 5:
                world.start(chance.choice(list(GOALS)))
            case 2:
                chance.choice(world.engines).kill()
            case 3 if "m/foreign" not in world.foreign:
                intrude(world)
            case _:
                chance.choice(world.engines).run(chance.randrange(1, 50))
    world.finish_alone(chance.choice(list(GOALS)))


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_a_connection_cut_at_any_call_is_mended_by_the_next_task(before: str | None, goal: str) -> None:
    base = world_with(before)
    for calls in range(200):
        world = copy_of(base)
        disk = StoppingDisk(FollowingDisk(world.files), calls, TargetUnreachable("cut"))
        try:
            do(OrderedTarget("t", disk, world.options), GOALS[goal], world.queue.claim())
        except TargetUnreachable:
            world.check()
            world.finish_alone("three")
        else:
            break


class RefusingDisk(FollowingDisk):
    """Refuses calls from this one on, so many of them, and does none of these. A folder that may not be removed stays, rightly."""

    def __init__(self, world: World, first: int, times: int, answer: Answer) -> None:
        super().__init__(world.files)
        self._refused, self._answer = range(first, first + times), answer
        self.calls = 0

    def _run(self, call: Call) -> Answer:
        self.calls += 1
        rightly = self._answer is Answer.DENIED and call.op is Op.RMDIR
        return self._answer if self.calls - 1 in self._refused and not rightly else super()._run(call)


@pytest.mark.parametrize("answer", [Answer.REFUSED, Answer.DENIED])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(("before", "goal"), [task for task in TASKS if task[1] != "none"])
def test_a_refused_call_is_noticed_or_makes_no_difference(before: str | None, goal: str, times: int, answer: Answer) -> None:
    base = world_with(before)
    wanted = {**base.foreign, **{f"m/{path}": content for path, content in (GOALS[goal] or {}).items()}}
    for first in range(200):
        world = copy_of(base)
        disk = RefusingDisk(world, first, times, answer)
        try:
            publish(OrderedTarget("t", disk, world.options), URL, GOALS[goal] or {}, world.queue.claim(), back=True)
        except TargetError:
            pass
        else:
            assert world.live() == wanted, f"call {first} was refused, and nobody noticed"
        if disk.calls <= first:
            break
        world.finish_alone(goal)
    assert first > 10
