"""What is under way: running tasks, what waits, what ended."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from database import NewTask, Outcome, Progress, State, Underway
from support.queue import Queue


def test_running_tasks_come_with_how_far_they_are(queue: Queue) -> None:
    first, second = queue.ready("/a"), queue.ready("/b")
    waiting = queue.ready("/c", environment="PRODUCTION")
    engine = queue.engine()
    queue.claim(engine, limit=2)
    queue.claims.progress(engine, [Progress(first, "transfer", 3, 12, 1000, 4000)])
    found = Underway(queue.db).running()
    assert [(one.task.id, one.task.state) for one in found] == [(first, State.RUNNING), (second, State.RUNNING)]
    told = found[0].progress
    assert told is not None
    assert (told.step, told.files_done, told.files_total, told.bytes_done, told.bytes_total) == ("transfer", 3, 12, 1000, 4000)
    assert told.at is not None
    assert found[1].progress is None
    assert Underway(queue.db).running(["PRODUCTION"]) == []
    assert [one.task.state for one in Underway(queue.db).of([waiting, first, 999])] == [State.RUNNING, State.READY]


def test_what_waits_is_counted_by_what_it_waits_for(queue: Queue) -> None:
    for number in range(4):
        queue.ready(f"/due{number}")
    queue.ready("/later", run_after=datetime.now(UTC) + timedelta(hours=1))
    queue.desk.hold([queue.ready("/hold")])
    queue.ready("/other", environment="PRODUCTION")
    queue.claim(queue.engine(), limit=1)
    queue.desk.insert(NewTask("/new", "STAGING"))
    queue.clock.forward(120)
    found = Underway(queue.db).waiting("STAGING")
    assert (found.new, found.due, found.later, found.on_hold, found.running, found.held) == (1, 3, 1, 1, 1, 0)
    assert found.oldest_due is not None
    assert timedelta(seconds=110) < queue.leases.now() - found.oldest_due < timedelta(seconds=200)
    empty = Underway(queue.db).waiting("ARCHIVE")
    assert (empty.due, empty.oldest_due) == (0, None)


def test_counting_stops_at_the_limit(queue: Queue) -> None:
    for number in range(5):
        queue.ready(f"/{number}")
    assert Underway(queue.db).waiting("STAGING", most=3).due == 3


def test_what_is_due_later_is_not_the_oldest_that_is_due(queue: Queue) -> None:
    queue.ready("/later", run_after=datetime.now(UTC) + timedelta(hours=1))
    assert Underway(queue.db).waiting("STAGING").oldest_due is None


def test_what_ended_is_told_once_and_in_order(queue: Queue) -> None:
    underway = Underway(queue.db)
    queue.ready("/before")
    since = underway.newest_event()
    engine = queue.engine()
    [done] = queue.claim(engine, limit=1)
    queue.end(engine, done)
    bad = queue.desk.insert(NewTask("/bad", "NOWHERE"))
    queue.intake.accept(queue.settings)
    last, found = underway.happened(since)
    assert [(one.task, one.state, one.url) for one in found] == [(done.id, "SUCCEEDED", "/before"), (bad, "REJECTED", "/bad")]
    assert "NOWHERE" in found[1].reason
    assert underway.happened(last) == (last, [])
    assert [one.task for one in underway.happened(since, ["STAGING"])[1]] == [done.id]


def test_an_event_whose_transaction_may_not_have_ended_is_waited_for(queue: Queue) -> None:
    underway = Underway(queue.db)
    task = queue.ready()
    since = underway.newest_event()
    queue.sql(
        "INSERT INTO event (id, task, at, state) VALUES (:id, :task, :now, 'FAILED')",
        id=since + 2,
        task=task,
        now=queue.db.look(lambda connection: connection.scalar(text("SELECT UTC_TIMESTAMP(6)"))),
    )
    assert underway.happened(since) == (since, [])
    queue.clock.forward(61)
    assert [one.event for one in underway.happened(since)[1]] == [since + 2]


def test_outages_are_those_that_last(queue: Queue) -> None:
    engine = queue.engine()
    queue.ready()
    [task] = queue.claim(engine, limit=1)
    assert Underway(queue.db).outages() == []
    queue.end(engine, task, Outcome.UNREACHABLE, breaker="staging")
    assert [one.name for one in Underway(queue.db).outages()] == ["staging"]
