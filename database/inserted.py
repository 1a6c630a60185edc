"""Rows as people inserted them: locked in their order, and read as requests."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select

from database import schema
from database.actions import PAUSING, Action
from database.judge import Request
from database.parameters import PROCEDURE_CODE, RERUN_OF, is_id
from database.protocol import newest_protocol
from database.rows import object_of

log = structlog.get_logger(__name__)
_queue = schema.queue.c

URGENT = sorted({Action.TAKEDOWN, *PAUSING})


def lock_inserted(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Up to `limit` NEW rows, oldest first, and as many urgent ones behind them; each with `now`, the database's time."""
    return _understood(connection, _lock_new(connection, limit))


def read_requests(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, Request]:
    """Row -> what it asks for; a rerun takes over the target and version of what it repeats."""
    _name_codes(rows)
    requests = {
        row.id: Request(
            row.url,
            row.environment,
            row.action,
            row.parameters,
            row.max_attempts,
            row.target,
            row.version,
            row.parent,
        )
        for row in rows
    }
    repeated = {row.id: old for row in rows if is_id(old := object_of(row.parameters).get(RERUN_OF))}
    if repeated:
        wanted = select(_queue.id, _queue.url, _queue.environment, _queue.action, _queue.target, _queue.version, _queue.parent)
        old = {row.id: row for row in connection.execute(wanted.where(_queue.id.in_(sorted(set(repeated.values())))))}
        for id_, of in repeated.items():
            # The same thing again: a DELIVER that repeated a PUBLISH would do without the guard what that was held for.
            if requests[id_].action == Action.TAKEDOWN:
                # One target's part of it cannot be done by itself: it is asked for again, everywhere.
                continue
            if of in old and all(
                getattr(old[of], name) == getattr(requests[id_], name) for name in ("url", "environment", "action")
            ):
                requests[id_] = replace(requests[id_], target=old[of].target, version=old[of].version, made_by=old[of].parent)
    return requests


def _understood(connection: Connection, rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """What a newer program that works here may mean by an action unknown to this one is left for it to judge."""
    strange = {row.id for row in rows if row.action and row.action not in set(Action)}
    if not strange or newest_protocol(connection) <= schema.PROTOCOL:
        return rows
    return [row for row in rows if row.id not in strange]


def _lock_new(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    # By id, so that of two rows for one module the older is never accepted after the newer.
    oldest = (
        select(_queue.id)
        .with_hint(schema.queue, "FORCE INDEX (k_due)", "mysql")
        .where(_queue.status == "NEW")
        .order_by(_queue.id)
    )
    ids = list(connection.scalars(oldest.limit(limit)))
    if not ids:
        return ()
    if len(ids) == limit:
        # Behind so many others a takedown must not wait, nor whoever wants to stop the others.
        urgent = select(_queue.id).with_hint(schema.queue, "FORCE INDEX (k_pick)", "mysql")
        urgent = urgent.where(_queue.status == "NEW", _queue.action.in_(URGENT), _queue.id > ids[-1])
        ids += connection.scalars(urgent.order_by(_queue.id).limit(limit))
    wanted = select(schema.queue, schema.NOW.label("now")).where(_queue.id.in_(ids), _queue.status == "NEW").order_by(_queue.id)
    rows = connection.execute(wanted.with_for_update(skip_locked=True)).all()
    return rows if len(rows) == len(ids) else _in_order(connection, ids, rows)


def _in_order(connection: Connection, ids: Sequence[int], rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """Without what is newer than a row that another session has locked just now, for the same module."""
    left = select(_queue.id, _queue.url, _queue.environment).where(
        _queue.id.in_(set(ids) - {row.id for row in rows}), _queue.status == "NEW"
    )
    first: dict[tuple[object, object], int] = {}
    for row in connection.execute(left):
        module = row.url, row.environment
        first[module] = min(row.id, first.get(module, row.id))
    return [row for row in rows if row.id < first.get((row.url, row.environment), row.id + 1)]


def _name_codes(rows: Sequence[Row[Any]]) -> None:
    """The procedure's numbers are others than those of the old command line: each use says what its number stood for."""
    for row in rows:
        parameters = object_of(row.parameters)
        if PROCEDURE_CODE in parameters and RERUN_OF not in parameters:
            code, environment = parameters[PROCEDURE_CODE], row.environment
            log.info("procedure code stands for an environment", task=row.id, url=row.url, code=code, environment=environment)
