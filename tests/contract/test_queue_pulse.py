"""The few numbers by which the console sees that something changed; on each kind of database."""

from collections.abc import Callable
from dataclasses import replace

from database import Outcome, Progress, Pulses
from support.queue import Queue


def test_whatever_a_page_shows_moves_the_pulse(queue: Queue) -> None:
    pulses = Pulses(queue.db)
    before = [pulses.now()]
    assert before[0] == pulses.now()

    def moves(what: str, act: Callable[[], object]) -> None:
        act()
        now = pulses.now()
        assert now != before[-1], what
        before.append(now)

    moves("a row", lambda: queue.ready("/a"))
    moves("a hold", lambda: queue.desk.hold([1]))
    moves("a release", lambda: queue.desk.release([1]))
    engine = queue.engine()
    moves("an engine", lambda: None)
    [task] = queue.claim(engine)
    moves("a claim", lambda: queue.claims.start(engine, [task]))
    moves("progress", lambda: queue.claims.progress(engine, Progress(task.id, "load")))
    moves("a pause", lambda: queue.pause("ARCHIVE"))
    moves("an outage", lambda: queue.end(engine, task, Outcome.UNREACHABLE, "away", breaker="staging"))
    assert pulses.changed(before[0], before[-1]) == [1, 2]
    moves("an engine's leave", lambda: queue.leases.leave(engine))


def test_an_event_whose_transaction_ends_after_that_of_a_later_one_is_seen(queue: Queue) -> None:
    queue.ready("/a")
    queue.ready("/b")
    pulses = Pulses(queue.db)
    after = pulses.now()
    hidden = min(after.events)
    before = replace(after, events=after.events - {hidden})
    assert before != after
    assert pulses.changed(before, after) == [1]
    assert pulses.changed(after, after) == []
