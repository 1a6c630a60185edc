"""What comes back by the clock: when it fired last, what became of that, and when it fires next; and having it now."""

from dataclasses import dataclass, replace
from datetime import datetime

from answers.fields import task_fields
from answers.words import when
from config import ScheduleSettings, Settings, cron_trigger
from database import Database, Desk, Fired, NoSuchTask, Schedules, Task, scheduled_row


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """One schedule. `task`: what the last row came to; None if it is purged, or none was inserted yet."""

    name: str
    settings: ScheduleSettings
    action: str
    """What its row asks for: the environment's own action if nothing else is said."""
    last: Fired | None
    task: Task | None
    next: datetime | None


def schedules(database: Database, settings: Settings, now: datetime) -> list[ScheduleState]:
    """Every schedule, by name."""
    return [schedule_state(database, settings, name, now) for name in sorted(settings.schedules)]


def schedule_state(database: Database, settings: Settings, name: str, now: datetime) -> ScheduleState:
    """One schedule. Raises KeyError if there is none of this name."""
    one = settings.schedules[name]
    last = Schedules(database).newest(name)
    action = one.action or settings.environments[one.environment].default_action
    coming = cron_trigger(one.cron, one.timezone).get_next_fire_time(None, now)
    return ScheduleState(name, one, action, last, _task(database, last), coming)


def run_schedule(database: Database, settings: Settings, name: str, by: str, note: str | None = None) -> int:
    """Insert a schedule's row now; its id. The clock goes on as if nothing had happened. Raises KeyError."""
    row = scheduled_row(name, settings.schedules[name])
    return Desk(database).insert(replace(row, requested_by=by, note=note or f"schedule {name}, run by hand"))


def _task(database: Database, last: Fired | None) -> Task | None:
    try:
        return Desk(database).show(last.task).task if last else None
    except NoSuchTask:
        return None


def schedule_fields(state: ScheduleState) -> dict[str, object]:
    """The same as JSON."""
    one = state.settings
    return {
        "name": state.name,
        "cron": one.cron,
        "zone": one.timezone,
        "environment": one.environment,
        "action": state.action,
        "url": one.url,
        "parameters": one.parameters,
        "priority": one.priority,
        "catch_up": one.catch_up,
        "last_fired": when(state.last.at) if state.last else None,
        "last_task": task_fields(state.task) if state.task else None,
        "next": when(state.next),
    }
