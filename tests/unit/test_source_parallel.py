"""The same work on a few threads: in order of completion, never far ahead, over at the first error."""

import time
from collections.abc import Iterator
from threading import Event, Lock

import pytest

from sources.parallel import in_parallel


def test_results_come_in_the_order_in_which_they_are_done() -> None:
    def work(seconds: float, stop: Event) -> float:
        stop.wait(seconds)
        return seconds

    assert list(in_parallel(work, [0.3, 0.0, 0.15], 3)) == [0.0, 0.15, 0.3]


def test_every_thing_is_worked_on_once_by_no_more_threads_than_allowed() -> None:
    lock, running, most = Lock(), 0, 0

    def work(number: int, _stop: Event) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1
        return number

    assert sorted(in_parallel(work, range(200), 4)) == list(range(200))
    assert most <= 4


def test_only_a_few_things_are_taken_ahead() -> None:
    taken = 0

    def things() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = in_parallel(lambda number, _stop: number, things(), 2)
    next(results)
    assert taken <= 8
    results.close()  # type: ignore[attr-defined]
    assert taken <= 8


def test_the_first_error_stops_what_is_under_way_and_starts_nothing_more() -> None:
    started: list[int] = []

    def work(number: int, stop: Event) -> int:
        started.append(number)
        if number == 0:
            raise KeyError(number)
        assert stop.wait(5), "it is told to stop"
        return number

    start = time.monotonic()
    with pytest.raises(KeyError):
        list(in_parallel(work, range(100), 3))
    assert time.monotonic() - start < 4.5, "nobody waited out the 5 s"
    assert len(started) <= 6


def test_nothing_to_do_is_done() -> None:
    assert list(in_parallel(lambda thing, _stop: thing, [], 3)) == []
