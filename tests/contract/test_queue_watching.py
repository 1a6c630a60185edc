"""What alerts read of the queue, and how several daemons share one alert's place: on every database."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from database import Findings, Interest, NewTask, Outcome, Watching
from support.queue import Queue

ALL = Interest(("failed", "held", "overdue", "breaker"), overdue=900)
Watches = Callable[..., Watching]


@pytest.fixture
def watching(queue: Queue) -> Watches:
    """An alert that has begun; another one of the same name is another daemon's."""

    def begin(alert: str = "ops", interest: Interest = ALL) -> Watching:
        made = Watching(queue.db, alert, interest)
        made.waits()
        return made

    return begin


def fail(queue: Queue, url: str = "/a", outcome: Outcome = Outcome.FAILED, **more: Any) -> int:
    task = queue.ready(url, **more)
    engine = queue.engine()
    [claimed] = queue.claim(engine)
    assert claimed.id == task
    queue.end(engine, claimed, outcome, "the disk is gone")
    queue.leases.leave(engine)
    return task


def told(found: Findings) -> list[tuple[str, int]]:
    return [(incident.kind, incident.task) for incident in found.incidents]


def test_what_happened_before_an_alert_began_is_old(queue: Queue, watching: Watches) -> None:
    fail(queue)
    watch = watching()
    assert told(watch.look()) == []


def test_failed_and_held_tasks_are_found_once(queue: Queue, watching: Watches) -> None:
    watch = watching()
    failed, held = fail(queue, "/a"), fail(queue, "/b", Outcome.HELD)
    fail(queue, "/c", Outcome.SUCCEEDED)
    found = watch.look()
    assert told(found) == [("failed", failed), ("held", held)]
    incident = found.incidents[0]
    assert (incident.url, incident.environment, incident.action, incident.target) == ("/a", "STAGING", "PUBLISH", "staging")
    assert incident.reason == "the disk is gone"
    assert told(watch.look()) == told(found)
    assert watch.told(found.event)
    assert told(watch.look()) == []


def test_an_alert_hears_only_what_it_is_about(queue: Queue, watching: Watches) -> None:
    held_only = watching("held", Interest(("held",), 900))
    production = watching("production", Interest(("failed", "held", "overdue"), 900, ("PRODUCTION",)))
    fail(queue, "/a")
    held = fail(queue, "/b", Outcome.HELD)
    assert told(held_only.look()) == [("held", held)]
    queue.clock.forward(2000)
    queue.ready("/c")
    queue.clock.forward(2000)
    assert told(production.look()) == []


def test_of_two_daemons_one_tells(queue: Queue, watching: Watches) -> None:
    first, second = watching(), watching()
    fail(queue)
    assert told(first.look()) == told(second.look()) != []
    assert first.claim(60)
    assert not second.claim(60)
    assert second.waits()
    assert first.told(first.look().event, wait=0)
    assert not second.waits()
    assert told(second.look()) == []


def test_what_could_not_be_told_is_found_again(queue: Queue, watching: Watches) -> None:
    first, second = watching(), watching()
    task = fail(queue)
    first.look()
    assert first.claim(60)
    assert first.put_off(30)
    assert second.waits()
    queue.clock.forward(31)
    assert not second.waits()
    assert told(second.look()) == [("failed", task)]


def test_the_next_message_waits_also_for_another_daemon(queue: Queue, watching: Watches) -> None:
    first, second = watching(), watching()
    fail(queue)
    assert first.told(first.look().event, wait=60)
    assert second.waits()
    queue.clock.forward(61)
    assert not second.waits()


def test_a_place_that_is_where_it_was_is_not_written(queue: Queue, watching: Watches) -> None:
    watch, other = watching(), watching()
    assert watch.told(watch.look().event)
    # Nothing was written, so the other one's knowledge is still good.
    assert other.claim(1)


def test_a_commit_whose_answer_was_lost_counts(queue: Queue, watching: Watches) -> None:
    watch = watching()
    change, lost = queue.db.change, []

    def twice(work: Any) -> Any:
        lost.append(change(work))
        return change(work)

    queue.db.change = twice  # type: ignore[method-assign]
    try:
        assert watch.claim(60)
    finally:
        queue.db.change = change  # type: ignore[method-assign]
    assert len(lost) == 1


def test_a_task_that_is_due_for_long_is_told_once(queue: Queue, watching: Watches) -> None:
    watch, other = watching(), watching("other", Interest(("overdue",), 9000))
    task = queue.ready()
    assert told(watch.look()) == []
    queue.clock.forward(901)
    found = watch.look()
    assert told(found) == [("overdue", task)]
    assert watch.told(found.event)
    queue.clock.forward(901)
    assert told(watch.look()) == []
    assert told(other.look()) == []
    assert [event.state for event in queue.show(task).events] == ["READY", "OVERDUE"]


def test_two_daemons_mark_an_overdue_task_once(queue: Queue, watching: Watches) -> None:
    first, second = watching(), watching()
    task = queue.ready()
    queue.clock.forward(901)
    assert told(first.look()) == told(second.look()) == [("overdue", task)]
    assert len(queue.show(task).events) == 2


def test_a_task_that_began_before_it_was_told_is_not_overdue(queue: Queue, watching: Watches) -> None:
    watch = watching()
    queue.ready()
    queue.clock.forward(901)
    watch.look()
    engine = queue.engine()
    [task] = queue.claim(engine)
    assert told(watch.look()) == []
    queue.end(engine, task)


def test_what_was_late_before_an_alert_began_is_old(queue: Queue, watching: Watches) -> None:
    queue.ready("/old")
    queue.clock.forward(901)
    watch = watching()
    queue.clock.forward(10)
    assert told(watch.look()) == []


def test_a_new_row_for_a_past_moment_is_told(queue: Queue, watching: Watches) -> None:
    watch = watching()
    queue.clock.forward(10)
    task = queue.ready(run_after=queue.clock() - timedelta(hours=3))
    assert told(watch.look()) == [("overdue", task)]


def test_held_back_and_cancelled_tasks_are_not_overdue(queue: Queue, watching: Watches) -> None:
    watch = watching()
    queue.ready("/a", hold=True)
    queue.desk.cancel([queue.ready("/b")])
    queue.ready("/c", run_after=queue.clock() + timedelta(hours=3))
    queue.clock.forward(901)
    assert told(watch.look()) == []


def test_time_in_a_paused_environment_does_not_count(queue: Queue, watching: Watches) -> None:
    watch = watching()
    task = queue.ready()
    queue.pause("STAGING")
    queue.clock.forward(901)
    assert told(watch.look()) == []
    queue.resume("STAGING")
    queue.clock.forward(800)
    assert told(watch.look()) == []
    queue.clock.forward(101)
    assert told(watch.look()) == [("overdue", task)]


def test_a_dependent_is_late_only_after_what_it_waits_for(queue: Queue, watching: Watches) -> None:
    watch = watching("ops", Interest(("overdue",), 900))
    root, dependent = queue.made(NewTask("/course", "STAGING", batch=7), NewTask("/department", "STAGING", batch=7, generation=1))
    queue.clock.forward(901)
    found = watch.look()
    assert told(found) == [("overdue", root)]
    watch.told(found.event)
    engine = queue.engine()
    [task] = queue.claim(engine, limit=1)
    queue.end(engine, task)
    assert told(watch.look()) == []
    queue.clock.forward(901)
    assert told(watch.look()) == [("overdue", dependent)]


def test_a_breaker_is_told_when_it_stays_open_and_when_it_closes(queue: Queue, watching: Watches) -> None:
    watch = watching("ops", Interest(("breaker",), 900))
    trip(queue)
    assert not watch.look().opened
    queue.clock.forward(61)
    [outage] = watch.look().opened
    assert (outage.name, outage.reason) == ("staging", "no route")
    assert watch.told(watch.look().event, [outage.name], wait=0.001)
    queue.clock.forward(61)
    assert not watch.look().opened
    assert not watch.look().closed
    queue.sql("UPDATE target SET is_open = 0, since = NULL")
    [outage] = watch.look().closed
    assert outage.name == "staging"
    assert watch.told(watch.look().event, closed=[outage.name])
    assert not watch.look().closed


def test_a_breaker_of_another_environment_is_not_told(queue: Queue, watching: Watches) -> None:
    watch = watching("ops", Interest(("breaker",), 900, ("PRODUCTION",), frozenset({"production"})))
    trip(queue)
    queue.clock.forward(61)
    assert not watch.look().opened


def test_each_alert_remembers_its_own_breakers(queue: Queue, watching: Watches) -> None:
    first, second = watching("one"), watching("two")
    trip(queue)
    queue.clock.forward(61)
    first.told(first.look().event, ["staging"], wait=0.001)
    assert [outage.name for outage in second.look().opened] == ["staging"]
    assert not first.look().opened


def trip(queue: Queue) -> None:
    queue.ready("/a")
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.end(engine, task, Outcome.UNREACHABLE, "no route", breaker="staging")


def test_an_event_whose_number_is_missing_is_waited_for(queue: Queue, watching: Watches) -> None:
    """Numbers are given out before their transactions end: a later one may be seen first."""
    watch = watching()
    task = fail(queue)
    newest = max(event.id for event in queue.show(task).events)
    queue.sql("UPDATE event SET id = :to WHERE id = :id", to=newest + 1, id=newest)
    found = watch.look()
    assert told(found) == []
    assert found.event == newest - 1
    watch.told(found.event)
    queue.clock.forward(61)
    assert told(watch.look()) == [("failed", task)]


def test_rows_of_purged_tasks_are_passed_over(queue: Queue, watching: Watches) -> None:
    watch = watching()
    task = fail(queue)
    queue.sql("DELETE FROM publication_task_queue WHERE id = :id", id=task)
    assert told(watch.look()) == []


def test_very_many_failures_are_one_message(queue: Queue, watching: Watches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.watching.SCAN", 3)
    monkeypatch.setattr("database.watching.REASONS", 2)
    watch = watching()
    failed = [fail(queue, f"/{number}") for number in range(4)]
    found = watch.look()
    assert told(found) == [("failed", task) for task in failed]
    assert [incident.reason for incident in found.incidents] == ["the disk is gone", "the disk is gone", "", ""]
    monkeypatch.setattr("database.watching.SCANS", 2)
    assert found.event > watch.look().event
