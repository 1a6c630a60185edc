"""Whose tasks are taken over, and when: an engine is declared dead once it surely is, or once nobody can say any more.

An expired lease alone proves little. After an outage of the database every lease is over, although the engines live and are
about to renew theirs. And an engine that was stopped, or hangs, wakes up some day in the middle of a rename. So:

- an engine of this host whose process is no more is declared dead at once, whatever its lease says;
- the others get time after an outage, and after the start of whoever looks: it cannot know what was before;
- a process of this host that still lives then is killed first, and seen to be gone;
- what cannot be killed or seen from here is left to the fence: its next rename on a target fails.
"""

import os
import time
from collections.abc import Callable

import structlog

from config import Ended, end_process, is_running, this_host
from database.leases import Leases
from database.values import Engine

log = structlog.get_logger(__name__)

FIRST_LOOK = 10.0
"""Seconds, at most, from the start of a process until it believes in expired leases. An engine that lives asks every second or
two, and a connection that hangs is given up after five."""


class Takeover:
    """What one process that polls does about engines that do not renew."""

    def __init__(
        self,
        leases: Leases,
        lease: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        running: Callable[[int, int], bool] = is_running,
        end: Callable[[int, int], Ended] = end_process,
    ) -> None:
        self._leases, self._lease, self._clock, self._running, self._end = leases, lease, clock, running, end
        self._here = this_host()
        self._patient_until = clock() + min(lease, FIRST_LOOK)

    def outage(self) -> None:
        """The database did not answer: whoever lives gets one lease's time to say so."""
        self._patient_until = self._clock() + self._lease

    @property
    def patient(self) -> bool:
        """Whether living engines, and those of other hosts, are still waited for."""
        return self._clock() < self._patient_until

    def bury(self) -> int:
        """Declare dead every engine of this host and boot whose process is no more; how many."""
        up = [view.engine for view in self._leases.engines()]
        return sum(self._gone(engine) and self._leases.bury(engine.start) for engine in up if self._kin(engine))

    def rescue(self) -> list[str]:
        """What is to be done about expired leases now; the start ids of those whose tasks were returned."""
        return [engine.start for engine in self._leases.expired() if not self._me(engine) and self._take_over(engine)]

    def _take_over(self, engine: Engine) -> bool:
        if self._kin(engine) and self._gone(engine):
            return self._leases.bury(engine.start)
        if self.patient:
            return False
        if engine.start not in {each.start for each in self._leases.expired()}:
            # To see another one gone took seconds, in which this one has renewed its lease.
            return False
        surely = self._kin(engine) and self._put_down(engine)
        done = self._leases.bury(engine.start) if surely else self._leases.rescue(engine.start)
        if done:
            log.warning("engine declared dead", engine=engine.start, host=engine.host, pid=engine.pid)
        return done

    def _kin(self, engine: Engine) -> bool:
        return (engine.host, engine.boot) == self._here

    def _me(self, engine: Engine) -> bool:
        """An engine that polls for itself; its heartbeat is late, and knows what to do."""
        return self._kin(engine) and engine.pid == os.getpid()

    def _gone(self, engine: Engine) -> bool:
        gone = not self._running(engine.pid, engine.began)
        if gone:
            log.warning("dead engine found", engine=engine.start, environment=engine.environment, pid=engine.pid)
        return gone

    def _put_down(self, engine: Engine) -> bool:
        """It may be stopped, or hang: it must not wake up beside whoever goes on with its tasks. Whether it is gone."""
        ended = self._end(engine.pid, engine.began)
        if ended is Ended.SPARED:
            log.error(
                "engine may still live",
                engine=engine.start,
                pid=engine.pid,
                reason="its lease is over, and its process could not be ended: it belongs to another account, hangs in the "
                "kernel, or was started by an older version. Its tasks are taken over all the same; should it wake, the fence on "
                "the target stops it. Look at that process and end it",
            )
        elif ended is Ended.KILLED:
            log.warning("engine killed", engine=engine.start, environment=engine.environment, pid=engine.pid)
        return ended is not Ended.SPARED
