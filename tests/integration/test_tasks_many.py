"""REPUBLISH and VERIFY: of many modules in chunks, and of one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from database import State, TaskView
from packageslip import Packageslip, View, ViewKind
from support.bench import Bench
from targets import TargetBusy

A = "/courses/a"


@pytest.fixture
def many(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("tasks.expand.CHUNK", 2)
    for number in range(5):
        bench.write(
            f"/courses/{number}", {"index.htm": str(number)}, module_type="course", state="published" if number % 2 else "draft"
        )
    bench.write("/about", {"index.htm": "about"}, module_type="page", state="published")
    return bench


def urls(views: list[TaskView], action: str = "PUBLISH") -> list[str]:
    return sorted(view.task.url for view in views if view.task.action == action)


def test_a_republish_publishes_every_module_of_the_source(many: Bench) -> None:
    task = many.insert("/", action="REPUBLISH")
    views = many.run()
    assert urls(views) == ["/about", *(f"/courses/{n}" for n in range(5))]
    assert views[0].task.id == task
    assert views[0].task.reason == "6 modules have their PUBLISH task"
    assert {view.task.batch for view in views if view.task.action == "PUBLISH"} == {task}


@pytest.mark.parametrize(
    ("url", "filters", "meant"),
    [
        ("/", {"types": ["page"]}, ["/about"]),
        ("/", {"states": ["published"], "types": ["course"]}, ["/courses/1", "/courses/3"]),
        ("/", {"prefix": "/courses/3"}, ["/courses/3"]),
        ("/courses", {"states": ["published"]}, ["/courses/1", "/courses/3"]),
        ("/cour", {}, []),
    ],
)
def test_a_republish_can_be_filtered(many: Bench, url: str, filters: dict[str, Any], meant: list[str]) -> None:
    many.insert(url, action="REPUBLISH", **filters)
    assert urls(many.run()) == meant


def test_a_republish_of_what_the_target_holds(many: Bench) -> None:
    many.well("/about")
    many.insert("/", action="REPUBLISH", mode="full", **{"from": "target"})
    views = many.run()
    assert urls(views) == ["/about"]
    assert views[1].attempts[-1].summary["put"] == 1


def test_a_dry_republish_inserts_nothing(many: Bench) -> None:
    view = many.well("/", action="REPUBLISH", dry_run=True)
    assert view.task.reason == "dry run: 6 modules would get a PUBLISH task"
    assert view.attempts[-1].summary["urls"][0] == "/about"
    assert not view.children


def test_a_republish_goes_on_behind_its_cursor(many: Bench) -> None:
    task = many.insert("/", action="REPUBLISH")
    inserted: list[int] = []
    workshop = many.workshop("STAGING")
    whole = workshop.claims.expand

    def break_off(engine, parent, rows, cursor) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        if len(inserted) == 2:
            inserted.append(0)
            raise TargetBusy("broken off")
        inserted.append(len(rows))
        whole(engine, parent, rows, cursor)

    workshop.claims.expand = break_off  # type: ignore[method-assign,assignment]
    many.run()
    assert many.desk.show(task).task.cursor == "/courses/2"
    make_due(many)
    views = many.run()
    assert many.desk.show(task).task.state is State.SUCCEEDED
    assert urls(views) == ["/courses/3", "/courses/4"]
    assert inserted == [2, 2, 0, 2]


def make_due(bench: Bench) -> None:
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql("UPDATE publication_task_queue SET run_after='2020-01-01 00:00:00' WHERE status='READY'")


@pytest.mark.parametrize("source", ["source", "target"])
def test_a_republish_of_promotions_is_bound_to_what_is_staged(bench: Bench, source: str) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    if source == "target":
        bench.well(A, "PRODUCTION")
    staged = bench.workshop("STAGING").record.current("origin", A)
    bench.insert("/", "PRODUCTION", "REPUBLISH", **{"from": source})
    published = bench.run("PRODUCTION")[-1].task
    assert staged is not None
    assert (published.url, published.version) == (A, staged.version)
    assert bench.live("production") == bench.live("origin")


@pytest.fixture
def live(bench: Bench) -> Bench:
    bench.write(A, {"index.htm": "one", "b.pdf": "two", "c.pdf": "three"})
    bench.well(A)
    return bench


def file(bench: Bench, path: str) -> Path:
    return bench.target("origin") / "courses/a" / path


def test_verify_finds_nothing_wrong(live: Bench) -> None:
    view = live.well(A, action="VERIFY")
    assert view.task.reason == "all 3 files on origin are as their slip says"


def test_verify_of_what_is_not_published_says_so(bench: Bench) -> None:
    assert "nothing to verify" in (bench.well(A, action="VERIFY").task.reason or "")


def test_verify_names_what_is_missing_and_what_differs(live: Bench) -> None:
    file(live, "b.pdf").unlink()
    file(live, "c.pdf").write_text("changed")
    view = live.do(A, action="VERIFY")
    assert view.task.state is State.FAILED
    assert "1 are missing, 1 differ from the slip (b.pdf, c.pdf)" in (view.task.reason or "")
    assert view.attempts[-1].summary["missing"] == ["b.pdf"]
    assert not file(live, "b.pdf").exists()


def test_repair_puts_back_what_is_wrong_and_nothing_else(live: Bench) -> None:
    file(live, "b.pdf").unlink()
    file(live, "c.pdf").write_text("changed")
    view = live.well(A, action="VERIFY", repair=True)
    assert view.attempts[-1].summary["put"] == 2
    assert live.live("origin") == live.wanted(A)
    live.well(A, action="VERIFY")


def test_a_dry_repair_repairs_nothing(live: Bench) -> None:
    file(live, "b.pdf").unlink()
    assert live.do(A, action="VERIFY", repair=True, dry_run=True).task.state is State.FAILED
    assert not file(live, "b.pdf").exists()


def test_repair_without_the_store_asks_the_source_for_these_very_bytes(live: Bench) -> None:
    forget(live)
    file(live, "b.pdf").unlink()
    assert live.well(A, action="VERIFY", repair=True).attempts[-1].summary["fetched"] == 1
    assert live.live("origin") == live.wanted(A)


def test_repair_of_bytes_that_nobody_has_fails_with_a_sentence(live: Bench) -> None:
    forget(live)
    file(live, "b.pdf").unlink()
    live.write(A, {"index.htm": "one"})
    view = live.do(A, action="VERIFY", repair=True)
    assert view.task.state is State.FAILED
    assert "publish the present version instead" in (view.task.reason or "")


def test_repair_of_a_view_asks_for_it_anew(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one", "feed.xml": "feed 1"})
    resources = tuple(each for each in slip.resources if each.path != "feed.xml")
    bench.put_slip(replace(slip, resources=resources, views=(View("feed.xml", ViewKind.FEED),)))
    bench.well(A)
    forget(bench)
    file(bench, "feed.xml").unlink()
    bench.well(A, action="VERIFY", repair=True)
    assert file(bench, "feed.xml").read_text() == "feed 1"


def forget(bench: Bench) -> None:
    for blob in (bench.root / "state/store").rglob("*"):
        if blob.is_file():
            blob.unlink()


def test_verify_of_everything_makes_a_task_for_each_module(many: Bench) -> None:
    many.insert("/", action="REPUBLISH", types=["course"])
    many.run()
    (many.target("origin") / "courses/3/index.htm").unlink()
    many.insert("/", action="VERIFY", all=True, repair=True)
    views = many.run()
    assert urls(views, "VERIFY") == ["/", *(f"/courses/{n}" for n in range(5))]
    assert (many.target("origin") / "courses/3/index.htm").exists()


def test_a_module_that_changes_while_it_is_verified_is_read_again(live: Bench) -> None:
    reads: list[int] = []

    class Changing:
        def __init__(self, whole: object) -> None:
            self.whole = whole

        def __getattr__(self, name: str) -> object:
            return getattr(self.whole, name)

        def slip(self, url: str) -> Packageslip:
            reads.append(1)
            found: Packageslip = self.whole.slip(url)  # type: ignore[attr-defined]
            return replace(found, serial=100 + len(reads)) if len(reads) in stale else found

    live.wrap = lambda name, target: Changing(target)  # type: ignore[assignment,return-value]
    stale = {1}
    live.well(A, action="VERIFY")
    assert len(reads) == 3
    reads.clear()
    stale = {1, 2, 3, 4}
    view = live.do(A, action="VERIFY")
    assert view.task.state is State.READY
    assert "origin: /courses/a changes while it is verified" in (view.attempts[-1].reason or "")
