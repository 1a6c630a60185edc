"""The page of one task: its life, its plan, its attempts, its family, and a person's say in it."""

import json
from typing import Any

from database import Audit, HeldPlan, NewTask, Outcome, Progress, Task
from packageslip import Packageslip, Resource
from support.console import Seat, words
from support.queue import Queue
from support.record import live
from tasks import Plan, Policy, plan

OLD = Packageslip("/a", tuple(Resource(f"f{number}.htm", size=5, digest=bytes([number]) * 32) for number in range(1, 9)))
NEW = Packageslip("/a", (Resource("new.htm", size=11, digest=b"n" * 32),))


def made() -> Plan:
    return plan(NEW, OLD, Policy(drop_files=0), url="/a", target="staging")


def claimed(queue: Queue, url: str = "/a", **more: Any) -> tuple[Any, Task]:
    queue.ready(url, **more)
    engine = queue.engine()
    [task] = queue.claim(engine, limit=1)
    return engine, task


def held(queue: Queue) -> int:
    engine, task = claimed(queue)
    waiting = HeldPlan(made().digest, json.dumps(made().document()))
    queue.end(engine, task, Outcome.HELD, "it drops 8 of 8 files", error="PlanHeld", plan=waiting)
    return task.id


def test_a_task_that_waits_shows_what_is_ahead(seat: Seat, queue: Queue) -> None:
    task = queue.ready("/a", requested_by="eve", note="because")
    said = seat.text(f"/task/{task}")
    assert f"Task {task}: PUBLISH /a in STAGING" in said
    assert "READY" in said
    assert "by eve" in said
    assert "because" in said
    assert "switched (ahead)" in said
    assert 'href="/module/a"' in seat.get(f"/task/{task}").text


def test_a_running_task_shows_step_files_bytes_rate_and_time_left(seat: Seat, queue: Queue) -> None:
    engine, task = claimed(queue)
    queue.claims.start(engine, [task])
    queue.claims.progress(engine, Progress(task.id, "stage", 2, 8, 2_000_000, 8_000_000, seconds=4.0))
    said = seat.text(f"/task/{task.id}")
    assert "stage, for 4 s" in said
    assert "2 of 8" in said
    assert "2.0 MB of 8.0 MB" in said
    assert "500.0 kB/s" in said
    assert "about 12 s of this step" in said
    assert f"live:task-{task.id}" in seat.get(f"/task/{task.id}").text


def test_a_task_that_ended_shows_what_each_step_took_and_what_it_changed(seat: Seat, queue: Queue) -> None:
    first, before = claimed(queue)
    queue.end(first, before, published=[live("/a", b"1")])
    queue.leases.leave(first)
    engine, task = claimed(queue)
    summary = {
        "seconds": {"load": 0.25, "stage": 1.5},
        **made().counts(),
        "reasons": made().reasons(),
        "changes": made().moving(50),
    }
    queue.end(engine, task, reason="live on staging", published=[live("/a", b"2", serial=2)], summary=summary)
    said = seat.text(f"/task/{task.id}")
    assert "staged (done) 1.5 s" in said
    assert "recorded" in said
    assert "1 file added 11 B" in said
    assert "8 files removed 40 B" in said
    assert "is not on the target yet" in said
    newest, oldest = queue.record.history("/a")
    assert f"/module/a?before={oldest.id}&amp;after={newest.id}" in seat.get(f"/task/{task.id}").text


def test_a_failed_attempt_says_what_to_do(seat: Seat, queue: Queue) -> None:
    engine, task = claimed(queue)
    queue.end(
        engine,
        task,
        Outcome.FAILED,
        "the key was refused",
        error="LoginRefused",
        summary={"seconds": {"take over": 0.1}, "lagging": ["web2"]},
    )
    said = seat.text(f"/task/{task.id}")
    assert "the key was refused" in said
    assert said.count("What to do: Look whether the account and its key") == 2, "at the top, and with the attempt"
    assert "web2 did not answer" in said
    assert "taken over (failed)" in said


def test_an_approver_approves_the_plan_that_was_shown(seat: Seat, queue: Queue) -> None:
    task = held(queue)
    page = seat.get(f"/task/{task}").text
    assert "more than half" in words(page) or "drops" in words(page)
    assert f'name="plan" value="{made().digest}"' in page
    assert "may go on with this plan" in seat.done(f"/task/{task}/approve", plan=made().digest, note="I looked")
    queue.intake.accept(queue.settings)
    assert queue.show(task).task.approved_plan == made().digest
    row = Audit(queue.db).find(task=task)[-1]
    assert (row.entry.kind, row.entry.who, row.entry.document["why"]) == ("approved", "ann", "I looked")


def test_another_plan_than_the_one_shown_is_not_approved(seat: Seat, queue: Queue) -> None:
    task = held(queue)
    assert "waits with another plan" in words(seat.post(f"/task/{task}/approve", 409, plan="ab" * 32).text)
    assert "names the plan" in words(seat.post(f"/task/{task}/approve", 400).text)
    assert queue.show(task).task.approved_plan is None


def test_only_an_approver_approves_and_only_an_operator_changes(seat: Seat, queue: Queue) -> None:
    task = held(queue)
    operator, viewer = seat.as_("operator"), seat.as_("viewer")
    operator.post(f"/task/{task}/approve", 403, plan=made().digest)
    viewer.post(f"/task/{task}/cancel", 403)
    assert "An approver lets it go on." in operator.text(f"/task/{task}")
    assert "formaction" in operator.get(f"/task/{task}").text
    assert "formaction" not in viewer.get(f"/task/{task}").text


def test_a_person_holds_releases_cancels_and_asks_again(seat: Seat, queue: Queue) -> None:
    task = queue.ready("/a")
    assert "on hold" in seat.done(f"/task/{task}/hold", note="wait for Monday")
    assert queue.show(task).task.hold
    assert "goes on" in seat.done(f"/task/{task}/release")
    assert "cancelling" in seat.done(f"/task/{task}/cancel")
    queue.intake.sweep()
    location = seat.post(f"/task/{task}/retry", note="it was right after all").headers["location"]
    again = queue.show(int(location.rsplit("/", 1)[1])).task
    assert (again.url, again.requested_by) == ("/a", "ann")
    assert again.note == f"rerun of task {task}: it was right after all"
    entries = Audit(queue.db).find(task=task)
    assert [row.entry.document.get("why") for row in entries if row.entry.kind == "held"] == ["wait for Monday"]
    assert {row.entry.who for row in entries if row.entry.kind in ("held", "released", "cancel asked")} == {"ann"}


def test_the_family_is_drawn_with_the_failed_first(seat: Seat, queue: Queue) -> None:
    made_of = queue.made(*(NewTask(f"/m{number}", "STAGING", generation=number % 2) for number in range(12)))
    parent = queue.show(made_of[0]).task.parent
    page = seat.get(f"/task/{parent}").text
    assert page.count('class="box') == 11
    assert "12 tasks came of it" in words(page)
    assert "dependent /m" in words(page)
    child = seat.get(f"/task/{made_of[0]}").text
    assert f'href="/task/{parent}"' in child
    assert "kin" not in seat.get(f"/task/{queue.ready('/alone')}").text


def test_what_is_not_there_is_not_found(sqlite_seat: Seat) -> None:
    assert "There is no task 99" in words(sqlite_seat.get("/task/99", 404).text)
    sqlite_seat.get("/task/none", 404)


def test_what_a_row_says_is_escaped(sqlite_seat: Seat, sqlite_queue: Queue) -> None:
    task = sqlite_queue.desk.insert(NewTask("/<b>", "STAGING", note="<script>alert(1)</script>", requested_by="<i>"))
    page = sqlite_seat.get(f"/task/{task}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
