"""The queue's pages: filters in the address, one thing done to many tasks, a row inserted by hand."""

import re
from html import unescape
from typing import Any

import pytest

from console.wanted import packed, unpacked
from database import Audit, Outcome, Published, State, pack
from support.console import Seat, words
from support.queue import Queue


@pytest.fixture
def filled(seat: Seat, queue: Queue) -> Seat:
    """Two that failed, one that succeeded and is live, one that runs, two ready."""
    engine = queue.engine()
    for number, outcome in enumerate((Outcome.FAILED, Outcome.FAILED, Outcome.SUCCEEDED), 1):
        queue.ready(f"/courses/{number}")
        [task] = queue.claim(engine)
        live = (
            (Published("staging", task.url, task.serial, bytes(32), pack([b"<slip/>"])),) if outcome is Outcome.SUCCEEDED else ()
        )
        queue.end(engine, task, outcome, f"the disk of <b>{number}</b> & more", published=live)
    queue.ready("/running")
    queue.claims.start(engine, queue.claim(engine))
    queue.ready("/courses/5", requested_by="Ann")
    queue.ready("/about", "PRODUCTION")
    return seat


def shown(seat: Seat, path: str) -> list[int]:
    """The tasks that the list has, in its order."""
    return [int(found) for found in re.findall(r'name="task" value="(\d+)"', seat.get(path).text)]


def hidden(html: str, name: str) -> str:
    found = re.findall(rf'name="{name}" value="([^"]*)"', html)
    return unescape(found[-1])


def test_the_list_has_every_task_newest_first_and_escapes_what_it_shows(filled: Seat) -> None:
    assert shown(filled, "/queue") == [6, 5, 4, 3, 2, 1]
    html = filled.get("/queue").text
    assert "the disk of &lt;b&gt;1&lt;/b&gt; &amp; more" in html
    assert "<b>1</b>" not in html


def test_the_filter_is_the_address(filled: Seat) -> None:
    expected = {
        "?state=failed": [2, 1],
        "?state=failed&state=RUNNING": [4, 2, 1],
        "?state=open": [6, 5, 4],
        "?state=ended&sort=oldest": [1, 2, 3],
        "?env=PRODUCTION": [6],
        "?module=/courses/5/": [5],
        "?module=courses&below=1&state=open": [5],
        "?text=ann": [5],
        "?newer=1h": [6, 5, 4, 3, 2, 1],
        "?older=1h": [],
        "?action=publish&state=running": [4],
        "?sort=oldest&after=3": [4, 5, 6],
    }
    assert {address: shown(filled, f"/queue{address}") for address in expected} == expected


def test_what_the_address_cannot_mean_is_said_and_left_out(filled: Seat) -> None:
    said = filled.text("/queue?state=nonsense&action=dance&newer=yesterday&after=x")
    assert "There is no state NONSENSE." in said
    assert "There is no action dance." in said
    assert "newer is 'yesterday'" in said
    assert "No task is like that." in filled.text("/queue?older=3d")
    assert "No task is like that." in filled.text("/queue?older=999999w")
    assert shown(filled, "/queue?newer=999999w") == shown(filled, "/queue")
    assert "an age is a number" in filled.text("/queue?newer=-3d")


def test_pages_follow_each_other(filled: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.pages.queue.LIMIT", 4)
    html = filled.get("/queue").text
    following = re.search(r'rel="next" href="([^"]+)"', html)
    assert following
    assert shown(filled, unescape(following[1])) == [2, 1]
    assert "hx-get" in re.search(r'<div id="queue"[^>]*>', html)[0]  # type: ignore[index]
    # An older page does not jump while it is read.
    assert "hx-get" not in re.search(r'<div id="queue"[^>]*>', filled.get("/queue?after=3").text)[0]  # type: ignore[index]


def test_the_chosen_ones_are_shown_and_counted_before_they_are_cancelled(filled: Seat, queue: Queue) -> None:
    asked = filled.post("/queue/confirm", 200, do="cancel", scope="chosen", task=["4", "5"], filter="?state=open")
    said = words(asked.text)
    assert "Cancel 2 tasks?" in said
    assert queue.states(4, 5) == ["RUNNING", "READY"]
    assert not queue.show(5).task.cancel_requested
    back = hidden(asked.text, "back")
    assert back == "/queue?state=open"
    said = filled.done("/queue/change", do="cancel", ids=hidden(asked.text, "ids"), note="the CMS was wrong", back=back)
    assert "2 tasks being cancelled." in said
    # Until the engine confirms, it is neither running as before nor cancelled.
    assert said.count("CANCELLING") == 2
    queue.intake.sweep()
    assert queue.states(4, 5) == ["RUNNING", "CANCELLED"]
    asked_for = [row.entry for row in Audit(queue.db).find(limit=20) if row.entry.kind == "cancel asked"]
    assert [(entry.task, entry.who, entry.document["why"]) for entry in asked_for] == [
        (4, "ann", "the CMS was wrong"),
        (5, "ann", "the CMS was wrong"),
    ]


def test_all_of_the_filter_are_tried_again_and_exactly_those_that_were_seen(filled: Seat, queue: Queue) -> None:
    asked = filled.post("/queue/confirm", 200, do="retry", scope="filter", filter="?state=failed&env=STAGING")
    assert "Retry 2 tasks?" in words(asked.text)
    engine = queue.engine()
    queue.ready("/late")
    late = queue.claim(engine)
    queue.end(engine, late[0], Outcome.FAILED, "too late to be seen")
    assert "2 tasks asked for again." in filled.done("/queue/change", do="retry", ids=hidden(asked.text, "ids"))
    again = [task for task in queue.desk.find(limit=2) if "rerun_of" in task.parameters]
    assert sorted(task.parameters["rerun_of"] for task in again) == [1, 2]
    assert {task.requested_by for task in again} == {"ann"}


def test_what_ended_meanwhile_is_left_and_said(filled: Seat, queue: Queue) -> None:
    said = filled.done("/queue/change", do="hold", ids="3-5,99")
    assert "1 task on hold. Left as they are: 1 RUNNING, 1 SUCCEEDED, 1 not there any more." in said
    assert "ON HOLD" in filled.text("/queue")
    assert "1 task released." in filled.done("/queue/change", do="release", ids="5")


def test_a_filter_that_lets_too_many_through_says_so(filled: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.pages.queue.MOST", 2)
    said = words(filled.post("/queue/confirm", 200, do="hold", scope="filter", filter="").text)
    assert "The filter lets more through than these: 2 tasks are taken now." in said


@pytest.mark.parametrize(
    ("path", "fields", "status", "words_"),
    [
        ("/queue/confirm", {"do": "explode"}, 400, "not 'explode'"),
        ("/queue/confirm", {"do": "hold", "scope": "chosen"}, 409, "Choose tasks in the list first"),
        ("/queue/confirm", {"do": "hold", "scope": "chosen", "task": ["99"]}, 409, "Choose tasks in the list first"),
        ("/queue/confirm", {"do": "hold", "scope": "filter", "filter": "?text=nowhere"}, 409, "No task is like that any more"),
        ("/queue/confirm", {"do": "hold", "scope": "chosen", "task": ["x"]}, 404, "There is no task 'x'."),
        ("/queue/confirm", {"do": "hold", "scope": "chosen", "task": ["9" * 30]}, 404, "There is no task '9999"),
        ("/queue/confirm", {"do": "hold", "scope": "chosen", "task": ["9" * 5000]}, 404, "There is no task '9999"),
        ("/task/99999999999999999999/cancel", {}, 404, "There is no task 99999999999999999999."),
        ("/task/1/cancel", {"note": "x" * 2001}, 400, "at most 2,000 characters"),
        ("/queue/change", {"do": "hold", "ids": "1-99999999999"}, 400, "not a list of at most 10,000 tasks"),
        ("/queue/change", {"do": "hold", "ids": "3,ab"}, 400, "cannot be read"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(
    sqlite_seat: Seat, path: str, fields: dict[str, object], status: int, words_: str
) -> None:
    assert words_ in words(sqlite_seat.post(path, status, **fields).text)


def test_viewers_look_only(filled: Seat) -> None:
    viewer = filled.as_("viewer")
    html = viewer.get("/queue").text
    assert 'type="checkbox" name="task"' not in html
    assert "Cancel…" not in html
    viewer.post("/queue/change", 403, do="cancel", ids="5")
    viewer.get("/queue/insert", 403)


def test_a_row_is_inserted_with_paths_that_the_record_knows(filled: Seat, queue: Queue) -> None:
    html = filled.get("/queue/insert?environment=PRODUCTION").text
    assert '<option value="/courses/3">' in html
    assert "<option selected>PRODUCTION</option>" in html
    assert filled.get("/queue/modules?url=/cour").text.split() == ["<option", 'value="/courses/3"></option>']
    assert filled.get("/queue/modules?module=/nothing").text.strip() == ""
    fields: dict[str, Any] = {
        "url": "/courses/7/",
        "environment": "STAGING",
        "priority": "5",
        "parameters": '{"mode": "full"}',
        "note": "urgent",
    }
    where = filled.post("/queue/insert", run_after="2026-12-24T18:00", hold="1", dry_run="1", **fields).headers["location"]
    task = queue.show(int(where.rpartition("/")[2])).task
    assert (task.url, task.priority, task.requested_by, task.note, task.hold) == ("/courses/7", 5, "ann", "urgent", True)
    assert task.parameters == {"mode": "full", "dry_run": True}
    assert str(task.run_after) == "2026-12-24 18:00:00+00:00"
    queue.intake.accept(queue.settings)
    assert queue.state(task.id) is State.READY


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"environment": "STAGIN"}, "Did you mean STAGING?"),
        ({"url": "courses/../x"}, "url cannot be used"),
        ({"priority": "first"}, "lower runs first"),
        ({"priority": str(2**40)}, "32 bits"),
        ({"run_after": "soon"}, "write it as 2026-12-24T18:00"),
        ({"run_after": "0001-01-01T00:00+05:00"}, "write it as 2026-12-24T18:00"),
        ({"parameters": "{"}, "not JSON"),
        ({"parameters": "[" * 100_000}, "not JSON"),
        ({"parameters": "[]"}, "not a JSON object"),
        ({"parameters": '{"mod": "full"}'}, "Did you mean 'mode'?"),
    ],
)
def test_a_row_that_would_be_rejected_is_not_inserted(sqlite_seat: Seat, fields: dict[str, Any], said: str) -> None:
    asked = {"url": "/a", "environment": "STAGING", "note": "kept as it was typed"} | fields
    html = sqlite_seat.post("/queue/insert", 422, **asked).text
    assert said in words(html)
    assert 'value="kept as it was typed"' in html
    assert sqlite_seat.get("/queue").text.count('name="task"') == 0


def test_a_takedown_takes_an_approver(sqlite_seat: Seat) -> None:
    asked: dict[str, Any] = {"url": "/a", "environment": "STAGING", "action": "TAKEDOWN"}
    assert "takes an approver" in words(sqlite_seat.as_("operator").post("/queue/insert", 403, **asked).text)
    sqlite_seat.post("/queue/insert", **asked)


def test_ids_are_packed_and_unpacked() -> None:
    assert packed([7, 3, 4, 5, 9, 9]) == "3-5,7,9"
    assert unpacked("3-5,7,9", 5) == [3, 4, 5, 7, 9]
    for wrong in ("0", "5-3", "a", "1-6", "-1", "1,2,3,4,5,6", str(2**63)):
        with pytest.raises(ValueError, match=r"tasks|invalid"):
            unpacked(wrong, 5)
