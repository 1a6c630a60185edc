"""Pausing, draining and resuming by rows, on each kind of database."""

import json
from datetime import timedelta

import pytest

from database import Audit, NewTask, Outcome, State
from support.queue import Queue


def test_a_paused_environment_takes_nothing_until_it_is_resumed(queue: Queue) -> None:
    queue.ready()
    row = queue.desk.pause("STAGING", "eve", "the disk is full")
    assert queue.desk.pauses() == {}
    queue.intake.accept(queue.settings)
    assert queue.state(row) is State.SUCCEEDED
    assert "nothing more is taken until RESUME" in (queue.show(row).task.reason or "")
    assert queue.desk.pauses() == {"STAGING": False}
    engine = queue.engine()
    assert queue.claim(engine) == []
    queue.resume("STAGING")
    assert len(queue.claim(engine)) == 1


def test_a_drained_environment_sends_its_engines_away(queue: Queue) -> None:
    engine, other = queue.engine(), queue.engine("PRODUCTION")
    queue.pause("STAGING", drain=True)
    assert queue.desk.pauses() == {"STAGING": True}
    assert queue.leases.renew(engine, 60).drained
    assert not queue.leases.renew(other, 60).drained
    queue.pause("STAGING")
    assert not queue.leases.renew(engine, 60).drained


def test_of_several_wishes_the_last_counts(queue: Queue) -> None:
    queue.desk.pause("STAGING")
    queue.desk.resume("STAGING")
    queue.desk.pause("STAGING", drain=True)
    queue.desk.resume("STAGING")
    queue.desk.pause("PRODUCTION")
    queue.intake.accept(queue.settings)
    assert queue.desk.pauses() == {"PRODUCTION": False}


def test_who_wants_to_stop_an_avalanche_does_not_wait_behind_it(queue: Queue) -> None:
    queue.desk.insert_many(NewTask(f"/{number}", "STAGING") for number in range(30))
    row = queue.desk.pause("STAGING")
    queue.intake.accept(queue.settings, 10)
    assert queue.state(row) is State.SUCCEEDED
    assert len(queue.desk.find(states=[State.NEW])) == 20


def test_it_is_written_who_paused_and_why(queue: Queue) -> None:
    queue.desk.pause("STAGING", "eve", "the disk is full", drain=True)
    queue.desk.resume("STAGING", "ann", "there is room")
    queue.intake.accept(queue.settings)
    drained, resumed = Audit(queue.db).find(limit=2)
    assert (drained.entry.kind, drained.entry.who, drained.entry.environment) == ("drained", "eve", "STAGING")
    assert drained.entry.document["why"] == "the disk is full"
    assert (resumed.entry.kind, resumed.entry.who) == ("resumed", "ann")


@pytest.mark.parametrize(
    ("environment", "parameters", "words"),
    [
        ("STAGIN", {}, "Did you mean STAGING"),
        ("STAGING", {"drian": True}, "drain"),
        ("STAGING", {"drain": "yes"}, "true or false"),
    ],
)
def test_what_cannot_be_paused_is_said(queue: Queue, environment: str, parameters: dict[str, object], words: str) -> None:
    row = queue.desk.insert(NewTask("/", environment, "PAUSE", parameters=parameters))
    queue.intake.accept(queue.settings)
    assert queue.state(row) is State.REJECTED
    assert words in (queue.show(row).task.reason or "")


def test_no_task_of_an_engine_pauses_anything(queue: Queue) -> None:
    [row] = queue.made(NewTask("/", "STAGING", "PAUSE", target="staging"))
    assert queue.state(row) is State.REJECTED
    assert queue.desk.pauses() == {}


def test_plain_sql_is_enough(queue: Queue) -> None:
    queue.sql(
        "INSERT INTO publication_task_queue (url, environment, action, parameters) VALUES ('/', 'STAGING', 'PAUSE', :drain)",
        drain=json.dumps({"drain": True}),
    )
    queue.intake.accept(queue.settings)
    assert queue.desk.pauses() == {"STAGING": True}


def test_what_waits_for_another_try_can_be_due_now(queue: Queue) -> None:
    tried, planned, held = queue.ready("/a"), queue.ready("/b", run_after=queue.clock() + timedelta(hours=3)), queue.ready("/c")
    engine = queue.engine()
    for task in queue.claim(engine):
        queue.end(engine, task, Outcome.RETRY, "the disk stuttered", retry_after=3600)
    queue.desk.hold([held])
    assert queue.claim(engine) == []
    assert queue.desk.hasten("STAGING", "eve", "the disk is well") == 1
    assert [task.id for task in queue.claim(engine)] == [tried]
    assert queue.desk.hasten("STAGING") == 0
    assert queue.states(planned, held) == ["READY", "READY"]
    entry = Audit(queue.db).find(limit=1)[0].entry
    assert (entry.kind, entry.who, entry.document["tasks"], entry.document["why"]) == ("hastened", "eve", 1, "the disk is well")
