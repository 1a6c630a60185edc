"""When a request may start: so many at once, and none while the source asked to be left alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Lock

from sources.errors import SourceSlow, TransientSourceError

_TICK = 0.2
"""Seconds between two looks at whether a waiting request is still wanted."""


class Gate:
    """The gate of one source, for all its threads. A Retry-After of one answer counts for every request after it."""

    def __init__(self, source: str, parallel: int, longest_wait: float) -> None:
        self._source = source
        # A queue of nothings: Python's semaphores take ten times as long for the same.
        self._slots = SimpleQueue[None]()
        for _ in range(parallel):
            self._slots.put(None)
        self._longest_wait = longest_wait
        self._quiet_until = 0.0
        self._lock = Lock()

    @contextmanager
    def request(self, stop: Event) -> Iterator[None]:
        """Wait until a request may start, and count it for the length of the block.

        Raises SourceSlow if that takes longer than anybody should wait for inside a task, and TransientSourceError once
        `stop` is set.
        """
        self._wait_until_wanted(stop)
        while not self._enter():
            self._check(stop)
        try:
            self._check(stop)
            yield
        finally:
            self._slots.put(None)

    def _enter(self) -> bool:
        try:
            self._slots.get(timeout=_TICK)
        except Empty:
            return False
        return True

    def hush(self, seconds: float) -> None:
        """The source asked for so many seconds without requests."""
        with self._lock:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)

    def _wait_until_wanted(self, stop: Event) -> None:
        while (wait := self._quiet_until - time.monotonic()) > 0:
            if wait > self._longest_wait:
                raise SourceSlow(
                    f"{self._source}: it asked to be left alone for another {wait:.0f} s", source=self._source, retry_after=wait
                )
            stop.wait(wait)
            self._check(stop)

    def _check(self, stop: Event) -> None:
        if stop.is_set():
            raise TransientSourceError(f"{self._source}: a request was given up with its task", source=self._source)
