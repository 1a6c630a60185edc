"""What comes back for members of a group that were left behind: a VERIFY that repairs, tried again until they answer."""

from collections.abc import Iterator
from datetime import UTC, datetime

from database import Action, NewTask
from tasks.work import Work

PATIENCE = 60
"""Seconds before a member that did not answer is asked again; then the queue's own back-off counts, and at its end an alert."""


def mending_after(work: Work) -> Iterator[NewTask]:
    """The row for it, if this attempt has made something visible that not every member has."""
    task = work.task
    if work.published and work.summary.get("lagging") and task.action != Action.VERIFY:
        yield NewTask(
            task.url,
            task.environment,
            Action.VERIFY,
            priority=task.priority,
            run_after=datetime.fromtimestamp(work.tools.claim.now() + PATIENCE, UTC),
            parameters={"repair": True},
            requested_by=task.requested_by,
            target=work.target,
            parent=task.id,
        )
