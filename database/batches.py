"""One thing done to many tasks that a person chose: what can be done is done, and the rest is counted by its state.

`Desk` refuses as a whole when one task is not fit for it. Of thousands some have always ended meanwhile.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from database import schema
from database.auditing import about, note
from database.connection import Database
from database.parameters import RERUN_OF
from database.rows import chunks, new_row, object_of
from database.values import OPEN_STATES, NewTask, State

AT_ONCE = 200
"""Tasks in one transaction: engines claim and finish meanwhile."""

_queue = schema.queue.c


class Deed(StrEnum):
    """What can be done to many."""

    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"


FIT: Mapping[Deed, Collection[State]] = {
    Deed.CANCEL: OPEN_STATES,
    Deed.HOLD: {State.NEW, State.READY},
    Deed.RELEASE: OPEN_STATES,
    Deed.RETRY: {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SUPERSEDED},
}
"""The states in which it can be done."""
CHANGES: Mapping[Deed, tuple[str, Mapping[str, int]]] = {
    Deed.CANCEL: ("cancel asked", {"cancel_requested": 1}),
    Deed.HOLD: ("held", {"hold": 1}),
    Deed.RELEASE: ("released", {"hold": 0}),
}
"""What is written to the audit log, and to the row."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it. `left`: how many of each state were left as they are; `made`: the rows of a retry."""

    done: int
    left: Mapping[str, int]
    made: tuple[int, ...] = ()


class Batches:
    """Works with the operators' rights."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def do(
        self, deed: Deed, ids: Iterable[int], by: str | None = None, why: str | None = None, never: Collection[str] = ()
    ) -> Done:
        """Do it to all of these that are fit for it. `never`: actions that are not asked for again."""
        again = partial(_again, by=by, why=why, never=never)
        step = again if deed is Deed.RETRY else partial(_changed, deed=deed, by=by, why=why)
        done, left, made = 0, Counter[str](), list[int]()
        for some in chunks(sorted(set(ids)), AT_ONCE):
            several, unfit, rows = self._db.change(partial(step, ids=some))
            done, made = done + several, [*made, *rows]
            left += unfit
        return Done(done, dict(left), tuple(made))


def _fit(connection: Connection, deed: Deed, ids: Sequence[int]) -> tuple[list[Row[Any]], Counter[str]]:
    rows = connection.execute(select(schema.queue).where(_queue.id.in_(ids)).order_by(_queue.id)).all()
    fit = [row for row in rows if row.status in FIT[deed]]
    unfit = Counter(str(row.status) for row in rows if row.status not in FIT[deed])
    if gone := len(ids) - len(rows):
        unfit["not there any more"] = gone
    return fit, unfit


def _changed(
    connection: Connection, ids: Sequence[int], *, deed: Deed, by: str | None, why: str | None
) -> tuple[int, Counter[str], tuple[int, ...]]:
    fit, unfit = _fit(connection, deed, ids)
    word, values = CHANGES[deed]
    states = sorted(str(state) for state in FIT[deed])
    these = update(schema.queue).where(_queue.id.in_([row.id for row in fit]), _queue.status.in_(states))
    if fit:
        connection.execute(these.values(**values))
        note(connection, (about(row, word, by, why) for row in fit))
    return len(fit), unfit, ()


def _again(
    connection: Connection, ids: Sequence[int], *, by: str | None, why: str | None, never: Collection[str]
) -> tuple[int, Counter[str], tuple[int, ...]]:
    found, unfit = _fit(connection, Deed.RETRY, ids)
    fit = [row for row in found if row.action not in never]
    unfit += Counter(f"{row.status} {row.action}" for row in found if row.action in never)
    made = []
    for row in fit:
        given = {name: value for name, value in new_row(_rerun(row, by, why)).items() if value is not None}
        key = connection.execute(insert(schema.queue).values(given)).inserted_primary_key
        assert key is not None
        made.append(int(key[0]))
    return len(fit), unfit, tuple(made)


def _rerun(row: Row[Any], by: str | None, why: str | None) -> NewTask:
    said = f"rerun of task {row.id}" + (f": {why}" if why else "")
    parameters = {**object_of(row.parameters), RERUN_OF: row.id}
    return NewTask(row.url, row.environment, row.action, row.priority, parameters=parameters, requested_by=by, note=said)
