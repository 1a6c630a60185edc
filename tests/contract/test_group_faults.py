"""A group of three, hurt at every call to each of its members; with and without a quorum.

With EVERY_CALL in the environment at each call in turn (`make model`), otherwise at some of them.
"""

import os
from collections.abc import Callable

import pytest

from support.group_histories import (
    MEMBERS,
    Fault,
    GroupWorld,
    calls_of,
    copy_of_group,
    fine,
    group_with,
    hurt,
    killed_after,
    steps,
)
from support.histories import GOALS, Stepper, do
from targets import Fenced, Moved, NoSpace, SerialTooHigh, TargetError, TargetUnreachable

QUORUMS = [3, 2]
TASKS = [("one", "two"), ("two", "three"), ("three", "none"), (None, "two")]
EVERY = 1 if os.environ.get("EVERY_CALL") else 29
WRITES = frozenset({"create", "write", "mkdir"})


def other(goal: str, number: int) -> str:
    """Some other goal."""
    others = [each for each in GOALS if each != goal]
    return others[number % len(others)]


@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_killed_at_any_call_a_lone_engine_ends_with_its_own_tree(before: str | None, goal: str, quorum: int) -> None:
    base = group_with(before, quorum)
    for calls in steps(calls_of(base, goal), EVERY):
        world = copy_of_group(base)
        world.run(goal, world.start(goal), killed_after(calls))
        world.check()
        world.finish_alone(list(GOALS)[calls % len(GOALS)])
        world.check()


@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize(("before", "goal", "after"), [("one", "two", "three"), ("two", "none", "one")])
def test_killed_again_in_the_recovery(before: str, goal: str, after: str, quorum: int) -> None:
    base = group_with(before, quorum)
    for calls in steps(calls_of(base, goal), 5 * EVERY):
        struck = copy_of_group(base)
        struck.run(goal, struck.start(goal), killed_after(calls))
        for more in range(calls % 9, calls_of(struck, after) + 1, 4 * EVERY):
            world = copy_of_group(struck)
            world.run(after, world.start(after), killed_after(more))
            world.check()
            world.finish_alone(goal)


FAULTS: dict[str, Callable[[int, int], Fault]] = {
    "unreachable for good": lambda member, call: hurt(member, call, lambda: TargetUnreachable("cut")),
    "cut once": lambda member, call: hurt(member, call, lambda: TargetUnreachable("cut"), once=True),
    "no space": lambda member, call: hurt(member, call, lambda: NoSpace("full"), verbs=WRITES),
    "fenced": lambda member, call: hurt(member, call, lambda: Fenced("taken over")),
}


@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize("member", range(len(MEMBERS)))
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("before", "goal"), [("one", "two"), ("two", "none")])
def test_any_call_to_a_member_may_fail(before: str, goal: str, fault: str, member: int, quorum: int) -> None:
    base = group_with(before, quorum)
    for call in steps(calls_of(base, goal) // len(MEMBERS), EVERY):
        world = copy_of_group(base)
        result = world.run(goal, world.start(goal), FAULTS[fault](member, call))
        world.check()
        if quorum < len(MEMBERS) and "full" not in str(result) and fault not in {"no space", "fenced"}:
            assert isinstance(result, Moved), f"one member may lag, and at call {call} it was {result!r}"
            assert set(result.lagging) <= {MEMBERS[member]}
            for number, each in enumerate(world.members):
                if MEMBERS[number] not in result.lagging and number != member:
                    each.check_end(goal)
        assert result is not None
        world.finish_alone(other(goal, call))
        world.check()


@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize("member", range(len(MEMBERS)))
def test_a_laggard_that_comes_back_has_the_newest_version_in_the_end(member: int, quorum: int) -> None:
    """It fell behind at some call, the others went on without it twice, and then it answers again."""
    base = group_with("one", 2)
    for call in steps(calls_of(base, "two") // len(MEMBERS), EVERY):
        world = copy_of_group(base)
        assert isinstance(world.run("two", world.start("two"), FAULTS["unreachable for good"](member, call)), Moved)
        assert isinstance(world.run("three", world.start("three"), FAULTS["unreachable for good"](member, 0)), Moved)
        world.check()
        world.quorum = quorum
        world.finish_alone("one")


def awake(world: GroupWorld, goal: str, calls: int) -> tuple[Stepper, list[bool]]:
    """An engine that has made so many calls and sleeps."""
    claim, committed = world.start(goal), []

    def work(stepper: Stepper) -> None:
        do(world.target(fine, stepper.hook), GOALS[goal], claim)
        committed.append(True)

    stepper = Stepper(work)
    for _ in range(calls):
        stepper.step()
    return stepper, committed


def committed_everywhere(world: GroupWorld, goal: str) -> bool:
    """Whether only the tidying up was left."""
    slips = [member.slip() for member in world.members]
    wanted = None if GOALS[goal] is None else world.queue.counter
    return all((slip and slip.serial) == wanted for slip in slips)


def everything(world: GroupWorld) -> list[dict[str, bytes]]:
    return [member.live() for member in world.members]


@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize("goal", ["two", "none"])
def test_a_stale_engine_changes_no_member(goal: str, quorum: int) -> None:
    base = group_with("one", quorum)
    for calls in steps(calls_of(base, goal), 2 * EVERY):
        world = copy_of_group(base)
        stale, committed = awake(world, goal, calls)
        done = bool(committed) or committed_everywhere(world, goal)
        world.run("three", world.start("three"))
        before = everything(world)
        while stale.step():
            world.check()
        assert everything(world) == before
        assert done or isinstance(stale.error, Fenced | SerialTooHigh), repr(stale.error)
        world.finish_alone("one")


@pytest.mark.parametrize("quorum", QUORUMS)
def test_a_stale_engine_that_wakes_while_another_takes_over(quorum: int) -> None:
    base = group_with("one", quorum)
    for calls in steps(calls_of(base, "two"), 6 * EVERY):
        for more in range(calls % 17, calls_of(base, "three"), 8 * EVERY):
            world = copy_of_group(base)
            stale, _ = awake(world, "two", calls)
            newer, finished = awake(world, "three", more)
            while stale.step():
                pass
            world.check()
            while newer.step():
                pass
            assert finished == [True], repr(newer.error)
            assert stale.error is None or isinstance(stale.error, TargetError), repr(stale.error)
            world.check()
            world.finish_alone("one")
