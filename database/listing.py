"""The queue as a person looks through it: filtered, sorted, a page at a time, whatever its size.

Three ways lead to a page. Few tasks in the wanted states: they are read by their state and sorted. One module or one batch: the
same by its index. Otherwise the table is walked by its ids from one end, window by window, until the page is full or the time is
up; then the page says how far it has looked, and goes on from there.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from database import schema
from database.connection import Database
from database.rows import chunks, task_of
from database.values import State, Task

FEW = 20_000
"""Tasks that are read and sorted at once."""
WINDOW = 10_000
"""Ids that are walked over between two looks at the clock."""
PATIENCE = 0.12
"""Seconds for which a page is looked for."""
DEEP = 1000
"""Tasks that were shown before, up to which the order of the claims is kept among many."""
BY_PICK = "FORCE INDEX (k_pick)"
COUNTED = 1000
"""Where counting the tasks of a state stops."""
ESCAPE = "\\"

_queue = schema.queue.c


class Sort(StrEnum):
    """The order of a list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NEXT = "next"
    """As they would be claimed: priority, then age."""
    ENDED = "ended"
    """What ended last first."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks. What is not said lets all through."""

    states: frozenset[State] = frozenset()
    environment: str | None = None
    action: str | None = None
    module: str | None = None
    below: bool = False
    """With `module`: also the modules below it."""
    text: str | None = None
    """Somewhere in URL, reason, note or the name of who asked."""
    on_hold: bool = False
    cancelling: bool = False
    batch: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Inserted at or after, and before, these moments."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Some tasks. `after`: where the next page begins; None: this is the last.

    `looked_to`: the time was up at this id before the page was full. `unsorted`: there are too many for the order that was asked
    for, and the newest are shown.
    """

    tasks: tuple[Task, ...]
    after: int | None = None
    looked_to: int | None = None
    unsorted: bool = False


class Listing:
    """Looks, and changes nothing. `clock`: a monotonic one."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db, self._clock = db, clock

    def page(
        self, wanted: Filter, sort: Sort = Sort.NEWEST, after: int = 0, limit: int = 50, patience: float = PATIENCE
    ) -> Shown:
        """One page. `after`: what the page before said; of NEXT and ENDED, how many tasks were shown before."""
        hint = self._db.look(lambda connection: _narrow(connection, wanted))
        if hint is not None:
            return self._sorted(wanted, sort, after, limit, hint)
        if sort is Sort.NEXT and after <= DEEP and wanted == Filter(frozenset({State.READY}), wanted.environment):
            return self._next(wanted, after, limit)
        if sort in {Sort.NEXT, Sort.ENDED}:
            page = self._walked(wanted, Sort.NEWEST, after, limit, patience)
            return Shown(page.tasks, page.after, page.looked_to, unsorted=True)
        return self._walked(wanted, sort, after, limit, patience)

    def counts(self, environment: str | None = None, most: int = COUNTED) -> Mapping[State, int]:
        """Tasks of each state, counted up to `most`."""
        return self._db.look(lambda connection: {state: _count(connection, [state], environment, most) for state in State})

    def count(self, state: State, most: int = COUNTED) -> int:
        """Tasks of this state, counted up to `most`."""
        return self._db.look(lambda connection: _count(connection, [state], None, most))

    def _sorted(self, wanted: Filter, sort: Sort, after: int, limit: int, hint: str) -> Shown:
        order, by_id = ORDERS[sort], sort in {Sort.NEWEST, Sort.OLDEST}
        found = select(_queue.id).with_hint(schema.queue, hint, "mysql").where(*_conditions(wanted)).order_by(*order)
        if by_id and after:
            found = found.where(_queue.id < after if sort is Sort.NEWEST else _queue.id > after)
        if not by_id:
            # Of so few, an offset costs no more than the sorting.
            found = found.offset(after)
        # Ids alone are sorted; whole rows would be carried along.
        ids = list(self._db.look(lambda connection: connection.scalars(found.limit(limit + 1)).all()))
        shown = ids[:limit]
        return Shown(self._read(shown), (shown[-1] if by_id else after + limit) if len(ids) > limit else None)

    def _next(self, wanted: Filter, after: int, limit: int) -> Shown:
        """What waits, in the order of the claims: that of the index within each target, and so merged from them."""
        ids = list(self._db.look(lambda connection: _next(connection, wanted.environment, after + limit + 1)))[after:]
        return Shown(self._read(ids[:limit]), after + limit if len(ids) > limit else None)

    def _read(self, ids: Sequence[int]) -> tuple[Task, ...]:
        tasks: dict[int, Task] = {}
        for some in chunks(ids):
            wanted = select(schema.queue).where(_queue.id.in_(some))
            tasks |= {task.id: task for task in self._tasks(wanted)}
        return tuple(tasks[id_] for id_ in ids if id_ in tasks)

    def _tasks(self, wanted: Select[Any]) -> list[Task]:
        return [task_of(row) for row in self._db.look(lambda connection: connection.execute(wanted).all())]

    def _edge(self, which: Any, condition: ColumnElement[bool]) -> int:  # noqa: ANN401 - func.min or func.max
        return self._db.look(lambda connection: _edge(connection, which, condition))

    def _walked(self, wanted: Filter, sort: Sort, after: int, limit: int, patience: float) -> Shown:
        ends_at = self._clock() + patience
        tasks: list[Task] = []
        looked_to = None
        for low, high in self._windows(wanted, after, down=sort is Sort.NEWEST):
            if looked_to is not None and self._clock() >= ends_at:
                return Shown(tuple(tasks), looked_to, looked_to)
            inside = select(schema.queue).with_hint(schema.queue, "FORCE INDEX (PRIMARY)", "mysql")
            inside = inside.where(*_conditions(wanted), _queue.id >= low, _queue.id <= high).order_by(*ORDERS[sort])
            inside = inside.limit(limit + 1 - len(tasks))
            tasks += self._tasks(inside)
            if len(tasks) > limit:
                return Shown(tuple(tasks[:limit]), tasks[limit - 1].id)
            looked_to = low if sort is Sort.NEWEST else high
        return Shown(tuple(tasks))

    def _windows(self, wanted: Filter, after: int, *, down: bool) -> Iterator[tuple[int, int]]:
        """Ranges of ids, from one end of what can match to the other."""
        low, high = self._db.look(lambda connection: _ends(connection, wanted))
        if down:
            high = min(high, after - 1) if after else high
            while high >= low:
                yield max(low, high - WINDOW + 1), high
                # Where old rows were purged there is nothing for long.
                high = self._edge(func.max, _queue.id <= high - WINDOW)
        else:
            low = max(low, after + 1)
            while 0 < low <= high:
                yield low, min(high, low + WINDOW - 1)
                low = self._edge(func.min, _queue.id >= low + WINDOW)


ORDERS: Mapping[Sort, tuple[ColumnElement[Any], ...]] = {
    Sort.NEWEST: (_queue.id.desc(),),
    Sort.OLDEST: (_queue.id,),
    Sort.NEXT: (_queue.priority, _queue.id),
    Sort.ENDED: (_queue.finished_at.desc(), _queue.id.desc()),
}


def _next(connection: Connection, environment: str | None, most: int) -> Iterator[int]:
    keys = (_queue.environment, _queue.target, _queue.hold)
    ready = [_queue.status == State.READY] + ([] if environment is None else [_queue.environment == environment])
    groups = select(*keys).with_hint(schema.queue, BY_PICK, "mysql").where(*ready).group_by(_queue.status, *keys)
    firsts = []
    for group in connection.execute(groups).all():
        its = select(_queue.priority, _queue.id).with_hint(schema.queue, BY_PICK, "mysql").where(_queue.status == State.READY)
        its = its.where(*(key == value for key, value in zip(keys, group, strict=True)))
        firsts.append([(row.priority, row.id) for row in connection.execute(its.order_by(*ORDERS[Sort.NEXT]).limit(most))])
    return (id_ for _, id_ in islice(merge(*firsts), most))


def _narrow(connection: Connection, wanted: Filter) -> str | None:
    """The index that leads to few tasks; None: there are many, or nobody knows."""
    if wanted.cancelling:
        return "FORCE INDEX (k_cancel)"
    if wanted.module is not None and not wanted.below:
        return "FORCE INDEX (k_url)"
    if wanted.batch is not None and _few(connection, "k_batch", _queue.batch == wanted.batch):
        return "FORCE INDEX (k_batch)"
    if wanted.states and _count(connection, wanted.states, wanted.environment, FEW + 1) <= FEW:
        return "FORCE INDEX (k_due)"
    if wanted.module is not None and _few(connection, "k_url", _below(wanted.module)):
        return "FORCE INDEX (k_url)"
    return None


def _few(connection: Connection, index: str, condition: ColumnElement[bool]) -> bool:
    some = select(_queue.id).with_hint(schema.queue, f"FORCE INDEX ({index})", "mysql").where(condition).limit(FEW + 1)
    return (connection.scalar(select(func.count()).select_from(some.subquery())) or 0) <= FEW


def _count(connection: Connection, states: Sequence[State] | frozenset[State], environment: str | None, most: int) -> int:
    some = select(_queue.id).with_hint(schema.queue, "FORCE INDEX (k_due)", "mysql")
    some = some.where(_queue.status.in_([str(state) for state in states]))
    if environment is not None:
        some = some.where(_queue.environment == environment)
    return connection.scalar(select(func.count()).select_from(some.limit(most).subquery())) or 0


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.states:
        yield _queue.status.in_(sorted(str(state) for state in wanted.states))
    for column, value in ((_queue.environment, wanted.environment), (_queue.action, wanted.action), (_queue.batch, wanted.batch)):
        if value is not None:
            yield column == value
    if wanted.module is not None:
        yield _below(wanted.module) if wanted.below else _queue.url == wanted.module
    if wanted.on_hold:
        yield _queue.hold == 1
    if wanted.cancelling:
        yield _queue.open_cancel == 1
    if wanted.since is not None:
        yield _queue.created_at >= wanted.since
    if wanted.until is not None:
        yield _queue.created_at < wanted.until
    if wanted.text:
        sought = f"%{_literal(wanted.text)}%"
        columns = (_queue.url, _queue.reason, _queue.note, _queue.requested_by)
        yield or_(*(func.lower(column).like(sought.lower(), escape=ESCAPE) for column in columns))


def _below(module: str) -> ColumnElement[bool]:
    root = module.rstrip("/")
    # '0' is the character after '/'.
    return or_(_queue.url == module, and_(_queue.url >= root + "/", _queue.url < root + "0"))


def _literal(text: str) -> str:
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return text


def _ends(connection: Connection, wanted: Filter) -> tuple[int, int]:
    """The lowest and the highest id that can match: by state and environment, and by when it was inserted."""
    low, high = _edge(connection, func.min), _edge(connection, func.max)
    if wanted.states:
        low, high = _edges_of(connection, wanted)
    if wanted.batch is not None:
        # Its root was there first.
        low = max(low, wanted.batch)
    if wanted.since is not None:
        low = max(low, _first_since(connection, low, high, wanted.since))
    if wanted.until is not None:
        high = min(high, _first_since(connection, low, high, wanted.until) - 1)
    return low, high


def _edge(connection: Connection, which: Any, *conditions: ColumnElement[bool]) -> int:  # noqa: ANN401 - func.min or func.max
    return connection.scalar(select(which(_queue.id)).where(*conditions)) or 0


def _edges_of(connection: Connection, wanted: Filter) -> tuple[int, int]:
    """One step along the index for each environment, target and priority: states that are many can still be old."""
    groups = (_queue.status, _queue.environment, _queue.target, _queue.hold, _queue.priority)
    found = select(func.min(_queue.id).label("low"), func.max(_queue.id).label("high")).group_by(*groups)
    found = found.with_hint(schema.queue, BY_PICK, "mysql").where(_queue.status.in_([str(state) for state in wanted.states]))
    if wanted.environment is not None:
        found = found.where(_queue.environment == wanted.environment)
    rows = connection.execute(found).all()
    return min((row.low for row in rows), default=1), max((row.high for row in rows), default=0)


def _first_since(connection: Connection, low: int, high: int, moment: datetime) -> int:
    """The first id that was inserted at or after a moment, by halving: ids rise with time, but for moments."""
    while low <= high:
        middle = (low + high) // 2
        nearest = select(_queue.id, _queue.created_at).where(_queue.id >= middle, _queue.id <= high).order_by(_queue.id).limit(1)
        row = connection.execute(nearest).one_or_none()
        if row is None or row.created_at is None or row.created_at >= moment:
            high = middle - 1
        else:
            low = row.id + 1
    return low
