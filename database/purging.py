"""Tasks that come to an end without running, and the end of their rows."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from database import schema
from database.auditing import Entry, note
from database.rows import tell, text_of
from database.takedowns import EVERYWHERE, stop_children

SWEEP = 500
"""Tasks cancelled in one transaction."""

_queue = schema.queue.c
_IDLE = ("NEW", "READY", "HELD")


def cancel_requested(connection: Connection) -> int:
    """Cancel what somebody asked to and nobody runs. What runs is cancelled by its engine."""
    asked = select(_queue.id).with_hint(schema.queue, "FORCE INDEX (k_cancel)", "mysql")
    ids = connection.scalars(asked.where(_queue.open_cancel == 1, _queue.status.in_(_IDLE)).limit(SWEEP)).all()
    if not ids:
        return 0
    columns = (_queue.id, _queue.environment, _queue.target, _queue.url, schema.NOW.label("now"))
    wanted = select(*columns).where(_queue.id.in_(ids), _queue.cancel_requested == 1, _queue.status.in_(_IDLE))
    rows = connection.execute(wanted.order_by(_queue.id).with_for_update(skip_locked=True)).all()
    if not rows:
        return 0
    now, reason = rows[0].now, "Cancelled on request, before it ran."
    locked = [row.id for row in rows]
    connection.execute(
        update(schema.queue).where(_queue.id.in_(locked)).values(status="CANCELLED", reason=reason, finished_at=now)
    )
    tell(connection, now, ((id_, "CANCELLED", reason, None) for id_ in locked))
    note(connection, (_cancelled(row, reason) for row in rows), now)
    stop_children(connection, [row.id for row in rows if row.environment == EVERYWHERE])
    return len(rows)


def _cancelled(row: Row[Any], reason: str) -> Entry:
    return Entry(
        kind="cancelled",
        task=row.id,
        environment=text_of(row.environment),
        target=row.target,
        url=text_of(row.url),
        document={"why": reason},
    )


def purge(connection: Connection, days: int, batch: int) -> int:
    """Delete one batch of tasks that ended long ago, and what belongs to them; engines and schedules' runs of that age too."""
    before = connection.execute(select(schema.NOW)).scalar_one() - timedelta(days=days)
    ended = select(_queue.id).where(_queue.finished_at < before).order_by(_queue.finished_at).limit(batch)
    ids = sorted(connection.scalars(ended))
    for table, key in (
        (schema.attempt, schema.attempt.c.task),
        (schema.event, schema.event.c.task),
        (schema.plan, schema.plan.c.task),
        (schema.queue, _queue.id),
    ):
        if ids:
            connection.execute(delete(table).where(key.in_(ids)))
    connection.execute(delete(schema.engine).where(schema.engine.c.state != "UP", schema.engine.c.ended_at < before))
    _purge_runs(connection, before - timedelta(days=days))
    if ids:
        note(connection, [Entry(kind="purged", document={"tasks": len(ids), "first": ids[0], "last": ids[-1], "days": days})])
    return len(ids)


def _purge_runs(connection: Connection, before: object) -> None:
    """Runs older than that, but for the newest of each schedule: what `last_fired` answers."""
    run = schema.schedule_run.c
    newest = {
        row.schedule: row.newest
        for row in connection.execute(select(run.schedule, func.max(run.fire_at).label("newest")).group_by(run.schedule))
    }
    for schedule, at in newest.items():
        connection.execute(delete(schema.schedule_run).where(run.schedule == schedule, run.fire_at < at, run.fire_at < before))
