"""How soon the daemon looks at the queue again."""

import time
from collections.abc import Callable

SOON = 0.1
"""Seconds until the next look where something was done a moment ago: work is often followed by work. A look takes a millisecond
or two of the processor, here and in the database together."""
GLANCE = 0.02
"""Seconds between two looks for new rows alone meanwhile, which take a fifth of that."""
LIVELY = 3.0
"""Seconds after which all counts as quiet."""
BUSY = 0.25
"""Seconds of something being due at each look after which engines are busy, and find what is due by themselves."""

SEALED_EVERY = 1.0
"""Seconds, at least, between two seals: each costs a transaction."""


class Pace:
    """Fast for a while after rows came in or tasks were claimed, unless there is work for long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: tuple[int, frozenset[str]] | None = None
        self._quiet_at = float("-inf")
        self._not_due_at = float("-inf")
        """When nothing was due the last time."""
        self._sealed_at = float("-inf")

    def saw(self, fence: int, due: frozenset[str], *, news: bool) -> None:
        """What a look found: the newest fence that was given out, where something is due, and whether rows came in."""
        now, seen = self._clock(), (fence, due)
        if news or (self._seen is not None and seen != self._seen):
            self._quiet_at = now + LIVELY
        self._seen = seen
        if not due:
            self._not_due_at = now

    @property
    def lively(self) -> bool:
        """Whether something was done a moment ago, and engines do not know of work for long."""
        now = self._clock()
        return now < self._quiet_at and now < self._not_due_at + BUSY

    def pause(self, poll: float) -> float:
        """Seconds until the next look. `poll`: those of a queue in which nothing happens."""
        return min(poll, SOON) if self.lively else poll

    def glance(self, pause: float, wait: Callable[[float], bool], news: Callable[[], bool]) -> float:
        """While work may follow work, look for new rows alone until it is time to look at everything; the seconds until then.

        `wait` waits so many seconds, or until something rings, which it says.
        """
        until = self._clock() + pause
        while self.lively and until - self._clock() > GLANCE:
            if wait(GLANCE) or news():
                return 0
        return max(until - self._clock(), 0)

    def seals(self) -> bool:
        """Whether to seal what was written: at once where nothing was sealed for a while, but not at every look."""
        return self._clock() >= self._sealed_at + SEALED_EVERY

    def sealed(self, *, more: bool) -> None:
        """What was written is sealed now. `more`: but for what the next look is to seal."""
        if not more:
            self._sealed_at = self._clock()
