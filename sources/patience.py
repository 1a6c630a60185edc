"""Requests repeated at once: a few times, after the pause that the source asks for or a short random one."""

from collections.abc import Callable
from threading import Event
from typing import TypeVar

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_attempt,
    stop_when_event_set,
    wait_random_exponential,
)

from sources.errors import TransientSourceError

log = structlog.get_logger(__name__)

Result = TypeVar("Result")


class Patience:
    """How often and for how long one request is repeated. Longer waits are the queue's, which keeps no worker busy."""

    def __init__(self, retries: int, max_retry_after: float, *, pause: float = 0.25) -> None:
        self._retries = retries
        self._max_retry_after = max_retry_after
        # Random, so that many engines that met the same hiccup do not come back together.
        self._pause = wait_random_exponential(multiplier=pause, max=20 * pause)

    def attempt(self, request: Callable[[], Result], stop: Event) -> Result:
        """The request's result; its last error if it failed each time, or asked for too long a wait, or `stop` is set."""
        try:
            return request()
        except TransientSourceError as error:
            # Most requests need no patience, which costs as much as a small file does. Here it is told of the first attempt.
            failed = [error]

        def again() -> Result:
            if failed:
                raise failed.pop()
            return request()

        retrying = Retrying(
            retry=retry_if_exception(self._may_pass),
            stop=stop_after_attempt(self._retries + 1) | stop_when_event_set(stop),
            wait=self._wait,
            sleep=sleep_using_event(stop),
            before_sleep=_tell,
            reraise=True,
        )
        return retrying(again)

    def _may_pass(self, error: BaseException) -> bool:
        if not isinstance(error, TransientSourceError):
            return False
        return error.retry_after is None or error.retry_after <= self._max_retry_after

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientSourceError) else None
        return self._pause(state) if asked is None else asked


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = round(state.upcoming_sleep, 2)
    log.info("request failed for the moment", attempt=state.attempt_number, wait=wait, reason=str(error))
