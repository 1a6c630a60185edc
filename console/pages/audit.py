"""What was done, by whom and why; and whether the log of it is whole."""

import threading
from datetime import datetime

from starlette.responses import Response

from console.asked import Asked
from console.errors import Refused
from console.memory import Memory
from console.wanted import moment, number
from database import Audit, AuditRow, DatabaseError, Wanted

AT_ONCE = 100
"""Rows on a page."""


def show(asked: Asked) -> Response:
    log, wanted = Audit(asked.database), _wanted(asked)
    page = log.page(wanted, before=_number(asked, "before"), limit=AT_ONCE)
    sealed, unsealed = log.sealed()
    return asked.page(
        "audit.html",
        rows=[(row, _why(row)) for row in page.rows],
        before=page.before,
        kinds=log.kinds(),
        given={name: asked.query.get(name, "") for name in FILTERS},
        sealed=sealed,
        unsealed=unsealed,
        walked=asked.console.memory.walked,
    )


FILTERS = ("kind", "who", "task", "environment", "target", "url", "since", "until")


def _wanted(asked: Asked) -> Wanted:
    """What the address asks for. Raises Refused for a number or a time that is none."""
    words = {name: asked.query.get(name, "").strip() or None for name in ("kind", "who", "environment", "target", "url")}
    return Wanted(**words, task=_number(asked, "task"), since=_moment(asked, "since"), until=_moment(asked, "until"))


def _number(asked: Asked, name: str) -> int | None:
    text = asked.query.get(name, "").strip()
    if not text:
        return None
    if (found := number(text)) is None:
        raise Refused(400, "Not understood", f"{name} is a number, not {text[:40]!r}.")
    return found


def _moment(asked: Asked, name: str) -> datetime | None:
    text = asked.query.get(name, "").strip()
    try:
        return moment(text) if text else None
    except ValueError as error:
        raise Refused(400, "Not understood", f"{name} is a time such as 2026-01-31T12:00, not {text[:40]!r}.") from error


def _why(row: AuditRow) -> str:
    """What the row's document says beside its columns, in a few words."""
    said = row.entry.document
    return str(said.get("why") or said.get("reason") or "")


def check(asked: Asked) -> Response:
    """Walk the whole chain, in a thread: a log of years takes longer than anybody waits for a page."""
    memory = asked.console.memory
    if memory.begin_walk(asked.someone.name):
        threading.Thread(target=_walk, args=(Audit(asked.database), memory), name="audit walk", daemon=True).start()
    return asked.done("/audit", "The chain is being walked; this page says what it comes to.")


def _walk(log: Audit, memory: Memory) -> None:
    try:
        memory.end_walk(log.verify())
    except DatabaseError as error:
        memory.end_walk(None, str(error))
