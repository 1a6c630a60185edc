"""PAUSE and RESUME: whether an environment's engines take tasks. Rows do it, so that an operator's account is enough."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from database import schema
from database.actions import Action
from database.auditing import Entry, note
from database.judge import Pausing
from database.rows import insert_ignore, tell

WORKS, PAUSED, DRAINED = 0, 1, 2
"""What `environment.paused` holds. DRAINED: paused, and engines leave as soon as they have nothing left to do."""

_environment, _queue = schema.environment.c, schema.queue.c


def pause(connection: Connection, row: Row[Any], wish: Pausing, now: datetime) -> None:
    """Do what the row asks and end it. Paused twice is paused."""
    name = wish.environment
    insert_ignore(connection, schema.environment, [{"name": name, "paused": WORKS}])
    paused = WORKS if wish.action == Action.RESUME else DRAINED if wish.drain else PAUSED
    connection.execute(update(schema.environment).where(_environment.name == name).values(paused=paused))
    reason = SENTENCES[paused].format(name)
    ended = {"status": "SUCCEEDED", "reason": reason, "finished_at": now, "action": str(wish.action)}
    connection.execute(update(schema.queue).where(_queue.id == row.id).values(ended))
    said = {"why": row.note, "row": row.id, "account": row.account}
    note(connection, [Entry(kind=WORDS[paused], who=row.requested_by, environment=name, task=row.id, document=said)], now)
    tell(connection, now, [(row.id, "SUCCEEDED", reason, None)])


SENTENCES = {
    WORKS: "{} works again.",
    PAUSED: "{} is paused: what runs ends, and nothing more is taken until RESUME.",
    DRAINED: "{} is drained: what runs ends, its engines leave, and nothing more is taken until RESUME.",
}
WORDS = {WORKS: "resumed", PAUSED: "paused", DRAINED: "drained"}
