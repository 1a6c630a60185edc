"""The JSON API: the same things as the pages, for programs."""

from pathlib import Path
from typing import Any

import pytest

from console.api import CALLS, ROOT
from console.api.document import document
from database import HeldPlan, NewTask, Outcome, Published, State, pack
from support.console import Seat
from support.queue import Queue


def got(seat: Seat, path: str, status: int = 200, **query: Any) -> Any:
    found = seat.client.get(ROOT + path, headers=seat.headers, params=query)
    assert found.status_code == status, found.text
    kind = "application/json" if status < 400 else "application/problem+json"
    assert found.headers["content-type"] == kind
    return found.json()


def sent(seat: Seat, path: str, status: int = 201, **body: Any) -> Any:
    headers = seat.headers | {"X-CSRF-Token": seat.csrf}
    found = seat.client.post(ROOT + path, headers=headers, json=body)
    assert found.status_code == status, found.text
    return found.json()


def test_tasks_are_listed_page_by_page_with_the_same_filters(seat: Seat, queue: Queue) -> None:
    ids = queue.desk.insert_many(NewTask(f"/{number}", "STAGING") for number in range(5))
    queue.desk.insert(NewTask("/other", "PRODUCTION"))
    page = got(seat, "/tasks", environment="STAGING", limit=2, state="NEW")
    seen = [task["id"] for task in page["tasks"]]
    while page["next"]:
        page = seat.get(page["next"]).json()
        seen += [task["id"] for task in page["tasks"]]
    assert seen == ids[::-1]


def test_a_task_is_inserted_looked_at_and_cancelled_in_the_name_of_who_asks(seat: Seat, queue: Queue) -> None:
    found = seat.client.post(
        f"{ROOT}/tasks",
        headers=seat.headers | {"X-CSRF-Token": seat.csrf},
        json={"url": "/a", "environment": "STAGING", "priority": 5, "note": "at once", "run_after": "2030-01-01T12:00:00+02:00"},
    )
    assert found.status_code == 201, found.text
    where = found.headers["location"]
    whole = seat.get(where).json()
    assert (whole["task"]["requested_by"], whole["task"]["note"], whole["task"]["priority"]) == ("ann", "at once", 5)
    assert whole["task"]["run_after"] == "2030-01-01T10:00:00Z"
    number = whole["task"]["id"]
    assert sent(seat, f"/tasks/{number}/cancel", 200, note="a mistake")["task"]["cancel_requested"] is True
    [row] = [row for row in got(seat, "/audit", task=number)["rows"] if row["kind"] == "cancel asked"]
    assert (row["who"], row["document"]["why"]) == ("ann", "a mistake")
    assert queue.show(number).task.cancel_requested


def test_many_are_changed_at_once_and_those_that_cannot_be_are_counted(seat: Seat, queue: Queue) -> None:
    ids = [queue.ready(f"/{number}") for number in range(3)]
    engine = queue.engine()
    [task] = queue.claim(engine, limit=1)
    queue.end(engine, task)
    assert sent(seat, "/tasks/batch", 200, do="hold", ids=ids) == {
        "matched": 3,
        "done": 2,
        "left": {"SUCCEEDED": 1},
        "made": [],
    }
    assert {one["id"] for one in got(seat, "/tasks", on_hold="true")["tasks"]} == set(ids) - {task.id}
    assert len(sent(seat, "/tasks/batch", 200, do="retry", ids=[task.id])["made"]) == 1
    assert sent(seat, "/tasks/batch", 422, do="burn", ids=[])["errors"]


def test_what_is_like_a_filter_is_changed_unless_it_became_more_than_was_seen(seat: Seat, queue: Queue) -> None:
    for number in range(3):
        queue.ready(f"/courses/{number}")
    other = queue.ready("/about")
    like = {"url": "/courses", "below": True, "state": ["READY"]}
    seen = sent(seat, "/tasks/batch", 200, do="hold", filter=like, dry_run=True)
    assert (seen["matched"], seen["done"]) == (3, 0)
    late = queue.ready("/courses/late")
    refused = sent(seat, "/tasks/batch", 409, do="hold", filter=like, expected=seen["matched"])
    assert refused["detail"] == "More than 3 tasks are like that now. Nothing was changed. Look again first."
    assert got(seat, "/tasks", on_hold="true")["tasks"] == []
    assert sent(seat, "/tasks/batch", 200, do="hold", filter=like, expected=4, note="all") == {
        "matched": 4,
        "done": 4,
        "left": {},
        "made": [],
    }
    held = {one["id"] for one in got(seat, "/tasks", on_hold="true")["tasks"]}
    assert (late in held, other in held) == (True, False)
    [row] = [row for row in got(seat, "/audit", task=late)["rows"] if row["kind"] == "held"]
    assert (row["who"], row["document"]["why"]) == ("ann", "all")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filter"),
        ({"ids": [1], "filter": {"state": ["NEW"]}}, "filter"),
        ({"filter": {}, "expected": 5}, "filter"),
        ({"filter": {"state": ["NEW"]}}, "expected"),
        ({"filter": {"state": ["NEW"]}, "expected": 10_001}, "expected"),
        ({"filter": {"sort": "newest"}, "expected": 1}, "filter.sort"),
    ],
)
def test_a_batch_says_which_tasks_and_how_many(seat: Seat, body: dict[str, Any], field: str) -> None:
    assert [one["field"] for one in sent(seat, "/tasks/batch", 422, do="cancel", **body)["errors"]] == [field]


def test_a_filter_that_nobody_can_look_through_in_time_changes_nothing(
    seat: Seat, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.api.tasks.PATIENCE", 0.0)
    monkeypatch.setattr("database.listing.FEW", 0)
    monkeypatch.setattr("database.listing.WINDOW", 1)
    ids = [queue.ready(f"/{number}") for number in range(3)]
    said = sent(seat, "/tasks/batch", 409, do="cancel", filter={"text": "/"}, expected=3)
    assert "Narrow the filter" in said["detail"]
    assert not any(queue.show(number).task.cancel_requested for number in ids)


def test_what_would_be_rejected_is_refused_with_the_sentence(seat: Seat) -> None:
    said = sent(seat, "/tasks", 422, url="/a", environment="STAGIN")
    assert "STAGIN" in said["detail"]
    said = sent(seat, "/tasks", 422, url="/a/../b", environment="STAGING", prio=3)
    assert {(each["in"], each["field"]) for each in said["errors"]} == {("body", "url"), ("body", "prio")}
    assert "environment" in said["detail"]


def test_a_state_that_does_not_allow_it_is_a_conflict_and_what_is_not_there_is_not_found(seat: Seat, queue: Queue) -> None:
    number = queue.ready()
    assert "READY" in sent(seat, f"/tasks/{number}/retry", 409)["detail"]
    assert "READY" in sent(seat, f"/tasks/{number}/approve", 409, plan="ab")["detail"]
    assert "999" in sent(seat, "/tasks/999/cancel", 404)["detail"]
    assert got(seat, f"/tasks/{2**70}", 404)["title"] == "Not found"
    assert got(seat, "/tasks/none", 404)["status"] == 404
    assert got(seat, "/diff", 404, before=77)["detail"] == "There is no publication 77."


def test_hold_release_retry_and_approve(seat: Seat, queue: Queue) -> None:
    number = queue.ready()
    assert sent(seat, f"/tasks/{number}/hold", 200)["task"]["hold"] is True
    assert sent(seat, f"/tasks/{number}/release", 200)["task"]["hold"] is False
    engine = queue.engine()
    [task] = queue.claim(engine, limit=1)
    queue.end(engine, task, Outcome.HELD, plan=HeldPlan("ab" * 32, '{"url": "/a", "changes": [], "objections": []}'))
    whole = got(seat, f"/tasks/{number}")
    assert (whole["task"]["state"], whole["plan"]["digest"], whole["changes"]["stage"]) == ("HELD", "ab" * 32, "held")
    approval = sent(seat, f"/tasks/{number}/approve", plan="ab" * 32, note="looked at")["task"]
    assert (approval["action"], approval["requested_by"], approval["parameters"]["task"]) == ("APPROVE", "ann", number)
    queue.intake.accept(queue.settings)
    [task] = queue.claim(engine, limit=1)
    queue.end(engine, task)
    assert sent(seat, f"/tasks/{number}/retry")["task"]["note"] == f"rerun of task {number}"


def published(queue: Queue) -> int:
    engine = queue.engine()
    queue.ready()
    [task] = queue.claim(engine, limit=1)
    slip = b'<packageslip xmlns="urn:slipway:packageslip:1" url="/a"><resources count="0"/></packageslip>'
    queue.end(engine, task, published=(Published("staging", "/a", task.serial, b"\1" * 32, pack([slip]), title="A"),))
    return task.id


def test_a_module_has_its_why_its_history_its_differences_and_a_way_back(seat: Seat, queue: Queue) -> None:
    task = published(queue)
    why = got(seat, "/why", url="/a/")
    assert why["environments"][0]["live"]["staging"]["task"] == task
    assert got(seat, "/module", url="/a")["title"] == "A"
    [live] = got(seat, "/history", url="/a")["publications"]
    assert (live["version"], live["until"]) == ("01" * 32, None)
    assert got(seat, "/diff", after=live["id"])["same"] is True
    back = sent(seat, "/rollback", url="/a", environment="STAGING", to=live["id"], note="undo")["task"]
    assert (back["action"], back["parameters"], back["note"]) == ("ROLLBACK", {"to": live["id"]}, "undo")
    assert sent(seat, "/rollback", 422, url="/a", environment="STAGING", to=1, version="ab")["errors"][0]["field"] == "version"
    assert got(seat, "/diff", 422)["errors"]


def test_a_takedown_is_for_approvers_and_is_lifted(seat: Seat, queue: Queue) -> None:
    assert "operator" in sent(seat.as_("operator"), "/takedowns", 403, url="/a", note="a letter")["detail"]
    assert sent(seat, "/takedowns", 422, url="/a")["errors"][0]["field"] == "note"
    row = sent(seat, "/takedowns", url="/a", note="a letter", below=True)["task"]
    queue.intake.accept(queue.settings)
    [down] = got(seat, "/takedowns")["takedowns"]
    assert (down["url"], down["below"], down["why"], down["task"]) == ("/a", True, "a letter", row["id"])
    sent(seat, "/takedowns/lift", url="/a", note="settled")
    queue.intake.accept(queue.settings)
    assert got(seat, "/takedowns")["takedowns"] == []
    assert [one["lifted_by"] for one in got(seat, "/takedowns", lifted="true")["takedowns"]] == ["ann"]


def test_takedowns_are_leafed_through(seat: Seat, queue: Queue) -> None:
    for name in "abc":
        sent(seat, "/takedowns", url=f"/{name}", note="a letter")
    queue.intake.accept(queue.settings)
    first = got(seat, "/takedowns", lifted="true", limit="2")
    assert [one["url"] for one in first["takedowns"]] == ["/a", "/b"]
    rest = seat.get(first["next"]).json()
    assert ([one["url"] for one in rest["takedowns"]], rest["next"]) == (["/c"], None)


def test_environments_are_paused_drained_resumed_and_run(seat: Seat, queue: Queue) -> None:
    queue.ready()
    sent(seat, "/environments/STAGING/pause", drain=True, note="maintenance")
    queue.intake.accept(queue.settings)
    [staging] = [one for one in got(seat, "/overview")["environments"] if one["name"] == "STAGING"]
    assert (staging["state"], staging["due"], staging["counted_to"] > 0) == ("drained", 1, True)
    sent(seat, "/environments/STAGING/resume")
    queue.intake.accept(queue.settings)
    assert got(seat, "/overview")["environments"][0]["state"] == "works"
    assert sent(seat, "/environments/STAGING/run", 200) == {"environment": "STAGING", "tasks": 0}
    assert "There are: STAGING" in sent(seat, "/environments/NONE/pause", 404)["detail"]


def test_places_and_time(sqlite_seat: Seat) -> None:
    assert got(sqlite_seat, "/schedules") == {"schedules": []}
    assert {one["name"] for one in got(sqlite_seat, "/targets")["targets"]} >= {"staging", "production"}
    checks = sent(sqlite_seat, "/targets/staging/test", 200)["checks"]
    assert all(check["outcome"] in {"ok", "warning"} for check in checks)
    assert len(got(sqlite_seat, "/trends", window="week")["buckets"]) == 7 * 24
    assert got(sqlite_seat, "/trends", 422, window="decade")["errors"][0]["field"] == "window"


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_each_call_takes_its_role_and_no_less(sqlite_seat: Seat, call: Any) -> None:
    path = ROOT + call.path.replace("{id:int}", "1").replace("{name}", "staging")
    stranger = sqlite_seat.client.request(call.method, path)
    assert stranger.status_code == 401
    assert stranger.headers["www-authenticate"].startswith("Basic")
    assert stranger.json()["title"] == "Not signed in"
    if call.method == "POST":
        below = sqlite_seat.as_("viewer" if call.role.word == "operator" else "operator")
        refused = sqlite_seat.client.post(path, headers=below.headers | {"X-CSRF-Token": below.csrf}, json={})
        assert refused.status_code == 403
        assert call.role.word in refused.json()["detail"]
        unsure = sqlite_seat.client.post(path, headers=sqlite_seat.headers, json={})
        assert unsure.status_code == 403


def test_what_is_sent_must_be_json_and_known(sqlite_seat: Seat) -> None:
    headers = sqlite_seat.headers | {"X-CSRF-Token": sqlite_seat.csrf}
    form = sqlite_seat.client.post(f"{ROOT}/tasks", headers=headers, data={"url": "/a"})
    assert form.status_code == 415
    broken = sqlite_seat.client.post(f"{ROOT}/tasks", headers=headers | {"Content-Type": "application/json"}, content=b"{")
    assert (broken.status_code, broken.json()["title"]) == (422, "Not understood")
    twice = sqlite_seat.client.get(f"{ROOT}/tasks?limit=1&limit=2", headers=headers)
    assert twice.json()["errors"] == [{"in": "query", "field": "limit", "message": "may be given once"}]
    assert got(sqlite_seat, "/tasks", 422, colour="red")["errors"][0]["field"] == "colour"
    assert got(sqlite_seat, "/overview", 422, colour="red")["errors"][0]["field"] == "colour"
    method = sqlite_seat.client.delete(f"{ROOT}/tasks", headers=headers)
    assert method.status_code == 405
    assert set(method.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "POST"}
    assert "GET" in method.json()["detail"]


def test_the_document_names_every_call_and_where_it_is(sqlite_seat: Seat) -> None:
    found = got(sqlite_seat, "/openapi.json")
    assert found["openapi"] == "3.1.0"
    assert found["servers"] == [{"url": ROOT}]
    operations = [method for path in found["paths"].values() for method in path.values()]
    assert len(operations) == len(CALLS)
    assert len({each["operationId"] for each in operations}) == len(CALLS)
    assert found["paths"]["/tasks"]["post"]["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NewTask"
    }
    assert document(CALLS) is document(CALLS)


def test_a_secret_in_an_answer_is_masked(sqlite_seat: Seat, tmp_path: Any) -> None:
    file = tmp_path / "secret"
    file.write_text("hunter2-and-more\n")
    from config import Secret

    sqlite_seat.console.secrets.read(Secret(file=file))
    sent(sqlite_seat, "/tasks", url="/a", environment="STAGING", note="the password is hunter2-and-more")
    assert "hunter2" not in sqlite_seat.get(f"{ROOT}/tasks").text


def test_states_are_those_of_the_queue() -> None:
    schema = document(CALLS)["components"]["schemas"]["State"]
    assert set(schema["enum"]) == {state.value for state in State}


def test_the_manual_names_every_call() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    table = [line for line in manual.splitlines() if line.startswith("| `")]
    for call in CALLS:
        words = [part for part in call.path.split("/") if part and "{" not in part]
        fitting = [line for line in table if call.method in line and f"/{words[0]}" in line and f"/{words[-1]}" in line]
        assert fitting, f"{call.method} {call.path}"
