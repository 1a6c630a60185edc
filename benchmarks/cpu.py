"""Seconds of processor time, beside the clock's: on a machine that others use too, they tell more.

Processes that serve a connection are seldom waited for by who started them, so what they used is looked at while they live.
"""

import os
import resource
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

EVERY = 0.1
"""Seconds between two looks; what a process uses after the last one is not seen."""
_TICK = os.sysconf("SC_CLK_TCK")


class Meter(Thread):
    """Looks at processes that come and go, until it is stopped. `used`: seconds that they took meanwhile."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        super().__init__(name="processors", daemon=True)
        self._pids, self._stopped = pids, Event()
        self._before = {pid: used_by([pid]) for pid in pids()}
        self._last = dict(self._before)

    def run(self) -> None:
        while not self._stopped.wait(EVERY):
            self._look()

    def stop(self) -> None:
        """The last look."""
        self._stopped.set()
        self.join()
        self._look()

    @property
    def used(self) -> float:
        return sum(self._last.values()) - sum(self._before.values())

    def _look(self) -> None:
        for pid in self._pids():
            # A process that is gone by now has used none any more.
            self._last[pid] = max(used_by([pid]), self._last.get(pid, 0.0))


def below(pid: int) -> Iterator[int]:
    """A process's children, and theirs, at this moment.

    The kernel may leave one out while another ends; the next look finds it. To look at every process of the machine took four
    milliseconds of each tenth of a second, from whoever keeps both processors busy.
    """
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, thread.read_text().split()):
                yield child
                yield from below(child)


def used_by(pids: Iterable[int]) -> float:
    """What these processes used so far, without their children."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            # After the name, which may hold anything: user and system.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            total += sum(map(int, fields[11:13]))
    return total / _TICK


def used_by_children() -> float:
    """What processes used that this one started and waited for, with what they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
