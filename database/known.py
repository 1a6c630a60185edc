"""Environments and targets of the configuration, as rows: operators need not make them."""

from sqlalchemy import Connection, select, update

from config import Settings
from database import schema
from database.actions import NOTICE
from database.rows import insert_ignore


def know(connection: Connection, settings: Settings) -> None:
    """A row for each that has none yet; a target that is exclusive, or no longer, is marked so."""
    known = set(connection.scalars(select(schema.environment.c.name)))
    insert_ignore(connection, schema.environment, [{"name": name} for name in sorted(settings.environments.keys() - known)])
    wanted = {name: int(target.exclusive) for name, target in settings.targets.items()}
    wanted |= {f"source:{name}": 0 for name in settings.sources} | {f"{NOTICE}{name}": 0 for name in settings.notices}
    wanted |= {f"archive:{name}": 0 for name in settings.archives}
    found = {row.name: row.exclusive for row in connection.execute(select(schema.target.c.name, schema.target.c.exclusive))}
    new = [{"name": name, "exclusive": wanted[name]} for name in sorted(wanted.keys() - found.keys())]
    insert_ignore(connection, schema.target, new)
    for name in sorted(wanted.keys() & found.keys()):
        if found[name] != wanted[name]:
            connection.execute(update(schema.target).where(schema.target.c.name == name).values(exclusive=wanted[name]))
