"""Which signed slips were believed last: what an older one is told from."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from database import schema
from database.connection import Database
from packageslip import Seen

_seen = schema.seen_signature.c


class Signatures:
    """The last serial for each module in each environment."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def now(self) -> datetime:
        """The database's time: no engine's own clock decides whether a signature is still good."""
        now: datetime = self._db.look(lambda connection: connection.execute(select(schema.NOW)).scalar_one())
        return now

    def seen(self, environment: str, url: str) -> Seen | None:
        """What was believed last; None: nothing that was signed."""
        wanted = select(_seen.serial, _seen.slip).where(_seen.environment == environment, _seen.url == url)
        row = self._db.look(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else Seen(row.serial, row.slip)

    def believe(self, environment: str, url: str, seen: Seen | None) -> None:
        """Remember what was believed now; None: a person agreed that it is not signed any more."""
        self._db.change(lambda connection: _believe(connection, environment, url, seen))


def _believe(connection: Connection, environment: str, url: str, seen: Seen | None) -> None:
    here = (_seen.environment == environment) & (_seen.url == url)
    if seen is None:
        connection.execute(delete(schema.seen_signature).where(here))
        return
    values = {"serial": seen.serial, "slip": seen.slip, "at": schema.NOW}
    if connection.scalar(select(_seen.serial).where(here).with_for_update()) is None:
        connection.execute(insert(schema.seen_signature).values(environment=environment, url=url, **values))
    else:
        connection.execute(update(schema.seen_signature).where(here).values(values))
