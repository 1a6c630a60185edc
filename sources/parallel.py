"""The same work for many things on a few threads, answered in the order in which it is done."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

Thing = TypeVar("Thing")
Done = TypeVar("Done")


def in_parallel(
    work: Callable[[Thing, Event], Done],
    things: Iterable[Thing],
    threads: int,
    *,
    alone: Callable[[], bool] = lambda: False,
) -> Iterator[Done]:
    """Yield each result as it comes. The first error ends the iteration, and everything under way is told to stop.

    `work` gets an event that is set when its result is of no use any more. Only twice as many things as there are
    threads are taken ahead, so that a million of them cost no memory. `alone`: asked before each thing, whether who
    iterates does it by itself; after the first no, the threads do all that is left.
    """
    stop, rest = Event(), iter(things)
    try:
        while alone():
            for thing in islice(rest, 1):
                yield work(thing, stop)
                break
            else:
                return
        yield from _on_threads(work, rest, threads, stop)
    finally:
        stop.set()


def _on_threads(work: Callable[[Thing, Event], Done], rest: Iterator[Thing], threads: int, stop: Event) -> Iterator[Done]:
    pool = ThreadPoolExecutor(threads, thread_name_prefix="fetch")
    finished: SimpleQueue[Future[Done]] = SimpleQueue()

    def begin(count: int) -> int:
        begun = 0
        for thing in islice(rest, count):
            pool.submit(work, thing, stop).add_done_callback(finished.put)
            begun += 1
        return begun

    try:
        under_way = begin(2 * threads)
        while under_way:
            result = finished.get().result()
            under_way += begin(1) - 1
            yield result
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
