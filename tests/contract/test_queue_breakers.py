"""Breakers: an outage costs no attempt, one probe at a time asks again."""

import pytest

from database import NewTask, Outcome, Task
from support.queue import Queue


def fail(queue: Queue, target: str = "staging", needs: tuple[str, ...] = (), breaker: str = "staging") -> Task:
    engine = queue.engine(ttl=100_000)
    [task] = queue.claim(engine, target, needs=needs)
    queue.end(engine, task, Outcome.UNREACHABLE, "connection refused", breaker=breaker)
    return task


def breaker(queue: Queue, name: str = "staging") -> tuple[bool, int]:
    found = {each.name: each for each in queue.desk.breakers()}[name]
    return found.open, found.failures


def test_an_unreachable_target_opens_its_breaker_and_spends_no_attempt(queue: Queue) -> None:
    id_ = queue.ready("/a")
    queue.ready("/b")
    engine = queue.engine()
    a, b = queue.claim(engine)
    queue.end(engine, a, Outcome.UNREACHABLE, "connection refused", breaker="staging")
    queue.end(engine, b, Outcome.UNREACHABLE, "connection refused", breaker="staging")
    assert (queue.show(id_).task.state, queue.show(id_).task.attempts) == ("READY", 0)
    # Tasks that were under way when it opened say nothing new.
    assert breaker(queue) == (True, 1)
    assert queue.claim(engine) == []
    found = {each.name: each for each in queue.desk.breakers()}["staging"]
    assert found.reason == "connection refused"
    assert found.since is not None
    assert found.probe_at is not None
    assert 11 < (found.probe_at - found.since).total_seconds() < 13


def test_one_probe_at_a_time_and_longer_waits_after_each(queue: Queue) -> None:
    queue.clock.stop()
    for url in ("/a", "/b"):
        queue.ready(url)
    engine = queue.engine(ttl=100_000)
    tasks = queue.claim(engine)
    for task in tasks:
        queue.end(engine, task, Outcome.UNREACHABLE, "down", breaker="staging")
    for wait, failures in ((12, 2), (24, 3)):
        queue.clock.forward(wait - 2)
        assert queue.claim(engine) == []
        queue.clock.forward(2.5)
        [probe] = queue.claim(engine)
        assert queue.claim(engine) == []
        assert queue.claim(queue.engine()) == []
        queue.end(engine, probe, Outcome.UNREACHABLE, "still down", breaker="staging")
        assert breaker(queue) == (True, failures)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.RETRY, Outcome.HELD])
def test_a_probe_that_gets_through_closes_the_breaker(queue: Queue, outcome: Outcome) -> None:
    queue.ready("/a")
    fail(queue)
    for url in ("/b", "/c"):
        queue.ready(url)
    queue.clock.forward(13)
    engine = queue.engine()
    [probe] = queue.claim(engine)
    queue.end(engine, probe, outcome)
    assert breaker(queue) == (False, 0)
    assert len(queue.claim(engine)) == 2


@pytest.mark.parametrize("outcome", [Outcome.RELEASED, Outcome.CANCELLED])
def test_a_probe_that_was_stopped_tells_nothing_and_the_next_one_may_go(queue: Queue, outcome: Outcome) -> None:
    queue.ready("/a")
    fail(queue)
    queue.ready("/b")
    queue.clock.forward(13)
    engine = queue.engine()
    [probe] = queue.claim(engine)
    queue.end(engine, probe, outcome)
    assert breaker(queue) == (True, 1)
    assert len(queue.claim(engine)) == 1


def test_a_probe_whose_engine_died_does_not_keep_the_breaker_open_for_ever(queue: Queue) -> None:
    queue.ready("/a")
    fail(queue)
    queue.clock.forward(13)
    engine = queue.engine()
    [probe] = queue.claim(engine)
    queue.leases.bury(engine.start)
    assert [task.id for task in queue.claim(queue.engine())] == [probe.id]


def test_a_source_that_is_down_stops_every_lane_that_needs_it_and_has_one_probe(queue: Queue) -> None:
    queue.ready("/a")
    queue.ready("/b", "ARCHIVE")
    fail(queue, needs=("source:cms",), breaker="source:cms")
    assert breaker(queue) == (False, 0)
    assert breaker(queue, "source:cms") == (True, 1)
    staging, archive = queue.engine(ttl=1000), queue.engine("ARCHIVE", ttl=1000)
    assert queue.claim(staging, needs=("source:cms",)) == []
    assert queue.claim(archive, needs=("source:cms",)) == []
    queue.clock.forward(13)
    [probe] = queue.claim(staging, needs=("source:cms",))
    assert queue.claim(archive, needs=("source:cms",)) == []
    queue.end(staging, probe)
    assert breaker(queue, "source:cms") == (False, 0)
    assert len(queue.claim(archive, needs=("source:cms",))) == 1


def test_of_two_lanes_behind_one_source_one_probes_it(queue: Queue) -> None:
    first = queue.ready("/a")
    queue.made(NewTask("/a", "STAGING", "DELIVER", target="mirror"))
    fail(queue, needs=("source:cms",), breaker="source:cms")
    queue.clock.forward(13)
    engine = queue.engine()
    assert [task.id for task in queue.claim(engine, "staging", "mirror", needs=("source:cms",))] == [first]


def test_a_probe_that_meets_another_outage_leaves_the_first_breaker_as_it_is(queue: Queue) -> None:
    queue.ready("/a")
    fail(queue, needs=("source:cms",), breaker="source:cms")
    queue.clock.forward(13)
    engine = queue.engine()
    [probe] = queue.claim(engine, needs=("source:cms",))
    queue.end(engine, probe, Outcome.UNREACHABLE, "refused", breaker="staging")
    assert breaker(queue, "source:cms") == (True, 1)
    assert breaker(queue) == (True, 1)


def test_a_sick_holding_area_does_not_stop_the_origin(queue: Queue) -> None:
    queue.made(NewTask("/a", "STAGING", "DELIVER", target="mirror"))
    fail(queue, "mirror", breaker="mirror")
    publish = queue.ready("/b")
    assert [task.id for task in queue.claim(queue.engine(), "mirror", "staging")] == [publish]


def test_the_other_side_may_ask_for_a_longer_wait(queue: Queue) -> None:
    queue.clock.stop()
    queue.ready("/a")
    engine = queue.engine(ttl=1000)
    queue.end(engine, queue.claim(engine)[0], Outcome.UNREACHABLE, "503", breaker="staging", retry_after=300)
    queue.clock.forward(299)
    assert queue.claim(engine) == []
    queue.clock.forward(2)
    assert len(queue.claim(engine)) == 1


def test_what_is_unreachable_without_a_name_waits_by_itself(queue: Queue) -> None:
    queue.ready("/a")
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.UNREACHABLE, "no route")
    assert queue.claim(engine) == []
    queue.clock.forward(6)
    [task] = queue.claim(engine)
    assert task.attempts == 1


def test_a_breaker_of_something_unknown_is_kept_too(queue: Queue) -> None:
    queue.ready("/a")
    fail(queue, breaker="source:old")
    assert breaker(queue, "source:old") == (True, 1)
