"""The console's first page: what goes on in each environment, and a person's say in it."""

import pytest

from database import Audit, NewTask, Outcome, Progress, State
from support.console import Seat, words
from support.queue import Queue


def card(seat: Seat, environment: str) -> str:
    """The words of one environment's part of the page."""
    html = seat.get("/").text
    return words(next(part for part in html.split("<section")[1:] if f'id="env-{environment}"' in part))


def test_an_empty_queue_is_calm(seat: Seat) -> None:
    said = card(seat, "STAGING")
    assert "works" in said
    assert "Nothing is overdue." in said
    assert "No engine is up; one starts when something is due." in said
    assert "Last success none yet" in said


def test_a_running_task_shows_step_files_bytes_rate_and_time_left(seat: Seat, queue: Queue) -> None:
    queue.ready("/courses/physics")
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.claims.start(engine, [task])
    assert "just started" in card(seat, "STAGING")
    queue.claims.progress(engine, Progress(task.id, "stage", 3, 12, 3_000_000, 12_000_000, seconds=2.0))
    said = card(seat, "STAGING")
    assert "stage: 3 of 12 files, 3.0 MB of 12.0 MB; 1.5 MB/s, 6 s left" in said
    assert "pid 4711" in said
    assert "UP" in said
    assert "/courses/physics" in said
    assert "/courses/physics" not in card(seat, "PRODUCTION")
    queue.desk.cancel([task.id])
    assert "CANCELLING" in card(seat, "STAGING")


def test_what_waits_is_counted_and_its_age_is_shown(seat: Seat, queue: Queue) -> None:
    for number in range(3):
        queue.ready(f"/{number}")
    queue.ready("/held", hold=True)
    queue.clock.forward(400)
    said = card(seat, "STAGING")
    assert "due 3" in said
    assert "on hold 1" in said
    assert "No engine is up although something is due" in said
    assert "due 0" in card(seat, "PRODUCTION")


def test_outages_and_the_last_ends_are_there(seat: Seat, queue: Queue) -> None:
    for url, outcome, more in (
        ("/good", Outcome.SUCCEEDED, {}),
        ("/bad", Outcome.FAILED, {}),
        ("/far", Outcome.UNREACHABLE, {"breaker": "staging"}),
    ):
        queue.ready(url)
        engine = queue.engine()
        [task] = queue.claim(engine)
        queue.end(engine, task, outcome, f"{url} ended so", **more)
        queue.leases.leave(engine)
    said = card(seat, "STAGING")
    assert "staging does not answer" in said
    assert "/far ended so" in said
    assert "/good" in said
    assert "/bad ended so" in said
    assert "does not answer" not in card(seat, "ARCHIVE")


def test_an_environment_is_paused_drained_and_resumed_with_who_and_why(
    seat: Seat, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.pages.overview.PATIENCE", 0.0)
    engine = queue.engine()
    assert "as soon as a daemon or an engine runs" in seat.done("/environment/STAGING", do="pause", note="the disk is full")
    queue.intake.accept(queue.settings)
    assert "paused" in card(seat, "STAGING")
    assert "Last success none yet" in card(seat, "STAGING")
    seat.post("/environment/STAGING", do="drain")
    queue.intake.accept(queue.settings)
    assert "Draining: 0 tasks still run on 1 engine." in card(seat, "STAGING")
    queue.leases.leave(engine)
    assert "drained" in card(seat, "STAGING")
    seat.post("/environment/STAGING", do="resume")
    queue.intake.accept(queue.settings)
    assert queue.desk.pauses() == {}
    paused, drained, resumed = (row.entry for row in Audit(queue.db).find(limit=3))
    assert [entry.kind for entry in (paused, drained, resumed)] == ["paused", "drained", "resumed"]
    assert {entry.who for entry in (paused, drained, resumed)} == {"ann"}
    assert paused.document["why"] == "the disk is full"


def test_what_waits_for_another_try_is_run_now(seat: Seat, queue: Queue) -> None:
    task = queue.ready("/a")
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.RETRY, "the disk stuttered", retry_after=3600)
    assert "1 task that waited for another try can run now" in seat.done("/environment/STAGING", do="run")
    assert [again.id for again in queue.claim(engine)] == [task]
    assert queue.state(task) is State.RUNNING


def test_only_who_may_sees_buttons_and_can_press_them(seat: Seat, queue: Queue) -> None:
    viewer = seat.as_("viewer")
    assert "Pause" not in card(viewer, "STAGING")
    assert "Pause" in card(seat, "STAGING")
    refused = words(viewer.post("/environment/STAGING", 403, do="pause").text)
    assert "this takes an operator" in refused
    assert "ann viewer" in refused, "who was refused is still who they are"
    assert queue.desk.find() == []


def test_what_cannot_be_done_is_said(seat: Seat) -> None:
    assert "There is no environment ATLANTIS." in words(seat.post("/environment/ATLANTIS", 404, do="pause").text)
    assert "not 'explode'" in words(seat.post("/environment/STAGING", 400, do="explode").text)


def test_the_last_ends_are_found_among_more_events_than_are_looked_at(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    from database import Newest

    monkeypatch.setattr("database.newest.LOOKED_AT", 2)
    engine = queue.engine()
    for url in ("/a", "/b", "/c"):
        queue.ready(url)
        queue.end(engine, queue.claim(engine)[0])
    [bad] = [queue.desk.insert(NewTask("/d", "STAGING"))]
    queue.intake.accept(queue.settings)
    queue.end(engine, queue.claim(engine)[0], Outcome.FAILED, "no")
    ends = Newest(queue.db).ends(["STAGING"])
    assert ends["STAGING", State.SUCCEEDED].url == "/c"
    assert ends["STAGING", State.FAILED].id == bad
