"""Seconds of processor time, beside the clock's: on a machine that others use too, they tell more."""

import os
import resource
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def used_by(pids: Iterable[int]) -> float:
    """What these processes used so far, and their children that ended."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            # After the name, which may hold anything: user, system, and the same of children that were waited for.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            total += sum(map(int, fields[11:15]))
    return total / _TICK


def used_by_children() -> float:
    """What processes used that this one started and waited for, with what they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
