"""The same work for many things on a few threads, answered in the order in which it is done."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event
from typing import TypeVar

Thing = TypeVar("Thing")
Done = TypeVar("Done")


def in_parallel(work: Callable[[Thing, Event], Done], things: Iterable[Thing], threads: int) -> Iterator[Done]:
    """Yield each result as it comes. The first error ends the iteration, and everything under way is told to stop.

    `work` gets an event that is set when its result is of no use any more. Only twice as many things as there are
    threads are taken ahead, so that a million of them cost no memory.
    """
    stop, rest = Event(), iter(things)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="fetch")
    try:
        under_way = {pool.submit(work, thing, stop) for thing in islice(rest, 2 * threads)}
        while under_way:
            finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            under_way |= {pool.submit(work, thing, stop) for thing in islice(rest, len(finished))}
            yield from _results(finished)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _results(finished: set[Future[Done]]) -> Iterator[Done]:
    """Failures first: nothing is gained by handing out the results that came with them."""
    for future in finished:
        if error := future.exception():
            raise error
    yield from (future.result() for future in finished)
