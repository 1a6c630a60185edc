"""What goes on, environment by environment: what the console shows first and the API answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from answers.fields import breaker_fields, progress_fields, task_fields, waiting_fields
from answers.life import Pace, pace
from answers.standing import WORKS, standing
from answers.words import when
from config import EnvironmentSettings, Settings, breakers_of
from database import Breaker, Database, Desk, EngineView, Leases, Moving, Newest, State, Task, Underway, Waiting

COUNTED = 1000
"""Where counting what waits stops: whether it is more is seen by a glance at the age of the oldest."""


@dataclass(frozen=True, slots=True)
class Running:
    """A task at work. `pace`: of its step; None where nobody can say yet."""

    moving: Moving
    pace: Pace | None


@dataclass(frozen=True, slots=True)
class AtWork:
    """An engine that is up, and its tasks."""

    view: EngineView
    running: tuple[Running, ...]


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """One environment. `state`: works, paused, draining or drained."""

    name: str
    settings: EnvironmentSettings
    state: str
    engines: tuple[AtWork, ...]
    waiting: Waiting
    outages: tuple[Breaker, ...]
    last_success: Task | None
    last_failure: Task | None

    @property
    def oldest(self) -> datetime | None:
        """Since when the first of those that are due could have run."""
        return self.waiting.oldest_due

    @property
    def note(self) -> str:
        """What a person should know about its engines; nothing where all is as it should be."""
        if self.engines:
            return ""
        if self.state != WORKS:
            return "No engine is up."
        if not self.waiting.due and not self.waiting.new:
            return "No engine is up; one starts when something is due."
        if self.settings.start == "manual":
            return f"No engine is up, and none starts by itself: python -P -m engines {self.name}"
        if self.outages:
            away = ", ".join(each.name for each in self.outages)
            return f"No engine is up. What needs {away} waits until that answers; an engine starts for each try."
        return "No engine is up although something is due. If that stays so, no daemon runs: systemctl status slipway"


def overview(database: Database, settings: Settings, counted: int = COUNTED) -> list[EnvironmentState]:
    """Every environment, in the order of the configuration; what waits is counted up to `counted`."""
    underway, leases = Underway(database), Leases(database)
    running: dict[str | None, list[Moving]] = {}
    for moving in underway.running():
        running.setdefault(moving.engine, []).append(moving)
    engines = leases.engines()
    ends = Newest(database).ends(settings.environments.keys())
    pauses, outages = Desk(database).pauses(), underway.outages()
    return [
        EnvironmentState(
            name,
            environment,
            standing(pauses.get(name), len(here := _here(engines, name, running))),
            here,
            underway.waiting(name, counted),
            tuple(each for each in outages if each.name in (breakers_of(settings, [name]) or ())),
            ends.get((name, State.SUCCEEDED)),
            ends.get((name, State.FAILED)),
        )
        for name, environment in settings.environments.items()
    ]


def _here(engines: Sequence[EngineView], name: str, running: Mapping[str | None, list[Moving]]) -> tuple[AtWork, ...]:
    return tuple(_at_work(view, running) for view in engines if view.engine.environment == name)


def _at_work(view: EngineView, running: Mapping[str | None, list[Moving]]) -> AtWork:
    tasks = running.get(view.engine.start, [])
    return AtWork(view, tuple(Running(each, pace(each.progress) if each.progress else None) for each in tasks))


def overview_fields(state: EnvironmentState) -> dict[str, object]:
    """An environment as JSON."""
    return {
        "name": state.name,
        "state": state.state,
        "start": state.settings.start,
        "engines": [_engine_fields(each) for each in state.engines],
        **waiting_fields(state.waiting),
        "running": state.waiting.running,
        "counted_to": COUNTED,
        "breakers": [breaker_fields(each) for each in state.outages],
        "last_success": task_fields(state.last_success) if state.last_success else None,
        "last_failure": task_fields(state.last_failure) if state.last_failure else None,
    }


def _engine_fields(each: AtWork) -> dict[str, object]:
    engine = each.view.engine
    return {
        "start": engine.start,
        "host": engine.host,
        "pid": engine.pid,
        "version": each.view.version,
        "since": when(each.view.registered_at),
        "lease_until": when(each.view.lease_until),
        "tasks": [_running_fields(one) for one in each.running],
    }


def _running_fields(one: Running) -> dict[str, object]:
    task, pace_ = one.moving.task, one.pace
    return {
        "task": task.id,
        "url": task.url,
        "action": task.action,
        "target": task.target,
        "started_at": when(task.started_at),
        "cancel_requested": task.cancel_requested,
        "progress": progress_fields(one.moving.progress) if one.moving.progress else None,
        "files_per_second": round(pace_.files, 3) if pace_ else None,
        "bytes_per_second": round(pace_.bytes) if pace_ else None,
        "seconds_left": round(pace_.left, 1) if pace_ and pace_.left is not None else None,
    }
