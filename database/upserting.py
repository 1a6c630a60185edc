"""Rows that are written whether they are there already or not."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func

from database.rows import chunks

Row = Mapping[str, Any]


def replace_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; where one of the same key is there, the new one takes its place."""
    _write(connection, table, rows, lambda _column, _old, new: new)


def add_up_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows of `n`, `total` and `most`; where one of the same key is there, the numbers are added to it."""
    larger = func.max if connection.dialect.name == "sqlite" else func.greatest
    _write(connection, table, rows, lambda column, old, new: larger(old, new) if column == "most" else old + new)


def _write(connection: Connection, table: Table, rows: Sequence[Row], merged: Any) -> None:  # noqa: ANN401 - how columns become one
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    columns = [name for name in rows[0] if name not in keys]
    # Imported here: each process has one database, and needs what belongs to that one.
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        lite = sqlite.insert(table)
        changed = {name: merged(name, table.c[name], lite.excluded[name]) for name in columns}
        statement: Any = lite.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        from sqlalchemy.dialects import mysql  # noqa: PLC0415

        my = mysql.insert(table)
        statement = my.on_duplicate_key_update({name: merged(name, table.c[name], my.inserted[name]) for name in columns})
    for some in chunks(rows):
        connection.execute(statement, list(some))
