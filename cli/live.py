"""What goes on while a verb waits: bars on a terminal, a line for each step elsewhere if -v asks, events for scripts."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table

from answers import progress_fields, size
from cli.session import Session
from cli.speed import Speed
from cli.visible import one_line
from database import Moving, Progress, State

REFRESHES = 8
"""A second: what turns looks alive, and costs nothing to speak of."""
EVENTS_EVERY = 1.0
"""Seconds between two progress events of one task, at least."""
BAR = 14
"""Cells of a bar."""
LONGEST_LEFT = 99 * 3600
"""Seconds above which a guess is none."""


@dataclass(frozen=True, slots=True)
class Mover:
    """A task that goes on, how far it is and how fast."""

    moving: Moving
    speed: Speed


class Speeds:
    """The speed of each task that is looked at again and again."""

    def __init__(self) -> None:
        self._speeds: dict[int, Speed] = {}

    def movers(self, tasks: Iterable[Moving], at: float) -> list[Mover]:
        """What was seen at this moment, in seconds of any clock that only goes forward."""
        seen = {}
        for one in tasks:
            speed = self._speeds.get(one.task.id, Speed())
            seen[one.task.id] = Mover(one, speed.seen(one.progress, at) if one.progress else speed)
        self._speeds = {number: mover.speed for number, mover in seen.items()}
        return list(seen.values())


class Screen(Protocol):
    """Where a verb that waits shows how far things are."""

    def show(self, done: int, total: int, movers: Sequence[Mover]) -> None:
        """So many of the tasks have ended; these go on."""


@contextmanager
def screen(session: Session) -> Iterator[Screen]:
    """The screen that fits: events with --json-lines, bars on a terminal, lines with -v; nothing else."""
    if session.options.lines:
        yield Events(session)
    elif session.options.quiet:
        yield Silence()
    elif session.err.is_terminal:
        with live(session) as picture:
            yield Bars(picture, session.err)
    else:
        yield Lines(session) if session.options.verbosity else Silence()


@contextmanager
def live(session: Session) -> Iterator[Live]:
    """A picture on stderr that is drawn again and again, and is gone at the end."""
    with Live(console=session.err, refresh_per_second=REFRESHES, transient=True, vertical_overflow="crop") as picture:
        yield picture


class Silence:
    """Nobody looks."""

    def show(self, done: int, total: int, movers: Sequence[Mover]) -> None:
        """Nothing."""


class Events:
    """`progress` events: for each task when it got on, once a second at most."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told: dict[int, tuple[float, dict[str, object]]] = {}

    def show(self, done: int, total: int, movers: Sequence[Mover]) -> None:
        """One event for each task that is further than when it was told last."""
        now = time.monotonic()
        for mover in movers:
            if mover.moving.task.state is not State.RUNNING:
                continue
            number, fields = mover.moving.task.id, mover_fields(mover)
            at, before = self._told.get(number, (-EVENTS_EVERY, {}))
            if now - at >= EVENTS_EVERY and place(fields) != place(before):
                self._told[number] = now, fields
                self._session.event("progress", {**fields, "tasks_done": done, "tasks_total": total})


def place(fields: dict[str, object]) -> tuple[object, ...]:
    """What has to differ for a task to be further."""
    return tuple(fields.get(name) for name in ("state", "step", "files_done", "bytes_done"))


class Lines:
    """A line for each step that a task takes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._steps: dict[int, str] = {}

    def show(self, done: int, total: int, movers: Sequence[Mover]) -> None:
        """Each step is told once."""
        for mover in movers:
            task, step = mover.moving.task, step_of(mover)
            if self._steps.get(task.id) != step:
                self._steps[task.id] = step
                self._session.say(f"{task.environment} {task.url}: {step} ({done} of {total} done)")


class Bars:
    """A line for all, and a bar for each task that runs, as many as fit."""

    def __init__(self, picture: Live, console: Console) -> None:
        self._picture, self._console = picture, console
        self._spinner, self._speed = Spinner("dots"), Speed()

    def show(self, done: int, total: int, movers: Sequence[Mover]) -> None:
        """Draw it at the next turn."""
        whole = Table.grid(padding=(0, 1))
        everything = Progress(0, "all", done, total)
        self._speed = self._speed.seen(everything, time.monotonic())
        bar = ProgressBar(total=max(total, 1), completed=done, width=2 * BAR)
        whole.add_row(self._spinner, bar, whole_words(everything, self._speed, movers))
        running = [mover for mover in movers if mover.moving.task.state is State.RUNNING]
        self._picture.update(Group(whole, bars(running, self._console.height - 3)))


def whole_words(everything: Progress, speed: Speed, movers: Sequence[Mover]) -> str:
    """How many tasks are done, how many of those that were looked at wait, how fast it goes, and how long still."""
    said = [f"{everything.files_done:,}/{everything.files_total:,} tasks"]
    if waits := sum(1 for mover in movers if mover.moving.task.state is not State.RUNNING):
        said.append(f"{waits:,} waiting")
    left = speed.seconds_left(everything)
    if speed.files_per_second and left is not None and left < LONGEST_LEFT:
        said.append(f"{speed.files_per_second:,.1f}/s, {clock_words(left)} left")
    return ", ".join(said)


def bars(movers: Sequence[Mover], room: int) -> RenderableType:
    """One line for each task: what it is, its step, its files and bytes, how fast, and how long still."""
    grid = Table.grid(padding=(0, 2), expand=True)
    for name in ("id", "action"):
        grid.add_column(name, no_wrap=True)
    grid.add_column("url", no_wrap=True, overflow="ellipsis", ratio=1)
    for name, justify in (("step", "left"), ("files", "right"), ("bytes", "right"), ("bar", "left"), ("rate", "right")):
        grid.add_column(name, no_wrap=True, justify=justify)  # type: ignore[arg-type]
    grid.add_column("left", no_wrap=True, justify="right")
    shown = movers[: max(room, 1)]
    for mover in shown:
        grid.add_row(*bar_row(mover))
    if len(movers) > len(shown):
        grid.add_row("", "", f"and {len(movers) - len(shown):,} more")
    return grid


def bar_row(mover: Mover) -> tuple[RenderableType, ...]:
    task, progress = mover.moving.task, mover.moving.progress
    known = (str(task.id), one_line(task.action), one_line(task.url), step_of(mover))
    if progress is None:
        return known
    by_bytes = bool(progress.bytes_total)
    done, total = (progress.bytes_done, progress.bytes_total) if by_bytes else (progress.files_done, progress.files_total)
    bar = ProgressBar(total=total, completed=min(done, total), width=BAR) if total else ""
    return (*known, files_words(mover), bytes_words(mover), bar, rate_words(mover), left_words(mover))


def step_of(mover: Mover) -> str:
    """What a task is at: its step while it runs, its state otherwise."""
    task, progress = mover.moving.task, mover.moving.progress
    if task.cancel_requested:
        return "cancelling"
    if task.state is State.RUNNING:
        return progress.step if progress else "begins"
    return task.state.value.lower()


def files_words(mover: Mover) -> str:
    progress = mover.moving.progress
    return f"{progress.files_done:,}/{progress.files_total:,}" if progress and progress.files_total else ""


def bytes_words(mover: Mover) -> str:
    progress = mover.moving.progress
    return f"{size(progress.bytes_done)}/{size(progress.bytes_total)}" if progress and progress.bytes_total else ""


def rate_words(mover: Mover) -> str:
    if rate := mover.speed.bytes_per_second:
        return f"{size(round(rate))}/s"
    return f"{rate:,.1f} files/s" if (rate := mover.speed.files_per_second) else ""


def left_words(mover: Mover) -> str:
    progress = mover.moving.progress
    seconds = mover.speed.seconds_left(progress) if progress else None
    return "" if seconds is None or seconds > LONGEST_LEFT else clock_words(seconds)


def clock_words(seconds: float) -> str:
    """Hours, minutes and seconds, as a clock shows them."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def mover_fields(mover: Mover) -> dict[str, object]:
    """A task that goes on as JSON; rates are per second, None while too little was seen."""
    task, progress, speed = mover.moving.task, mover.moving.progress, mover.speed
    left = speed.seconds_left(progress) if progress else None
    known: dict[str, object] = {
        "id": task.id,
        "url": task.url,
        "environment": task.environment,
        "action": task.action,
        "target": task.target,
        "state": task.state.value,
    }
    return {
        **known,
        **progress_fields(progress or Progress(task.id, "")),
        "step": progress.step if progress else None,
        "bytes_per_second": rounded(speed.bytes_per_second),
        "files_per_second": rounded(speed.files_per_second),
        "seconds_left": rounded(left),
    }


def rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
