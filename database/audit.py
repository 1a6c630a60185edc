"""Reading the audit log: what was done, and whether the log is still what was written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from database import schema
from database.auditing import GENESIS, Entry, hash_of, note, seal
from database.connection import Database
from database.rows import object_of

READ_AT_ONCE = 1000
WINDOW = 20_000
"""Rows that one look goes through for what has no index: the next look goes on below them."""

_audit, _counter = schema.audit.c, schema.counter.c


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row as it is read. `seq` None: not sealed yet."""

    id: int
    seq: int | None
    at: datetime
    account: str | None
    hash: bytes | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: kept elsewhere, it is an anchor that tells whether the log was cut or written anew."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain came to. `broken`: the first thing that is wrong, in a sentence; None: all is as it was."""

    rows: int
    unsealed: int
    head: Head
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are to be seen; None: all."""

    kind: str | None = None
    who: str | None = None
    task: int | None = None
    environment: str | None = None
    target: str | None = None
    url: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, the newest first. `before`: from where to read on; None: there are no older ones."""

    rows: tuple[AuditRow, ...]
    before: int | None


class Audit:
    """The log of everything consequential that was done."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def note(self, entry: Entry) -> None:
        """Write one entry by itself, for what is done outside of the database."""
        self._db.change(lambda connection: note(connection, [entry]))

    def seal(self) -> int:
        """Chain what was written since the last time; how many rows. Needs the engines' account."""
        return self._db.change(seal)

    def find(
        self, *, url: str | None = None, task: int | None = None, since: datetime | None = None, limit: int = 100
    ) -> list[AuditRow]:
        """The newest rows that fit, oldest of them first."""
        wanted = select(schema.audit).order_by(_audit.id.desc()).limit(limit)
        if url is not None:
            wanted = wanted.where(_audit.url == url)
        if task is not None:
            wanted = wanted.where(_audit.task == task)
        if since is not None:
            wanted = wanted.where(_audit.at >= since)
        rows = self._db.look(lambda connection: connection.execute(wanted).all())
        return [_audit_row(row) for row in reversed(rows)]

    def page(self, wanted: "Wanted", *, before: int | None = None, limit: int = 100) -> "Page":
        """Rows that fit, the newest first, below the id `before`. Looks at WINDOW ids at most, whatever is asked for."""
        return self._db.look(lambda connection: _page(connection, wanted, before, limit))

    def kinds(self) -> list[str]:
        """What kinds of things were done lately."""
        some = select(_audit.kind).order_by(_audit.id.desc()).limit(WINDOW // 4).subquery()
        return sorted(self._db.look(lambda connection: connection.scalars(select(some.c.kind).distinct()).all()))

    def sealed(self) -> tuple[int, int]:
        """How many rows are chained, and how many are not yet."""
        counted = select(_counter.value).where(_counter.name == "audit")
        return self._db.look(lambda connection: (connection.scalar(counted) or 0, connection.scalar(_unsealed()) or 0))

    def verify(self, anchor: Head | None = None) -> Verdict:
        """Walk the whole chain. With an `anchor`, also: it is the very chain that had this head, and goes on from there."""
        # Read before the rows: what is sealed meanwhile only makes the chain longer than it had to be.
        counted = self._db.look(lambda connection: connection.scalar(select(_counter.value).where(_counter.name == "audit")))
        unsealed = self._db.look(lambda connection: connection.scalar(_unsealed())) or 0
        head, broken, found = Head(0, GENESIS), None, None
        for row in self._sealed():
            if (broken := _fault(row, head)) is not None:
                break
            head = Head(row.seq, row.hash)
            found = head if anchor is not None and head.seq == anchor.seq else found
        if broken is None and head.seq < (counted or 0):
            broken = f"the log ends with row {head.seq}, but {counted} rows were sealed: its end was cut off"
        if broken is None and anchor is not None and anchor.seq and found != anchor:
            broken = _not_anchored(anchor, head)
        return Verdict(head.seq, unsealed, head, broken)

    def _sealed(self) -> Iterator[Row[Any]]:
        last = -1
        while rows := self._db.look(lambda connection: _next(connection, last)):  # noqa: B023 - called at once
            last = rows[-1].seq
            yield from rows


def _page(connection: Connection, wanted: Wanted, before: int | None, limit: int) -> Page:
    first = before if before is not None else (connection.scalar(select(func.max(_audit.id))) or 0) + 1
    conditions = [
        _audit[name] == value
        for name in ("kind", "who", "task", "environment", "target", "url")
        if (value := getattr(wanted, name)) is not None
    ]
    conditions += [_audit.at >= wanted.since] if wanted.since else []
    conditions += [_audit.at < wanted.until] if wanted.until else []
    # By module or task there is an index, and few rows; for everything else as many rows are looked at as a page may cost.
    low = 0 if wanted.url is not None or wanted.task is not None or not conditions else max(0, first - WINDOW)
    query = select(schema.audit).where(_audit.id < first, _audit.id >= low, *conditions)
    rows = connection.execute(query.order_by(_audit.id.desc()).limit(limit)).all()
    further = rows[-1].id if len(rows) == limit else low
    return Page(tuple(_audit_row(row) for row in rows), further if further > 1 else None)


def _fault(row: Row[Any], head: Head) -> str | None:
    """What is wrong with the row that should follow the head."""
    if row.seq != head.seq + 1:
        return f"row {head.seq + 1} of the log is missing: {row.seq} comes after {head.seq}"
    if row.at is None or row.hash != hash_of(row, row.seq, head.hash):
        return f"row {row.seq} of the log (id {row.id}, {row.kind}) is not what was written, or one before it is gone"
    return None


def _not_anchored(anchor: Head, head: Head) -> str:
    if anchor.seq > head.seq:
        return f"the log ends with row {head.seq}, but it had {anchor.seq} rows when its head was noted: its end was cut off"
    return f"row {anchor.seq} of the log is another than when its head was noted: the log was written anew"


def _next(connection: Connection, last: int) -> Any:  # noqa: ANN401 - rows
    wanted = select(schema.audit).where(_audit.seq > last).order_by(_audit.seq).limit(READ_AT_ONCE)
    return connection.execute(wanted).all()


def _unsealed() -> Any:  # noqa: ANN401 - a statement
    return select(func.count()).select_from(schema.audit).where(_audit.seq.is_(None))


def _audit_row(row: Row[Any]) -> AuditRow:
    entry = Entry(
        kind=row.kind,
        who=row.who,
        task=row.task,
        fence=row.fence,
        environment=row.environment,
        target=row.target,
        url=row.url,
        document=object_of(row.document),
    )
    return AuditRow(row.id, row.seq, row.at, row.account, row.hash, entry)
