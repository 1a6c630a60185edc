"""A HELD task goes on by an APPROVE that names its very plan, and by nothing else that anybody can write."""

from collections.abc import Callable
from typing import Any

import pytest

from database import Action, Engine, HeldPlan, NewTask, NoSuchTask, Outcome, Task
from support.queue import Queue

PLAN, OTHER = "ab" * 32, "cd" * 32


def held(queue: Queue, url: str = "/a", plan: str = PLAN) -> int:
    """A task that a guard held."""
    task = queue.ready(url)
    engine = queue.engine()
    [claimed] = queue.claim(engine)
    queue.end(engine, claimed, Outcome.HELD, "it would drop too much", plan=HeldPlan(plan, "{}"))
    queue.leases.leave(engine)
    assert queue.states(task) == ["HELD"]
    return task


def everybody_works(queue: Queue) -> list[Task]:
    """Whoever polls, a day later; what an engine could claim then."""
    queue.intake.accept(queue.settings)
    queue.intake.sweep()
    queue.intake.settle_takedowns()
    queue.intake.end_stranded(queue.settings)
    queue.clock.forward(86_400)
    return queue.claim(queue.engine(), "staging")


def approve(queue: Queue, task: int, plan: str = PLAN, **more: Any) -> int:
    row = {"url": "/a", "environment": "STAGING", "action": Action.APPROVE} | more
    approval = queue.desk.insert(NewTask(**row, parameters={"task": task, "plan": plan}))
    queue.intake.accept(queue.settings)
    return approval


COLUMNS = {
    "hold and release": "UPDATE publication_task_queue SET hold = 1 WHERE id = :id; UPDATE publication_task_queue SET hold = 0 WHERE id = :id",
    "priority": "UPDATE publication_task_queue SET priority = -2147483648 WHERE id = :id",
    "run_after": "UPDATE publication_task_queue SET run_after = '2020-01-01 00:00:00' WHERE id = :id",
    "cancel taken back": "UPDATE publication_task_queue SET cancel_requested = 1 WHERE id = :id;"
    " UPDATE publication_task_queue SET cancel_requested = 0 WHERE id = :id",
}


@pytest.mark.parametrize("statements", COLUMNS.values(), ids=COLUMNS)
def test_no_column_that_an_operator_may_change_releases_it(queue: Queue, statements: str) -> None:
    task = held(queue)
    for statement in statements.split(";"):
        queue.sql(statement, id=task)
    assert everybody_works(queue) == []
    assert queue.states(task) == ["HELD"]


def _hold_and_release(queue: Queue, task: int) -> None:
    with pytest.raises(NoSuchTask):
        queue.desk.hold([task])
    queue.desk.release([task])


def _retry(queue: Queue, task: int) -> None:
    with pytest.raises(NoSuchTask, match="only a task that has ended"):
        queue.desk.retry(task)


def _rescue(queue: Queue, _: int) -> None:
    queue.engine(ttl=1)
    queue.clock.forward(2)
    for engine in queue.leases.expired():
        queue.leases.rescue(engine.start)


def _breaker(queue: Queue, _: int) -> None:
    for url, outcome in (("/x", Outcome.UNREACHABLE), ("/x", Outcome.SUCCEEDED)):
        if outcome is Outcome.UNREACHABLE:
            queue.ready(url)
        engine = queue.engine(ttl=10_000)
        [task] = queue.claim(engine)
        queue.end(engine, task, outcome, breaker="staging" if outcome is Outcome.UNREACHABLE else None)
        queue.clock.forward(100)


def _purge(queue: Queue, _: int) -> None:
    queue.clock.forward(100 * 86_400)
    queue.intake.purge(1)


def _pause(queue: Queue, _: int) -> None:
    queue.pause("STAGING")
    queue.resume("STAGING")


VERBS = {
    "hold and release": _hold_and_release,
    "retry": _retry,
    "rescue": _rescue,
    "breaker": _breaker,
    "purge": _purge,
    "pause": _pause,
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_no_other_verb_releases_it(queue: Queue, verb: Callable[[Queue, int], None]) -> None:
    task = held(queue)
    verb(queue, task)
    assert everybody_works(queue) == []
    assert queue.states(task) == ["HELD"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"plan": OTHER}, "waits with another plan"),
        ({"plan": PLAN[:12]}, "waits with another plan"),
        ({"url": "/b"}, "the APPROVE row must name the same url and environment"),
        ({"environment": "SHARED"}, "the APPROVE row must name the same url and environment"),
    ],
)
def test_an_approval_of_anything_else_is_rejected(queue: Queue, row: dict[str, Any], reason: str) -> None:
    task = held(queue)
    approval = approve(queue, task, **row)
    assert queue.states(approval, task) == ["REJECTED", "HELD"]
    assert reason in str(queue.show(approval).task.reason)
    assert everybody_works(queue) == []


def test_an_approval_releases_its_task_and_no_other_with_the_same_plan(queue: Queue) -> None:
    mine, other = held(queue), held(queue, "/b")
    approve(queue, mine)
    assert queue.states(mine, other) == ["READY", "HELD"]
    [task] = everybody_works(queue)
    assert (task.id, task.approved_plan) == (mine, PLAN)


def test_an_approval_is_spent_when_another_plan_is_held(queue: Queue) -> None:
    task = held(queue)
    first = approve(queue, task)
    engine = queue.engine()
    [claimed] = queue.claim(engine)
    queue.end(engine, claimed, Outcome.HELD, "the site changed meanwhile", plan=HeldPlan(OTHER, "{}"))
    assert queue.states(first, task) == ["SUCCEEDED", "HELD"]
    assert queue.show(task).task.approved_plan is None
    assert queue.states(approve(queue, task)) == ["REJECTED"]
    approve(queue, task, OTHER)
    assert queue.show(task).task.approved_plan == OTHER


@pytest.mark.parametrize("outcome", [Outcome.RETRY, Outcome.UNREACHABLE, Outcome.RELEASED])
def test_an_approval_stays_bound_to_its_plan_over_every_retry(queue: Queue, outcome: Outcome) -> None:
    task = held(queue)
    approve(queue, task)
    engine = queue.engine(ttl=10_000)
    [claimed] = queue.claim(engine)
    queue.end(engine, claimed, outcome, "again", breaker="staging" if outcome is Outcome.UNREACHABLE else None)
    queue.clock.forward(200)
    [again] = queue.claim(engine)
    assert (again.id, again.approved_plan, again.adopt) == (task, PLAN, False)


def test_a_rerun_plans_anew(queue: Queue) -> None:
    task = held(queue)
    approve(queue, task)
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.FAILED, "a person must act")
    rerun = queue.desk.retry(task)
    queue.intake.accept(queue.settings)
    [claimed] = queue.claim(engine)
    assert (claimed.id, claimed.approved_plan, claimed.adopt) == (rerun, None, False)


def test_a_row_that_repeats_a_held_task_as_a_delivery_gets_nothing_of_it(queue: Queue) -> None:
    """A DELIVER drops without asking: on the origin that would be a publish without a guard."""
    task = held(queue)
    trick = queue.desk.insert(NewTask("/a", "STAGING", Action.DELIVER, parameters={"rerun_of": task}))
    queue.intake.accept(queue.settings)
    assert queue.states(trick) == ["REJECTED"]
    assert "DELIVER rows are made by publishing" in str(queue.show(trick).task.reason)


def test_a_newer_row_for_the_module_leaves_it_held(queue: Queue) -> None:
    task, newer = held(queue), queue.ready()
    engine: Engine = queue.engine()
    [claimed] = queue.claim(engine)
    assert claimed.id == newer
    queue.end(engine, claimed)
    assert everybody_works(queue) == []
    assert queue.states(task) == ["HELD"]
