"""Claimed tasks become RUNNING, each with a fence of its own and an attempt; some of them begin at once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Update, bindparam, case, func, insert, update

from database import schema
from database.counters import next_fences
from database.moments import Moment
from database.rows import task_of, tell
from database.values import Engine, State, Task

_queue = schema.queue.c
_NEW_ATTEMPTS = insert(schema.attempt)


def begin(
    connection: Connection, engine: Engine, winners: Sequence[Row[Any]], started: Collection[int], now: datetime
) -> list[Task]:
    """Begin an attempt at each of these rows, which are locked and READY; `started`: the ids of those that begin at once."""
    if not winners:
        return []
    ids = sorted(row.id for row in winners)
    fences = dict(zip(ids, next_fences(connection, len(ids)), strict=True))
    first = {"start": engine.start, "ids": ids, "shift": fences[ids[0]] - ids[0], "started": list(started or {-1}), "now": now}
    if ids[-1] - ids[0] < len(ids):
        connection.execute(_begun(), first)
    else:
        connection.execute(_begun(len(ids)), first | _numbered("task", ids) | _numbered("fence", fences.values()))
    tasks = [_claimed(row, fences[row.id], now if row.id in started else None) for row in winners]
    connection.execute(_NEW_ATTEMPTS, [_attempt_row(task, engine, now) for task in tasks])
    tell(connection, now, ((task.id, State.RUNNING, None, task.fence) for task in tasks))
    return tasks


@cache
def _begun(count: int = 0) -> Update:
    """The statement that begins so many tasks; 0: any number whose fences go with their ids, as they do in most claims."""
    numbered = [(_queue.id == bindparam(f"task{n}"), bindparam(f"fence{n}", type_=BigInteger)) for n in range(count)]
    fence: ColumnElement[int] = case(*numbered) if count else _queue.id + bindparam("shift", type_=BigInteger)
    return (
        update(schema.queue)
        .where(_queue.id.in_(bindparam("ids", expanding=True)))
        .values(
            status="RUNNING",
            engine=bindparam("start"),
            reason=None,
            fence=fence,
            serial=func.coalesce(func.nullif(_queue.serial, 0), fence),
            attempts=_queue.attempts + 1,
            started_at=case((_queue.id.in_(bindparam("started", expanding=True)), bindparam("now", type_=Moment()))),
        )
    )


def _numbered(name: str, values: Iterable[int]) -> dict[str, int]:
    return {f"{name}{number}": value for number, value in enumerate(values)}


def _claimed(row: Row[Any], fence: int, started: datetime | None) -> Task:
    """What the row of a task has become."""
    return replace(
        task_of(row),
        state=State.RUNNING,
        reason=None,
        fence=fence,
        serial=row.serial or fence,
        attempts=row.attempts + 1,
        started_at=started,
        sealed=bool(row.sealed),
    )


def _attempt_row(task: Task, engine: Engine, now: datetime) -> dict[str, object]:
    return {
        "task": task.id,
        "fence": task.fence,
        "number": task.attempts,
        "engine": engine.start,
        "host": engine.host,
        "claimed_at": now,
        "started_at": task.started_at,
    }
