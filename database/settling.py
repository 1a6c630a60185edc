"""What a result makes of its task. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from config import RetrySettings
from database.actions import SOURCELESS, Action
from database.backoff import Random, delay
from database.values import Outcome, Result, State

_ENDS = {
    Outcome.SUCCEEDED: State.SUCCEEDED,
    Outcome.FAILED: State.FAILED,
    Outcome.CANCELLED: State.CANCELLED,
    Outcome.HELD: State.HELD,
}
EAGER = 3
"""Attempts after which a takedown's waits grow no longer."""
_FREE = frozenset({Outcome.UNREACHABLE, Outcome.RELEASED})


@dataclass(frozen=True, slots=True)
class Ending:
    """The task's next state. `run_after` None leaves it as it is."""

    state: State
    reason: str
    run_after: datetime | None = None
    spends_attempt: bool = True

    @property
    def final(self) -> bool:
        """Nothing comes after this state."""
        return self.state not in {State.READY, State.HELD}


def settle(task: Row[Any], result: Result, newer: int | None, retry: RetrySettings, random: Random) -> Ending:
    """The ending of a locked RUNNING row (with `now`); `newer` is a READY task that replaces it, if there is one."""
    if result.outcome in {Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED}:
        return Ending(_ENDS[result.outcome], result.reason)
    if task.cancel_requested:
        return Ending(State.CANCELLED, f"Cancelled on request. It had come to: {result.reason}")
    if result.outcome is Outcome.HELD:
        return Ending(State.HELD, result.reason)
    return _again(task, result, newer, retry, random)


def _again(task: Row[Any], result: Result, newer: int | None, retry: RetrySettings, random: Random) -> Ending:
    free = result.outcome in _FREE
    if newer is not None:
        return Ending(State.SUPERSEDED, f"Task {newer} for the same module is newer. It had come to: {result.reason}")
    if free:
        # With no breaker to hold it back it would be claimed again at once, for ever.
        unguarded = result.outcome is Outcome.UNREACHABLE and not _waits_for(task, result.breaker)
        after = task.now + timedelta(seconds=delay(1, retry, random, result.retry_after or 0)) if unguarded else None
        return Ending(State.READY, result.reason, after, spends_attempt=False)
    most = task.max_attempts or retry.max_attempts
    # What an engine lost when it died was not the task's doing; losses suffered alone have a count of their own.
    spent = task.attempts - task.losses
    if task.action == Action.TAKEDOWN:
        # Nothing but an end that a person must bring about ends it before the module is gone.
        most, spent = spent + 1, min(spent, EAGER)
    if spent >= most:
        return Ending(State.FAILED, f"{result.reason}. That was attempt {spent} of {most}, the last")
    wait = delay(spent, retry, random, result.retry_after or 0)
    return Ending(State.READY, result.reason, task.now + timedelta(seconds=wait))


def _waits_for(task: Row[Any], breaker: str | None) -> bool:
    """Whether this breaker, open, keeps the task from being claimed."""
    waits = breaker is not None and (breaker == task.target or task.action not in SOURCELESS)
    return waits and task.action != Action.TAKEDOWN
