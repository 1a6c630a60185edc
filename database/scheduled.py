"""What schedules insert, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from config import ScheduleSettings
from database import schema
from database.connection import Database
from database.values import NewTask

_run = schema.schedule_run.c


@dataclass(frozen=True, slots=True)
class Fired:
    """One row that the clock inserted."""

    at: datetime
    """The moment for which it was."""
    task: int


class Schedules:
    """What was fired."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def newest(self, schedule: str) -> Fired | None:
        """The newest row that the clock inserted for this schedule; None: none yet."""
        wanted = select(_run.fire_at, _run.task).where(_run.schedule == schedule).order_by(_run.fire_at.desc()).limit(1)
        row = self._db.look(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else Fired(row.fire_at, row.task)


def scheduled_row(name: str, schedule: ScheduleSettings) -> NewTask:
    """What a schedule inserts."""
    columns = schedule.model_dump(include={"url", "environment", "action", "priority", "parameters"})
    return NewTask(**columns, requested_by=f"schedule {name}")
