"""Intake: rows that people inserted become READY or REJECTED. Run by whoever polls; one at a time per database."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from config import Settings
from database import schema
from database.accepting import accept
from database.auditing import seal
from database.connection import Database
from database.polling import news, poll
from database.purging import cancel_requested, purge
from database.rows import new_row
from database.settling_takedowns import settle_takedowns
from database.stranded import end_stranded
from database.trends import add_up
from database.values import NewTask, Poll

_run = schema.schedule_run.c


class Intake:
    """What whoever polls does for all."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def poll(self) -> Poll:
        """One look at the queue: one statement."""
        return self._db.look(poll)

    def news(self) -> bool:
        """Whether rows came in: the part of a poll that is worth asking more often."""
        return self._db.look(news)

    def accept(self, settings: Settings, limit: int = 500) -> int:
        """Judge up to `limit` NEW rows, oldest first; how many. 0 as well while somebody else is at it."""
        return self._db.change(lambda connection: accept(connection, settings, limit))

    def seal(self) -> int:
        """Chain what was written to the audit log since; how many rows. 0 as well while somebody else is at it."""
        return self._db.change(seal)

    def add_up(self, limit: int) -> int:
        """Add up to `limit` ended attempts to the trends; how many. 0 as well while somebody else is at it."""
        return self._db.change(lambda connection: add_up(connection, limit))

    def sweep(self) -> int:
        """Cancel what is asked to be and does not run: NEW, READY, HELD; how many."""
        return self._db.change(cancel_requested)

    def end_stranded(self, settings: Settings) -> int:
        """End tasks of environments that left the configuration long ago; how many. Call it again while it ends many."""
        return self._db.change(lambda connection: end_stranded(connection, settings.environments.keys()))

    def settle_takedowns(self) -> int:
        """Say of every open takedown how far it is, and end those that every target has confirmed; how many ended."""
        return self._db.change(settle_takedowns)

    def purge(self, days: int, batch: int = 500) -> int:
        """Delete at most `batch` tasks that ended more than `days` days ago, with what belongs to them; how many.

        Call it again while it deletes a whole batch. Publications stay.
        """
        return self._db.change(lambda connection: purge(connection, days, batch))

    def fire(self, schedule: str, at: datetime, new: NewTask) -> bool:
        """Insert a schedule's row for this moment, once for all daemons; False: another one did it."""
        return self._db.change(lambda connection: _fire(connection, schedule, at, new))

    def last_fired(self, schedule: str) -> datetime | None:
        """The newest moment for which this schedule was fired."""
        newest = select(_run.fire_at).where(_run.schedule == schedule).order_by(_run.fire_at.desc()).limit(1)
        found: datetime | None = self._db.look(lambda connection: connection.scalar(newest))
        return found


def _fire(connection: Connection, schedule: str, at: datetime, new: NewTask) -> bool:
    there = select(_run.task).where(_run.schedule == schedule, _run.fire_at == at)
    if connection.scalar(there) is not None:
        return False
    task = connection.execute(insert(schema.queue).values(new_row(new))).inserted_primary_key
    connection.execute(insert(schema.schedule_run).values(schedule=schedule, fire_at=at, task=task[0] if task else 0))
    return True
