"""When workers of a target work side by side: one that waits for the processor like all others does not get more done.

One interpreter keeps one processor busy, whatever the number of its threads, and a server on the same machine needs
processors too. So one worker begins at once, and each further one as soon as there was time to spare for a moment.
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
FULL = 0.95
"""Share of a processor of which this process could hardly use more."""
MUCH, LITTLE = 0.4, 0.1
"""Share that this process uses at least, and that is idle at most, where it stands in its own way."""
LONGER_LOOK = 0.2
"""Seconds that tell it: the machine counts what is idle in hundredths of a second."""
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
        self._seen = (clock(), used(), idle())
        self._crowded = False

    def wait(self, leave: Event, needed: Callable[[], bool]) -> None:
        """Return as soon as another worker would help, one after the other; at once where `leave` is set or one is `needed`."""
        while not (leave.is_set() or needed()):
            if self._turn.acquire(timeout=LOOK):
                try:
                    if self._has_room(leave):
                        return
                finally:
                    self._turn.release()

    def _has_room(self, leave: Event) -> bool:
        """Whether there was time to spare for a moment."""
        since = self._clock(), self._used(), self._idle()
        leave.wait(LOOK)
        used, idle = self._shares(since)
        return used < BUSY and idle >= IDLE

    def crowded(self) -> bool:
        """Whether one worker less would get as much done, by what was used in the last moment."""
        if self._clock() - self._seen[0] >= LONGER_LOOK:
            used, idle = self._shares(self._seen)
            self._seen = (self._clock(), self._used(), self._idle())
            self._crowded = used >= FULL or (used >= MUCH and idle <= LITTLE)
        return self._crowded

    def _shares(self, since: tuple[float, float, float]) -> tuple[float, float]:
        """Of a processor: how much this process used since then, and how much was idle."""
        seconds = max(self._clock() - since[0], LOOK / 2)
        return (self._used() - since[1]) / seconds, (self._idle() - since[2]) / seconds
