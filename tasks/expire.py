"""EXPIRE: drop what became stale on a target and whose grace is over. It needs no source, and changes no publication.

A row for it is made by each task that leaves files stale. The target says by itself what is stale there, so where the rows
are lost, VERIFY makes them anew, and the next task of the module needs none.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from database import Action, NewTask
from packageslip import format_time
from targets import Grace
from tasks.commit import grace_of, take_over
from tasks.work import Done, Work

SPARE = 1
"""Seconds later than need be: moments are cut to whole seconds."""


def expire(work: Work) -> Done:
    """Drop it. What was listed again meanwhile is not stale any more, and stays."""
    if work.dry_run:
        return Done(f"dry run: {_would(work)}")
    present = take_over(work)
    with work.step("expire"):
        gone = work.tools.target.expire(present)
    work.count({"drop": len(gone)})
    if gone:
        return Done(f"{len(gone)} stale files of {work.task.url} are gone from {work.target}{work.laggards()}")
    return Done(f"no file of {work.task.url} on {work.target} is stale and over its grace{work.laggards()}")


def _would(work: Work) -> str:
    slip = work.tools.target.slip(work.task.url)
    stale = slip.stale if slip else ()
    grace = Grace(grace_of(work, work.target), work.tools.claim.now())
    over = sum(1 for file in stale if grace.over(file))
    last = max((file.until(grace.seconds) for file in stale), default=None)
    kept = f"; {len(stale) - over} stay, the last until {format_time(last)}" if last is not None and over < len(stale) else ""
    return f"{over} stale files of {work.task.url} would go from {work.target}{kept}"


def expiry_after(work: Work) -> Iterator[NewTask]:
    """The row that comes back for what this attempt left stale, or found so, whatever else the attempt came to."""
    if work.expires is not None and not work.dry_run:
        yield expiry(work, datetime.fromtimestamp(work.expires + SPARE, UTC))


def expiry(work: Work, when: datetime | None = None) -> NewTask:
    """A task that drops what is over on this one's target."""
    task = work.task
    return NewTask(
        task.url,
        task.environment,
        Action.EXPIRE,
        priority=task.priority,
        run_after=when,
        requested_by=task.requested_by,
        target=work.target,
        parent=task.id,
    )
