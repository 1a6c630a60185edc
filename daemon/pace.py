"""How soon the daemon looks at the queue again."""

import time
from collections.abc import Callable

SOON = 0.05
"""Seconds until the next look where something was done a moment ago: work is often followed by work. A look takes a millisecond
or two of the processor, here and in the database together."""
LIVELY = 3.0
"""Seconds after which all counts as quiet."""
BUSY = 0.25
"""Seconds of something being due at each look after which engines are busy, and find what is due by themselves."""


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

    def pause(self, poll: float) -> float:
        """Seconds until the next look. `poll`: those of a queue in which nothing happens."""
        now = self._clock()
        return min(poll, SOON) if now < self._quiet_at and now < self._not_due_at + BUSY else poll

    def seals(self, poll: float) -> bool:
        """Whether to seal what was written: not at each of the quick looks, but as soon as those of a quiet queue would."""
        now = self._clock()
        due = now >= self._sealed_at + poll - SOON
        if due:
            self._sealed_at = now
        return due
