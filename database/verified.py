"""What the last VERIFY of each module found: so that whether a target has drifted is known without asking it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from database import schema
from database.actions import Action
from database.connection import Database
from database.rows import clipped, object_of
from database.upserting import replace_rows
from database.values import Outcome, Result

_verified, _live = schema.verified.c, schema.publication.c
DRIFTED = "Drifted"
"""The error of a VERIFY that found a module otherwise than its slip says."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What the last VERIFY of a module on a target found. `reason`: its sentence."""

    target: str
    url: str
    task: int
    at: datetime
    drifted: bool
    reason: str | None = None
    mended: bool = False
    """Whether the module was published or unpublished there since."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How a target compares with what it should hold. `last` None: nothing there was ever verified."""

    last: datetime | None
    drifted: tuple[Verification, ...]
    """By URL; as many as were asked for."""


class Verifications:
    """Reading what was found."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def drift(self, target: str, limit: int = 50) -> Drift:
        """What differs on a target as far as it is known, and when something there was last looked at."""
        last = select(func.max(_verified.at)).where(_verified.target == target)
        live = and_(_live.target == _verified.target, _live.url == _verified.url, _live.until.is_(None))
        rows = select(schema.verified, _live.since).outerjoin(schema.publication, live)
        rows = rows.where(_verified.target == target, _verified.drifted == 1).order_by(_verified.url).limit(limit)
        newest, found = self._db.look(lambda connection: (connection.scalar(last), connection.execute(rows).all()))
        return Drift(newest, tuple(_verification(row, mended=row.since is None or row.since > row.at) for row in found))

    def of(self, target: str, url: str) -> Verification | None:
        """What was found of one module; None: it was never verified there."""
        wanted = select(schema.verified).where(_verified.target == target, _verified.url == url)
        row = self._db.look(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else _verification(row)


def note_verified(connection: Connection, kept: Mapping[int, Row[Any]], results: Sequence[Result], now: datetime) -> None:
    """Write what VERIFYs found; one that could not look leaves what was known."""
    found = {}
    for result in results:
        row, drifted = kept[result.task], result.error == DRIFTED
        looked = drifted or result.outcome is Outcome.SUCCEEDED
        if row.action == Action.VERIFY and looked and not object_of(row.parameters).get("all"):
            key = row.target, row.url
            what = {"task": row.id, "at": now, "drifted": int(drifted), "reason": clipped(result.reason)}
            found[key] = {"target": row.target, "url": row.url, **what}
    replace_rows(connection, schema.verified, [found[key] for key in sorted(found)])


def _verification(row: Row[Any], *, mended: bool = False) -> Verification:
    return Verification(row.target, row.url, row.task, row.at, bool(row.drifted), row.reason, mended)
