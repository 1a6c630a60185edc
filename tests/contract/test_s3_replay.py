"""A release in a bucket, stopped before every single request."""

import pytest

from support.claims import TestQueue
from support.histories import GOALS
from support.s3_histories import copy_of, open_bucket, requests_of, world_with
from targets import SerialTooHigh

TASKS = [
    (before, goal) for before in [None, "one", "two"] for goal in GOALS if before != goal and (before, goal) != (None, "none")
]


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_killed_before_any_request_a_lone_engine_ends_with_its_own_tree(before: str | None, goal: str) -> None:
    base = world_with(before)
    for requests in range(requests_of(base, goal) + 1):
        world = copy_of(base)
        world.start(goal).run(requests)
        world.finish_alone(list(GOALS)[requests % len(GOALS)])


@pytest.mark.parametrize(("before", "goal", "after"), [("one", "two", "three"), ("two", "one", "none"), ("one", "none", "two")])
def test_killed_during_recovery_before_any_request(before: str, goal: str, after: str) -> None:
    base = world_with(before)
    for requests in range(4, requests_of(base, goal) + 1, 3):
        struck = copy_of(base)
        struck.start(goal).run(requests)
        struck.engines[0].stepper.kill()
        for more in range(requests % 4, requests_of(struck, after) + 1, 4):
            world = copy_of(struck)
            world.start(after).run(more)
            world.finish_alone(goal)


@pytest.mark.parametrize(("before", "goal"), TASKS)
def test_a_stale_engine_that_wakes_after_another_finished(before: str | None, goal: str) -> None:
    """It is refused at its next look. What it had in hand it may still write; the commit record stays the newer one's."""
    base = world_with(before)
    for requests in range(requests_of(base, goal)):
        world = copy_of(base)
        stale = world.start(goal)
        stale.run(requests)
        newer = world.start("three")
        newer.run()
        assert newer.stepper.error is None, repr(newer.stepper.error)
        record = world.record()
        live = world.ours()
        looks_next = stale.looks_next()
        stale.run(check=False)
        # At its last steps everything is done, and what is left is to say so; then it may also end well.
        assert stale.fenced() or isinstance(stale.stepper.error, SerialTooHigh) or stale.stepper.error is None
        assert world.record() == record
        if looks_next:
            assert world.ours() == live


def test_two_engines_begin_a_module_at_once() -> None:
    base = world_with(None)
    for requests in range(20):
        for more in range(requests % 3, 20, 3):
            world = copy_of(base)
            first, second = world.start("one"), world.start("two")
            first.run(requests)
            second.run(more)
            first.run(check=False)
            second.run(check=False)
            assert second.stepper.error is None, repr(second.stepper.error)
            world.finish_alone("three")


def test_adoption_killed_before_any_request_is_done_by_the_next() -> None:
    base = world_with("one")
    struck_at = requests_of(base, "two") - 12
    base.start("two").run(struck_at)
    base.engines[0].stepper.kill()
    base.engines.clear()
    assert base.prepared()
    for requests in range(40):
        world = copy_of(base)
        adopter = world.adopter("f" * 32)
        for _ in range(requests):
            adopter.step()
        adopter.kill()
        assert open_bucket(world.service).adopt("f" * 32) in {base.queue.id, "f" * 32}
        world.queue = TestQueue("f" * 32)
        world.finish_alone("three")
