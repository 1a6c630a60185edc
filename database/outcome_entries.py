"""What the audit log says of results: what became visible or went, what was refused, what waits for a person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from database.auditing import Entry
from database.settling import Ending
from database.values import Published, Result, State

REFUSALS = frozenset({"SignatureRefused", "SerialSuspect"})
"""Errors that are somebody's attempt, or look like one."""
_COUNTS = ("put", "drop", "keep", "fetched", "bytes")


def entries(kept: Mapping[int, Row[Any]], results: Sequence[Result], endings: Mapping[int, Ending]) -> Iterator[Entry]:
    """One entry for each publication, each refusal and each hold, in the order of the results."""
    for result in results:
        row = kept[result.task]
        for one in result.published:
            yield _published(row, result, one)
        if result.error in REFUSALS:
            yield _ended(row, result, "refused")
        elif endings[result.task].state == State.HELD:
            yield _ended(row, result, "held")
        elif endings[result.task].state == State.CANCELLED:
            yield _ended(row, result, "cancelled")


def _published(row: Row[Any], result: Result, one: Published) -> Entry:
    """The files' digests are in the slip, and the slip is known by its own."""
    what = {
        "action": row.action,
        "serial": one.serial,
        "version": one.version,
        "slip": None if one.document is None else one.document.digest,
        "counts": {name: result.summary[name] for name in _COUNTS if name in result.summary},
    }
    kind = "unpublished" if one.document is None else "published"
    return Entry(
        kind=kind,
        who=row.requested_by,
        task=row.id,
        fence=result.fence,
        environment=row.environment,
        target=one.target,
        url=one.url,
        document=what,
    )


def _ended(row: Row[Any], result: Result, kind: str) -> Entry:
    return Entry(
        kind=kind,
        who=row.requested_by,
        task=row.id,
        fence=result.fence,
        environment=row.environment,
        target=row.target,
        url=row.url,
        document={"action": row.action, "why": result.reason, "plan": result.plan.digest if result.plan else None},
    )
