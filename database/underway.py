"""What is under way: running tasks with how far they are, what waits in each environment, and what ended just now.

Every statement goes along an index, and every count stops at a limit: a queue of a million rows is looked at as fast as an empty
one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from database import schema
from database.connection import Database
from database.rows import breaker_of, chunks, task_of, text_of
from database.values import Breaker, Progress, State, Task
from database.watching import settled_until

MOST_RUNNING = 1000
"""Running tasks that are looked at: sixteen engines of 64 workers."""
COUNTED = 10_000
"""Where counting stops, unless somebody wants more."""
ENDS = frozenset({State.HELD, State.SUCCEEDED, State.FAILED, State.CANCELLED, State.REJECTED, State.SUPERSEDED})

BY_ID, BY_STATE = "FORCE INDEX (PRIMARY)", "FORCE INDEX (k_due)"

_queue, _event = schema.queue.c, schema.event.c


@dataclass(frozen=True, slots=True)
class Moving:
    """A task and how far it is; no `progress`: its engine has not said yet."""

    task: Task
    progress: Progress | None = None
    engine: str | None = None
    """The start id of the engine that runs it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one environment. A count that is the limit means: so many or more."""

    environment: str
    new: int
    """Rows that nobody took in yet."""
    due: int
    later: int
    on_hold: int
    running: int
    held: int
    """Tasks that wait for a person."""
    oldest_due: datetime | None
    """Since when the first of those that are due could have run."""


@dataclass(frozen=True, slots=True)
class Happening:
    """A task came to an end, or to a person, at this moment. `event`: its number in the order of all that happens."""

    event: int
    task: int
    at: datetime
    state: str
    reason: str
    url: str
    environment: str
    action: str
    target: str


class Underway:
    """Looks, and changes nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, ids: Iterable[int]) -> list[Moving]:
        """These tasks, in the order of their ids; those that are not there any more are left out."""
        found: list[Moving] = []
        for some in chunks(sorted(set(ids))):
            found += self._moving(_queue.id.in_(some), len(some))
        return found

    def running(self, environments: Collection[str] = (), limit: int = MOST_RUNNING) -> list[Moving]:
        """What runs, by id; in these environments, or in all."""
        within = _queue.status == State.RUNNING
        if environments:
            within = and_(within, _queue.environment.in_(sorted(environments)))
        return self._moving(within, limit, hint=BY_STATE)

    def waiting(self, environment: str, most: int = COUNTED) -> Waiting:
        """What waits there, counted up to `most` for each kind."""
        return self._db.look(lambda connection: _waiting(connection, environment, most))

    def outages(self) -> list[Breaker]:
        """The targets, sources and notices that are left alone now, by name."""
        wanted = select(schema.target).where(schema.target.c.is_open == 1).order_by(schema.target.c.name)
        return [breaker_of(row) for row in self._db.look(lambda connection: connection.execute(wanted).all())]

    def newest_event(self) -> int:
        """The number of the last thing that happened."""
        return self._db.look(lambda connection: connection.scalar(select(func.max(_event.id)))) or 0

    def happened(self, since: int, environments: Collection[str] = ()) -> tuple[int, list[Happening]]:
        """What ended or was held after this event: up to which one was looked, and what there was, in its order.

        An event whose transaction has not ended yet is waited for, so nothing is ever left out.
        """
        last = self._db.look(lambda connection: settled_until(connection, since))
        wanted = (
            select(schema.event, _queue.url, _queue.environment, _queue.action, _queue.target)
            .join(schema.queue, _queue.id == _event.task)
            .where(_event.id > since, _event.id <= last, _event.state.in_(sorted(ENDS)))
            .order_by(_event.id)
        )
        if environments:
            wanted = wanted.where(_queue.environment.in_(sorted(environments)))
        rows = self._db.look(lambda connection: connection.execute(wanted).all()) if last > since else ()
        return last, [_happening(row) for row in rows]

    def _moving(self, which: ColumnElement[bool], limit: int, hint: str = BY_ID) -> list[Moving]:
        wanted = moving_statement(which, limit, hint)
        rows = self._db.look(lambda connection: connection.execute(wanted).all())
        return [Moving(task_of(row), None if row.progress_task is None else _progress(row), row.engine) for row in rows]


def moving_statement(which: ColumnElement[bool], limit: int, hint: str) -> Select[Any]:
    """Tasks with their progress, by id."""
    progress = schema.progress
    return (
        select(schema.queue, *(column.label(f"progress_{column.name}") for column in progress.c))
        .outerjoin(progress, progress.c.task == _queue.id)
        # Sorted by id and limited, it would else be looked for along the ids: through the whole table.
        .with_hint(schema.queue, hint, "mysql")
        .where(which)
        .order_by(_queue.id)
        .limit(limit)
    )


def _progress(row: Any) -> Progress:  # noqa: ANN401 - a row of the join
    return Progress(
        row.progress_task,
        row.progress_step,
        row.progress_files_done,
        row.progress_files_total,
        row.progress_bytes_done,
        row.progress_bytes_total,
        row.progress_at,
        row.progress_seconds,
    )


def _happening(row: Any) -> Happening:  # noqa: ANN401 - a row of the join
    return Happening(
        row.id,
        row.task,
        row.at,
        row.state,
        row.reason or "",
        text_of(row.url),
        text_of(row.environment),
        text_of(row.action),
        text_of(row.target),
    )


def _waiting(connection: Connection, environment: str, most: int) -> Waiting:
    row = connection.execute(waiting_statement(environment, most)).one()
    counts = {name: getattr(row, name) for name in ("new", "due", "later", "on_hold", "running", "held")}
    return Waiting(environment, **counts, oldest_due=row.first if row.first is not None and row.first <= row.now else None)


def waiting_statement(environment: str, most: int) -> Select[Any]:
    """One count for each kind, none of them above `most`."""
    ready, free = _queue.status == State.READY, _queue.hold == 0
    kinds = {
        "new": [_queue.status == State.NEW],
        "due": [ready, free, _queue.run_after <= schema.NOW],
        "later": [ready, free, _queue.run_after > schema.NOW],
        "on_hold": [ready, _queue.hold == 1],
        "running": [_queue.status == State.RUNNING],
        "held": [_queue.status == State.HELD],
    }
    counts = [_count([_queue.environment == environment, *conditions], most).label(kind) for kind, conditions in kinds.items()]
    return select(schema.NOW.label("now"), *counts, _first_due(environment).label("first"))


def _count(conditions: Sequence[ColumnElement[bool]], most: int) -> Any:  # noqa: ANN401 - a scalar subquery
    some = select(_queue.id).with_hint(schema.queue, BY_STATE, "mysql").where(*conditions).limit(most).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _first_due(environment: str) -> Any:  # noqa: ANN401 - a scalar subquery
    return (
        select(_queue.run_after)
        .with_hint(schema.queue, BY_STATE, "mysql")
        .where(_queue.status == State.READY, _queue.environment == environment, _queue.hold == 0)
        .order_by(_queue.run_after)
        .limit(1)
        .scalar_subquery()
    )
