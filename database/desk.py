"""What people do with the queue.

All of it works with the operators' rights: SELECT, INSERT of request columns, UPDATE of hold,
cancel_requested, priority and run_after.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from database import schema
from database.actions import Action
from database.auditing import Entry, about
from database.auditing import note as write
from database.connection import Database
from database.errors import NoSuchTask
from database.offspring import Offspring, offspring
from database.parameters import RERUN_OF
from database.pausing import DRAINED, WORKS
from database.rows import (
    attempt_of,
    breaker_of,
    chunks,
    event_of,
    new_row,
    object_of,
    progress_of,
    task_of,
)
from database.values import OPEN_STATES, Breaker, HeldPlan, NewTask, State, Task
from database.views import TaskView

CHILDREN = 1000
"""Tasks that one task made, as far as they are shown."""

HASTENED = 10_000
"""Tasks that are made due at once, at most."""
EVERYTHING = "/"
"""The URL of rows that are about a whole environment."""

_queue = schema.queue.c


class Desk:
    """Insert, look, hold, cancel, rerun, approve."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def insert(self, new: NewTask) -> int:
        """Insert one row; its id. Whether it can be carried out is for intake to say."""
        return self._db.change(lambda connection: _insert(connection, new_row(new)))

    def insert_many(self, new: Iterable[NewTask]) -> list[int]:
        """Insert several rows in one transaction; their ids, in the same order."""
        rows = [new_row(each) for each in new]
        return self._db.change(lambda connection: [_insert(connection, row) for row in rows])

    def cancel(self, ids: Iterable[int], by: str | None = None, why: str | None = None) -> None:
        """Ask to cancel tasks; running ones stop at their next safe point. Raises NoSuchTask, and then changes none."""
        self._set(ids, {"cancel_requested": 1}, OPEN_STATES, "cancelled", by, why)

    def hold(self, ids: Iterable[int], by: str | None = None, why: str | None = None) -> None:
        """Keep tasks from being claimed until they are released. Raises NoSuchTask, and then changes none."""
        self._set(ids, {"hold": 1}, {State.NEW, State.READY}, "held", by, why)

    def release(self, ids: Iterable[int], by: str | None = None, why: str | None = None) -> None:
        """Undo `hold`. Raises NoSuchTask, and then changes none."""
        self._set(ids, {"hold": 0}, OPEN_STATES, "released", by, why)

    def retry(self, task: int, by: str | None = None, why: str | None = None) -> int:
        """Insert a new row that does an ended task again, for the same target and version; its id. Raises NoSuchTask."""

        def work(connection: Connection) -> int:
            row = _find(connection, task)
            if State(row.status) in OPEN_STATES:
                raise NoSuchTask(f"Task {task} is {row.status}; only a task that has ended can be done again.")
            if row.status == "REJECTED":
                raise NoSuchTask(f"Task {task} was rejected: {row.reason} Insert a corrected row instead.")
            parameters = {**object_of(row.parameters), RERUN_OF: task}
            note_ = f"rerun of task {task}" + (f": {why}" if why else "")
            again = NewTask(
                row.url, row.environment, row.action, row.priority, parameters=parameters, requested_by=by, note=note_
            )
            return _insert(connection, new_row(again))

        return self._db.change(work)

    def approve(self, task: int, plan_digest: str, adopt: bool = False, by: str | None = None, note: str | None = None) -> int:
        """Insert an APPROVE row for a HELD task and the plan that was looked at; its id. Raises NoSuchTask."""

        def work(connection: Connection) -> int:
            row = _find(connection, task)
            if row.status != State.HELD:
                raise NoSuchTask(f"Task {task} is {row.status}; only a HELD task can be approved.")
            waiting = connection.scalar(select(schema.plan.c.digest).where(schema.plan.c.task == task))
            if waiting != plan_digest:
                raise NoSuchTask(
                    f"Task {task} waits with another plan, {waiting}: look at it with 'slipway queue show {task}' first."
                )
            parameters = {"task": task, "plan": plan_digest} | ({"adopt": True} if adopt else {})
            new = NewTask(row.url, row.environment, Action.APPROVE, parameters=parameters, requested_by=by, note=note)
            return _insert(connection, new_row(new))

        return self._db.change(work)

    def find(
        self,
        *,
        states: Collection[State | str] = (),
        environment: str | None = None,
        url: str | None = None,
        action: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[Task]:
        """Tasks, newest first; empty `states`: all. `before`: only ids below this one, to read on."""
        wanted = select(schema.queue).order_by(_queue.id.desc()).limit(limit)
        if states:
            wanted = wanted.where(_queue.status.in_([str(state) for state in states]))
        for column, value in ((_queue.environment, environment), (_queue.url, url), (_queue.action, action)):
            if value is not None:
                wanted = wanted.where(column == value)
        if before is not None:
            wanted = wanted.where(_queue.id < before)
        return [task_of(row) for row in self._db.look(lambda connection: connection.execute(wanted).all())]

    def show(self, task: int, children: int = CHILDREN) -> TaskView:
        """All about one task, and at most so many of those that it made. Raises NoSuchTask."""
        return self._db.look(lambda connection: _view(connection, task, children))

    def offspring(self, task: int, limit: int) -> Offspring:
        """What came of it, counted, and the first that a person looks at."""
        return self._db.look(lambda connection: offspring(connection, task, limit))

    def children(self, task: int, at_once: int = CHILDREN) -> list[Task]:
        """All the tasks that one made, by id, read in steps."""
        found: list[Task] = []
        while some := self._db.look(partial(_children, parent=task, after=found[-1].id if found else 0, most=at_once)):
            found += some
        return found

    def breakers(self) -> list[Breaker]:
        """Every target and source, by name."""
        wanted = select(schema.target).order_by(schema.target.c.name)
        return [breaker_of(row) for row in self._db.look(lambda connection: connection.execute(wanted).all())]

    def pauses(self) -> Mapping[str, bool]:
        """Environments that are paused; whether they are drained."""
        environment = schema.environment.c
        wanted = select(environment.name, environment.paused).where(environment.paused != WORKS)
        return {row.name: row.paused == DRAINED for row in self._db.look(lambda connection: connection.execute(wanted).all())}

    def pause(self, environment: str, by: str | None = None, why: str | None = None, *, drain: bool = False) -> int:
        """Insert a PAUSE row: no engine takes tasks of this environment until `resume`; running ones end. Its id.

        `drain`: its engines leave too, each as soon as it has nothing left to do. Whoever polls carries it out.
        """
        parameters = {"drain": True} if drain else {}
        return self.insert(NewTask(EVERYTHING, environment, Action.PAUSE, parameters=parameters, requested_by=by, note=why))

    def resume(self, environment: str, by: str | None = None, why: str | None = None) -> int:
        """Insert a RESUME row, which undoes `pause`; its id."""
        return self.insert(NewTask(EVERYTHING, environment, Action.RESUME, requested_by=by, note=why))

    def hasten(self, environment: str, by: str | None = None, why: str | None = None) -> int:
        """Let what waits for another try in this environment be due now; how many tasks, HASTENED at most.

        What waits for a time that a person set goes on waiting.
        """
        waiting = and_(
            _queue.status == State.READY,
            _queue.environment == environment,
            _queue.hold == 0,
            _queue.run_after > schema.NOW,
            _queue.attempts > 0,
        )
        ids = self._db.look(lambda connection: connection.scalars(select(_queue.id).where(waiting).limit(HASTENED)).all())

        def work(connection: Connection, some: Sequence[int]) -> int:
            wanted = update(schema.queue).where(_queue.id.in_(some), waiting).values(run_after=schema.NOW)
            return connection.execute(wanted).rowcount

        # In small transactions: engines claim meanwhile.
        hastened = sum(self._db.change(partial(work, some=some)) for some in chunks(ids))
        if hastened:
            entry = Entry(kind="hastened", who=by, environment=environment, document={"tasks": hastened, "why": why})
            self._db.change(lambda connection: write(connection, [entry]))
        return hastened

    def _set(
        self,
        ids: Iterable[int],
        values: Mapping[str, int],
        states: Collection[State],
        word: str,
        by: str | None,
        why: str | None,
    ) -> None:
        wanted = sorted(set(ids))
        allowed = [str(state) for state in states]

        def work(connection: Connection) -> None:
            for some in chunks(wanted):
                rows = connection.execute(select(schema.queue).where(_queue.id.in_(some)).order_by(_queue.id)).all()
                found = {row.id: row.status for row in rows}
                _refuse([id_ for id_ in some if found.get(id_) not in allowed], found, word)
                connection.execute(update(schema.queue).where(_queue.id.in_(some), _queue.status.in_(allowed)).values(**values))
                # Cancelling is asked for here; that it was done is an entry of its own.
                kind = "cancel asked" if word == "cancelled" else word
                write(connection, (about(row, kind, by, why) for row in rows))

        self._db.change(work)


def _refuse(ids: Iterable[int], found: Mapping[int, str], word: str) -> None:
    faults = [f"task {id_} is {found[id_]}" if id_ in found else f"there is no task {id_}" for id_ in ids]
    if faults:
        raise NoSuchTask(f"Cannot be {word}: {', '.join(faults)}. Nothing was changed.")


def _insert(connection: Connection, row: Mapping[str, Any]) -> int:
    given = {name: value for name, value in row.items() if value is not None}
    key = connection.execute(insert(schema.queue).values(given)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _find(connection: Connection, task: int) -> Row[Any]:
    row = connection.execute(select(schema.queue).where(_queue.id == task)).one_or_none()
    if row is None:
        raise NoSuchTask(f"There is no task {task}. 'slipway queue list' shows what there is.")
    return row


def _view(connection: Connection, task: int, most: int) -> TaskView:
    row = _find(connection, task)
    attempts = select(schema.attempt).where(schema.attempt.c.task == task).order_by(schema.attempt.c.fence)
    events = select(schema.event).where(schema.event.c.task == task).order_by(schema.event.c.id)
    progress = connection.execute(select(schema.progress).where(schema.progress.c.task == task)).one_or_none()
    plan = connection.execute(select(schema.plan).where(schema.plan.c.task == task)).one_or_none()
    return TaskView(
        task_of(row),
        tuple(attempt_of(each) for each in connection.execute(attempts)),
        tuple(event_of(each) for each in connection.execute(events)),
        None if progress is None else progress_of(progress),
        None if plan is None else HeldPlan(plan.digest, plan.document),
        tuple(_children(connection, task, 0, most)) if most else (),
    )


def _children(connection: Connection, parent: int, after: int, most: int) -> list[Task]:
    mine = select(schema.queue).where(_queue.parent == parent, _queue.id > after).order_by(_queue.id).limit(most)
    return [task_of(row) for row in connection.execute(mine)]
