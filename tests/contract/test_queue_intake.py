"""Intake: rows as people insert them, bad ones among them; approvals; schedules; purge."""

from datetime import UTC, datetime, timedelta

import pytest

from config.settings import Settings
from database import Action, DatabaseError, HeldPlan, NewTask, Outcome, Published, State, pack
from support.queue import SETTINGS, Queue

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def publish(queue: Queue, url: str, version: bytes, environment: str = "STAGING", target: str = "staging") -> int:
    id_ = queue.ready(url, environment)
    engine = queue.engine(environment)
    [task] = queue.claim(engine)
    queue.end(engine, task, published=(Published(target, url, task.serial, version, pack([b"<slip/>"])),))
    return id_


def test_bad_rows_are_rejected_and_stop_nothing(queue: Queue) -> None:
    good = queue.desk.insert(NewTask("/good", "STAGING"))
    queue.sql("INSERT INTO publication_task_queue (url, environment) VALUES (NULL, NULL)")
    queue.sql("INSERT INTO publication_task_queue (url, environment, parameters) VALUES ('/a', 'STAGING', 'mode=full')")
    queue.sql("INSERT INTO publication_task_queue (url, environment, action) VALUES ('/a', 'STAGING', 'DANCE')")
    queue.sql("INSERT INTO publication_task_queue (url, environment) VALUES (:url, 'STAGING')", url="/" + "x" * 550)
    assert queue.intake.accept(queue.settings) == 5
    assert not queue.intake.poll().intake
    assert queue.state(good) is State.READY
    rejected = queue.desk.find(states=[State.REJECTED])
    reasons = [(task.reason or "").split(".")[0] for task in reversed(rejected)]
    assert reasons[0].startswith("environment is empty")
    assert reasons[1].startswith("parameters are not JSON")
    assert reasons[2].startswith("action 'DANCE' is not known")
    assert reasons[3] == "url has more than 500 characters"
    assert all(task.finished_at is not None for task in rejected)
    assert queue.show(rejected[0].id).events[-1].reason == rejected[0].reason
    assert queue.intake.accept(queue.settings) == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [("hold", "2"), ("cancel_requested", "'yes'"), ("status", "'DONE'"), ("priority", "'high'"), ("run_after", "'soon'")],
)
def test_what_would_confuse_the_claim_is_refused_at_once(queue: Queue, column: str, value: str) -> None:
    with pytest.raises(DatabaseError):
        queue.sql(f"INSERT INTO publication_task_queue (url, environment, {column}) VALUES ('/a', 'STAGING', {value})")
    assert queue.desk.find() == []


def test_times_are_inserted_as_sql_gives_them(queue: Queue) -> None:
    later = "datetime('now', '+1 hour')" if queue.db.dialect == "sqlite" else "UTC_TIMESTAMP() + INTERVAL 1 HOUR"
    now = "CURRENT_TIMESTAMP" if queue.db.dialect == "sqlite" else "UTC_TIMESTAMP()"
    for url, value in (("/later", later), ("/now", now), ("/exact", "'2020-01-01 00:00:00.25'")):
        queue.sql(f"INSERT INTO publication_task_queue (url, environment, run_after) VALUES ('{url}', 'STAGING', {value})")
    queue.intake.accept(queue.settings)
    assert [task.url for task in queue.claim(queue.engine())] == ["/now", "/exact"]
    queue.clock.forward(3601)
    assert [task.url for task in queue.claim(queue.engine())] == ["/later"]
    assert queue.desk.find(url="/exact")[0].run_after == datetime(2020, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)


def test_rows_are_accepted_in_their_order_and_in_batches(queue: Queue) -> None:
    ids = queue.desk.insert_many(NewTask(f"/{n}", "STAGING") for n in range(5))
    assert queue.intake.accept(queue.settings, limit=3) == 3
    assert queue.states(*ids) == ["READY"] * 3 + ["NEW"] * 2
    assert queue.intake.accept(queue.settings, limit=3) == 2


def test_max_attempts_and_the_default_action_come_from_the_configuration(queue: Queue) -> None:
    queue.settings = Settings.model_validate({**SETTINGS, "retry": {"max_attempts": 5}})
    own, usual = queue.ready("/a", max_attempts=2), queue.ready("/b")
    assert [queue.show(id_).task.max_attempts for id_ in (own, usual)] == [2, 5]


def test_a_promotion_is_bound_to_the_version_that_was_live_then(queue: Queue) -> None:
    publish(queue, "/a", b"1" * 32)
    bound, follows, unknown = (
        queue.ready("/a", "PRODUCTION"),
        queue.ready("/a", "PRODUCTION", parameters={"follow": "latest"}),
        queue.ready("/b", "PRODUCTION"),
    )
    publish(queue, "/a", b"2" * 32)
    later = queue.ready("/a", "PRODUCTION")
    assert [queue.show(id_).task.version for id_ in (bound, follows, unknown, later)] == [b"1" * 32, None, None, b"2" * 32]


def test_a_rerun_has_the_target_and_version_of_what_it_repeats(queue: Queue) -> None:
    publish(queue, "/a", b"1" * 32)
    promotion = publish(queue, "/a", b"1" * 32, "PRODUCTION", "production")
    publish(queue, "/a", b"2" * 32)
    again = queue.desk.retry(promotion)
    queue.intake.accept(queue.settings)
    task = queue.show(again).task
    assert (task.version, task.target, task.note) == (b"1" * 32, "production", f"rerun of task {promotion}")


def test_a_delivery_can_be_repeated(queue: Queue) -> None:
    [deliver] = queue.made(NewTask("/a", "STAGING", "DELIVER", target="mirror", version=b"v" * 32, parameters={"form": "tree"}))
    engine = queue.engine()
    queue.end(engine, queue.claim(engine, "mirror")[0], Outcome.FAILED, "no space")
    again = queue.desk.retry(deliver)
    queue.intake.accept(queue.settings)
    task = queue.show(again).task
    assert (task.state, task.action, task.target, task.version) == (State.READY, "DELIVER", "mirror", b"v" * 32)
    assert task.parameters == {"form": "tree", "rerun_of": deliver}


def test_a_rerun_of_another_modules_task_takes_nothing_over(queue: Queue) -> None:
    [deliver] = queue.made(NewTask("/a", "STAGING", "DELIVER", target="mirror", version=b"v" * 32))
    other = queue.ready("/b", parameters={"rerun_of": deliver})
    missing = queue.ready("/c", parameters={"rerun_of": 999})
    assert [(queue.show(id_).task.target, queue.show(id_).task.version) for id_ in (other, missing)] == [("staging", None)] * 2


def approval(queue: Queue, url: str, task: int, plan: str, environment: str = "STAGING") -> str:
    id_ = queue.desk.insert(NewTask(url, environment, Action.APPROVE, parameters={"task": task, "plan": plan}))
    queue.intake.accept(queue.settings)
    assert queue.state(id_) is State.REJECTED
    return queue.show(id_).task.reason or ""


def test_an_approval_that_does_not_fit_is_rejected(queue: Queue) -> None:
    id_ = queue.ready()
    assert f"Task {id_} is READY; only a HELD task" in approval(queue, "/a", id_, "ab")
    assert "There is no task 999 to approve" in approval(queue, "/a", 999, "ab")
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.HELD, "?", plan=HeldPlan("ab", "{}"))
    assert f"Task {id_} waits with another plan, ab." in approval(queue, "/a", id_, "cd")
    assert f"Task {id_} is for /a in STAGING" in approval(queue, "/b", id_, "ab")
    assert f"Task {id_} is for /a in STAGING" in approval(queue, "/a", id_, "ab", "SHARED")
    assert queue.state(id_) is State.HELD


def test_a_task_held_without_a_plan_cannot_be_approved(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.HELD, "?")
    assert "waits with another plan, None" in approval(queue, "/a", id_, "ab")


def test_a_schedule_fires_once_for_each_moment(queue: Queue) -> None:
    new = NewTask("/", "STAGING", "REPUBLISH", requested_by="schedule nightly")
    assert queue.intake.last_fired("nightly") is None
    assert queue.intake.fire("nightly", NOON, new)
    assert not queue.intake.fire("nightly", NOON, new)
    assert queue.intake.fire("weekly", NOON, new)
    assert queue.intake.fire("nightly", NOON + timedelta(days=1), new)
    assert queue.intake.last_fired("nightly") == NOON + timedelta(days=1)
    assert len(queue.desk.find(action="REPUBLISH")) == 3


def test_old_ended_tasks_are_purged_in_batches_and_publications_stay(queue: Queue) -> None:
    for number in range(3):
        publish(queue, f"/{number}", b"v" * 32)
    gone = queue.engine()
    queue.leases.leave(gone)
    queue.intake.fire("nightly", NOON, NewTask("/", "STAGING", hold=True))
    queue.clock.forward(89 * 86400)
    assert queue.intake.purge(90) == 0
    young = publish(queue, "/young", b"v" * 32)
    queue.clock.forward(2 * 86400)
    assert [queue.intake.purge(90, batch=2) for _ in range(3)] == [2, 1, 0]
    assert {task.id for task in queue.desk.find(states=[State.SUCCEEDED])} == {young}
    assert len(queue.record.below("staging", "/")) == 4
    assert gone not in [view.engine for view in queue.leases.engines()]
    assert queue.intake.last_fired("nightly") == NOON


def test_old_runs_of_schedules_go_but_for_the_newest(queue: Queue) -> None:
    for day in range(3):
        queue.intake.fire("nightly", NOON - timedelta(days=1000 - day), NewTask("/", "STAGING"))
    queue.intake.purge(90)
    assert queue.intake.last_fired("nightly") == NOON - timedelta(days=998)
    assert queue.intake.fire("nightly", NOON - timedelta(days=1000), NewTask("/", "STAGING"))
