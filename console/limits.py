"""How often somebody may try: so many at once, then one every so often."""

import threading
import time
from collections.abc import Callable
from math import ceil

from console.errors import TooMuch

ROUNDING = 1e-6
MOST = 10_000
"""Keys remembered; strangers can send any number of names, and must not fill the memory."""


class Limit:
    """A bucket for each key: `burst` at once, and one more every `seconds`. `clock`: a monotonic one."""

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._seconds, self._clock = burst, seconds, clock
        self._full_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, key: str, what: str) -> None:
        """One try. Raises TooMuch, and then it counts for nothing."""
        now = self._clock()
        with self._lock:
            if len(self._full_at) >= MOST:
                self._full_at = dict(list(self._forget(now).items())[-MOST // 2 :])
            full_at = max(self._full_at.get(key, now), now) + self._seconds
            wait = full_at - now - self._burst * self._seconds
            if wait > ROUNDING:
                raise TooMuch(f"{what} Try again in {_words(wait)}.", ceil(wait))
            self._full_at[key] = full_at

    def _forget(self, now: float) -> dict[str, float]:
        return {key: moment for key, moment in self._full_at.items() if moment > now}


def _words(seconds: float) -> str:
    return f"{ceil(seconds)} s" if seconds < 90 else f"{ceil(seconds / 60)} minutes"
