"""What needs no source goes on while the source is down: nobody should have to wait for the CMS to take a page down."""

import pytest

from config.notices import PurgeNotice
from database import Engine, NewTask, Outcome, State, picking
from support.queue import Queue

CMS = ("source:cms",)


def outage(queue: Queue) -> Engine:
    """An engine that found the source down; the task that found it waits."""
    queue.ready("/found")
    engine = queue.engine(ttl=100_000)
    [task] = queue.claim(engine, needs=CMS)
    queue.end(engine, task, Outcome.UNREACHABLE, "502", breaker="source:cms")
    return engine


def claimed(queue: Queue, engine: Engine, *targets: str, limit: int = 64) -> list[int]:
    return [task.id for task in queue.claim(engine, *targets, limit=limit, needs=CMS)]


def is_open(queue: Queue, name: str = "source:cms") -> bool:
    return {each.name: each.open for each in queue.desk.breakers()}[name]


@pytest.mark.parametrize("action", ["UNPUBLISH", "VERIFY"])
def test_what_needs_no_source_is_claimed_while_the_source_is_down(queue: Queue, action: str) -> None:
    engine = outage(queue)
    publish, without, more = queue.ready("/a", priority=1), queue.ready("/b", action=action), queue.ready("/c", action=action)
    assert claimed(queue, engine) == [without, more]
    assert claimed(queue, engine) == []
    assert queue.states(publish) == ["READY"]


def test_what_needs_the_source_does_not_fill_the_places_of_what_does_not(queue: Queue) -> None:
    engine = outage(queue)
    for number in range(5):
        queue.ready(f"/{number}", priority=1)
    unpublish = queue.ready("/z", action="UNPUBLISH", priority=900)
    assert claimed(queue, engine, limit=1) == [unpublish]


@pytest.mark.parametrize("action", ["UNPUBLISH", "VERIFY"])
def test_only_what_needs_the_source_probes_it(queue: Queue, action: str) -> None:
    engine = outage(queue)
    queue.clock.forward(13)
    without, publish = queue.ready("/a", action=action, priority=1), queue.ready("/b", priority=50)
    [probe] = queue.claim(engine, needs=CMS)
    assert probe.id == publish
    [other] = queue.claim(engine, needs=CMS)
    assert other.id == without
    queue.end(engine, other)
    assert is_open(queue)
    queue.end(engine, probe)
    assert not is_open(queue)


def test_a_probe_that_is_due_keeps_nobody_waiting_who_could_not_be_it(queue: Queue) -> None:
    engine = outage(queue)
    queue.desk.cancel([task.id for task in queue.desk.find()])
    queue.intake.sweep()
    queue.clock.forward(13)
    several = [queue.ready(f"/{number}", action="UNPUBLISH") for number in range(3)]
    tasks = queue.claim(engine, needs=CMS)
    assert [task.id for task in tasks] == several
    for task in tasks:
        queue.end(engine, task)
    # They learnt nothing about the source; the first that asks it is the probe.
    assert is_open(queue)
    publish = queue.ready("/a")
    queue.ready("/b")
    assert claimed(queue, engine) == [publish]


def test_an_unpublish_absorbs_the_older_tasks_of_its_module_also_in_an_outage(queue: Queue) -> None:
    engine = outage(queue)
    publish, unpublish = queue.ready("/a"), queue.ready("/a", action="UNPUBLISH")
    assert claimed(queue, engine) == [unpublish]
    assert queue.states(publish) == ["SUPERSEDED"]


def test_a_page_that_is_to_come_back_is_not_taken_down_first(queue: Queue) -> None:
    engine = outage(queue)
    unpublish, publish = queue.ready("/a", action="UNPUBLISH", priority=1), queue.ready("/a")
    other = queue.ready("/b", action="UNPUBLISH")
    # The newest wins, and it waits for the source; what is behind it does not.
    assert claimed(queue, engine, limit=1) == [other]
    assert queue.states(unpublish, publish) == ["READY", "READY"]


def test_a_module_that_is_to_go_gives_no_probe(queue: Queue) -> None:
    engine = outage(queue)
    queue.clock.forward(13)
    old, unpublish, publish = queue.ready("/a", priority=1), queue.ready("/a", action="UNPUBLISH"), queue.ready("/b", priority=50)
    assert claimed(queue, engine) == [publish]
    assert claimed(queue, engine) == [unpublish]
    assert queue.states(old) == ["SUPERSEDED"]


def test_a_rehearsed_unpublish_runs_whatever_else_waits_for_its_module(queue: Queue) -> None:
    engine = outage(queue)
    rehearsal = queue.ready("/a", action="UNPUBLISH", parameters={"dry_run": True})
    queue.ready("/a")
    assert claimed(queue, engine) == [rehearsal]


def test_a_flood_is_worked_off_in_an_outage_and_its_publish_waits(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = outage(queue)
    monkeypatch.setattr(picking, "FLOOD", 3)
    flood = [queue.ready("/a"), queue.ready("/a"), queue.ready("/a"), queue.ready("/a", action="UNPUBLISH")]
    assert claimed(queue, engine) == []
    assert queue.states(*flood) == ["SUPERSEDED", "SUPERSEDED", "READY", "READY"]
    assert claimed(queue, engine) == [flood[3]]


def test_a_publish_that_comes_between_the_looks_of_a_claim_waits(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = outage(queue)
    unpublish, publish = queue.ready("/a", action="UNPUBLISH"), queue.ready("/a", hold=True)
    look = picking.find_candidates

    def late(*asked: object) -> object:
        found = look(*asked)  # type: ignore[arg-type]
        connection = asked[0]
        connection.exec_driver_sql(f"UPDATE publication_task_queue SET hold=0 WHERE id={publish}")  # type: ignore[attr-defined]
        return found

    monkeypatch.setattr("database.claiming.find_candidates", late)
    assert claimed(queue, engine) == []
    assert queue.states(unpublish, publish) == ["READY", "READY"]


def test_a_target_that_is_down_stops_everything_on_it(queue: Queue) -> None:
    engine = outage(queue)
    queue.ready("/a", action="UNPUBLISH")
    [task] = queue.claim(engine, needs=CMS)
    queue.end(engine, task, Outcome.UNREACHABLE, "refused", breaker="staging")
    queue.ready("/b", action="UNPUBLISH")
    assert claimed(queue, engine) == []


@pytest.mark.parametrize("source_is_due", [True, False])
def test_a_target_is_probed_also_while_the_source_is_down(queue: Queue, *, source_is_due: bool) -> None:
    engine = outage(queue)
    queue.clock.forward(13)
    first = queue.ready("/a", action="UNPUBLISH")
    [probe, *_] = tasks = queue.claim(engine, needs=CMS)
    [other, *_] = queue.claim(engine, needs=CMS)
    queue.end(engine, probe, Outcome.UNREACHABLE, "502", breaker="source:cms")
    queue.end(engine, other, Outcome.UNREACHABLE, "refused", breaker="staging")
    assert (len(tasks), other.id) == (1, first)
    queue.desk.hold([probe.id])
    queue.clock.forward(60 if source_is_due else 13)
    queue.ready("/b", action="UNPUBLISH")
    [probe] = queue.claim(engine, needs=CMS)
    assert claimed(queue, engine) == []
    queue.end(engine, probe)
    assert (is_open(queue, "staging"), is_open(queue)) == (False, True)


def test_an_exclusive_target_takes_one_unpublish_at_a_time_in_an_outage(queue: Queue) -> None:
    outage(queue)
    one, two = (queue.ready(url, "ARCHIVE", action="UNPUBLISH") for url in ("/a", "/b"))
    engine = queue.engine("ARCHIVE", ttl=1000)
    [task] = queue.claim(engine, needs=CMS)
    assert task.id == one
    assert claimed(queue, engine) == []
    queue.end(engine, task)
    assert claimed(queue, engine) == [two]


def test_of_two_lanes_behind_one_source_the_other_goes_on_without_it(queue: Queue) -> None:
    take_back = queue.made(NewTask("/z", "STAGING", "UNPUBLISH", target="mirror"))
    engine = outage(queue)
    queue.clock.forward(13)
    [probe, *rest] = claimed(queue, engine, "staging", "mirror")
    assert queue.show(probe).task.url == "/found"
    assert rest == take_back


@pytest.mark.parametrize("action", ["UNPUBLISH", "VERIFY"])
def test_what_is_claimed_in_an_outage_and_meets_it_all_the_same_waits_by_itself(queue: Queue, action: str) -> None:
    engine = outage(queue)
    repair = queue.ready("/a", action=action)
    [task] = queue.claim(engine, needs=CMS)
    queue.end(engine, task, Outcome.UNREACHABLE, "502", breaker="source:cms")
    found = queue.show(repair).task
    assert (found.state, found.attempts) == (State.READY, 0)
    assert found.run_after is not None
    assert 3 < (found.run_after - queue.intake.poll().now).total_seconds() <= 5
    assert claimed(queue, engine) == []
    queue.clock.forward(6)
    assert claimed(queue, engine) == [repair]


def test_a_verify_whose_target_is_down_waits_for_its_breaker_alone(queue: Queue) -> None:
    verify = queue.ready("/a", action="VERIFY")
    engine = queue.engine(ttl=1000)
    before = queue.show(verify).task.run_after
    [task] = queue.claim(engine)
    queue.end(engine, task, Outcome.UNREACHABLE, "refused", breaker="staging")
    assert queue.show(verify).task.run_after == before
    assert claimed(queue, engine) == []
    queue.clock.forward(13)
    assert claimed(queue, engine) == [verify]


def test_what_tasks_wait_for_without_a_lane_can_be_asked(queue: Queue) -> None:
    queue.settings.notices["cdn"] = PurgeNotice(kind="purge")
    queue.made(
        *(NewTask(url, "STAGING", "NOTIFY", target="notice:cdn") for url in ("/a", "/b")),
        NewTask("/a", "STAGING", "DELIVER", target="mirror"),
        NewTask("/a", "PRODUCTION", "NOTIFY", target="notice:other"),
    )
    assert queue.claims.waited_for("STAGING") == {"notice:cdn", "mirror"}
    assert queue.claims.waited_for("SHARED") == set()
