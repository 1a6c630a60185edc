"""The pages about the whole: trends, schedules, targets, audit."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from database import Audit, Entry, Outcome
from support.console import Seat, seat_at, settings_with, words
from support.queue import Queue
from support.record import live, publish


def ended(queue: Queue, outcome: Outcome = Outcome.SUCCEEDED, **more: object) -> None:
    queue.ready(f"/{outcome}")
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.end(engine, task, outcome, **more)  # type: ignore[arg-type]
    queue.leases.leave(engine)


def test_trends_show_the_same_figures_as_table_and_as_plot(seat: Seat, queue: Queue) -> None:
    ended(queue, summary={"bytes": 5000, "reasons": {"same": [2, 9000]}, "seconds": {"load": 2.5}})
    ended(queue, Outcome.FAILED, error="NoSpace")
    queue.clock.forward(40)
    queue.intake.add_up(100)
    said = seat.text("/trends")
    assert "1 SUCCEEDED" in said.replace("1 FAILED, 1 SUCCEEDED", "1 SUCCEEDED")
    assert "5.0 kB moved, 9.0 kB saved" in said
    assert "2.5 s" in said
    figures = seat.get("/trends.json?window=week&environment=STAGING").json()
    charts = {one["name"]: one for one in figures["charts"]}
    assert len(figures["buckets"]) == 168
    assert sum(charts["failures"]["lines"]["NoSpace"]) == 1
    assert charts["bytes"]["unit"] == "bytes"
    assert 'data-trends="/trends.json?window=day"' in seat.get("/trends").text
    assert "nothing in this time" in seat.text("/trends?environment=PRODUCTION&window=year")


def test_trends_of_what_is_none_are_not_found(sqlite_seat: Seat) -> None:
    assert "Nothing is added up yet" in sqlite_seat.text("/trends")
    sqlite_seat.get("/trends?window=century", 404)
    sqlite_seat.get("/trends?environment=NOWHERE", 404)
    assert sqlite_seat.get("/trends.json?window=x", 404).json()["title"] == "Not found"


@pytest.fixture
def scheduled(queue: Queue, tmp_path: Path) -> Seat:
    nightly = {"cron": "0 3 * * *", "environment": "STAGING", "url": "/about", "action": "PUBLISH"}
    return seat_at(queue.db, settings_with(tmp_path).model_validate({**_plain(tmp_path), "schedules": {"nightly": nightly}}))


def _plain(tmp_path: Path) -> dict[str, object]:
    return settings_with(tmp_path).model_dump(exclude_unset=True)


def test_a_schedule_says_when_it_fires_and_is_run_now(scheduled: Seat, queue: Queue) -> None:
    said = scheduled.text("/schedules")
    assert "nightly in" in said
    assert "not yet" in said
    assert "PUBLISH /about in STAGING" in said
    after = scheduled.done("/schedules/run", name="nightly", note="the map is old")
    assert "Schedule nightly was run" in after
    [task] = queue.desk.find()
    assert (task.url, task.requested_by, task.note) == ("/about", "ann", "the map is old")
    scheduled.post("/schedules/run", 404, name="daily")
    scheduled.as_("viewer").post("/schedules/run", 403, name="nightly")
    assert "Run now" not in scheduled.as_("viewer").get("/schedules").text.replace('<th scope="col">Now', "")


def test_without_schedules_the_page_says_so(sqlite_seat: Seat) -> None:
    assert "has no [schedules]" in sqlite_seat.text("/schedules")


def test_a_target_says_whether_it_answers_what_went_live_and_what_drifted(seat: Seat, queue: Queue) -> None:
    publish(queue, live("/a"))
    queue.clock.forward(2)
    queue.ready("/a", action="VERIFY")
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.end(engine, task, Outcome.FAILED, "a.htm is missing", error="Drifted")
    said = seat.text("/targets")
    assert "staging Test staging works no task found it down" in said
    assert "1 module not as its slip says" in said
    assert "a.htm is missing" in said
    assert "origin of STAGING, origin of SHARED" in said
    assert "never verified" in said


def test_an_outage_is_seen(seat: Seat, queue: Queue) -> None:
    for url in ("/a", "/b"):
        queue.ready(url)
    engine = queue.engine()
    task, other = queue.claim(engine, needs=["source:cms"])
    queue.end(engine, task, Outcome.UNREACHABLE, "no route to host", error="TargetUnreachable", breaker="staging")
    queue.end(engine, other, Outcome.UNREACHABLE, "it answers 503", error="SourceUnreachable", breaker="source:cms")
    said = seat.text("/targets")
    assert "staging Test staging does not answer for" in said
    assert "source:cms has not answered for" in said


def test_a_target_is_tried_and_the_page_says_what_came_of_it(seat: Seat, queue: Queue) -> None:
    assert "not known: it is seen with the next change" in seat.text("/targets")
    assert "staging was tested: it works" in seat.done("/targets/staging/test")
    said = seat.text("/targets")
    assert "Tested now by ann: it works" in said or "by ann: it works" in said
    assert "files can be written and read" in said
    assert Audit(queue.db).find()[-1].entry.kind == "target tested"
    seat.post("/targets/nowhere/test", 404)
    seat.as_("viewer").post("/targets/staging/test", 403)


def test_the_room_of_a_target_is_known_once_it_was_tried(queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    targets = {
        **settings_with(tmp_path).model_dump(exclude_unset=True)["targets"],
        "staging": {"kind": "local", "root": str(tmp_path / "web")},
    }
    seat = seat_at(queue.db, settings_with(tmp_path).model_validate(_plain(tmp_path) | {"targets": targets}))
    seat.post("/targets/staging/test")
    assert re.search(r"B free, (now|\d+ s ago)", seat.text("/targets"))


def test_the_room_that_an_engine_saw_is_there_without_a_test(seat: Seat, queue: Queue) -> None:
    engine, module = queue.engine(), live("/a")
    queue.ready("/a")
    [task] = queue.claim(engine)
    queue.end(engine, task, published=(replace(module, target="staging"),), summary={"put": 1, "room": 12_300_000_000})
    [staging] = [one for one in seat.get("/api/v1/targets").json()["targets"] if one["name"] == "staging"]
    assert staging["room"]["free"] == 12_300_000_000
    assert staging["contact"] == staging["newest"]["since"]
    said = seat.text("/targets")
    assert "12.3 GB free, " in said
    assert "works no task found it down; the last was there" in said


def test_a_target_may_be_called_as_a_part_of_the_page_is(queue: Queue, tmp_path: Path) -> None:
    values = settings_with(tmp_path).model_dump(exclude_unset=True)["targets"]
    targets = values | {name: {"kind": "memory"} for name in ("content", "needs", "targets")}
    seat = seat_at(queue.db, settings_with(tmp_path).model_validate(_plain(tmp_path) | {"targets": targets}))
    ids = re.findall(r' id="([^"]*)"', seat.get("/targets").text)
    assert len(ids) == len(set(ids)) > len(targets)
    assert seat.post("/targets/needs/test").headers["location"].endswith("#target-needs")


def test_a_target_that_cannot_be_reached_says_why(queue: Queue, tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    values = _plain(tmp_path) | {
        "targets": {
            **settings.model_dump(exclude_unset=True)["targets"],
            "staging": {"kind": "local", "root": str(tmp_path / "gone")},
        }
    }
    seat = seat_at(queue.db, settings.model_validate(values))
    assert "something is wrong" in seat.done("/targets/staging/test")
    assert str(tmp_path / "gone") in seat.text("/targets")


def test_the_audit_log_is_narrowed_and_read_on(seat: Seat, queue: Queue) -> None:
    log = Audit(queue.db)
    for number in range(120):
        log.note(Entry(kind="paused", who=f"eve {number}", environment="STAGING", document={"why": f"because {number}"}))
    page = seat.get("/audit?kind=paused").text
    assert "because 119" in page
    assert "because 19<" not in page
    older = page.split('">Older')[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    assert "because 19" in seat.text(older)
    assert "because 7" in seat.text("/audit?who=eve+7")
    assert "Nothing that fits was done." in seat.text("/audit?who=nobody")
    seat.get("/audit?task=x", 400)
    seat.get("/audit?since=yesterday", 400)
    assert "because 119" in seat.text("/audit?since=2020-01-01T00:00&environment=STAGING")


def test_the_chain_is_walked_on_request(seat: Seat, queue: Queue) -> None:
    Audit(queue.db).note(Entry(kind="paused", who="eve"))
    while queue.intake.seal():
        pass
    assert "Nobody walked along it" in seat.text("/audit")
    assert "being walked" in seat.done("/audit/check")
    assert "were as written" in _walked(seat)
    queue.sql("UPDATE counter SET value = value + 1 WHERE name = 'audit'")
    seat.post("/audit/check")
    assert "its end was cut off" in _walked(seat)
    seat.as_("viewer").post("/audit/check", 403)


def _walked(seat: Seat) -> str:
    until = time.monotonic() + 20
    while "running" in (said := words(seat.get("/audit").text)):
        assert time.monotonic() < until
        time.sleep(0.02)
    return said
