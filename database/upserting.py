"""Rows that are written whether they are there already or not."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, func

from database.rows import chunks

Row = Mapping[str, Any]


def replace_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; where one of the same key is there, the new one takes its place."""
    _write(connection, table, rows, adding=False)


def add_up_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows of `n`, `total` and `most`; where one of the same key is there, the numbers are added to it."""
    _write(connection, table, rows, adding=True)


def _write(connection: Connection, table: Table, rows: Sequence[Row], *, adding: bool) -> None:
    if rows:
        statement = (_lite if connection.dialect.name == "sqlite" else _mysql)(table, tuple(rows[0]), adding=adding)
        for some in chunks(rows):
            connection.execute(statement, list(some))


@cache
def _lite(table: Table, columns: tuple[str, ...], *, adding: bool) -> Any:  # noqa: ANN401 - a dialect's own insert
    # Imported here: each process has one database, and needs what belongs to that one.
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    new = sqlite.insert(table)
    changed = _changed(table, columns, new.excluded, func.max if adding else None)
    return new.on_conflict_do_update(index_elements=[column.name for column in table.primary_key], set_=changed)


@cache
def _mysql(table: Table, columns: tuple[str, ...], *, adding: bool) -> Any:  # noqa: ANN401 - a dialect's own insert
    from sqlalchemy.dialects import mysql  # noqa: PLC0415

    new = mysql.insert(table)
    return new.on_duplicate_key_update(_changed(table, columns, new.inserted, func.greatest if adding else None))


def _changed(table: Table, columns: Iterable[str], new: Any, larger: Any) -> dict[str, Any]:  # noqa: ANN401 - columns, a function
    """How rows of the same key become one; `larger` None: the new one takes the old one's place."""
    keys = {column.name for column in table.primary_key}
    changed: dict[str, Any] = {}
    for name in columns:
        if name not in keys:
            old = table.c[name]
            changed[name] = new[name] if larger is None else larger(old, new[name]) if name == "most" else old + new[name]
    return changed
