"""What was found out about servers, for a while, and for all connections of one process."""

import time
from collections.abc import Callable

_HOLDS = 600.0
"""Seconds. A server is changed now and then; and a menu that somebody gave an account as its shell takes seconds at each try."""


class Verdicts:
    """Whether many files may go to a target as a stream. Used by many threads at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, tuple[float, bool]] = {}

    def of(self, target: str) -> bool | None:
        """What was said of the target; None: nothing, or too long ago."""
        at, streams = self._said.get(target, (0.0, None))
        return streams if streams is not None and self._clock() < at + _HOLDS else None

    def say(self, target: str, *, streams: bool) -> None:
        """Found out a moment ago."""
        self._said[target] = self._clock(), streams
