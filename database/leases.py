"""Engines as rows: registered, renewed, gone, dead; and what becomes of the tasks they held."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from database import schema
from database.connection import Database
from database.counters import jump_above, newest_fence
from database.errors import LeaseLost, TaskLost
from database.pausing import DRAINED
from database.protocol import note_protocol
from database.rescue import give_back
from database.rows import engine_of
from database.values import Engine, Renewal
from database.views import EngineView

_engine, _queue = schema.engine.c, schema.queue.c
_LEASE = (
    select(_engine.state, _engine.lease_until, schema.NOW.label("now"))
    .where(_engine.start == bindparam("engine"))
    .with_for_update()
)
"""Made once, like every statement of a claim: to put one together takes longer than to carry it out."""


class Leases:
    """What keeps an engine's tasks its own, and returns them when it is gone."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def register(self, environment: str, host: str, boot: str, pid: int, ttl: float, version: str, *, began: int = 0) -> Engine:
        """A new engine, UP for `ttl` seconds. Its start id is new each time, so that nobody inherits tasks."""

        def work(connection: Connection) -> Engine:
            engine = Engine(uuid4().hex, environment, host, boot, pid, began)
            now = connection.execute(select(schema.NOW)).scalar_one()
            connection.execute(
                insert(schema.engine).values(
                    start=engine.start,
                    environment=environment,
                    host=host[:255],
                    boot=boot[:64],
                    pid=pid,
                    began=began,
                    protocol=schema.PROTOCOL,
                    version=version[:64],
                    state="UP",
                    registered_at=now,
                    lease_until=now + timedelta(seconds=ttl),
                )
            )
            note_protocol(connection)
            return engine

        return self._db.change(work)

    def renew(self, engine: Engine, ttl: float) -> Renewal:
        """Own the tasks for another `ttl` seconds from now. Raises LeaseLost when they belong to others.

        A lease that is over can be renewed until somebody declares its engine dead: until then nobody has the tasks. So an
        outage that outlasted every lease costs nothing.
        """

        def work(connection: Connection) -> Renewal:
            now = check_lease(connection, engine, over=True)
            connection.execute(
                update(schema.engine).where(_engine.start == engine.start).values(lease_until=now + timedelta(seconds=ttl))
            )
            cancelled = select(_queue.id).where(
                _queue.engine == engine.start, _queue.status.in_(("RUNNING", "CANCELLED")), _queue.cancel_requested == 1
            )
            paused = select(schema.environment.c.paused).where(schema.environment.c.name == engine.environment)
            state = connection.scalar(paused)
            return Renewal(frozenset(connection.scalars(cancelled)), state == DRAINED, newest_fence(connection))

        return self._db.change(work)

    def leave(self, engine: Engine) -> None:
        """The engine goes: state GONE, what it still holds is returned. Does nothing if it was already declared dead."""
        self._db.change(lambda connection: end_engine(connection, engine.start, "GONE"))

    def bury(self, start: str) -> bool:
        """Declare an engine dead at once, because its process is known to have ended; False: it was not UP."""
        return self._db.change(lambda connection: end_engine(connection, start, "DEAD"))

    def expired(self) -> list[Engine]:
        """Engines that are UP although their lease is over."""
        wanted = select(schema.engine).where(_engine.state == "UP", _engine.lease_until <= schema.NOW)
        return [engine_of(row) for row in self._db.look(lambda connection: connection.execute(wanted).all())]

    def rescue(self, start: str) -> bool:
        """Declare an engine dead if its lease is over still, and return its tasks; False: it is not so."""

        def work(connection: Connection) -> bool:
            over = select(_engine.start).where(_engine.start == start, _engine.state == "UP", _engine.lease_until <= schema.NOW)
            return connection.scalar(over.with_for_update()) is not None and end_engine(connection, start, "DEAD")

        return self._db.change(work)

    def raise_fence(self, engine: Engine, task: int, above: int) -> tuple[int, int]:
        """A new fence and serial for a running task, above what was found on its target. Raises LeaseLost, TaskLost."""

        def work(connection: Connection) -> tuple[int, int]:
            check_lease(connection, engine)
            mine = select(_queue.fence).where(_queue.id == task, _queue.status == "RUNNING", _queue.engine == engine.start)
            old = connection.execute(mine.with_for_update()).scalar_one_or_none()
            if old is None:
                raise TaskLost(f"Task {task} is not this engine's any more.")
            fence = jump_above(connection, above)
            connection.execute(update(schema.queue).where(_queue.id == task).values(fence=fence, serial=fence))
            attempt = schema.attempt.c
            connection.execute(update(schema.attempt).where(attempt.task == task, attempt.fence == old).values(fence=fence))
            return fence, fence

        return self._db.change(work)

    def now(self) -> datetime:
        """What time it is by the database's clock."""
        moment: datetime = self._db.look(lambda connection: connection.execute(select(schema.NOW)).scalar_one())
        return moment

    def engines(self, ended: int = 0) -> list[EngineView]:
        """Every engine that is UP, then as many of those that ended as are asked for, newest first."""
        held = select(func.count()).where(_queue.engine == _engine.start, _queue.status == "RUNNING").scalar_subquery()
        wanted = select(schema.engine, held.label("running")).order_by(_engine.registered_at.desc())
        up = self._db.look(lambda connection: connection.execute(wanted.where(_engine.state == "UP")).all())
        # The rows of those that ended are kept for months, and all of them are sorted for this.
        last = wanted.where(_engine.state != "UP").limit(ended)
        others = self._db.look(lambda connection: connection.execute(last).all()) if ended else ()
        return [
            EngineView(engine_of(row), row.state, row.version, row.registered_at, row.lease_until, row.running, row.protocol)
            for row in (*up, *others)
        ]


def check_lease(connection: Connection, engine: Engine, *, over: bool = False) -> datetime:
    """Lock the engine's row; the database's time. Raises LeaseLost unless its lease is in force, or `over` and not yet ended."""
    return in_force(connection.execute(_LEASE, {"engine": engine.start}).one_or_none(), engine, over=over)


def in_force(row: Row[Any] | None, engine: Engine, *, over: bool = False) -> datetime:
    """The database's time, in the engine's locked row with its state and lease. Raises LeaseLost, as `check_lease` does."""
    if row is None or row.state != "UP" or (row.lease_until <= row.now and not over):
        raise LeaseLost(
            f"The lease of engine {engine.start} ({engine.environment}, pid {engine.pid}) is over; its tasks belong to others."
        )
    now: datetime = row.now
    return now


def end_engine(connection: Connection, start: str, state: str) -> bool:
    """UP -> GONE or DEAD, its tasks returned; False: it was not UP."""
    wanted = select(_engine.start, schema.NOW.label("now")).where(_engine.start == start, _engine.state == "UP")
    row = connection.execute(wanted.with_for_update()).one_or_none()
    if row is None:
        return False
    connection.execute(update(schema.engine).where(_engine.start == start).values(state=state, ended_at=row.now))
    give_back(connection, start, row.now)
    return True
