"""What goes wrong at the wrong moment: outages just after a switch, a group half ahead, a worker that meets a fault."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from database import DatabaseUnavailable, Publication, Record, State
from engines.workshop import Targets
from packageslip import Packageslip, View, ViewKind
from sources import SourceUnreachable
from support.bench import Bench, grouped
from targets import Claim, OrderedTarget, Present, Target, TargetUnreachable

A, PHYSICS = "/courses/a", "/courses/physics"


def course_with_department(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one"}, module_type="course")
    bench.put_slip(replace(slip, dependents=(PHYSICS,)))
    bench.write(PHYSICS, {"index.htm": "list"})


def out_after_switch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database does not answer once, just after the first switch."""
    look: Callable[[Record, str, str], Publication | None] = Record.current
    down: list[bool] = []

    def reached(point: str) -> None:
        if point == "switched" and not down:
            down.append(True)

    def current(record: Record, target: str, url: str) -> Publication | None:
        if down == [True]:
            down.append(False)
            raise DatabaseUnavailable("the database does not answer")
        return look(record, target, url)

    bench.reached = reached
    monkeypatch.setattr(Record, "current", current)


def test_dependents_are_asked_for_although_the_attempt_was_given_back(bench: Bench) -> None:
    course_with_department(bench)
    down = ["once"]

    def reached(point: str) -> None:
        if point == "finishing" and down:
            raise DatabaseUnavailable(f"the database does not answer {down.pop()}")

    bench.reached = reached
    task = bench.insert(A)
    bench.run()
    view = bench.desk.show(task)
    assert [attempt.outcome for attempt in view.attempts] == ["RELEASED", "SUCCEEDED"]
    assert {(child.action, child.url) for child in view.children} == {("DELIVER", A), ("PUBLISH", PHYSICS)}


def test_the_same_after_an_unpublish(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    course_with_department(bench)
    for environment in ("STAGING", "PRODUCTION"):
        for url in (A, PHYSICS):
            bench.well(url, environment)
    out_after_switch(bench, monkeypatch)
    task = bench.insert(A, "PRODUCTION", "UNPUBLISH")
    bench.run("PRODUCTION")
    view = bench.desk.show(task)
    assert view.task.state is State.SUCCEEDED
    assert [(child.action, child.url) for child in view.children] == [("PUBLISH", PHYSICS)]


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Bench]:
    """STAGING publishes to web1 and web2 together; one of them may lag."""
    bench = grouped(tmp_path, quorum=1)
    yield bench
    bench.close()


def test_a_member_that_lags_is_named(group: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    group.write(A, {"index.htm": "one"})
    takes_over = OrderedTarget.present

    def present(target: OrderedTarget, url: str, claim: Claim) -> Present:
        if target.name == "web2":
            raise TargetUnreachable("web2 does not answer", target="web2")
        return takes_over(target, url, claim)

    monkeypatch.setattr(OrderedTarget, "present", present)
    reasons = [group.well(A, action=action).task.reason for action in ("PUBLISH", "PUBLISH", "UNPUBLISH", "UNPUBLISH")]
    looked_after, told = ", and a VERIFY looks after it", ": do this again when it does"
    assert [reason.partition("; web2 did not answer")[2] for reason in reasons if reason] == [
        looked_after,
        told,
        looked_after,
        told,
    ]
    monkeypatch.undo()
    assert group.well(A).task.reason == "live on origin: 2 files put, 0 dropped, 0 kept"


def test_a_member_that_is_newer_than_the_queue_can_be_approved(group: Bench) -> None:
    group.write(A, {"index.htm": "one"})
    group.well(A)
    (record,) = group.target("web2").glob(".slipway/modules-*/modules/*/slip.xml")
    record.write_text(re.sub(r'serial="\d+"', 'serial="999"', record.read_text()))
    group.write(A, {"index.htm": "two"})
    held = group.do(A)
    assert held.task.state is State.HELD
    assert "web2" in (held.task.reason or "")
    assert held.plan is not None
    group.desk.approve(held.task.id, held.plan.digest)
    group.run()
    assert group.desk.show(held.task.id).task.state is State.SUCCEEDED
    assert group.live("web1") == group.live("web2") == group.wanted(A)


def test_a_repair_leaves_sound_views_alone(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one", "feed.xml": "feed 1"})
    resources = tuple(each for each in slip.resources if each.path != "feed.xml")
    bench.put_slip(replace(slip, resources=resources, views=(View("feed.xml", ViewKind.FEED),)))
    bench.well(A)
    (bench.site(A) / "feed.xml").write_text("feed 2")
    shutil.rmtree(bench.root / "state/store")
    (bench.target("origin") / "courses/a/index.htm").unlink()
    assert bench.well(A, action="VERIFY", repair=True).attempts[-1].summary["put"] == 1
    assert (bench.target("origin") / "courses/a/index.htm").read_text() == "one"
    assert (bench.target("origin") / "courses/a/feed.xml").read_text() == "feed 1"


def test_a_target_that_cannot_even_be_closed_does_not_end_the_worker() -> None:
    class Broken:
        closed = 0

        def close(self) -> None:
            Broken.closed += 1
            raise EOFError("nothing there any more")

    targets = Targets(lambda name: _as_target(Broken()))
    targets.get("origin")
    targets.close()
    targets.close()
    assert Broken.closed == 1


def _as_target(thing: object) -> Target:
    return thing  # type: ignore[return-value]


def test_a_fault_while_an_error_is_judged_ends_the_task_and_not_the_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write(A, {"index.htm": "one"})

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug in the judgement")

    monkeypatch.setattr("engines.workshop.execute", broken)
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert "a bug in the judgement" in (view.task.reason or "")


def test_an_origin_that_lost_everything_is_no_origin_without_faults(bench: Bench) -> None:
    bench.write("/", {"index.htm": "home"})
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    bench.well("/")
    shutil.rmtree(bench.target("origin"))
    bench.target("origin").mkdir()
    view = bench.do(A, action="VERIFY")
    assert view.task.state is State.FAILED
    assert "should be live on origin since" in (view.task.reason or "")
    bench.well("/", action="VERIFY", all=True)
    verified = [task for task in bench.desk.find(action="VERIFY", limit=10) if not task.parameters.get("all")]
    assert {(task.url, task.state) for task in verified} == {(A, State.FAILED), ("/", State.FAILED)}


def test_who_is_no_longer_named_as_a_dependent_is_made_again_once_more(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one"})
    for url in (PHYSICS, "/courses/chemistry"):
        bench.write(url, {"index.htm": url})
    bench.put_slip(replace(slip, dependents=(PHYSICS,), linked_departments=("99",)))
    bench.well(A)
    moved = replace(slip, dependents=("/courses/chemistry",), linked_departments=("99",))
    bench.put_slip(moved)
    view = bench.well(A)
    assert sorted(child.url for child in view.children) == ["/courses/chemistry", PHYSICS]
    assert view.attempts[-1].summary["unknown_departments"] == ["99"]
    bench.put_slip(replace(moved, title="Later"))
    assert [child.url for child in bench.well(A).children] == ["/courses/chemistry"]


def test_an_outage_that_a_delivery_meets_at_the_source_costs_it_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write(A, {"index.htm": "one"}, module_type="course")

    def lost(point: str) -> None:
        if point == "finishing":
            shutil.rmtree(bench.root / "state/store")
            (bench.target("origin") / "courses/a/index.htm").unlink()
            monkeypatch.setattr(bench.workshop("STAGING").sources.get("cms"), "slip", _no_answer)
            bench.reached = lambda _: None

    bench.reached = lost
    bench.insert(A)
    views = bench.run()
    assert [(view.task.action, view.task.state) for view in views] == [("PUBLISH", State.SUCCEEDED), ("DELIVER", State.READY)]
    delivery = views[-1].task
    assert delivery.attempts == 0
    assert delivery.run_after is not None
    assert delivery.created_at is not None
    assert delivery.run_after > delivery.created_at
    assert (delivery.reason or "").endswith("it is tried again by itself, and loses no attempt")
    assert not [breaker for breaker in bench.desk.breakers() if breaker.open]


def _no_answer(_url: str) -> Packageslip:
    raise SourceUnreachable("cms does not answer", source="cms")
