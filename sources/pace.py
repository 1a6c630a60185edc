"""How slow a transfer may be: in all, and over each half minute."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Watches one transfer. `min_rate` in bytes a second over `window` seconds (0: any), `total` in seconds."""

    min_rate: float
    total: float
    window: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _start: float = field(init=False)
    _window_start: float = field(init=False)
    _window_count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._start = self._window_start = self.clock()

    def verdict(self, count: int) -> str | None:
        """What is wrong after `count` bytes in all, in words; None while all is well."""
        now = self.clock()
        if now - self._start > self.total:
            return f"took more than {self.total:g} s (total_timeout) for {count} bytes"
        elapsed = now - self._window_start
        if elapsed < self.window:
            return None
        rate = (count - self._window_count) / elapsed
        self._window_start, self._window_count = now, count
        if rate < self.min_rate:
            return f"sends only {rate:.0f} bytes a second, under the minimum of {self.min_rate:g} (min_rate)"
        return None
