"""VERIFY of a group: every member is looked at by itself, and whoever could not be looked at is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from answers import remarks
from database import State, TaskView
from support.bench import Bench, grouped

A = "/courses/a"
MEMBERS = ("web1", "web2")


@pytest.fixture
def loose(tmp_path: Path) -> Iterator[Bench]:
    """A group that goes on with one of two members; both have the module."""
    bench = grouped(tmp_path, quorum=1)
    bench.write(A, {"index.htm": "one", "b.htm": "b"})
    bench.well(A)
    yield bench
    bench.close()


def unmount(bench: Bench, name: str) -> Path:
    return bench.target(name).rename(bench.root / f"{name}.unmounted")


def mount(bench: Bench, name: str) -> None:
    (bench.root / f"{name}.unmounted").rename(bench.target(name))


def verified(bench: Bench, **parameters: bool) -> TaskView:
    return bench.do(A, "STAGING", "VERIFY", **parameters)


def open_breakers(bench: Bench) -> list[str]:
    return [breaker.name for breaker in bench.desk.breakers() if breaker.open]


def lagging(bench: Bench, files: dict[str, str]) -> None:
    """Publish while the second member is away, and mount it again."""
    unmount(bench, "web2")
    bench.write(A, files)
    attempt = bench.well(A).attempts[-1]
    assert (attempt.summary["lagging"], attempt.summary["room"] > 0) == (["web2"], True)
    assert remarks(attempt) == ("web2 did not answer, and has an older version for now.",)
    mount(bench, "web2")


@pytest.mark.parametrize("down", MEMBERS)
def test_a_member_that_is_down_is_no_all_clear(loose: Bench, down: str) -> None:
    unmount(loose, down)
    view = verified(loose)
    assert (view.task.state, view.task.attempts, view.attempts[-1].outcome) == (State.READY, 1, "RETRY")
    assert f"not every member could be looked at for {A} ({down}: its root folder is not there" in str(view.task.reason)
    # The group goes on without this member: nothing has to wait for it.
    assert open_breakers(loose) == []


def test_without_a_quorum_a_member_that_is_down_is_an_outage_of_the_group(tmp_path: Path) -> None:
    bench = grouped(tmp_path, quorum=None)
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    unmount(bench, "web2")
    view = verified(bench)
    assert (view.attempts[-1].outcome, view.task.attempts, open_breakers(bench)) == ("UNREACHABLE", 0, ["origin"])
    bench.close()


@pytest.mark.parametrize("damaged", MEMBERS)
def test_each_member_is_compared_with_its_slip_and_repaired(loose: Bench, damaged: str) -> None:
    (loose.target(damaged) / "courses/a/b.htm").write_text("changed")
    view = verified(loose)
    assert view.task.state is State.FAILED
    assert f"of 2 files of {A} on {damaged}, 0 are missing, 1 differ from the slip (b.htm)" in str(view.task.reason)
    assert verified(loose, repair=True).task.state is State.SUCCEEDED
    assert loose.live("web1") == loose.live("web2") == loose.wanted(A)
    assert verified(loose).task.state is State.SUCCEEDED


def test_a_member_that_lags_is_named_and_brought_up_to_date(loose: Bench) -> None:
    lagging(loose, {"index.htm": "two", "b.htm": "b"})
    view = verified(loose)
    assert view.task.state is State.FAILED
    assert f"web2: the version of {A} there is not the newest on origin" in str(view.task.reason)
    repaired = verified(loose, repair=True)
    assert repaired.task.reason == "brought up to date: web2"
    assert loose.live("web1") == loose.live("web2") == loose.wanted(A)
    assert verified(loose).task.state is State.SUCCEEDED


def test_a_file_that_is_stale_on_a_member_alone_is_noticed(loose: Bench) -> None:
    lagging(loose, {"index.htm": "one"})
    assert verified(loose).task.state is State.FAILED
    assert verified(loose, repair=True).task.state is State.SUCCEEDED
    assert loose.live("web1") == loose.live("web2") == loose.wanted(A)


def test_one_member_lags_and_the_other_is_damaged(loose: Bench) -> None:
    lagging(loose, {"index.htm": "two", "b.htm": "b", "new.htm": "n"})
    for path in ("new.htm", "b.htm"):
        (loose.target("web1") / "courses/a" / path).unlink()
    view = verified(loose, repair=True)
    assert view.task.reason == "2 files on origin were missing or damaged and were put back; brought up to date: web2"
    assert loose.live("web1") == loose.live("web2") == loose.wanted(A)
    assert verified(loose).task.state is State.SUCCEEDED


def test_what_can_be_reached_is_repaired_and_the_rest_is_tried_again(loose: Bench) -> None:
    unmount(loose, "web2")
    (loose.target("web1") / "courses/a/b.htm").unlink()
    dry = verified(loose)
    assert dry.task.state is State.FAILED
    assert "web2 could not be looked at" in str(dry.task.reason)
    view = verified(loose, repair=True)
    assert (view.task.state, view.attempts[-1].outcome) == (State.READY, "RETRY")
    assert loose.live("web1") == loose.wanted(A)


def test_an_emptied_member_gets_the_module_back(loose: Bench) -> None:
    for path in sorted(loose.target("web1").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert "web1: the version of" in str(verified(loose).task.reason)
    assert verified(loose, repair=True).task.state is State.SUCCEEDED
    assert loose.live("web1") == loose.live("web2") == loose.wanted(A)


def test_a_member_that_missed_an_unpublish_does_not_bring_the_module_back(loose: Bench) -> None:
    unmount(loose, "web2")
    loose.well(A, action="UNPUBLISH")
    mount(loose, "web2")
    view = verified(loose, repair=True)
    assert view.task.state is State.FAILED
    assert f"{A} was unpublished on origin, but still lies on web2; unpublish it again" in str(view.task.reason)
    loose.well(A, action="UNPUBLISH")
    assert not loose.live("web1")
    assert not loose.live("web2")
    assert "nothing to verify" in str(verified(loose).task.reason)


def test_nothing_is_there_where_somebody_looked(loose: Bench) -> None:
    loose.well(A, action="UNPUBLISH")
    unmount(loose, "web2")
    assert verified(loose).attempts[-1].outcome == "RETRY"
