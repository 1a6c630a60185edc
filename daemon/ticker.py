"""The clock of the schedules: says which are due, and for which moment. It acts on nothing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from queue import SimpleQueue
from types import MappingProxyType

from apscheduler.schedulers.background import BackgroundScheduler

from config import ScheduleSettings, cron_trigger, newest_fire

LastFired = Callable[[str], datetime | None]


class Ticker:
    """APScheduler in memory. Its thread only notes what came due and rings; the main loop asks here for the rest.

    `ring` is called from that thread. `since`: what was due before is missed, unless its schedule catches up. `seen`: what the
    ticker of an earlier configuration says about schedules that stay as they are.
    """

    def __init__(
        self,
        schedules: Mapping[str, ScheduleSettings],
        ring: Callable[[], None],
        since: datetime,
        seen: Mapping[str, datetime] = MappingProxyType({}),
    ) -> None:
        self._schedules, self._ring, self._since = schedules, ring, since
        self._triggers = {name: cron_trigger(schedule.cron, schedule.timezone) for name, schedule in schedules.items()}
        self._noted: SimpleQueue[str] = SimpleQueue()
        self._pending = {name for name, schedule in schedules.items() if schedule.catch_up} | seen.keys()
        self._done = dict(seen)
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

    def seen(self, schedules: Mapping[str, ScheduleSettings]) -> dict[str, datetime]:
        """Of the schedules that are the same there, the moment up to which every row is in the queue, if it is known."""
        same = [name for name, schedule in self._schedules.items() if schedules.get(name) == schedule]
        return {name: self._done.get(name, self._since) for name in same if name in self._done or not schedules[name].catch_up}

    def _note(self, name: str) -> None:
        self._noted.put(name)
        self._ring()

    def due(self, last_fired: LastFired, now: datetime) -> list[tuple[str, datetime]]:
        """The schedules that are due, each with its newest moment in UTC, until `done` says that its row is inserted.

        So what an outage prevented comes again; of several missed moments only the newest does. `last_fired` tells what was
        inserted before this process began.
        """
        self._pending.update(self._noted.get() for _ in range(self._noted.qsize()))
        moments = {name: self._newest(name, last_fired, now) for name in sorted(self._pending)}
        self._pending = {name for name, moment in moments.items() if moment is not None}
        return [(name, moment) for name, moment in moments.items() if moment is not None]

    def _newest(self, name: str, last_fired: LastFired, now: datetime) -> datetime | None:
        if name not in self._done:
            self._done[name] = (last_fired(name) if self._schedules[name].catch_up else None) or self._since
        moment = newest_fire(self._triggers[name], self._done[name], now)
        return None if moment is None else moment.astimezone(UTC)

    def done(self, name: str, moment: datetime) -> None:
        """The row for this moment is in the queue."""
        self._pending.discard(name)
        self._done[name] = moment
