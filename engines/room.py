"""When another worker of a target begins: one that waits for the processor like all others only costs its connection.

One interpreter keeps one processor busy, whatever the number of its threads, and a server on the same machine needs
processors too. So the first worker begins at once, and each further one as soon as there was time to spare for a moment.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock

LOOK = 0.05
"""Seconds for which the processors are looked at."""
BUSY = 0.8
"""Share of a processor that this process uses at most, while another worker would help."""
IDLE = 0.4
"""Share of a processor that is idle at least, of all that there are."""
PATIENCE = 2.0
"""Seconds after which a worker begins in any case: those at work may be at one long task each."""
_STAT = Path("/proc/stat")


def idle_seconds() -> float:
    """Seconds for which processors of this machine were idle, or waited for a disk, all added up; where nobody says it, time."""
    try:
        words = _STAT.read_text(encoding="ascii").split(maxsplit=6)
    except OSError:
        return time.monotonic()
    return (int(words[4]) + int(words[5])) / os.sysconf("SC_CLK_TCK")


class Room:
    """For all workers of one engine. `clock`, `used` and `idle` (seconds of processors) are for tests."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
        idle: Callable[[], float] = idle_seconds,
    ) -> None:
        self._clock, self._used, self._idle = clock, used, idle
        self._turn = Lock()

    def wait(self, leave: Event) -> None:
        """Return as soon as another worker would help, one after the other; at once where `leave` is set."""
        deadline = self._clock() + PATIENCE
        if self._turn.acquire(timeout=PATIENCE):
            try:
                while not leave.is_set() and self._clock() < deadline and not self._looked(leave):
                    """Look again."""
            finally:
                self._turn.release()

    def _looked(self, leave: Event) -> bool:
        """Whether there was time to spare for a moment."""
        since, used, idle = self._clock(), self._used(), self._idle()
        leave.wait(LOOK)
        seconds = self._clock() - since
        return self._used() - used < BUSY * seconds and self._idle() - idle >= IDLE * seconds
