"""Files that a release leaves out stay for a while, and somebody comes back for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from database import Action, Leases, NewTask, State, Task, schema
from packageslip import Stale
from support.bench import Bench, settings_of

A = "/courses/a"
GRACE = 900
OLD = {"index.htm": "old", "a.css": "a", "b.css": "b"}
NEW = {"index.htm": "new", "b.css": "b"}


class Clock:
    """How far the database's clock is ahead of what it really is."""

    ahead = timedelta(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(Leases, "now", lambda _: datetime.now(UTC) + made.ahead)
    return made


def bench_with(tmp_path: Path, **origin: object) -> Bench:
    places = {name: {"kind": "local", "root": str(tmp_path / "targets" / name)} for name in ("origin", "area", "production")}
    for name in places:
        (tmp_path / "targets" / name).mkdir(parents=True)
    return Bench(tmp_path, settings_of(tmp_path, targets={**places, "origin": {**places["origin"], **origin}}))


@pytest.fixture
def graceful(tmp_path: Path, clock: Clock) -> Iterator[Bench]:
    """The old module was replaced by the new one on an origin with a grace."""
    bench = bench_with(tmp_path, delete_grace=GRACE)
    bench.write(A, OLD)
    bench.well(A)
    bench.write(A, NEW)
    bench.well(A)
    yield bench
    bench.close()


def later(bench: Bench, clock: Clock) -> None:
    """The grace is over: the rows that wait for it are due, and clocks say so."""
    clock.ahead += timedelta(seconds=GRACE + 20)
    due = update(schema.queue).where(schema.queue.c.status.in_(["NEW", "READY"])).values(run_after=schema.NOW)
    bench.database.change(lambda connection: connection.execute(due))


def waiting(bench: Bench) -> list[Task]:
    return [task for task in bench.desk.find(url=A) if task.action == Action.EXPIRE and task.state in {State.NEW, State.READY}]


def stale(bench: Bench, name: str = "origin") -> list[str]:
    slip = bench.workshop("STAGING").open_target(name).slip(A)
    assert slip is not None
    return [file.path for file in slip.stale]


def names(bench: Bench, name: str = "origin") -> list[str]:
    return sorted(path.removeprefix("courses/a/") for path in bench.live(name))


def test_what_a_release_leaves_out_goes_when_its_grace_is_over(graceful: Bench, clock: Clock) -> None:
    assert (names(graceful), stale(graceful)) == (["a.css", "b.css", "index.htm"], ["a.css"])
    (row,) = waiting(graceful)
    assert row.run_after is not None
    assert timedelta(seconds=GRACE) < row.run_after - datetime.now(UTC) < timedelta(seconds=GRACE + 60)
    assert graceful.run() == []
    later(graceful, clock)
    (expired,) = graceful.run()
    assert expired.task.state is State.SUCCEEDED
    assert expired.task.reason == f"1 stale files of {A} are gone from origin"
    assert (names(graceful), stale(graceful), waiting(graceful)) == (["b.css", "index.htm"], [], [])


def test_an_expiry_is_no_publication(graceful: Bench, clock: Clock) -> None:
    record = graceful.workshop("STAGING").record
    before = record.current("origin", A)
    later(graceful, clock)
    graceful.run()
    assert record.current("origin", A) == before
    assert graceful.well(A).task.reason == "live on origin: nothing had to move, 2 files are as they should be"
    assert record.current("origin", A) == before


def test_publishing_again_moves_nothing_while_files_are_stale(graceful: Bench) -> None:
    view = graceful.well(A)
    assert view.task.reason == "live on origin: nothing had to move, 2 files are as they should be, 1 stale ones stay for a while"
    publication = graceful.workshop("STAGING").record.current("origin", A)
    assert publication is not None
    assert publication.task != view.task.id


def test_one_that_is_listed_again_is_kept_without_a_transfer(graceful: Bench, clock: Clock) -> None:
    graceful.write(A, {**NEW, "a.css": "a"})
    view = graceful.well(A)
    assert view.attempts[-1].summary["put"] == 0
    later(graceful, clock)
    graceful.run()
    assert (names(graceful), stale(graceful)) == (["a.css", "b.css", "index.htm"], [])


def test_a_stale_file_that_is_listed_again_is_no_stranger(graceful: Bench) -> None:
    graceful.write(A, {**NEW, "a.css": "other"})
    assert graceful.well(A).attempts[-1].summary["put"] == 1
    assert graceful.live("origin") == graceful.wanted(A)


def test_the_guard_counts_what_leaves_whenever_it_goes(graceful: Bench, clock: Clock) -> None:
    graceful.write(A, {f"{n:02}.htm": str(n) for n in range(40)})
    held = graceful.do(A)
    assert (held.task.state, held.plan is not None) == (State.HELD, True)
    assert held.plan is not None
    # Whatever goes meanwhile because its grace is over makes no approval void.
    later(graceful, clock)
    graceful.desk.approve(held.task.id, held.plan.digest)
    graceful.run()
    assert graceful.desk.show(held.task.id).task.state is State.SUCCEEDED
    graceful.write(A, {"00.htm": "0"})
    assert graceful.do(A).task.state is State.HELD


def test_a_plan_says_until_when_a_file_stays(graceful: Bench) -> None:
    graceful.write(A, {"index.htm": "new"})
    plan = graceful.well(A, dry_run=True).attempts[-1].summary["plan"]
    sentences = {change["path"]: change["sentence"] for change in plan["changes"]}
    assert plan["counts"]["stale"] == 2
    assert "is stale, and still stays for visitors with an older page: kept until 20" in sentences["a.css"]
    assert "is no longer listed, and stays for visitors with an older page: kept until 20" in sentences["b.css"]
    assert len(waiting(graceful)) == 1


def test_an_unpublish_takes_everything_at_once(graceful: Bench, clock: Clock) -> None:
    graceful.well(A, action="UNPUBLISH")
    assert names(graceful) == []
    later(graceful, clock)
    (view,) = graceful.run()
    assert view.task.reason == f"no file of {A} on origin is stale and over its grace"


def test_verify_comes_back_for_what_a_lost_queue_forgot(graceful: Bench, clock: Clock) -> None:
    for task in waiting(graceful):
        graceful.desk.cancel([task.id])
    clock.ahead += timedelta(seconds=GRACE + 20)
    assert graceful.well(A, action="VERIFY").task.reason == "all 2 files on origin are as their slip says"
    clock.ahead += timedelta(seconds=60)
    assert "1 stale files there are over their grace, and go by a task" in str(graceful.well(A, action="VERIFY").task.reason)
    assert (names(graceful), stale(graceful)) == (["b.css", "index.htm"], [])


def test_a_missing_stale_file_is_no_drift(graceful: Bench, clock: Clock) -> None:
    (graceful.target("origin") / "courses/a/a.css").unlink()
    graceful.well(A, action="VERIFY")
    later(graceful, clock)
    assert [view.task.state for view in graceful.run()] == [State.SUCCEEDED]
    assert stale(graceful) == []


def test_a_dry_run_says_what_would_go(graceful: Bench, clock: Clock) -> None:
    before = graceful.well(A, action="EXPIRE", dry_run=True).task.reason
    assert str(before).startswith(f"dry run: 0 stale files of {A} would go from origin; 1 stay, the last until 20")
    clock.ahead += timedelta(seconds=GRACE + 20)
    after = graceful.well(A, action="EXPIRE", dry_run=True).task.reason
    assert after == f"dry run: 1 stale files of {A} would go from origin"
    assert stale(graceful) == ["a.css"]


def test_a_promotion_takes_nothing_stale_along(graceful: Bench) -> None:
    graceful.well(A, "PRODUCTION")
    assert names(graceful, "production") == sorted(NEW)
    slip = graceful.workshop("STAGING").open_target("production").slip(A)
    assert slip is not None
    assert slip.stale == ()
    record = graceful.workshop("STAGING").record.slip("origin", A)
    assert record is not None
    assert record.stale == ()


def test_whoever_finishes_a_dead_engines_release_comes_back_too(tmp_path: Path, clock: Clock) -> None:
    bench = bench_with(tmp_path, delete_grace=GRACE)
    bench.write(A, OLD)
    bench.well(A)
    bench.write(A, NEW)

    class Died(BaseException):
        pass

    def die(point: str) -> None:
        if point == "prepared":
            raise Died

    bench.reached = die
    with pytest.raises(Died):
        bench.do(A)
    bench.reached = lambda point: None
    bench.workshop("STAGING").leases.leave(bench.workshop("STAGING").engine)
    bench.anew()
    clock.ahead += timedelta(seconds=2 * GRACE)
    bench.run()
    assert (names(bench), stale(bench)) == (["a.css", "b.css", "index.htm"], ["a.css"])
    (row,) = waiting(bench)
    assert row.target == "origin"
    later(bench, clock)
    bench.run()
    assert (names(bench), stale(bench)) == (["b.css", "index.htm"], [])
    bench.close()


def test_a_person_may_ask_for_it(graceful: Bench, clock: Clock) -> None:
    clock.ahead += timedelta(seconds=GRACE + 20)
    graceful.desk.insert(NewTask(A, "STAGING", Action.EXPIRE))
    assert [view.task.state for view in graceful.run()] == [State.SUCCEEDED]
    assert stale(graceful) == []


def test_since_is_a_moment_of_the_database(graceful: Bench) -> None:
    slip = graceful.workshop("STAGING").open_target("origin").slip(A)
    assert slip is not None
    (file,) = slip.stale
    assert isinstance(file, Stale)
    assert abs(file.since - datetime.now(UTC).timestamp() - 10) < 60
