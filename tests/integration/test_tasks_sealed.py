"""A module that nobody has touched since it was published is not taken over again, and anything else breaks its seal."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from config import queue_url
from database import Database, Seal, State, renew_queue_id, schema
from packageslip import View, ViewKind
from sources import TransientSourceError
from support.bench import Bench, grouped, settings_of
from support.claims import TestQueue
from support.signers import Signers
from targets import Moved, TargetUnreachable
from targets.release import OrderedRelease

A = "/courses/a"
NOTHING = "live on origin: nothing had to move, 2 files are as they should be"
FILES = {"index.htm": "one", "b.pdf": "two"}


def steps(bench: Bench, **parameters: Any) -> list[str]:
    """What a publish of the module did, step by step."""
    return list(bench.well(A, **parameters).attempts[-1].summary["seconds"])


def seal(bench: Bench) -> Seal | None:
    return bench.workshop("STAGING").record.seal("origin", A)


@pytest.fixture
def sealed(bench: Bench) -> Bench:
    bench.write(A, FILES)
    bench.well(A)
    assert seal(bench), "a publish leaves one"
    return bench


def test_nothing_is_taken_over_where_nothing_changed(sealed: Bench) -> None:
    before = seal(sealed)
    view = sealed.well(A)
    assert view.task.reason == NOTHING
    assert list(view.attempts[-1].summary["seconds"]) == ["look", "load"]
    assert (view.attempts[-1].summary["put"], view.attempts[-1].summary["keep"]) == (0, 2)
    assert seal(sealed) == before


def test_a_change_at_the_source_is_published(sealed: Bench) -> None:
    sealed.write(A, {"index.htm": "two", "b.pdf": "two"})
    assert "take over" in steps(sealed)
    assert sealed.live("origin") == sealed.wanted(A)
    assert steps(sealed) == ["look", "load"], "and sealed again"


def test_a_slip_that_only_looks_different_is_read_and_compared(sealed: Bench) -> None:
    slip = sealed.site(A) / "packageslip.xml"
    slip.write_bytes(slip.read_bytes() + b"<!-- saved again -->\n")
    view = sealed.well(A)
    assert view.task.reason == NOTHING
    assert "take over" in view.attempts[-1].summary["seconds"]
    assert steps(sealed) == ["look", "load"]


def commit_record(bench: Bench) -> Path:
    [record] = bench.target("origin").glob(".slipway/*/modules/+courses+a/slip.xml")
    return record


def rewritten(bench: Bench) -> None:
    record = commit_record(bench)
    record.write_bytes(record.read_bytes() + b" ")


def touched(bench: Bench) -> None:
    os.utime(commit_record(bench), (1, 1))


def taken_over(bench: Bench) -> None:
    """Whoever it was: it did nothing more, and still may have."""
    queue = TestQueue(bench.database.queue_id, counter=1000)
    bench.workshop("STAGING").open_target("origin").present(A, queue.claim())
    bench.database.change(lambda connection: connection.exec_driver_sql("UPDATE counter SET value = 2000"))


def lost(bench: Bench) -> None:
    """An engine dies while it has a task of another module: it may be about to write, who knows where."""
    bench.write("/courses/b", {"index.htm": "b"})
    bench.insert("/courses/b")
    workshop = bench.workshop("STAGING")
    other = workshop.leases.register("STAGING", "host", "boot", 2, 3600, "test")
    mine, workshop.engine = workshop.engine, other
    assert workshop.claims.start(other, bench.claim("STAGING"))
    workshop.engine = mine
    assert workshop.leases.bury(other.start)


def forgotten(bench: Bench) -> None:
    bench.workshop("STAGING").record.forget("origin", [A])


def recorded_otherwise(bench: Bench) -> None:
    bench.database.change(lambda connection: connection.exec_driver_sql("UPDATE publication SET serial = serial + 1"))


def module_below(bench: Bench) -> None:
    bench.write(f"{A}/seminar", {"index.htm": "below"})
    bench.well(f"{A}/seminar")


@pytest.mark.parametrize("happens", [rewritten, touched, taken_over, lost, forgotten, recorded_otherwise, module_below])
def test_what_breaks_the_seal(sealed: Bench, happens: Callable[[Bench], None]) -> None:
    happens(sealed)
    assert "take over" in steps(sealed)
    assert sealed.live("origin")["courses/a/index.htm"] == sealed.wanted(A)["courses/a/index.htm"]


def test_a_record_that_was_removed_by_hand_is_written_again(sealed: Bench) -> None:
    commit_record(sealed).unlink()
    for name in FILES:
        (sealed.target("origin") / "courses/a" / name).unlink()
    assert "take over" in steps(sealed)
    assert sealed.live("origin") == sealed.wanted(A)


def test_full_mode_asks_for_no_seal(sealed: Bench) -> None:
    assert "take over" in steps(sealed, mode="full")
    assert steps(sealed) == ["look", "load"]


def test_a_dry_run_plans_and_leaves_no_seal(sealed: Bench) -> None:
    before = seal(sealed)
    assert "plan" in steps(sealed, dry_run=True)
    assert seal(sealed) == before


def test_an_unpublished_module_is_published_again(sealed: Bench) -> None:
    sealed.well(A, action="UNPUBLISH")
    assert seal(sealed) is None
    assert "take over" in steps(sealed)
    assert sealed.live("origin") == sealed.wanted(A)


@pytest.mark.parametrize("left_open", ["digest", "view"])
def test_what_has_to_be_asked_for_each_time_is_never_sealed(bench: Bench, left_open: str) -> None:
    slip = bench.write(A, {**FILES, "feed.xml": "feed"})
    if left_open == "digest":
        bench.put_slip(replace(slip, resources=(replace(slip.resources[0], digest=None), *slip.resources[1:])))
    else:
        resources = tuple(each for each in slip.resources if each.path != "feed.xml")
        bench.put_slip(replace(slip, resources=resources, views=(View("feed.xml", ViewKind.FEED),)))
    bench.well(A)
    assert seal(bench) is None
    assert "take over" in steps(bench)


def test_a_target_that_cannot_be_looked_at_is_an_outage_like_any_other(sealed: Bench) -> None:
    root = sealed.target("origin")
    root.rename(root.with_name("unmounted"))
    view = sealed.do(A)
    assert view.attempts[-1].outcome == "UNREACHABLE"
    root.with_name("unmounted").rename(root)


def test_a_queue_with_another_id_goes_by_no_seal_of_before(sealed: Bench) -> None:
    """Only its adoption shuts the engines of before out of a target: until then they may still come."""
    renew_queue_id(sealed.database)
    sealed.anew()
    sealed.database.close()
    sealed.database = Database.connect(queue_url(sealed.settings))
    view = sealed.do(A)
    assert view.task.state is State.FAILED
    assert "slipway target adopt" in (view.task.reason or "")


def test_what_a_holding_area_lacks_is_delivered_although_nothing_moves(bench: Bench) -> None:
    bench.write(A, FILES, module_type="course")
    bench.well(A)
    bench.wipe("area")
    bench.workshop("STAGING").record.forget("area", [A])
    view = bench.well(A)
    assert view.task.reason == NOTHING
    assert list(view.attempts[-1].summary["seconds"]) == ["look", "load"]
    assert bench.live("area") == bench.wanted(A)


def test_a_second_attempt_goes_by_no_seal(sealed: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far the first one came nobody knows, nor whether it asked for dependents."""
    answers = [TransientSourceError("cms is busy", source="cms")]
    source = sealed.workshop("STAGING").sources.get("cms")
    monkeypatch.setattr(source, "news", lambda url, seen: _raise(answers.pop()))
    task = sealed.do(A).task
    assert task.state is State.READY
    due = update(schema.queue).where(schema.queue.c.id == task.id).values(run_after=schema.NOW)
    sealed.database.change(lambda connection: connection.execute(due))
    [view] = sealed.run()
    assert view.task.reason == NOTHING
    assert "take over" in view.attempts[-1].summary["seconds"]


def _raise(error: Exception) -> None:
    raise error


def with_settings(bench: Bench, **more: Any) -> None:
    """Engines that are started from now on have these settings."""
    bench.settings = settings_of(bench.root, **more)
    bench.anew()


def test_signatures_that_are_asked_for_by_now_are_looked_at(sealed: Bench, tmp_path: Path) -> None:
    place = {"kind": "directory", "path": str(sealed.root / "site")}
    signatures = {"keys": [Signers(tmp_path / "keys").key()]}
    with_settings(sealed, sources={"cms": {**place, "signatures": signatures}})
    view = sealed.do(A)
    assert view.task.state is State.FAILED
    assert "is not signed" in (view.task.reason or "")


def test_another_source_has_no_seal_yet(sealed: Bench) -> None:
    place = {"kind": "directory", "path": str(sealed.root / "site")}
    with_settings(sealed, sources={"other": place}, environments={"STAGING": {"source": "other", "origin": "origin"}})
    assert "take over" in steps(sealed)
    assert steps(sealed) == ["look", "load"]


def test_stale_files_that_wait_for_their_end_leave_no_seal(bench: Bench) -> None:
    origin = {"kind": "local", "root": str(bench.target("origin")), "delete_grace": 900}
    environments = {"STAGING": {"source": "cms", "origin": "origin"}}
    with_settings(bench, targets={"origin": origin}, environments=environments)
    bench.write(A, FILES)
    bench.well(A)
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    assert "take over" in steps(bench)
    assert "1 stale ones stay" in (bench.well(A).task.reason or "")


def test_an_approved_plan_is_looked_at_again_whatever_the_seal_says(sealed: Bench) -> None:
    """The attempt that was held had taken the module over."""
    before, slip = seal(sealed), sealed.site(A) / "packageslip.xml"
    as_sealed = slip.read_bytes()
    sealed.write(A, {"b.pdf": "two"})
    held = sealed.do(A)
    assert held.plan, "the index page would go"
    sealed.write(A, FILES)
    slip.write_bytes(as_sealed)
    assert seal(sealed) == before
    sealed.desk.approve(held.task.id, held.plan.digest)
    [view] = sealed.run()
    assert "take over" in view.attempts[-1].summary["seconds"]
    assert sealed.live("origin") == sealed.wanted(A)


def test_a_member_that_is_behind_leaves_the_group_no_seal(tmp_path: Path) -> None:
    bench = grouped(tmp_path, quorum=1)
    bench.write(A, FILES)
    bench.well(A)
    assert steps(bench) == ["look", "load"]
    away = bench.target("web2").rename(tmp_path / "away")
    view = bench.well(A)
    assert ("take over" in view.attempts[-1].summary["seconds"], view.attempts[-1].summary["lagging"]) == (True, ["web2"])
    away.rename(bench.target("web2"))
    assert "take over" in steps(bench), "there was none, although the one that was there is as it was"
    assert steps(bench) == ["look", "load"]
    bench.close()


def test_a_member_that_falls_behind_at_the_switch_leaves_none_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    switch = OrderedRelease.switch

    def cut(release: OrderedRelease) -> Moved:
        if release.hold.target == "web2":
            raise TargetUnreachable("web2 does not answer", target="web2")
        return switch(release)

    bench = grouped(tmp_path, quorum=1)
    bench.write(A, FILES)
    bench.well(A)
    bench.write(A, {**FILES, "index.htm": "two"})
    with monkeypatch.context() as away:
        away.setattr(OrderedRelease, "switch", cut)
        assert bench.well(A).attempts[-1].summary["lagging"] == ["web2"]
    assert seal(bench) is None
    assert "take over" in steps(bench)
    assert bench.live("web2") == bench.wanted(A)
    bench.close()
