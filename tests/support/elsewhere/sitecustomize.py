"""On PYTHONPATH it makes a process, and those that it starts, believe in another host (OTHER_HOST) and another time (CLOCK_OFFSET).

Only the wall clock is wrong, by so many seconds; the clock that never jumps is as it is, as on a host whose clock is wrong.
"""

import datetime as dt
import os
import socket
import time
from datetime import datetime as right_datetime

if "OTHER_HOST" in os.environ:
    socket.gethostname = lambda: os.environ["OTHER_HOST"]

if "CLOCK_OFFSET" in os.environ:
    OFFSET = float(os.environ["CLOCK_OFFSET"])
    right_time = time.time

    class _Kind(type):
        """What the right clock made is a datetime as well."""

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, right_datetime)

    class Wrong(right_datetime, metaclass=_Kind):
        """A datetime that knows no right now."""

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Wrong":
            return super().now(tz) + dt.timedelta(seconds=OFFSET)

    time.time = lambda: right_time() + OFFSET
    dt.datetime = Wrong  # type: ignore[misc]
