"""On PYTHONPATH it makes a process, and those that it starts, believe in another host (OTHER_HOST) or another time.

CLOCK_OFFSET: only the wall clock is wrong, by so many seconds; the clock that never jumps is as it is, as on a host whose clock is
wrong. CLOCK_OF_WAITS: both clocks go on by what the process waits for in `select` until it is over, and by nothing else. So what
they show does not depend on how busy the machine is.
"""

import datetime as dt
import os
import select
import socket
import time
from collections.abc import Callable
from datetime import datetime as right_datetime
from typing import Any

right_time = time.time

if "OTHER_HOST" in os.environ:
    socket.gethostname = lambda: os.environ["OTHER_HOST"]


def replace_clock(wrong_time: Callable[[], float]) -> None:
    """Let this be the time."""

    class _Kind(type):
        """What the right clock made is a datetime as well."""

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, right_datetime)

    class Wrong(right_datetime, metaclass=_Kind):
        """A datetime that knows no right now."""

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Wrong":
            return cls.fromtimestamp(wrong_time(), tz)

    time.time = wrong_time
    dt.datetime = Wrong  # type: ignore[misc]


def count_waits() -> Callable[[], float]:
    """The seconds waited until now."""
    waited = 0.0
    right_select = select.select

    def counted(readers: Any, writers: Any, others: Any, seconds: float | None = None) -> Any:
        nonlocal waited
        ready = right_select(readers, writers, others, seconds)
        if seconds and not any(ready):
            waited += seconds
        return ready

    select.select = counted
    return lambda: waited


if "CLOCK_OFFSET" in os.environ:
    OFFSET = float(os.environ["CLOCK_OFFSET"])
    replace_clock(lambda: right_time() + OFFSET)
if "CLOCK_OF_WAITS" in os.environ:
    BEGAN, WAITED = right_time(), count_waits()
    replace_clock(lambda: BEGAN + WAITED())
    time.monotonic = WAITED
