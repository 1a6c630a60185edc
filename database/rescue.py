"""What becomes of the tasks of an engine that is gone."""

from datetime import datetime

from sqlalchemy import Connection, case, delete, select, update

from database import schema
from database.rows import by_id, tell
from database.updating import given_keys, have_keys

LOSSES_ALONE = 3
"""Engines that may die over one task that ran alone, before it counts as poison."""

_queue, _attempt = schema.queue.c, schema.attempt.c


def give_back(connection: Connection, start: str, now: datetime) -> None:
    """READY again: what was not started, with the attempt taken back; what was started, as LOST, or FAILED as poison."""
    ids = connection.scalars(select(_queue.id).where(_queue.engine == start)).all()
    wanted = select(_queue.id, _queue.fence, _queue.started_at, _queue.losses_alone).where(
        _queue.id.in_(ids), _queue.status == "RUNNING", _queue.engine == start
    )
    rows = connection.execute(wanted.order_by(_queue.id).with_for_update()).all() if ids else []
    if not rows:
        return
    started = {row.id for row in rows if row.started_at is not None}
    if started:
        # Its process may live on, and still take a module over: that it is as it was sealed does not say that it stays so.
        connection.execute(delete(schema.seal))
    alone = len(rows) == 1
    poison = {row.id for row in rows if alone and row.id in started and row.losses_alone + 1 >= LOSSES_ALONE}
    reasons = {row.id: _reason(row.id in started, row.id in poison) for row in rows}
    is_started, is_poison = _queue.id.in_(started or {-1}), _queue.id.in_(poison or {-1})
    connection.execute(
        update(schema.queue)
        .where(_queue.id.in_([row.id for row in rows]))
        .values(
            status=case((is_poison, "FAILED"), else_="READY"),
            reason=by_id(_queue.id, reasons),
            engine=None,
            attempts=case((is_started, _queue.attempts), else_=_queue.attempts - 1),
            losses=case((is_started, _queue.losses + 1), else_=_queue.losses),
            losses_alone=case((is_started, _queue.losses_alone + int(alone)), else_=_queue.losses_alone),
            started_at=case((is_poison, _queue.started_at), else_=None),
            finished_at=case((is_poison, now), else_=None),
        )
    )
    _end_attempts(connection, {row.id: row.fence for row in rows}, started, reasons, now)
    connection.execute(schema.progress.delete().where(schema.progress.c.task.in_(list(reasons))))
    tell(connection, now, ((row.id, "FAILED" if row.id in poison else "READY", reasons[row.id], row.fence) for row in rows))


def _end_attempts(
    connection: Connection, fences: dict[int, int], started: set[int], reasons: dict[int, str], now: datetime
) -> None:
    outcome = case((_attempt.task.in_(started or {-1}), "LOST"), else_="RETURNED")
    values = {"ended_at": now, "outcome": outcome, "reason": by_id(_attempt.task, reasons)}
    ends = update(schema.attempt).where(have_keys(_attempt.task, _attempt.fence)).values(values)
    connection.execute(ends, given_keys(fences.items()))


def _reason(started: bool, poison: bool) -> str:
    if poison:
        return (
            f"Its engine died {LOSSES_ALONE} times while it worked on this task alone, so it is not tried again. "
            "Look at the engine's log for these times, then 'slipway queue retry'."
        )
    return (
        "Its engine died; it runs alone the next time."
        if started
        else "Its engine was gone before it began; no attempt was spent."
    )
