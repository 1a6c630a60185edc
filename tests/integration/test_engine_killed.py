"""An engine is killed at each step; the next one finishes, and nothing is lost or done twice."""

import pytest

from database import State, TaskView
from support.bench import Bench
from support.engine_process import Engines

A, B = "/courses/a", "/courses/b"
POINTS = [
    "loading",
    "staging",
    "between files",
    "prepared",
    "between renames",
    "before slip",
    "between drops",
    "switched",
    "finishing",
]
NOTED = POINTS[POINTS.index("prepared") : POINTS.index("switched") + 1]

KEPT = {f"same{n}.htm": "same" for n in range(4)}
BEFORE = {"index.htm": "1", "old1.pdf": "x", "old2.pdf": "y", "turn": "file"} | KEPT
AFTER = {"index.htm": "2", "new.pdf": "z", "img/new.png": "p", "turn/in.htm": "folder"} | KEPT


def outcomes(view: TaskView) -> list[str | None]:
    return [attempt.outcome for attempt in view.attempts]


def residue(bench: Bench, name: str) -> list[str]:
    """What our area holds beside commit records and one empty folder for each module."""
    area = bench.target(name) / ".slipway"
    return [str(path.relative_to(area)) for path in area.rglob("*") if path.is_file() and path.name != "slip.xml"]


@pytest.mark.parametrize("point", POINTS)
def test_a_publish_that_was_killed_is_finished_by_the_next_engine(engines: Engines, point: str) -> None:
    bench = engines.bench
    bench.write(A, BEFORE, module_type="course")
    bench.well(A)
    bench.write(A, AFTER, module_type="course")
    task = bench.insert(A)
    others = [bench.insert("/courses/none", action="VERIFY") for _ in range(12)]
    engines.kill_at(point)
    engines.run()
    view = bench.desk.show(task)
    assert view.task.state is State.SUCCEEDED
    assert outcomes(view) == ["LOST", "SUCCEEDED"]
    assert bench.live("origin") == bench.live("area") == bench.wanted(A)
    assert not residue(bench, "origin")
    assert not (bench.target("origin") / "courses/a/old1.pdf").exists()
    record = bench.workshop("STAGING").record.current("origin", A)
    live = bench.workshop("STAGING").open_target("origin").slip(A)
    assert record is not None
    assert live is not None
    assert (record.version, record.serial) == (live.version, live.serial)
    assert view.attempts[-1].summary.get("recovered", False) == (point in NOTED and point != "switched")
    for other in others:
        assert outcomes(bench.desk.show(other)) in (["SUCCEEDED"], ["RETURNED", "SUCCEEDED"], ["LOST", "SUCCEEDED"])
        spared = bench.desk.show(other).task
        assert spared.attempts - spared.losses == 1, "whoever else dies costs no attempt"
    assert sum(outcomes(bench.desk.show(other))[0] == "LOST" for other in others) < 8


@pytest.mark.parametrize("point", ["prepared", "between drops", "switched"])
def test_an_unpublish_that_was_killed_is_finished_by_the_next_engine(engines: Engines, point: str) -> None:
    bench = engines.bench
    bench.write(A, BEFORE, module_type="course")
    bench.well(A)
    task = bench.insert(A, action="UNPUBLISH")
    engines.kill_at(point)
    engines.run()
    view = bench.desk.show(task)
    assert outcomes(view) == ["LOST", "SUCCEEDED"]
    assert not bench.live("origin")
    assert not bench.live("area")
    assert bench.workshop("STAGING").record.current("origin", A) is None
    assert not residue(bench, "origin")


def test_what_a_dead_engine_renamed_is_known_before_the_next_plan(engines: Engines) -> None:
    """A changes a and b and dies after renaming a; B wants the old a: by the slips a would be kept, wrongly."""
    bench = engines.bench
    bench.write(A, {"a.htm": "a old", "b.htm": "b old"})
    bench.well(A)
    bench.write(A, {"a.htm": "a of A", "b.htm": "b of A"})
    first = bench.insert(A)
    engines.kill_at("between renames")
    live = {path.name: path.read_text() for path in (bench.target("origin") / "courses/a").glob("*.htm")}
    assert sorted(live.values()) in (["a of A", "b old"], ["a old", "b of A"])
    bench.write(A, {"a.htm": "a old", "b.htm": "b of B"})
    second = bench.insert(A)
    engines.run()
    assert bench.live("origin") == bench.wanted(A)
    assert bench.desk.show(first).task.state is State.SUPERSEDED
    view = bench.desk.show(second)
    assert view.task.state is State.SUCCEEDED
    assert view.attempts[-1].summary["recovered"]
    history = bench.workshop("STAGING").record.history(A)
    assert [publication.task for publication in history][:2] == [second, second]


def test_a_task_that_kills_its_engine_three_times_alone_is_poison(engines: Engines) -> None:
    bench = engines.bench
    bench.write(A, BEFORE)
    task = bench.insert(A)
    for _ in range(3):
        engines.kill_at("staging")
    engines.run()
    view = bench.desk.show(task)
    assert view.task.state is State.FAILED
    assert "not tried again" in (view.task.reason or "")
    assert outcomes(view) == ["LOST"] * 3
