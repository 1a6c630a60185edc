"""What only an approver decides is not to be had by another way: not as a row, not as another try of an older one."""

import pytest

from database import Desk, NewTask
from support.console import Seat, words
from support.queue import Queue

TAKEDOWN = {"url": "/a", "environment": "*", "action": "TAKEDOWN"}
APPROVAL = {"url": "/a", "environment": "STAGING", "action": "APPROVE", "parameters": {"task": 1, "plan": "ab"}}


def call(seat: Seat, path: str, **body: object) -> tuple[int, str]:
    headers = seat.headers | {"X-CSRF-Token": seat.csrf}
    answer = seat.client.post(f"/api/v1{path}", headers=headers, json=body)
    return answer.status_code, answer.text


@pytest.fixture
def lifted(sqlite_queue: Queue, sqlite_seat: Seat) -> int:
    """A takedown that was lifted and came into force again; the task that lifted it."""
    rows = []
    for parameters in ({}, {"lift": True}, {}):
        rows.append(sqlite_queue.desk.insert(NewTask("/a", "*", "TAKEDOWN", parameters=parameters)))
        sqlite_queue.intake.accept(sqlite_seat.console.settings)
    return rows[1]


@pytest.mark.parametrize("row", [TAKEDOWN, APPROVAL], ids=["takedown", "approval"])
def test_an_operators_row_decides_nothing(sqlite_seat: Seat, sqlite_queue: Queue, row: dict[str, object]) -> None:
    status, said = call(sqlite_seat.as_("operator"), "/tasks", **row)
    assert (status, "takes an approver" in said) == (403, True)
    assert Desk(sqlite_queue.db).find() == []
    assert call(sqlite_seat, "/tasks", **row)[0] == 201


def test_an_operator_does_not_lift_by_trying_again(sqlite_seat: Seat, sqlite_queue: Queue, lifted: int) -> None:
    operator, before = sqlite_seat.as_("operator"), sqlite_queue.desk.find()
    assert "Do it again" not in operator.text(f"/task/{lifted}")
    assert "takes an approver" in words(operator.post(f"/task/{lifted}/retry", 403).text)
    assert call(operator, f"/tasks/{lifted}/retry")[0] == 403
    assert call(operator, "/tasks/batch", do="retry", ids=[lifted])[1].count('"SUCCEEDED TAKEDOWN":1') == 1
    said = operator.done("/queue/change", do="retry", ids=str(lifted))
    assert "0 tasks asked for again. Left as they are: 1 SUCCEEDED TAKEDOWN." in said
    assert sqlite_queue.desk.find() == before


def test_an_approver_does(sqlite_seat: Seat, lifted: int) -> None:
    assert "Do it again" in sqlite_seat.text(f"/task/{lifted}")
    sqlite_seat.post(f"/task/{lifted}/retry")
    assert call(sqlite_seat, f"/tasks/{lifted}/retry")[0] == 201
    assert "1 task asked for again." in sqlite_seat.done("/queue/change", do="retry", ids=str(lifted))


def test_a_retry_of_many_leaves_out_what_people_said(sqlite_seat: Seat, sqlite_queue: Queue) -> None:
    """Who asks for all that succeeded again does not want to pause the environment once more."""
    sqlite_queue.desk.pause("STAGING")
    sqlite_queue.desk.resume("STAGING")
    sqlite_queue.intake.accept(sqlite_seat.console.settings)
    said = sqlite_seat.done("/queue/change", do="retry", ids="1-2")
    assert "0 tasks asked for again. Left as they are: 1 SUCCEEDED PAUSE, 1 SUCCEEDED RESUME." in said
    assert call(sqlite_seat, "/tasks/batch", do="retry", ids=[1, 2])[1].count('"SUCCEEDED PAUSE":1') == 1
    assert len(sqlite_queue.desk.find()) == 2
