"""Databases with the present schema, copied from one that was upgraded once: hundreds of tests want one each.

Each copy has an id of its own, as a database that was upgraded by itself would.
"""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pymysql
from pymysql.connections import Connection
from sqlalchemy import URL, make_url

from database import upgrade

_NEW_ID = "UPDATE setting SET value = '{}' WHERE name = 'queue'"


def fresh(url: str) -> None:
    """Bring an empty database up to date; one with something in it by the upgrade itself."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        _sqlite(url, Path(str(where.database)))
    else:
        _mariadb(url, where)


@cache
def sqlite_template() -> Path:
    """An upgraded SQLite file to copy."""
    folder = tempfile.mkdtemp(prefix="slipway-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


def emptied(url: str) -> None:
    """Make a MariaDB database that a test has used like a fresh one: for tests that leave the tables as they were made."""
    where = make_url(url)
    with closing(_connect(where)) as connection, connection.cursor() as cursor:
        # Whoever still holds a table here is a test that did not close what it opened.
        cursor.execute("SET lock_wait_timeout = 20, innodb_lock_wait_timeout = 20")
        template = _template(where.set(database="mysql"))
        # To truncate a table costs as much as to empty all of them: only where numbers were given out.
        moved = dict(_next_numbers(cursor).items() - template.counted.items())
        emptying = [f"TRUNCATE TABLE {table}" for table in moved]
        emptying += ["BEGIN", *(f"DELETE FROM {table}" for table in template.tables if table not in moved)]
        for statement in (*emptying, *template.rows, _NEW_ID.format(uuid4().hex), "COMMIT"):
            cursor.execute(statement)


def _sqlite(url: str, path: Path) -> None:
    if path.exists():
        upgrade(url)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(sqlite_template(), path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_NEW_ID.format(uuid4().hex))


def _mariadb(url: str, where: URL) -> None:
    with closing(_connect(where)) as connection, connection.cursor() as cursor:
        if where.username != "root" or cursor.execute("SHOW TABLES"):
            upgrade(url)
            return
        # URL.set() leaves a database where None is meant: each would be a server of its own.
        template = _template(where.set(database="mysql"))
        for statement in (*template.make, *template.rows):
            cursor.execute(statement)
        cursor.execute(_NEW_ID.format(uuid4().hex))


class _Template(NamedTuple):
    """What makes an empty database of a server like one that was upgraded there."""

    tables: tuple[str, ...]
    make: tuple[str, ...]
    rows: tuple[str, ...]
    counted: Mapping[str, int]
    """What each table that numbers its rows gives out next."""


@cache
def _template(server: URL) -> _Template:
    name = f"template_{uuid4().hex}"
    where = server.set(database=name)
    with closing(_connect(server)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    upgrade(where.render_as_string(hide_password=False))
    with closing(_connect(where)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        tables = tuple(str(row[0]) for row in cursor.fetchall())
        filled = [table for table in tables if cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")]
        cursor.execute("SHOW CREATE PROCEDURE schedule_implicit_module")
        [(_, _, procedure, *_)] = cursor.fetchall()
        counted = _next_numbers(cursor)
    make = (*(f"CREATE TABLE {table} LIKE {name}.{table}" for table in tables), str(procedure))
    return _Template(tables, make, tuple(f"INSERT INTO {table} SELECT * FROM {name}.{table}" for table in filled), counted)


def _next_numbers(cursor: Any) -> dict[str, int]:
    cursor.execute(
        "SELECT table_name, auto_increment FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND auto_increment IS NOT NULL"
    )
    return dict(cursor.fetchall())


def _connect(where: URL) -> Connection:
    return pymysql.connect(
        host=where.host or "127.0.0.1",
        port=where.port or 3306,
        user=where.username or "root",
        password=str(where.password or ""),
        database=where.database,
        autocommit=True,
        ssl_disabled=True,
    )
