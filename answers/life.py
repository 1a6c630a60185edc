"""A task's life as a timeline, and how fast what runs goes on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from database import Attempt, Progress, TaskView

MILESTONES = {
    "load": "loaded",
    "take over": "taken over",
    "resolve": "resolved",
    "plan": "planned",
    "transfer": "fetched",
    "stage": "staged",
    "switch": "switched",
}
"""What is reached with the end of each step of a publish, in their order; other tasks have steps of their own."""
_FIRST_RATE = 0.2
"""Seconds of a step before which a rate says nothing."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing on the way. `state`: done, running, failed, waits (for a person) or ahead.

    `seconds`: how long it took, where that was measured.
    """

    name: str
    state: str
    at: datetime | None = None
    seconds: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a step goes on. `left`: seconds to its end, if it goes on so; None: nobody can say."""

    files: float
    bytes: float
    left: float | None


def pace(progress: Progress) -> Pace | None:
    """The rate of the running step; None while it has none."""
    if progress.seconds < _FIRST_RATE or not progress.files_done:
        return None
    files, size = progress.files_done / progress.seconds, progress.bytes_done / progress.seconds
    if size and progress.bytes_total > progress.bytes_done:
        return Pace(files, size, (progress.bytes_total - progress.bytes_done) / size)
    return Pace(files, size, max(0, progress.files_total - progress.files_done) / files if progress.files_total else None)


def life(view: TaskView) -> tuple[Moment, ...]:
    """From the asking to the end, by the last attempt; what is ahead is listed too, as far as it is known."""
    task = view.task
    asked = Moment("asked for", "done", task.created_at, words=f"by {task.requested_by}" if task.requested_by else "")
    last = view.attempts[-1] if view.attempts else None
    if last is None:
        ended = [Moment(task.state.value.lower(), "done", task.finished_at, words=task.reason or "")] if task.finished_at else []
        return (asked, *(ended or [Moment("claimed", "ahead"), *(Moment(name, "ahead") for name in _ahead("", task.action))]))
    claimed = Moment("claimed", "done", last.claimed_at, words=f"attempt {last.number} on {last.host}")
    return (asked, claimed, *_steps(view, last))


def _steps(view: TaskView, last: Attempt) -> Iterator[Moment]:
    if last.outcome is not None:
        seconds = _seconds(last.summary)
        failed = last.outcome not in {"SUCCEEDED", "RELEASED", "HELD"}
        for number, (name, taken) in enumerate(seconds.items(), 1):
            stopped = failed and number == len(seconds)
            yield Moment(MILESTONES.get(name, name), "failed" if stopped else "done", seconds=taken)
        word = "recorded" if last.outcome == "SUCCEEDED" else last.outcome.lower()
        yield Moment(word, "failed" if failed else "waits" if last.outcome == "HELD" else "done", last.ended_at)
        return
    step = view.progress.step if view.progress else ""
    known = list(MILESTONES)
    for name in known[: known.index(step)] if step in known else ():
        # The attempt says at its end how long each took, and which of them it needed at all.
        if name not in {"resolve", "transfer"}:
            yield Moment(MILESTONES[name], "done")
    words = f"{step} since {view.progress.seconds:.0f} s" if view.progress else "just started"
    yield Moment(
        MILESTONES.get(step, step or "begun"), "running", seconds=view.progress.seconds if view.progress else None, words=words
    )
    for name in _ahead(step, view.task.action):
        yield Moment(name, "ahead")


def _ahead(step: str, action: str) -> tuple[str, ...]:
    """The milestones after this step, of a task that publishes."""
    if step not in MILESTONES and action not in {"PUBLISH", "DELIVER", "ROLLBACK", ""}:
        return ("recorded",)
    known = [name for name in MILESTONES if name not in {"resolve", "transfer", "take over"} or name == step]
    return (*(MILESTONES[name] for name in (known[known.index(step) + 1 :] if step in known else known)), "recorded")


def _seconds(summary: Mapping[str, Any]) -> dict[str, float]:
    found = summary.get("seconds")
    return {str(name): float(each) for name, each in found.items()} if isinstance(found, dict) else {}
