"""How many threads fetch the files of a module: one, while a near server answers faster than Python takes the answers."""

import time
from collections.abc import Callable, Iterator, Sequence
from math import inf
from threading import Event, Lock

from sources.contract import Fetched, Want
from sources.parallel import in_parallel

_NEAR = 0.003
"""Seconds within which the fastest of some files is there, if the server is near: several times what it costs to take one."""
_SOME = 8
"""Files of which one is the fastest. On a busy machine most take longer, however near the server is; never all of them."""
_LATE = 0.01
"""Seconds for most of them at which the server makes them first: of a near one, a busy machine alone is seldom so late."""
_WAITED = 0.25
"""Seconds of waiting for them after which it does not matter that one was fast."""
_BUSY = 0.5
"""Share of a processor at which they would not: one interpreter keeps one processor busy, whatever the number of threads."""
_LARGE = 256 * 1024
"""Bytes of a file, in the mean of a module, from which on most of the work needs no interpreter's lock: threads help it."""


class Crew:
    """Who fetches from one source. Threads that wait for the interpreter's lock after each system call take half as much again
    of the processor as one thread does: they are for a server that is waited for, and for large files.

    `clock` and `processor` (seconds used) are for tests.
    """

    def __init__(
        self,
        parallel: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        self._parallel, self._clock, self._processor = parallel, clock, processor
        self._lock, self._fetching = Lock(), 0
        self._near = False
        """Whether the server was near when a module was fetched last. One that nobody knows yet gets all threads."""

    def each(self, work: Callable[[Want, Event], Fetched], wants: Sequence[Want]) -> Iterator[Fetched]:
        """Do this for each want, by as many threads as help, and answer in the order in which they are complete."""
        look = _Look(self._clock, self._processor)
        large = sum(want.file.size or 0 for want in wants) > _LARGE * len(wants)

        def alone() -> bool:
            if self._near:
                self._near = look.still_near()
            # Several modules that are fetched at once keep the source as busy as it may be.
            return 2 * self._fetching > self._parallel or (self._near and not large)

        self._count(1)
        try:
            yield from in_parallel(look.timed(work), wants, max(1, min(self._parallel, len(wants))), alone=alone)
        finally:
            self._count(-1)
            self._near = self._near or look.fastest < _NEAR

    def _count(self, change: int) -> None:
        with self._lock:
            self._fetching += change


class _Look:
    """What the files of one module tell of the way to the server."""

    def __init__(self, clock: Callable[[], float], processor: Callable[[], float]) -> None:
        self._clock, self._processor = clock, processor
        self.fastest = inf
        """Seconds, of all files."""
        self._begin()

    def _begin(self) -> None:
        self._since, self._used = self._clock(), self._processor()
        self._files, self._late, self._fastest, self._waited = 0, 0, inf, 0.0

    def timed(self, work: Callable[[Want, Event], Fetched]) -> Callable[[Want, Event], Fetched]:
        """The same work, looked at."""

        def look(want: Want, stop: Event) -> Fetched:
            began = self._clock()
            done = work(want, stop)
            seconds = self._clock() - began
            self._files += 1
            self._late += seconds > _LATE
            self._fastest = min(self._fastest, seconds)
            self.fastest = min(self.fastest, seconds)
            self._waited += max(0.0, seconds - _NEAR)
            return done

        return look

    def still_near(self) -> bool:
        """Whether the last files were not waited for, or this process was busy all the same; for who fetches by itself."""
        if self._files < _SOME and self._waited < _WAITED:
            return True
        near = self._fastest < _NEAR and self._waited < _WAITED and 2 * self._late <= self._files
        busy = self._processor() - self._used >= _BUSY * (self._clock() - self._since)
        self._begin()
        return near or busy
