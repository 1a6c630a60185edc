"""The record of deposits: what was prepared for an archive, what was sent, and what the archive answered.

A deposit that was sent must never be sent again before somebody looked whether it arrived. So the intent is written
before the request, in a transaction that only the task's own engine can make.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from database import schema
from database.connection import Database
from database.errors import LeaseLost
from database.values import Engine, Task
from packageslip import Digest

Values = Mapping[str, Any]
"""Columns by their names."""

_queue, _deposit = schema.queue.c, schema.deposit.c
_ALL = select(schema.deposit, schema.NOW.label("as_of"))


class DepositState(StrEnum):
    """How far a deposit is."""

    PREPARED = "PREPARED"
    """The package is made. Nothing was sent, or the archive said that it took nothing."""
    SENT = "SENT"
    """The request was about to be made: the archive may have the package."""
    CONFIRMED = "CONFIRMED"
    """The archive has it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is deposited: these very bytes, in that collection."""

    url: str
    version: Digest
    """The version of the module that the package was made of."""
    archive: str
    """Its name in the configuration."""
    collection: str
    identifier: str
    """What the archive is told to call it, and asked for when an answer was lost."""
    file: str
    digest: Digest
    """The package's SHA-256, by which the content store and the retired module's slip know it."""
    md5: str
    """Hex, as archives want it."""
    size: int


@dataclass(frozen=True, slots=True)
class Deposit(Parcel):
    """One row of the record."""

    id: int
    state: DepositState
    task: int
    """The task that changed it last."""
    sendings: int
    """How often it was sent."""
    prepared_at: datetime
    sent_at: datetime | None
    confirmed_at: datetime | None
    told_at: datetime | None
    """When the CMS was told the handle."""
    location: str | None
    handle: str | None
    receipt: bytes | None
    """The archive's answer."""
    as_of: datetime = field(compare=False)
    """The database's time when this was read."""

    @property
    def complete(self) -> bool:
        """Whether the archive has it and its handle is known: only then may the module go."""
        return self.state is DepositState.CONFIRMED and self.handle is not None


class Deposits:
    """The deposits. Only with an `engine` can they be changed; everybody may look."""

    def __init__(self, db: Database, engine: Engine | None = None) -> None:
        self._db, self._engine = db, engine

    def current(self, url: str, archive: str | None = None) -> Deposit | None:
        """The newest deposit of a module (in this archive); None: there is none."""
        row = self._db.look(lambda connection: _newest(connection, url, archive))
        return None if row is None else _deposit_of(row)

    def history(self, url: str) -> Sequence[Deposit]:
        """All deposits of a module, newest first."""
        wanted = _ALL.where(_deposit.url == url).order_by(_deposit.id.desc())
        return [_deposit_of(row) for row in self._db.look(lambda connection: connection.execute(wanted).all())]

    def prepare(self, task: Task, fence: int, parcel: Parcel) -> Deposit:
        """Record what will be deposited, in place of what was prepared before; beside what an archive has.

        Raises LeaseLost when the task is not this engine's any more, as every verb that changes something; ValueError
        while the last parcel may be at the archive.
        """

        def work(connection: Connection) -> Deposit:
            now = self._own(connection, task, fence)
            row = _newest(connection, parcel.url, parcel.archive)
            if row is not None and row.state == DepositState.SENT:
                raise ValueError(f"the last deposit of {parcel.url} was sent, and nobody knows whether it arrived")
            values = _columns(parcel) | {"state": "PREPARED", "task": task.id, "prepared_at": now}
            if row is not None and row.state == DepositState.PREPARED:
                return _changed(connection, row.id, values)
            made = connection.execute(insert(schema.deposit).values(values | {"sendings": 0})).inserted_primary_key
            assert made is not None, "a row that was inserted has a key"
            return _read(connection, made[0])

        return self._db.change(work)

    def send(self, task: Task, fence: int, deposit: int) -> Deposit:
        """Record that the request is made now. Whoever finds this and no answer must look it up first.

        Raises LeaseLost if another task sent it meanwhile, or the archive has it.
        """

        def sent(old: Deposit, now: datetime) -> Values:
            if old.state is not DepositState.PREPARED:
                raise LeaseLost(f"The deposit of {old.url} was taken up by task {old.task} meanwhile; this one must not send it.")
            return {"state": "SENT", "sent_at": now, "sendings": old.sendings + 1}

        return self._change(task, fence, deposit, sent)

    def unsend(self, task: Task, fence: int, deposit: int) -> Deposit:
        """Record that the archive does not have it: it refused, or was looked through."""
        return self._change(task, fence, deposit, lambda _old, _now: {"state": "PREPARED"})

    def confirm(
        self,
        task: Task,
        fence: int,
        deposit: int,
        *,
        location: str | None,
        handle: str | None,
        receipt: bytes | None,
        since: datetime | None = None,
    ) -> Deposit:
        """Record that the archive has it, now or `since`. A handle that is new has not been told to the CMS yet."""

        def confirmed(old: Deposit, now: datetime) -> Values:
            return {
                "state": "CONFIRMED",
                "confirmed_at": old.confirmed_at or since or now,
                "told_at": old.told_at if old.handle == handle else None,
                "location": location,
                "handle": handle,
                "receipt": receipt,
            }

        return self._change(task, fence, deposit, confirmed)

    def told(self, task: Task, fence: int, deposit: int) -> Deposit:
        """Record that the CMS knows the handle."""
        return self._change(task, fence, deposit, lambda _old, now: {"told_at": now})

    def _change(self, task: Task, fence: int, deposit: int, values: Callable[[Deposit, datetime], Values]) -> Deposit:
        def work(connection: Connection) -> Deposit:
            now = self._own(connection, task, fence)
            connection.execute(select(_deposit.id).where(_deposit.id == deposit).with_for_update())
            return _changed(connection, deposit, {"task": task.id, **values(_read(connection, deposit), now)})

        return self._db.change(work)

    def _own(self, connection: Connection, task: Task, fence: int) -> datetime:
        """Lock the task's row, which must be this engine's under this fence; the database's time."""
        engine = self._engine.start if self._engine else ""
        wanted = select(schema.NOW.label("now")).where(
            _queue.id == task.id, _queue.status == "RUNNING", _queue.engine == engine, _queue.fence == fence
        )
        found: datetime | None = connection.scalar(wanted.with_for_update())
        if found is None:
            raise LeaseLost(f"Task {task.id} is not this engine's any more; nothing was written about its deposit.")
        return found


def _newest(connection: Connection, url: str, archive: str | None) -> Row[Any] | None:
    wanted = _ALL.where(_deposit.url == url)
    if archive is not None:
        wanted = wanted.where(_deposit.archive == archive)
    return connection.execute(wanted.order_by(_deposit.id.desc()).limit(1)).one_or_none()


def _columns(parcel: Parcel) -> dict[str, Any]:
    return {column.name: getattr(parcel, column.name) for column in fields(Parcel)}


def _changed(connection: Connection, deposit: int, values: Values) -> Deposit:
    connection.execute(update(schema.deposit).where(_deposit.id == deposit).values(values))
    return _read(connection, deposit)


def _read(connection: Connection, deposit: int) -> Deposit:
    return _deposit_of(connection.execute(_ALL.where(_deposit.id == deposit)).one())


def _deposit_of(row: Row[Any]) -> Deposit:
    found = {column.name: getattr(row, column.name) for column in schema.deposit.columns}
    return Deposit(**(found | {"state": DepositState(row.state), "as_of": row.as_of}))
