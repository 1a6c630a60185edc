"""A task's life as a timeline, and what a running step's progress says of its end."""

from datetime import UTC, datetime
from typing import Any

import pytest

from answers import life, pace
from database import Attempt, Progress, State, Task, TaskView

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def view(state: State, *attempts: Attempt, progress: Progress | None = None, **more: Any) -> TaskView:
    return TaskView(Task(7, "/a", "STAGING", "PUBLISH", state, created_at=NOW, **more), attempts, progress=progress)


def attempt(outcome: str | None = None, **more: Any) -> Attempt:
    return Attempt(7, 1, 1, "e", "host", NOW, ended_at=NOW if outcome else None, outcome=outcome, **more)


def states(found: TaskView) -> list[tuple[str, str]]:
    return [(one.name, one.state) for one in life(found)]


def test_what_waits_has_all_ahead() -> None:
    assert states(view(State.READY)) == [
        ("asked for", "done"),
        *((name, "ahead") for name in ("claimed", "loaded", "planned", "staged", "switched", "recorded")),
    ]


def test_what_succeeded_went_all_the_way_and_says_how_long_each_step_took() -> None:
    summary = {"seconds": {"load": 0.5, "take over": 0.1, "plan": 0.2, "stage": 3.0, "switch": 0.4}}
    moments = life(view(State.SUCCEEDED, attempt("SUCCEEDED", summary=summary, reason="live")))
    assert [one.name for one in moments] == [
        "asked for", "claimed", "loaded", "taken over", "planned", "staged", "switched", "recorded"
    ]  # fmt: skip
    assert {one.state for one in moments} == {"done"}
    assert [one.seconds for one in moments if one.name == "staged"] == [3.0]


def test_what_failed_shows_in_which_step() -> None:
    failed = view(
        State.FAILED, attempt("FAILED", summary={"seconds": {"load": 0.5, "take over": 9.0}}, reason="the disk is full")
    )
    assert states(failed)[-3:] == [("loaded", "done"), ("taken over", "failed"), ("failed", "failed")]


def test_what_is_held_waits_for_a_person() -> None:
    held = view(State.HELD, attempt("HELD", summary={"seconds": {"load": 0.5, "plan": 0.1}}))
    assert states(held)[-2:] == [("planned", "done"), ("held", "waits")]


def test_what_runs_is_between_what_was_and_what_is_ahead() -> None:
    running = view(State.RUNNING, attempt(), progress=Progress(7, "stage", 1, 4, 10, 40, seconds=2.0))
    assert states(running) == [
        ("asked for", "done"),
        ("claimed", "done"),
        ("loaded", "done"),
        ("taken over", "done"),
        ("planned", "done"),
        ("staged", "running"),
        ("switched", "ahead"),
        ("recorded", "ahead"),
    ]


def test_what_was_rejected_ended_without_an_attempt() -> None:
    rejected = view(State.REJECTED, finished_at=NOW, reason="no such environment")
    assert states(rejected) == [("asked for", "done"), ("rejected", "done")]


def test_steps_of_other_tasks_keep_their_names() -> None:
    running = view(State.RUNNING, attempt(), progress=Progress(7, "verify", 1, 4, seconds=1.0))
    assert [name for name, _ in states(running)[:3]] == ["asked for", "claimed", "verify"]
    mirrored = view(State.SUCCEEDED, attempt("SUCCEEDED", summary={"seconds": {"list": 1.0, "tree": 2.0}}))
    assert [name for name, _ in states(mirrored)][2:] == ["list", "tree", "recorded"]


@pytest.mark.parametrize(
    ("progress", "left"),
    [
        (Progress(7, "stage", 2, 4, 100, 300, seconds=10.0), 20.0),
        (Progress(7, "verify", 2, 4, seconds=10.0), 10.0),
        (Progress(7, "stage", 4, 4, 300, 300, seconds=10.0), 0.0),
        (Progress(7, "read", 3, seconds=10.0), None),
    ],
)
def test_the_time_left_follows_the_bytes_or_else_the_files(progress: Progress, left: float | None) -> None:
    found = pace(progress)
    assert found is not None
    assert found.left == left


def test_a_step_that_has_just_begun_has_no_rate() -> None:
    assert pace(Progress(7, "stage", 0, 4, 0, 40, seconds=5.0)) is None
    assert pace(Progress(7, "stage", 1, 4, 10, 40, seconds=0.1)) is None
