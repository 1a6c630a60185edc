"""A database that was put back from an older copy: noticed, stopped, and made fit to go on.

It forgot what it gave out, claimed and recorded since that copy. Its counter of fences would give the same numbers again, to
others; engines of the time before may still hold them; and what it has as waiting may be done and overtaken. So nothing is
claimed from the moment somebody notices until a person says how it goes on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, select, update

from database import schema
from database.actions import Action
from database.auditing import Entry, note
from database.connection import Database
from database.counters import jump_above, newest_fence
from database.errors import QueueRestored
from database.leases import end_engine
from database.rows import chunks, insert_ignore

NAME = "restored"
"""The setting that says why nothing is claimed."""

BEYOND = 1_000_000
"""Fences that are passed over above the highest that is known: more than can have been given out without leaving a trace."""
BACKWARD = frozenset({Action.UNPUBLISH, Action.ROLLBACK, Action.RETIRE})
"""Actions that would undo what came after them. A PUBLISH that is bound to no version brings what the source has now."""

_setting, _queue, _engine = schema.setting.c, schema.queue.c, schema.engine.c
SUSPICION = select(_setting.value).where(_setting.name == NAME)
"""Why nothing may be claimed; no row: nothing is known against it."""


@dataclass(frozen=True, slots=True)
class GoingOn:
    """What a restored queue goes on as: its new id, the first fence above everything, the tasks that wait for a person."""

    queue: str
    fence: int
    on_hold: tuple[int, ...]


class Restoration:
    """Compares what the database knows with what somebody saw of it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seen = 0

    def saw(self, fence: int) -> None:
        """The counter as it stands: it never goes back by itself. Raises QueueRestored."""
        before, self._seen = self._seen, max(self._seen, fence)
        if fence < before:
            self._stop(f"its counter of fences stood at {before} and stands at {fence} now")

    def compare(self, target: str, mark: int) -> None:
        """What a target says of this very queue, read before this call. Raises QueueRestored."""
        fence = self._db.look(newest_fence)
        if mark > fence:
            self._stop(f"{target} was written to under the fence {mark}, and its counter stands at {fence}")

    def check(self) -> None:
        """Raise QueueRestored if somebody noticed it, and nobody has said yet how it goes on."""
        evidence = self._db.look(suspicion)
        if evidence is not None:
            raise QueueRestored(restored_sentence(evidence))

    def _stop(self, evidence: str) -> None:
        row = {"name": NAME, "value": evidence[:255]}
        self._db.change(lambda connection: insert_ignore(connection, schema.setting, [row]))
        raise QueueRestored(restored_sentence(evidence))

    def go_on(self, above: int, newer: Collection[tuple[str, str]]) -> GoingOn:
        """Another queue, whose fences begin above `above` and to which no engine of before belongs; what runs is given back.

        `newer`: (target, url) of modules that changed since the copy. Tasks for those that would undo it are put on hold, and so
        is every RETIRE: whether it was deposited since, no target tells.
        """
        queue = uuid4().hex

        def work(connection: Connection) -> GoingOn:
            connection.execute(update(schema.setting).where(_setting.name == "queue").values(value=queue))
            connection.execute(delete(schema.setting).where(_setting.name == NAME))
            fence = jump_above(connection, above + BEYOND)
            for start in connection.scalars(select(_engine.start).where(_engine.state == "UP")).all():
                end_engine(connection, start, "DEAD")
            went_on = GoingOn(queue, fence, _put_on_hold(connection, frozenset(newer)))
            said = {"queue": queue, "fence": fence, "on_hold": len(went_on.on_hold)}
            note(connection, [Entry(kind="restored", document=said)])
            return went_on

        return self._db.change(work)


def restored_sentence(evidence: str) -> str:
    """What a person is told."""
    return (
        f"The queue's database was put back from an older copy: {evidence}. Nothing is claimed until a person has looked: "
        "'slipway db restored --dry-run' shows what it lost, without --dry-run it goes on."
    )


def suspicion(connection: Connection) -> str | None:
    """Why nothing may be claimed; None: nothing is known against it."""
    found = connection.scalar(SUSPICION)
    return None if found is None else str(found)


def _put_on_hold(connection: Connection, newer: frozenset[tuple[str, str]]) -> tuple[int, ...]:
    wanted = select(_queue.id, _queue.target, _queue.url, _queue.action, _queue.version).where(_queue.status == "READY")
    held = [row.id for row in connection.execute(wanted.order_by(_queue.id)) if _undoes(row, newer)]
    reason = (
        "The database was put back from an older copy, and its module has changed since. Release it "
        "('slipway queue release') if it shall be done all the same, or cancel it."
    )
    for some in chunks(held):
        connection.execute(update(schema.queue).where(_queue.id.in_(list(some))).values(hold=1, reason=reason))
    return tuple(held)


def _undoes(row: Any, newer: frozenset[tuple[str, str]]) -> bool:  # noqa: ANN401 - a row
    if row.action == Action.RETIRE:
        return True
    return (row.target, row.url) in newer and (row.version is not None or row.action in BACKWARD)
