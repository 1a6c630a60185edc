"""Transactions that are tried again as a whole, and driver errors turned into ours."""

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from database.errors import DatabaseError, DatabaseUnavailable, SchemaMismatch

log = structlog.get_logger(__name__)

T = TypeVar("T")

TRIES = 20
PATIENCE = 10.0
"""Seconds after which no new try begins."""
SHORTEST, LONGEST = 0.01, 0.2
"""Seconds between two tries, at random between these, so that those who collided do not meet again."""

COLLIDED = frozenset({1213, 1205, 1020, 1062})
"""Deadlock, lock wait time-out, snapshot conflict, somebody else was first. The transaction is void, the connection good."""

LOST = frozenset({2003, 2006, 2013, 1053, 1927, 4031, 1040, 1203, 1290, 1836})
"""Server gone, connection killed, too many connections, or (1290, 1836) a replica that is read-only: connect anew."""

NO_TABLE = frozenset({1146, 1054, 1305})

NO_ROOM = frozenset({1021, 1030, 1114})
"""The server's disk or its table space is full. Nothing was written; whoever asks again later may find room."""


def tried_again(engine: Engine, work: Callable[[Connection], T], *, transaction: bool) -> T:
    """Run `work` until it goes through; DatabaseUnavailable when it does not, any other fault at once."""
    # Nearly always once: what is prepared for a second try, each statement would pay for.
    began, attempt = time.monotonic(), 0
    while True:
        attempt += 1
        try:
            return _once(engine, work, transaction)
        except SQLAlchemyError as error:
            if not may_pass(error) or attempt >= TRIES or time.monotonic() - began >= PATIENCE:
                raise ours(error) from error
            log.info("transaction tried again", attempt=attempt, error=str(getattr(error, "orig", error)))
        time.sleep(random.uniform(SHORTEST, LONGEST))  # noqa: S311  # nosec B311 - no secret


def _once(engine: Engine, work: Callable[[Connection], T], transaction: bool) -> T:
    with engine.connect() as connection:
        try:
            if not transaction:
                return work(connection)
            with connection.begin():
                return work(connection)
        except DBAPIError as error:
            if number_of(error) in LOST:
                connection.invalidate()
            raise


def may_pass(error: BaseException) -> bool:
    """Whether the same transaction can go through a moment later."""
    if not isinstance(error, DBAPIError):
        return False
    busy = isinstance(error.orig, sqlite3.OperationalError) and "locked" in str(error.orig)
    return busy or error.connection_invalidated or number_of(error) in COLLIDED | LOST


def number_of(error: DBAPIError) -> int | None:
    """MySQL's number of the error; None where there is none."""
    first = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return first if isinstance(first, int) else None


def ours(error: SQLAlchemyError) -> DatabaseError:
    """The driver's error in our words, with what to do."""
    if isinstance(error, DBAPIError):
        return _from_driver(error)
    if isinstance(error, ArgumentError):
        return DatabaseError(f"queue.url cannot be read: {error}. Use mysql+pymysql://USER@HOST/DATABASE or sqlite:///FILE.")
    return DatabaseError(f"The queue's database cannot be used: {error}")


def _from_driver(error: DBAPIError) -> DatabaseError:
    number, said = number_of(error), str(error.orig)
    if number in NO_TABLE or "no such table" in said or "no such column" in said:
        return SchemaMismatch(f"The queue's schema is not there or not the right one ({said}). Run 'slipway db upgrade'.")
    if number in NO_ROOM or "is full" in said:
        return DatabaseUnavailable(
            f"The queue's database has no room: {said}. Make room on its disk; everything waits until then."
        )
    if "disk I/O error" in said:
        # What SQLite says where its own disk is full, too: it has files beside the database that must grow.
        return DatabaseUnavailable(
            f"The queue's database cannot use its disk: {said}. It may be full, or failing: make room there; everything waits "
            "until then."
        )
    if number in COLLIDED or "locked" in said:
        return DatabaseUnavailable(f"The queue's database stayed busy: {said}. Try again in a moment.")
    if may_pass(error) or isinstance(error.orig, sqlite3.OperationalError) or number in {1044, 1045, 1049}:
        return DatabaseUnavailable(f"The queue's database does not answer: {said}. Check queue.url, its password and the server.")
    return DatabaseError(f"The queue's database refused a statement: {said}")
