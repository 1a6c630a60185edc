"""The clock of the schedules: says which are due, and for which moment. It acts on nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from queue import SimpleQueue

from apscheduler.schedulers.background import BackgroundScheduler

from config.cron import cron_trigger, newest_fire
from config.settings import ScheduleSettings


class Ticker:
    """APScheduler in memory. Its thread only notes what came due and rings; the main loop asks here for the rest.

    `ring` is called from that thread.
    """

    def __init__(self, schedules: Mapping[str, ScheduleSettings], ring: Callable[[], None]) -> None:
        self._ring = ring
        self._triggers = {name: cron_trigger(schedule.cron, schedule.timezone) for name, schedule in schedules.items()}
        self._noted: SimpleQueue[str] = SimpleQueue()
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        for name, trigger in self._triggers.items():
            # Without a grace time a late run would be dropped with a line in the log.
            self._scheduler.add_job(self._note, trigger, args=(name,), misfire_grace_time=None, coalesce=True)
        if self._triggers:
            self._scheduler.start()

    def stop(self) -> None:
        if self._triggers:
            self._scheduler.shutdown(wait=False)

    def _note(self, name: str) -> None:
        self._noted.put(name)
        self._ring()

    def due(self) -> frozenset[str]:
        """The schedules that came due since the last call."""
        return frozenset(self._noted.get() for _ in range(self._noted.qsize()))

    def newest(self, name: str, after: datetime, until: datetime) -> datetime | None:
        """The last moment of a schedule with `after < moment <= until`, in UTC, or None."""
        moment = newest_fire(self._triggers[name], after, until)
        return None if moment is None else moment.astimezone(UTC)
