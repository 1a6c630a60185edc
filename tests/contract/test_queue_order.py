"""Which of several tasks runs: newest wins per (environment, target, module); priority, then age, across modules."""

from typing import Any

import pytest

from database import Action, Engine, Lane, NewTask, Outcome, picking
from support.queue import Queue


def soon(queue: Queue, seconds: float) -> object:
    from datetime import timedelta

    return queue.intake.poll().now + timedelta(seconds=seconds)


def test_the_newest_task_of_a_module_wins(queue: Queue) -> None:
    old, older = queue.ready(), queue.ready(action="UNPUBLISH")
    newest = queue.ready()
    [task] = queue.claim(queue.engine())
    assert task.id == newest
    assert queue.states(old, older) == ["SUPERSEDED"] * 2
    assert queue.show(old).task.reason == f"Task {newest} for the same module is newer."
    assert queue.show(old).events[-1].state == "SUPERSEDED"


def test_the_newest_wins_also_where_an_older_one_has_a_better_priority(queue: Queue) -> None:
    old, other, newest = queue.ready(priority=1), queue.ready("/b", priority=50), queue.ready(priority=500)
    tasks = queue.claim(queue.engine())
    # The module keeps the place in the queue that its best task had.
    assert [task.id for task in tasks] == [newest, other]
    assert queue.states(old) == ["SUPERSEDED"]


def test_lower_priorities_run_first_then_older_ones(queue: Queue) -> None:
    late, first, second, third = (
        queue.ready(url, priority=priority) for url, priority in (("/d", 200), ("/a", 1), ("/b", 100), ("/c", 100))
    )
    tasks = queue.claim(queue.engine(), limit=3)
    assert [task.id for task in tasks] == [first, second, third]
    assert queue.states(late) == ["READY"]


def test_an_engine_takes_its_part_of_the_last_tasks_and_leaves_the_others_theirs(queue: Queue) -> None:
    for number in range(20):
        queue.ready(f"/{number}")
    one, other = queue.engine(), queue.engine()

    def take(engine: Engine, limit: int, held: int, least: int = 1) -> int:
        return len(queue.claims.claim(engine, [Lane("staging", limit, engines=2, held=held, least=least)]))

    assert take(one, 6, 0) == 6
    # It has 6, and 14 wait: its part of these 20 is 10.
    assert take(one, 14, 6) == 4
    assert take(one, 10, 10, least=0) == 0
    assert take(other, 12, 0) == 5
    # Whose workers have nothing to do waits for nobody.
    assert take(one, 10, 10) == 1


@pytest.mark.parametrize(
    "bystander",
    [
        {"hold": True},
        {"parameters": {"dry_run": True}},
        {"action": Action.VERIFY},
        {"run_after": 3600},
    ],
)
def test_what_could_not_run_now_or_changes_nothing_takes_no_part(queue: Queue, bystander: dict[str, Any]) -> None:
    def more() -> dict[str, Any]:
        return bystander | ({"run_after": soon(queue, 3600)} if "run_after" in bystander else {})

    before = queue.ready(**more())
    publish = queue.ready(priority=1)
    after = queue.ready(**more())
    [task] = queue.claim(queue.engine())
    assert task.id == publish
    assert queue.states(before, after) == ["READY", "READY"]


def test_what_is_to_be_cancelled_takes_no_part(queue: Queue) -> None:
    publish, cancelled = queue.ready(), queue.ready()
    queue.desk.cancel([cancelled])
    [task] = queue.claim(queue.engine())
    assert task.id == publish


def test_a_released_hold_runs_although_it_is_older_than_what_went_live(queue: Queue) -> None:
    held, newer = queue.ready(hold=True), queue.ready()
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0])
    queue.desk.release([held])
    [task] = queue.claim(engine)
    assert task.id == held
    assert task.serial > queue.show(newer).task.serial


def test_a_retry_that_waits_is_absorbed_by_a_newer_task(queue: Queue) -> None:
    retry = queue.ready()
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.RETRY, "503")
    newer = queue.ready()
    [task] = queue.claim(engine)
    assert task.id == newer
    assert queue.states(retry) == ["SUPERSEDED"]


@pytest.mark.parametrize("outcome", [Outcome.RETRY, Outcome.RELEASED, Outcome.UNREACHABLE])
def test_a_failed_try_with_a_newer_sibling_ends_superseded(queue: Queue, outcome: Outcome) -> None:
    old = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    newer = queue.ready(action="UNPUBLISH")
    assert queue.claim(engine) == []
    queue.end(engine, task, outcome, "503")
    assert queue.show(old).task.reason == f"Task {newer} for the same module is newer. It had come to: 503"
    assert [each.id for each in queue.claim(engine)] == [newer]


def test_a_waiting_sibling_does_not_supersede_a_failed_try(queue: Queue) -> None:
    old = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.ready(hold=True)
    queue.ready(run_after=soon(queue, 60))
    queue.end(engine, task, Outcome.RETRY, "503")
    assert queue.states(old) == ["READY"]


def test_environments_do_not_absorb_each_other_but_never_work_on_one_module_at_once(queue: Queue) -> None:
    ours, theirs = queue.ready(), queue.ready(environment="SHARED")
    us, them = queue.engine(), queue.engine("SHARED")
    [task] = queue.claim(us)
    assert task.id == ours
    assert queue.claim(them) == []
    queue.end(us, task)
    assert [each.id for each in queue.claim(them)] == [theirs]


def test_a_task_of_a_holding_area_does_not_absorb_the_one_of_the_origin(queue: Queue) -> None:
    publish = queue.ready()
    [deliver] = queue.made(NewTask("/a", "STAGING", "DELIVER", target="mirror", version=b"v" * 32))
    tasks = queue.claim(queue.engine(), "staging", "mirror")
    assert [(task.id, task.target, task.version) for task in tasks] == [
        (publish, "staging", None),
        (deliver, "mirror", b"v" * 32),
    ]


def test_verify_and_publish_of_one_module_run_one_after_the_other(queue: Queue) -> None:
    verify, publish = queue.ready(action="VERIFY"), queue.ready()
    engine = queue.engine()
    for expected in (verify, publish):
        [task] = queue.claim(engine)
        assert task.id == expected
        queue.end(engine, task)


def test_dependents_wait_for_the_earlier_generations_of_their_batch(queue: Queue) -> None:
    rows = [NewTask(f"/courses/{n}", "STAGING", batch=77) for n in range(3)]
    tasks = queue.made(
        *rows, NewTask("/courses", "STAGING", batch=77, generation=1), NewTask("/", "STAGING", batch=77, generation=2)
    )
    engine = queue.engine()
    first = queue.claim(engine)
    assert [task.id for task in first] == tasks[:3]
    for task in first[:2]:
        queue.end(engine, task)
    assert queue.claim(engine) == []
    queue.end(engine, first[2], Outcome.FAILED)
    [department] = queue.claim(engine)
    assert department.id == tasks[3]
    queue.end(engine, department)
    assert [task.id for task in queue.claim(engine)] == [tasks[4]]


def test_a_waiting_dependent_neither_absorbs_nor_is_absorbed(queue: Queue) -> None:
    _, dependent = queue.made(NewTask("/a", "STAGING", batch=5, hold=True), NewTask("/b", "STAGING", batch=5, generation=1))
    publish = queue.ready("/b")
    [task] = queue.claim(queue.engine())
    assert task.id == publish
    assert queue.states(dependent) == ["READY"]


def test_a_sick_holding_area_does_not_delay_dependents(queue: Queue) -> None:
    _, dependent = queue.made(
        NewTask("/a", "STAGING", "DELIVER", batch=5, target="mirror"), NewTask("/b", "STAGING", batch=5, generation=1)
    )
    assert [task.id for task in queue.claim(queue.engine())] == [dependent]


def test_a_batch_visits_a_url_once_as_dependent_and_no_deeper_than_two(queue: Queue) -> None:
    rows = [NewTask("/courses", "STAGING", batch=9, generation=generation) for generation in (1, 1, 2, 3)]
    other = NewTask("/courses", "STAGING", batch=10, generation=1)
    assert len(queue.made(*rows, other, NewTask("/deep", "STAGING", batch=9, generation=3))) == 2


def test_an_exclusive_target_takes_one_task_at_a_time(queue: Queue) -> None:
    one, two = queue.ready("/a", "ARCHIVE"), queue.ready("/b", "ARCHIVE")
    engine, other = queue.engine("ARCHIVE"), queue.engine("ARCHIVE")
    [task] = queue.claim(engine)
    assert task.id == one
    assert queue.claim(engine) == queue.claim(other) == []
    queue.end(engine, task)
    assert [task.id for task in queue.claim(other)] == [two]


def test_a_target_that_is_made_exclusive_is_so_after_the_next_intake(queue: Queue) -> None:
    queue.ready("/a")
    settings = queue.settings.model_dump(mode="json", exclude_none=True)
    settings["targets"]["staging"]["exclusive"] = True
    queue.settings = type(queue.settings).model_validate(settings)
    queue.ready("/b")
    assert len(queue.claim(queue.engine())) == 1


def test_a_flood_of_one_module_is_worked_off_and_its_newest_task_runs(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking, "FLOOD", 4)
    flood = [queue.ready("/a") for _ in range(9)]
    others = [queue.ready("/b", priority=1) for _ in range(2)]
    alone = queue.ready("/c")
    engine = queue.engine()
    # Four rows of the flood are seen each time; what may lie behind them is left alone.
    assert [[task.id for task in queue.claim(engine)] for _ in range(4)] == [[alone], [], [flood[-1]], [others[-1]]]
    assert queue.states(*flood[:-1]) == ["SUPERSEDED"] * 8


def test_a_paused_environment_starts_nothing(queue: Queue) -> None:
    queue.ready()
    engine = queue.engine()
    queue.pause("STAGING")
    assert queue.desk.pauses().keys() == {"STAGING"}
    assert queue.intake.poll().due == frozenset()
    assert not queue.leases.renew(engine, 60).drained
    assert queue.claim(engine) == []
    queue.resume("STAGING")
    assert len(queue.claim(engine)) == 1


def test_a_claim_takes_no_more_than_its_lanes_allow(queue: Queue) -> None:
    for number in range(5):
        queue.ready(f"/{number}")
    engine = queue.engine()
    assert [len(queue.claim(engine, limit=limit)) for limit in (2, 0, 64)] == [2, 0, 3]


def test_two_lanes_for_one_target_claim_a_task_once(queue: Queue) -> None:
    task = queue.ready()
    assert [each.id for each in queue.claim(queue.engine(), "staging", "staging")] == [task]


def test_due_is_told_for_what_may_be_claimed_only(queue: Queue) -> None:
    queue.ready(run_after=soon(queue, 60))
    queue.ready("/b", hold=True)
    assert queue.intake.poll().due == frozenset()
    queue.clock.forward(61)
    assert queue.intake.poll().due == {"STAGING"}
