"""Bringing a schema up to date, in the database or as SQL to read, and saying where it stands."""

import sqlite3
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, NullPool, create_engine, event, update
from sqlalchemy.exc import SQLAlchemyError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from database import schema
from database.auditing import Entry, note
from database.connection import Database, read_url, revision_of
from database.errors import DatabaseError
from database.greeting import connect_lightly
from database.transactions import ours

PATIENCE = 10.0
"""Seconds to wait for another upgrade of the same file to let go of it."""
_IF_BUSY = retry_if_exception(lambda error: isinstance(error, sqlite3.OperationalError) and "locked" in str(error))


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """`found` is None in an empty database."""

    found: str | None
    wanted: str

    @property
    def current(self) -> bool:
        """Whether nothing needs to be done."""
        return self.found == self.wanted


def upgrade(url: str, password: str | None = None) -> SchemaStatus:
    """Make or upgrade the tables, and the queue's id with them; what was found before. Does nothing where all is current.

    Raises DatabaseUnavailable, DatabaseError (the account may not create tables, say).
    """
    where = read_url(url, password)
    engine = create_engine(where, poolclass=NullPool)
    if engine.dialect.name == "mysql":
        event.listen(engine, "do_connect", connect_lightly)
    else:
        Path(where.database or "").parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            _wait_for_others(connection)
            found = revision_of(connection)
            if found != schema.REVISION:
                _migrate(connection=connection)
                if revision_of(connection) == schema.REVISION:
                    note(connection, [Entry(kind="upgraded", document={"from": found, "to": schema.REVISION})])
    except SQLAlchemyError as error:
        raise ours(error) from error
    return SchemaStatus(found, schema.REVISION)


def upgrade_sql(dialect: str, since: str | None = None) -> str:
    """All migrations, or those after `since`, as SQL for "mysql" or "sqlite", for a database administrator to read and run.

    Raises DatabaseError for another dialect, and for a revision that there never was.
    """
    if dialect not in {"mysql", "sqlite"}:
        raise DatabaseError(f"There are migrations for mysql (and MariaDB) and for sqlite, not for {dialect!r}.")
    if since is not None and not (since.isdigit() and len(since) == 4 and "0001" <= since <= schema.REVISION):
        raise DatabaseError(f"There is no revision {since!r}; this version knows 0001 to {schema.REVISION}.")
    out = StringIO()
    if since != schema.REVISION:
        _migrate(out, since, dialect=dialect)
    return out.getvalue()


def schema_status(url: str, password: str | None = None) -> SchemaStatus:
    """Where the schema stands."""
    database = Database.connect(url, password)
    try:
        return SchemaStatus(database.look(revision_of), schema.REVISION)
    finally:
        database.close()


def renew_queue_id(database: Database) -> str:
    """Give the queue a new id, for a database that was restored from a copy: `target adopt` then shuts the old engines out."""
    new = uuid4().hex

    def work(connection: Connection) -> None:
        connection.execute(update(schema.setting).where(schema.setting.c.name == "queue").values(value=new))
        note(connection, [Entry(kind="restored", document={"queue": new})])

    database.change(work)
    return new


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for attempt in Retrying(stop=stop_after_delay(PATIENCE), wait=wait_fixed(0.02), retry=_IF_BUSY, reraise=True):
        with attempt:
            # The file remembers this; once it is so, readers never wait for a writer. To make it so, SQLite itself never waits.
            connection.execute("PRAGMA journal_mode=WAL")


def _wait_for_others(connection: Connection) -> None:
    """Two upgrades at once would make the same tables: MySQL makes them outside transactions. The lock ends with the session."""
    if connection.dialect.name == "mysql":
        connection.exec_driver_sql("SELECT GET_LOCK(CONCAT(DATABASE(), '.slipway upgrade'), 600)")


def _migrate(out: StringIO | None = None, since: str | None = None, **attributes: object) -> None:
    """Bring a schema to its head; with `out`, write there the SQL that would, from `since` on."""
    # Who only asks where the schema stands, an engine at each of its starts, does without Alembic.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(output_buffer=out) if out else Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes |= attributes
    command.upgrade(config, f"{since}:head" if since else "head", sql=out is not None)
