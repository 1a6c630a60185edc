"""Which tasks are late: they could have run long ago, and nobody has begun them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select

from database import schema
from database.picking import OPEN

MARKED = 10_000
"""Tasks that are marked as overdue at once, at most."""


def overdue(limit: datetime, first: datetime, begun: datetime, mark: str) -> Any:  # noqa: ANN401 - a SELECT of one column
    """Ids of tasks that could have run since before `limit` and are not marked; none that was due so before the alert began."""
    task, event = schema.queue, schema.event.alias()
    marked = exists().where(event.c.task == task.c.id, event.c.state == "OVERDUE", event.c.reason == mark)
    return (
        select(task.c.id)
        .with_hint(task, "FORCE INDEX (k_due)", "mysql")
        .where(task.c.status == "READY", task.c.hold == 0, task.c.cancel_requested == 0, task.c.run_after <= limit)
        .where(or_(task.c.run_after > first, task.c.created_at > begun), _could_run(limit), ~marked)
        .order_by(task.c.id)
        .limit(MARKED)
    )


def _could_run(limit: datetime) -> ColumnElement[bool]:
    """A dependent is late only after what it waited for has ended long ago."""
    task, before = schema.queue.c, schema.queue.alias()
    waited = exists().where(
        before.c.batch == task.batch,
        before.c.generation < task.generation,
        or_(before.c.status.in_(OPEN), before.c.finished_at > limit),
        or_(before.c.target == task.target, before.c.target.is_(None)),
    )
    return or_(task.generation == 0, ~waited)
