"""Two versions of the program on one queue: which is the newest that works here."""

from sqlalchemy import Connection, select, update

from database import schema
from database.rows import insert_ignore

NAME = "protocol"
_setting = schema.setting.c


def note_protocol(connection: Connection) -> None:
    """Have it known that this program works here: what older ones do not know may be meant, from now on."""
    if newest_protocol(connection) < schema.PROTOCOL:
        insert_ignore(connection, schema.setting, [{"name": NAME, "value": "1"}])
        connection.execute(update(schema.setting).where(_setting.name == NAME).values(value=str(schema.PROTOCOL)))


def newest_protocol(connection: Connection) -> int:
    """The highest protocol that ever worked on this queue."""
    found = connection.scalar(select(_setting.value).where(_setting.name == NAME))
    return int(found) if found else 1
