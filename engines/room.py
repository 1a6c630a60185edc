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
PATIENCE = 2.0
"""Seconds after which a worker begins where others keep the processors busy: this engine may only be waiting for a server."""
FULL, SHARED = 0.95, 1.2
"""Shares of a processor between which one interpreter has no more to give. Beyond, workers get something done beside it."""
MUCH, LITTLE = 0.4, 0.1
"""Share that this process uses at least, and that is idle at most, where it stands in its own way: of two engines on two
processors, beside their database and the server, each used 0.5 to 0.6 of one."""
LONGER_LOOK = 0.2
"""Seconds that tell it: the machine counts what is idle in hundredths of a second."""
_STAT = Path("/proc/stat")


def idle_seconds() -> float:
    """Seconds for which processors of this machine were idle, or waited for a disk, all added up; where nobody says it, time."""
    try:
        words = _STAT.read_text(encoding="ascii").split(maxsplit=6)
        return (int(words[4]) + int(words[5])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.monotonic()


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
        self._seen = self._now()

    def wait(self, leave: Event, needed: Callable[[], bool]) -> None:
        """Return as soon as another worker would help, one after the other; at once where `leave` is set or one is `needed`.

        Where others keep the processors busy, and not this engine, nobody waits for longer than PATIENCE.
        """
        patience = self._clock() + PATIENCE
        while not (leave.is_set() or needed()):
            if self._turn.acquire(timeout=LOOK):
                try:
                    used, idle = self._looked(leave)
                    if (used < BUSY and idle >= IDLE) or (used < MUCH and self._clock() >= patience):
                        return
                finally:
                    self._turn.release()

    def crowded(self) -> bool:
        """Whether one worker less would get as much done, by what was used since somebody asked; it is said once a look."""
        since, now = self._seen, self._now()
        if now[0] - since[0] < LONGER_LOOK:
            return False
        self._seen = now
        used, idle = _shares(since, now)
        return FULL <= used < SHARED or (used >= MUCH and idle <= LITTLE)

    def _looked(self, leave: Event) -> tuple[float, float]:
        """The shares of a moment."""
        since = self._now()
        leave.wait(LOOK)
        return _shares(since, self._now())

    def _now(self) -> tuple[float, float, float]:
        return self._clock(), self._used(), self._idle()


def _shares(since: tuple[float, float, float], now: tuple[float, float, float]) -> tuple[float, float]:
    """Of a processor: how much this process used meanwhile, and how much was idle."""
    seconds = max(now[0] - since[0], LOOK / 2)
    return (now[1] - since[1]) / seconds, (now[2] - since[2]) / seconds
