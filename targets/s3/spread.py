"""The same thing done to many objects side by side, in a few threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2
"""Pieces of work in hand for each thread, so that none waits for the next file to be named."""


def spread(do: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Results in the order of the items, which are taken only as there is room.

    After the first error nothing more is begun; it is raised once everything under way has ended, so that no thread works on
    behind the caller's back.
    """
    if threads == 1:
        yield from map(do, items)
        return
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(do, item))
                if len(waiting) >= threads * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def each(do: Callable[[Item], object], items: Iterable[Item], threads: int) -> None:
    """`spread` for what has no result."""
    for _ in spread(do, items, threads):
        pass
