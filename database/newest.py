"""What ended last in each environment, well and badly: found from the end of the events, whatever the queue's size."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, select

from database import schema
from database.actions import PAUSING, Action
from database.connection import Database
from database.rows import task_of, text_of
from database.values import State, Task

LOOKED_AT = 1500
"""Events looked back on. What is older is found by the ids of tasks, and may then miss a later end of an older task."""
ENDED = (State.SUCCEEDED, State.FAILED)
WORDS = sorted({Action.APPROVE, *PAUSING})
"""What a person said, and intake carried out: no success of an engine."""

_queue, _event = schema.queue.c, schema.event.c
Ends = Mapping[tuple[str, State], Task]


class Newest:
    """The last success and the last failure."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def ends(self, environments: Collection[str]) -> Ends:
        """By environment and state; what never happened is left out."""
        return self._db.look(lambda connection: _ends(connection, environments))


def _ends(connection: Connection, environments: Collection[str]) -> Ends:
    recent = select(_event.id, _event.task, _event.state).order_by(_event.id.desc()).limit(LOOKED_AT).subquery()
    last = (
        select(_queue.environment, recent.c.state, func.max(recent.c.id).label("event"))
        .join(schema.queue, _queue.id == recent.c.task)
        .where(recent.c.state.in_([str(state) for state in ENDED]), _queue.action.not_in(WORDS))
        .group_by(_queue.environment, recent.c.state)
    )
    found = {(text_of(row.environment), State(row.state)): row.event for row in connection.execute(last)}
    events = select(_event.task).where(_event.id.in_(list(found.values())))
    ids = set(connection.scalars(events)) if found else set[int]()
    for environment in environments:
        for state in ENDED:
            if (environment, state) not in found:
                ids |= set(_by_id(connection, environment, state))
    return _newest(connection.execute(select(schema.queue).where(_queue.id.in_(ids))).all() if ids else ())


def _by_id(connection: Connection, environment: str, state: State) -> Iterable[int]:
    """The newest task of each sort that ended so: a few steps along an index."""
    wanted = (
        select(func.max(_queue.id))
        .with_hint(schema.queue, "FORCE INDEX (k_pick)", "mysql")
        .where(_queue.status == state, _queue.environment == environment)
        .group_by(_queue.status, _queue.environment, _queue.target, _queue.hold, _queue.priority)
    )
    return connection.scalars(wanted).all()


def _newest(rows: Iterable[Row[Any]]) -> Ends:
    ends: dict[tuple[str, State], Task] = {}
    for task in sorted(map(task_of, rows), key=lambda task: (task.finished_at is not None, task.finished_at, task.id)):
        if task.state in ENDED and task.action not in WORDS:
            ends[task.environment, task.state] = task
    return ends
