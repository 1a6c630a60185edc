"""Which of Slipway's two database accounts this is, and whether it may do more than it needs. Grants are read, not tried."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, text

from database.connection import Database

ROWS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE"})
"""What the engines' account has on every table, and no more."""
BY_COLUMN = frozenset({"INSERT", "UPDATE"})
"""What the operators' account has on some columns of some tables."""


class Account(StrEnum):
    """What an account is good for."""

    ENGINE = "engine"
    """It changes rows: the daemon's and the engines' account."""
    OPERATOR = "operator"
    """It looks, inserts requests and changes a few columns."""
    READER = "reader"
    """It can look."""
    STRANGER = "stranger"
    """It cannot even look at everything."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege. `on`: `*.*`, a database, or one thing in it; `columns`: only these."""

    privilege: str
    on: str
    columns: str = ""

    def __str__(self) -> str:
        return f"{self.privilege}{f' ({self.columns})' if self.columns else ''} on {self.on}"


@dataclass(frozen=True, slots=True)
class Rights:
    """What an account is, in what it has too much, and what it lacks for what it is."""

    name: str
    account: Account
    excess: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def rights(db: Database) -> Rights | None:
    """The rights of the account that this connection has. None: an embedded queue has no accounts. Raises DatabaseError."""
    return db.look(_rights) if db.dialect == "mysql" else None


def _rights(connection: Connection) -> Rights:
    name, database = connection.execute(text("SELECT CURRENT_USER(), DATABASE()")).one()
    rows = connection.execute(text("SHOW GRANTS")).scalars().all()
    return judged(str(name), str(database), list(read_grants(rows)))


def read_grants(lines: Iterable[str]) -> Iterator[Grant]:
    """What SHOW GRANTS says. Its lines can hold a password's hash: nothing but privileges is taken from them."""
    for line in lines:
        if found := re.match(r"GRANT (.+?) ON (?:(?:TABLE|PROCEDURE|FUNCTION) )?(\S+) TO ", line):
            on = found[2].replace("`", "").replace('"', "")
            for privilege, columns in re.findall(r"([A-Za-z ]+?)\s*(?:\(([^)]*)\))?\s*(?:,|$)", found[1]):
                yield Grant(privilege.strip().upper(), on, columns.replace("`", ""))
            if "WITH GRANT OPTION" in line:
                yield Grant("GRANT OPTION", on)


def judged(name: str, database: str, grants: Iterable[Grant]) -> Rights:
    """What these privileges make of the account, for Slipway's database of this name."""
    # A database's name in a grant is a pattern, in which an underscore is written with a backslash or means any letter.
    found = [one for one in grants if one.privilege not in {"USAGE", "PROXY"}]
    within = [one for one in found if _covers(one.on, database)]
    whole = {one.privilege for one in within if not one.columns}
    everything = "ALL PRIVILEGES" in whole
    if everything or {"UPDATE", "DELETE"} <= whole:
        excess = [str(one) for one in found if one not in within or one.on == "*.*" or one.privilege not in ROWS]
        return Rights(name, Account.ENGINE, tuple(excess), () if everything else tuple(sorted(ROWS - whole)))
    if "SELECT" not in whole:
        return Rights(name, Account.STRANGER, missing=("SELECT",))
    columns = any(one.columns or one.privilege == "INSERT" for one in found)
    excess = [str(one) for one in found if not _is_operators(one, database)]
    return Rights(name, Account.OPERATOR if columns else Account.READER, tuple(excess))


def _covers(on: str, database: str) -> bool:
    return on == "*.*" or (on.endswith(".*") and on[:-2].replace("\\", "") == database)


def _is_operators(one: Grant, database: str) -> bool:
    """Whether the operators' account is meant to have this: looking, calling, and some columns."""
    place = one.on.replace("\\", "")
    if not place.startswith(f"{database}."):
        return False
    if one.privilege in {"SELECT", "EXECUTE"}:
        return one.privilege == "SELECT" or not place.endswith(".*")
    return one.privilege in BY_COLUMN and bool(one.columns)
