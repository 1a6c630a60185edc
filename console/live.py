"""Telling open pages that something changed: one look at the database each second, only while somebody listens."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import structlog
from starlette.concurrency import run_in_threadpool

from database import DatabaseError, Pulse, Pulses

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
LASTS = 600.0
"""Seconds of a stream; the browser then opens the next by itself, if whoever sits there is still signed in."""
KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment is sent: proxies cut what stands still, and a browser that left is noticed."""
BACKLOG = 200
"""Topics that wait for a slow listener, at most."""
RETRY = b"retry: 3000\n\n"


def topics(before: Pulse, after: Pulse, tasks: list[int]) -> set[str]:
    """What changed, as pages name it: `overview`, `queue`, `task-ID`. `tasks`: those that something happened to."""
    moved = {
        task for task in before.progress.keys() | after.progress.keys() if before.progress.get(task) != after.progress.get(task)
    }
    found = {f"task-{task}" for task in moved.union(tasks)}
    if (before.events, before.row, before.said) != (after.events, after.row, after.said):
        found |= {"queue", "overview"}
    if moved or before.engines != after.engines or before.breakers != after.breakers:
        found.add("overview")
    return found


@dataclass(eq=False)
class Listener:
    """One open page: what it has not been told yet."""

    waiting: set[str] = field(default_factory=set)
    rung: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, found: set[str]) -> None:
        # Who reads slowly misses single tasks, never that the whole changed.
        self.waiting |= found if len(self.waiting) < BACKLOG else found & {"queue", "overview"}
        self.rung.set()


class Live:
    """The stream behind /live."""

    def __init__(self, pulses: Pulses, every: float = LOOK_EVERY) -> None:
        self._pulses, self._every = pulses, every
        self._stopping = False
        self._listeners: set[Listener] = set()
        self._looking: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """The console ends: every stream does within a second."""
        self._stopping = True

    async def stream(self, keep_alive: float = KEEP_ALIVE, lasts: float = LASTS) -> AsyncGenerator[bytes, None]:
        """Server-sent events for one page, until it goes away or so many seconds are over."""
        until = time.monotonic() + lasts
        listener = Listener()
        self._listeners.add(listener)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield RETRY
            silent = 0.0
            while not self._stopping and time.monotonic() < until:
                try:
                    await asyncio.wait_for(listener.rung.wait(), self._every)
                except TimeoutError:
                    silent += self._every
                listener.rung.clear()
                found, listener.waiting = listener.waiting, set()
                if found or silent >= keep_alive:
                    yield _written(found)
                    silent = 0.0
        finally:
            self._listeners.discard(listener)

    async def _look(self) -> None:
        """Ends with the last listener."""
        before: Pulse | None = None
        while self._listeners and not self._stopping:
            try:
                after = await run_in_threadpool(self._pulses.now)
                if before is not None and after != before:
                    news = after.events != before.events
                    tasks = await run_in_threadpool(self._pulses.changed, before, after) if news else []
                    self._tell(topics(before, after, tasks))
                before = after
            except DatabaseError as error:
                # The pages say so themselves when they are asked for; here it only means that nothing is known to have changed.
                log.warning("console cannot look", reason=str(error))
            except Exception:
                # Without another look open pages would hear nothing any more, and say that they are live.
                log.exception("console cannot look")
            await asyncio.sleep(self._every)

    def _tell(self, found: set[str]) -> None:
        for listener in self._listeners:
            listener.tell(found)


def _written(found: set[str]) -> bytes:
    """One event for each topic, or a comment."""
    return "".join(f"event: {topic}\ndata: {topic}\n\n" for topic in sorted(found)).encode() or b": still here\n\n"
