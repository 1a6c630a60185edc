"""How slowly a transfer may go."""

import time
from collections.abc import Callable


class Pace:
    """Watches one transfer from now on: at least `min_rate` bytes a second over each `window` seconds (0: any rate)."""

    def __init__(self, min_rate: float, window: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._min_rate = min_rate
        self._window = window
        self._clock = clock
        self._since, self._counted = clock(), 0

    def verdict(self, count: int) -> str | None:
        """What is wrong after `count` bytes in all, in words; None while all is well."""
        now = self._clock()
        elapsed = now - self._since
        if elapsed < self._window:
            return None
        rate = (count - self._counted) / elapsed
        self._since, self._counted = now, count
        if rate >= self._min_rate:
            return None
        return f"sends only {rate:.0f} bytes a second, under the minimum of {self._min_rate:g} (min_rate)"
