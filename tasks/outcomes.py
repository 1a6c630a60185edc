"""The one table that turns an error into an outcome, and into what a person reads about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from archives import AnswerLost, ArchiveError, ArchiveUnreachable, PackageError, TransientArchiveError
from config import SecretError
from database import DatabaseUnavailable, Outcome, QueueRestored
from notices import NoticeError, NoticeStumbled, NoticeUnreachable
from packageslip import SignatureRefused, SlipError
from sources import WEB, PermanentSourceError, SourceError, SourceUnreachable, TransientSourceError
from store import BlobMissing, StoreError, StoreFull, StoreHindered
from targets import (
    AreaMissing,
    NoSpace,
    PermanentTargetError,
    SerialTooHigh,
    TargetError,
    TargetUnreachable,
    TransientTargetError,
    WrittenByNewer,
)
from tasks.errors import Cancelled, NotYet, PlanHeld, Released, TakenDown, TaskError


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the attempt ended, and why in one sentence."""

    outcome: Outcome
    sentence: str
    error: str
    breaker: str | None = None
    retry_after: float | None = None
    unforeseen: bool = False
    """Nobody expected this error: a fault of the program, whose details belong in the log."""


AGAIN = "it is tried again by itself while attempts are left"
WAITS = "it waits until that answers, and loses no attempt"
UNGUARDED = "it is tried again by itself, and loses no attempt"
CORRECT = "once that is mended, insert the task again ('slipway queue retry')"

TABLE: tuple[tuple[type[BaseException], Outcome, str], ...] = (
    (TargetUnreachable, Outcome.UNREACHABLE, WAITS),
    (TransientTargetError, Outcome.RETRY, AGAIN),
    # A disk that is full at night has room again once a person came, or a log was rotated: a queue of tasks must not fail.
    (NoSpace, Outcome.RETRY, AGAIN),
    (WrittenByNewer, Outcome.UNREACHABLE, ""),
    (AreaMissing, Outcome.FAILED, CORRECT),
    (SerialTooHigh, Outcome.HELD, "approve it to publish over the newer one, or cancel it"),
    (PermanentTargetError, Outcome.FAILED, CORRECT),
    (TargetError, Outcome.FAILED, CORRECT),
    (SourceUnreachable, Outcome.UNREACHABLE, WAITS),
    (TransientSourceError, Outcome.RETRY, AGAIN),
    (PermanentSourceError, Outcome.FAILED, CORRECT),
    (SourceError, Outcome.FAILED, CORRECT),
    (NoticeUnreachable, Outcome.UNREACHABLE, WAITS),
    (NoticeStumbled, Outcome.RETRY, AGAIN),
    (NoticeError, Outcome.FAILED, CORRECT),
    (ArchiveUnreachable, Outcome.UNREACHABLE, WAITS),
    (TransientArchiveError, Outcome.RETRY, AGAIN),
    (AnswerLost, Outcome.RETRY, AGAIN),
    (ArchiveError, Outcome.FAILED, CORRECT),
    (SignatureRefused, Outcome.FAILED, "nothing was published"),
    (SlipError, Outcome.FAILED, "correct the slip at its source, then insert the task again"),
    (PackageError, Outcome.FAILED, CORRECT),
    (BlobMissing, Outcome.RETRY, AGAIN),
    (StoreFull, Outcome.RETRY, AGAIN),
    (StoreHindered, Outcome.RETRY, AGAIN),
    (StoreError, Outcome.FAILED, CORRECT),
    (DatabaseUnavailable, Outcome.RELEASED, UNGUARDED),
    (QueueRestored, Outcome.RELEASED, "it loses no attempt"),
    (SecretError, Outcome.FAILED, CORRECT),
    (PlanHeld, Outcome.HELD, ""),
    (NotYet, Outcome.UNREACHABLE, ""),
    (TakenDown, Outcome.CANCELLED, ""),
    (Cancelled, Outcome.CANCELLED, ""),
    (Released, Outcome.RELEASED, ""),
    (TaskError, Outcome.FAILED, ""),
    (OSError, Outcome.RETRY, "a fault of the engine's own machine; " + AGAIN),
    (MemoryError, Outcome.RETRY, "the engine has too little memory; " + AGAIN),
    (Exception, Outcome.FAILED, "a fault of Slipway itself; the engine's log has the details"),
)
"""The first row that fits counts. The third column says what happens next; the error itself says what to do."""


def verdict_of(error: Exception, *, task_target: str, breakers: Mapping[str, str]) -> Verdict:
    """The outcome of a task for `task_target` that ended with this error.

    `breakers`: what may be down ("origin", "source:cms") to the breaker that its outage opens. An outage of anything else
    opens none, for these tasks would not wait for it: the queue lets each wait a while. No outage spends an attempt.
    """
    kind, outcome, then = next(row for row in TABLE if isinstance(error, row[0]))
    breaker = breakers.get(_down(error, task_target)) if outcome is Outcome.UNREACHABLE else None
    if isinstance(error, SourceUnreachable) and error.source == WEB:
        # Nobody waits for a place on the web together: one that stays away has to fail at last, or no alert would ever tell.
        outcome, then = Outcome.RETRY, AGAIN
    elif outcome is Outcome.UNREACHABLE and breaker is None:
        then = UNGUARDED
    words = str(error).rstrip(". ") or type(error).__name__
    retry_after = error.retry_after if isinstance(error, _WAITED_FOR) else None
    return Verdict(outcome, f"{words}; {then}" if then else words, type(error).__name__, breaker, retry_after, kind is Exception)


_WAITED_FOR = (TransientSourceError, NoticeError, TransientArchiveError, AnswerLost, NotYet)
"""Errors that say how long to wait."""


def _down(error: Exception, task_target: str) -> str:
    """The name of what did not answer; a target that is read as a source goes by its own name."""
    if isinstance(error, SourceError):
        return f"source:{error.source}".removeprefix("source:target:")
    if isinstance(error, ArchiveError):
        return f"archive:{error.archive}"
    if isinstance(error, (NotYet, WrittenByNewer)):
        return ""
    return getattr(error, "target", "") or task_target
