"""An answer of the database for who cannot wait: scrapers and load balancers give up before its driver does."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from database import DatabaseUnavailable

T = TypeVar("T")

PATIENCE = 8.0
"""Seconds for the database: Prometheus gives a scrape ten, and should hear which of the two does not answer."""


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What it answers. Raises DatabaseUnavailable where that takes longer: its thread then ends when the driver gives up."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - raised by whoever waits
            answer.set_exception(error)

    Thread(target=run, name="impatient", daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise DatabaseUnavailable(f"The queue's database has not answered within {seconds:g} s.") from None
