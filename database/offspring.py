"""What came of a task, at a glance: a root may have made a hundred thousand others."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from database import schema
from database.rows import task_of
from database.values import State, Task

COUNTED = 10_000
"""Where counting stops."""
_URGENT = (State.FAILED, State.HELD, State.REJECTED, State.RUNNING)

_queue = schema.queue.c


@dataclass(frozen=True, slots=True)
class Offspring:
    """Tasks that one made, by state, and a few of them: those that a person looks at first. `more`: not all were counted."""

    counts: Mapping[State, int]
    tasks: tuple[Task, ...]
    more: bool = False

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())


def offspring(connection: Connection, parent: int, limit: int) -> Offspring:
    """The failed and the running before the others, by id."""
    mine = select(_queue.id, _queue.status).where(_queue.parent == parent)
    some = mine.limit(COUNTED).subquery()
    rows = connection.execute(select(some.c.status, func.count().label("n")).group_by(some.c.status)).all()
    counts = {State(row.status): int(row.n) for row in rows}
    if not counts:
        return Offspring({}, ())
    urgent = mine.where(_queue.status.in_([str(state) for state in _URGENT])).order_by(_queue.id).limit(limit)
    ids = [row.id for row in connection.execute(urgent)] if any(state in counts for state in _URGENT) else []
    ids += [row.id for row in connection.execute(mine.order_by(_queue.id).limit(limit)) if row.id not in ids]
    found = connection.execute(select(schema.queue).where(_queue.id.in_(ids[:limit])).order_by(_queue.id)).all()
    tasks = {row.id: task_of(row) for row in found}
    shown = tuple(tasks[id_] for id_ in ids[:limit] if id_ in tasks)
    return Offspring(counts, shown, sum(counts.values()) >= COUNTED)
