"""Whether anything changed: a few numbers, each from the end of an index, that the console asks for once a second."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, or_, select

from database import schema
from database.connection import Database

MOST = 500
"""Tasks named at once; where more changed, it is enough to know that the queue did."""

RECENT = 200
"""Events by whose numbers one is noticed whose transaction ended after that of a later one."""

_event, _queue, _engine, _progress, _target = (
    schema.event.c,
    schema.queue.c,
    schema.engine.c,
    schema.progress.c,
    schema.target.c,
)


@dataclass(frozen=True, slots=True)
class Pulse:
    """How things stand, for comparing with how they stood."""

    events: frozenset[int] = frozenset()
    """The newest events, RECENT at most."""
    row: int = 0
    said: int = 0
    """The newest rows of the queue and of the audit log."""
    progress: Mapping[int, str] = field(default_factory=dict)
    """Of each running task: when it last said how far it is."""
    engines: frozenset[tuple[str, str]] = frozenset()
    """Start and environment of the engines that are up."""
    breakers: frozenset[tuple[str, int]] = frozenset()
    """Names and failures of targets and sources that are left alone."""


class Pulses:
    """Asks for the pulse."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def now(self) -> Pulse:
        return self._db.look(_pulse)

    def changed(self, before: Pulse, after: Pulse) -> list[int]:
        """Tasks that something happened to in between; MOST at most."""
        last = max(before.events, default=0)
        late = sorted(each for each in after.events - before.events if each < last)
        wanted = select(_event.task).where(or_(_event.id > last, _event.id.in_(late))).distinct().limit(MOST)
        return list(self._db.look(lambda connection: connection.scalars(wanted).all()))


def _pulse(connection: Connection) -> Pulse:
    recent = select(_event.id).order_by(_event.id.desc()).limit(RECENT)
    newest = select(*(select(func.max(column)).scalar_subquery() for column in (_queue.id, schema.audit.c.id)))
    row, said = connection.execute(newest).one()
    engines = select(_engine.start, _engine.environment).where(_engine.state == "UP")
    breakers = select(_target.name, _target.failures).where(_target.is_open == 1)
    return Pulse(
        frozenset(connection.scalars(recent)),
        row or 0,
        said or 0,
        {each.task: str(each.at) for each in connection.execute(select(_progress.task, _progress.at))},
        frozenset((each.start, each.environment) for each in connection.execute(engines)),
        frozenset((each.name, each.failures) for each in connection.execute(breakers)),
    )
