"""Writing the audit log, and sealing it.

A row is written in the transaction of the thing itself, without touching anything that others wait for. Whoever polls then seals
what was committed: each row gets the next number and a hash over its content and the hash before it. One row of `counter` is
locked for that alone, shortly, by one at a time; to chain while writing, every transaction would have to wait for it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, insert, select, update

from database import schema
from database.rows import chunks, clipped, text_of
from database.updating import update_rows

SEALED_AT_ONCE = 500
LONGEST = 60_000
"""Bytes of a document: a TEXT column has 65,535, and an error over the limit would keep the thing itself from being done."""
CUTS = (4000, 400)
"""Characters that each text in a document is cut to, and when that is too long: escaped, a character can have twelve bytes."""
GENESIS = b"\0" * 32
"""What stands before the first row."""

_audit, _counter = schema.audit.c, schema.counter.c
_NEW_ROWS = insert(schema.audit)
_LAST = select(_counter.value).where(_counter.name == "audit").with_for_update(skip_locked=True)
# The order of ids is that of inserting; one that is committed late is sealed late.
_UNSEALED = select(schema.audit).where(_audit.seq.is_(None)).order_by(_audit.id).limit(bindparam("most", type_=Integer))
_HASH = select(_audit.hash).where(_audit.seq == bindparam("last"))
_MOVED = update(schema.counter).where(_counter.name == "audit").values(value=bindparam("last"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was done. `document`: what more there is to say, for JSON; `why` stands there."""

    kind: str
    who: str | None = None
    task: int | None = None
    fence: int | None = None
    environment: str | None = None
    target: str | None = None
    url: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)


def note(connection: Connection, entries: Iterable[Entry], now: datetime | None = None) -> None:
    """Write what was done, with what was done. `now`: the database's time, where it is known already."""
    rows = [_row(entry) | ({} if now is None else {"at": now}) for entry in entries]
    for some in chunks(rows):
        connection.execute(_NEW_ROWS, list(some))


def about(row: Row[Any], kind: str, by: str | None, why: str | None) -> Entry:
    """What a person did with a task, by its row."""
    return Entry(
        kind=kind,
        who=by,
        task=row.id,
        environment=text_of(row.environment),
        target=row.target,
        url=text_of(row.url),
        document={"state": row.status, "why": why},
    )


def seal(connection: Connection) -> int:
    """Chain what is committed and not yet chained, oldest first; how many rows. 0 as well while somebody else is at it."""
    last = connection.execute(_LAST).scalar_one_or_none()
    rows = connection.execute(_UNSEALED, {"most": SEALED_AT_ONCE}).all() if last is not None else []
    if last is None or not rows:
        return 0
    before = connection.scalar(_HASH, {"last": last}) or GENESIS
    sealed = [{"id": row.id, "seq": seq, "hash": (before := hash_of(row, seq, before))} for seq, row in enumerate(rows, last + 1)]
    update_rows(connection, schema.audit, ("id",), sealed)
    connection.execute(_MOVED, {"last": last + len(rows)})
    return len(rows)


def hash_of(row: Row[Any], seq: int, before: bytes) -> bytes:
    """The seal of a row: over everything in it, its number, and the seal before it."""
    at = row.at.isoformat(timespec="microseconds")
    content = [seq, before.hex(), row.id, at, row.kind, row.who, row.account, row.task, row.fence]
    content += [row.environment, row.target, row.url, row.document]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode("ascii")).digest()


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "who": clipped(entry.who, 255),
        "task": entry.task,
        "fence": entry.fence,
        "environment": clipped(entry.environment, 64),
        "target": clipped(entry.target, 64),
        "url": clipped(entry.url, schema.URL_COLUMN),
        "document": _json(entry.document),
    }


def _json(document: Mapping[str, Any]) -> str:
    least, most = (
        json.dumps({name: _plain(value, cut) for name, value in document.items() if value is not None}) for cut in sorted(CUTS)
    )
    return most if len(most) <= LONGEST else least


def _plain(value: object, most: int) -> object:
    if isinstance(value, bytes):
        return value.hex()[:most]
    return clipped(value, most) if isinstance(value, str) else value
