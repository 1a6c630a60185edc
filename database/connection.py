"""One database, opened the way every session of Slipway needs it.

Two pools: `change` for transactions (READ COMMITTED, or BEGIN IMMEDIATE on SQLite) and `look` for single reads in
autocommit, where nothing but the statement itself is sent.
"""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, DisconnectionError

from database import schema
from database.errors import DatabaseError, SchemaMismatch
from database.greeting import connect_lightly
from database.moments import format_moment
from database.transactions import ours, tried_again

T = TypeVar("T")
Clock = Callable[[], datetime]

LOCK_WAIT = 3
"""Seconds to wait for a row that another session locks; the transaction is tried again after that."""

BUSY_TIMEOUT = 5
"""Seconds that SQLite waits for its write lock."""

READ_TIMEOUT = 60
"""Seconds without an answer after which a connection counts as dead: no statement here takes that long."""


IDLE = "idle_transaction_timeout"
"""Seconds that a session may stand still in a transaction. MySQL has no such variable: there a session may not stand still for
longer at all, and one that is older than half of that is replaced before it is used again."""
FRESH_UNTIL = "fresh_until"

IN_TRANSACTION = 1
"""What a server's answer to a write says while it is not committed (SERVER_STATUS_IN_TRANS of MySQL's protocol)."""

RECYCLE = 3600
"""Seconds after which a connection is replaced: before a firewall or the server's wait_timeout cuts it."""

MOST = 64
"""Connections beyond the pool's five: as many as an engine can have workers."""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class Database:
    """An open database. `queue_id` names this queue on targets; `dialect` is "mysql" or "sqlite"."""

    def __init__(self, change: Engine, look: Engine) -> None:
        self._change, self._look = change, look
        self._queue_id: str | None = None

    @classmethod
    def connect(cls, url: str, password: str | None = None, *, clock: Clock = _wall_clock) -> Self:
        """Open pools; the first statement connects. `clock` replaces SQLite's time, for tests.

        Raises DatabaseError for a URL of a kind that is not supported.
        """
        where = read_url(url, password)
        if where.get_backend_name() == "sqlite":
            return cls(_sqlite(where, clock, deferred=False), _sqlite(where, clock, deferred=True))
        change = _mysql(where)
        look = _mysql(where, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
        return cls(change, look)

    @property
    def dialect(self) -> str:
        """Either "mysql" (MariaDB too) or "sqlite"."""
        return self._change.dialect.name

    @property
    def queue_id(self) -> str:
        """The queue's id, 32 hex digits, made with the schema. Raises SchemaMismatch where there is none."""
        if self._queue_id is None:
            wanted = select(schema.setting.c.value).where(schema.setting.c.name == "queue")
            found = self.look(lambda connection: connection.scalar(wanted))
            if found is None:
                raise SchemaMismatch("The queue has no id. Run 'slipway db upgrade'.")
            self._queue_id = str(found)
        return self._queue_id

    def change(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one transaction; all of it again after a deadlock, a time-out or a lost connection.

        `work` may so be called several times and must change nothing outside the database. Raises DatabaseUnavailable.
        """
        return tried_again(self._change, work, transaction=True)

    def look(self, work: Callable[[Connection], T]) -> T:
        """Do single reads, each seeing what is committed when it starts. Raises DatabaseUnavailable."""
        return tried_again(self._look, work, transaction=False)

    @property
    def revision(self) -> str | None:
        """The schema's revision; None in an empty database. Raises DatabaseUnavailable."""
        return self.look(revision_of)

    def check_schema(self) -> None:
        """Raise SchemaMismatch unless the schema is the one this code works with."""
        found = self.revision
        if found != schema.REVISION:
            raise SchemaMismatch(
                f"The queue's schema is {found or 'missing'}, this version of Slipway works with {schema.REVISION}. "
                + ("Run 'slipway db upgrade'." if (found or "") < schema.REVISION else "Install a newer Slipway.")
            )

    def close(self) -> None:
        """Close every connection. Safe to call twice."""
        self._change.dispose()
        self._look.dispose()


def read_url(url: str, password: str | None) -> URL:
    """The URL with its password. Raises DatabaseError for one that cannot be used."""
    try:
        where = make_url(url)
    except ArgumentError as error:
        raise ours(error) from error
    if password is not None:
        where = where.set(password=password)
    if where.drivername in {"sqlite", "sqlite+pysqlite"}:
        if where.database in {None, "", ":memory:"}:
            raise DatabaseError(
                "queue.url: processes cannot share a queue in memory; name a file: sqlite:////var/lib/slipway/queue.db."
            )
        return where
    if where.get_backend_name() in {"mysql", "mariadb"}:
        return where.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})
    raise DatabaseError(
        f"queue.url: {where.drivername!r} is not supported; use mysql+pymysql://USER@HOST/DATABASE or sqlite:///FILE."
    )


def revision_of(connection: Connection) -> str | None:
    """The schema's revision as alembic recorded it; None in an empty database."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _mysql(where: URL, **options: Any) -> Engine:  # noqa: ANN401 - create_engine's own options
    # Imported here: who has a file for a queue needs no driver.
    from pymysql.err import MySQLError  # noqa: PLC0415

    timeouts = {"connect_timeout": 5, "read_timeout": READ_TIMEOUT, "write_timeout": READ_TIMEOUT}
    # Nothing is open when a connection comes back, as a rule: each transaction has ended by then, with its COMMIT or ROLLBACK.
    engine = create_engine(
        where, connect_args=timeouts, pool_recycle=RECYCLE, max_overflow=MOST, pool_reset_on_return=None, **options
    )
    event.listen(engine, "do_connect", connect_lightly)
    event.listen(engine, "reset", _end_transaction)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:  # noqa: ANN401 - pymysql's connection, and the pool's record of it
        record.info.pop(FRESH_UNTIL, None)
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute(f"SET SESSION time_zone='+00:00', innodb_lock_wait_timeout={LOCK_WAIT}, sql_mode='{SQL_MODE}'")
            try:
                # A stopped engine must not keep its locks.
                cursor.execute(f"SET SESSION {IDLE}={LOCK_WAIT}")
            except MySQLError:
                cursor.execute(f"SET SESSION wait_timeout={2 * LOCK_WAIT}")
                record.info[FRESH_UNTIL] = time.monotonic() + LOCK_WAIT

    @event.listens_for(engine, "checkout")
    def replace_stale(_connection: object, record: Any, _proxy: object) -> None:  # noqa: ANN401 - a connection's record
        if time.monotonic() >= record.info.get(FRESH_UNTIL, math.inf):
            raise DisconnectionError("as old as the server lets it stand still")

    return engine


def _end_transaction(connection: Any, _record: object, _state: object) -> None:  # noqa: ANN401 - pymysql's connection
    """After a COMMIT that failed SQLAlchemy sends no ROLLBACK: what was written would be committed with what comes next."""
    if connection.server_status & IN_TRANSACTION:
        connection.rollback()


SQL_MODE = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


def _sqlite(where: URL, clock: Clock, *, deferred: bool) -> Engine:
    Path(where.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(where, connect_args={"timeout": BUSY_TIMEOUT}, max_overflow=MOST)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's connection
        # The driver's own BEGIN is deferred, which fails at once where an immediate one waits for its turn.
        connection.isolation_level = None
        # People may insert bytes that are no text; one such row must not keep the others from being read.
        connection.text_factory = lambda value: value.decode("utf-8", "replace")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.create_function("UTC_TIMESTAMP", 1, lambda _digits: format_moment(clock().replace(tzinfo=None)))

    if not deferred:
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
