"""One UPDATE for many rows, each with values of its own."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Update, and_, bindparam, case, tuple_, update


def update_rows(connection: Connection, table: Table, keys: tuple[str, ...], rows: Sequence[Mapping[str, object]]) -> None:
    """Set all other columns of these rows, which name the same ones; the first of `keys` alone tells them apart.

    What is the same in all of them stands there once: a CASE over a batch costs more than all else of it. Statements are made for
    1, 2, 4, ... rows, the last of which may come several times, so that few have to be put together.
    """
    names = [name for name in rows[0] if name not in keys]
    same = tuple(name for name in names if all(row[name] == rows[0][name] for row in rows))
    own = tuple(name for name in names if name not in same)
    filled = [*rows, *[rows[-1]] * ((1 << (len(rows) - 1).bit_length()) - len(rows))] if own else rows
    given = given_keys([tuple(row[key] for key in keys) for row in rows])
    given |= {f"all_{name}": rows[0][name] for name in same}
    for number, row in enumerate(filled if own else ()):
        given[f"key_{number}"] = row[keys[0]]
        given |= {f"{name}_{number}": row[name] for name in own}
    connection.execute(_statement(table, keys, same, own, len(filled) if own else 0), given)


@lru_cache(maxsize=256)
def _statement(table: Table, keys: tuple[str, ...], same: tuple[str, ...], own: tuple[str, ...], size: int) -> Update:
    columns = [table.c[key] for key in keys]
    values: dict[str, Any] = {name: bindparam(f"all_{name}", type_=table.c[name].type) for name in same}
    for name in own:
        kind = table.c[name].type
        each = {bindparam(f"key_{n}", type_=columns[0].type): bindparam(f"{name}_{n}", type_=kind) for n in range(size)}
        values[name] = case(each, value=columns[0])
    return update(table).where(have_keys(*columns)).values(values)


def have_keys(*columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a row's key is among the `given_keys`.

    Its first column is asked for by itself, too: for one pair alone an UPDATE of MariaDB reads the whole table otherwise.
    """
    first = columns[0].in_(bindparam("firsts", expanding=True))
    return first if len(columns) == 1 else and_(first, tuple_(*columns).in_(bindparam("keys", expanding=True)))


def given_keys(keys: Iterable[tuple[object, ...]]) -> dict[str, object]:
    """What a statement with `have_keys` is given."""
    several = list(keys)
    firsts = {"firsts": [key[0] for key in several]}
    return firsts | ({"keys": several} if len(several[0]) > 1 else {})
