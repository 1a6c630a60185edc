"""A queue's history, read from its tables by plain SQL."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from packageslip import Packageslip, read_slip
from reliability.happenings import AttemptRow, EventRow, History, PublicationRow, TaskRow


def read_rows(url: str, *, accepted: Iterable[int] = (), deferred: Iterable[int] = (), settled: bool = False) -> History:
    """Everything that the queue at this address tells about itself."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            return History(
                accepted=frozenset(accepted),
                tasks=[_task(row) for row in _rows(connection, _TASKS)],
                attempts=[AttemptRow(**row) for row in _rows(connection, "SELECT task, fence, outcome FROM attempt")],
                events=[
                    EventRow(**row) for row in _rows(connection, "SELECT id, task, state, reason, fence FROM event ORDER BY id")
                ],
                publications=[PublicationRow(**{**row, "open": bool(row["open"])}) for row in _rows(connection, _PUBLICATIONS)],
                deferred=frozenset(deferred),
                settled=settled,
            )
    finally:
        engine.dispose()


_TASKS = (
    "SELECT q.id, q.environment, q.url, q.status, q.target, q.action, q.reason, q.absorbs, q.batch, q.generation,"
    " p.digest AS plan FROM publication_task_queue q LEFT JOIN plan p ON p.task = q.id ORDER BY q.id"
)
_PUBLICATIONS = "SELECT target, url, serial, until IS NULL AS open FROM publication ORDER BY id"


def _rows(connection: sa.Connection, statement: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.text(statement)).mappings()]


def _task(row: Mapping[str, Any]) -> TaskRow:
    known: dict[str, Any] = {**row, "absorbs": bool(row["absorbs"]), "generation": row["generation"] or 0}
    known |= {name: row[name] or "" for name in _WORDS}
    return TaskRow(**known)


_WORDS = frozenset({"environment", "url", "action"})
"""Columns that a person may leave empty; intake rejects such rows, and they are part of the history like any other."""


def slips_in(documents: Iterable[bytes]) -> list[Packageslip]:
    """The slips in these commit records."""
    return [read_slip(document, "a commit record") for document in documents]
