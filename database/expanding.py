"""Rows that tasks make: DELIVERs, dependents, the modules of a REPUBLISH."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select, update

from database import schema
from database.errors import TaskLost
from database.rows import engine_row, insert_ignore
from database.values import Engine, NewTask, Task

GENERATIONS = 2
"""Dependents of dependents, and no further: modules that name each other must not run for ever."""

_queue = schema.queue.c


def expand(connection: Connection, engine: Engine, task: Task, rows: Sequence[NewTask], cursor: str) -> None:
    """Insert rows and move the cursor of a running task. Raises LeaseLost when it is not this engine's."""
    wanted = select(schema.queue).where(_queue.id == task.id, _queue.status == "RUNNING", _queue.engine == engine.start)
    found = connection.execute(wanted.with_for_update()).one_or_none()
    if found is None:
        raise TaskLost(f"Task {task.id} is not this engine's any more; its rows were not inserted.")
    if found.done_until == cursor:
        return
    connection.execute(update(schema.queue).where(_queue.id == task.id).values(done_until=cursor))
    insert_made(connection, [(found, new) for new in rows])


def insert_made(connection: Connection, made: Iterable[tuple[Row[Any], NewTask]]) -> None:
    """Insert what tasks made, sorted by URL; a dependent that its batch has already is left out."""
    rows = [engine_row(_filled(parent, new)) for parent, new in made if new.generation <= GENERATIONS]
    insert_ignore(connection, schema.queue, sorted(rows, key=lambda row: str(row["url"])))


def _filled(parent: Row[Any], new: NewTask) -> NewTask:
    """Batch, parent and, in the same environment, target are the parent's where they are not said."""
    own_target = parent.target if new.environment == parent.environment else None
    return replace(
        new,
        batch=parent.batch or parent.id if new.batch is None else new.batch,
        parent=parent.id if new.parent is None else new.parent,
        target=own_target if new.target is None else new.target,
    )
