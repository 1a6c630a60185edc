"""One intake: each row that was inserted is judged, does at once what is not a task, and becomes READY or REJECTED."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, select, tuple_, update

from config import Settings
from database import schema
from database.actions import RESTORING, Action
from database.approving import approve
from database.auditing import Entry, note
from database.counters import begin_intake
from database.earlier import NoSuchPublication, find_earlier
from database.inserted import lock_inserted, read_requests
from database.judge import Accepted, Rejected, judge
from database.known import know
from database.moments import Moment
from database.pausing import pause
from database.rows import by_id, tell, text_of
from database.takedowns import brought_back, carry_out, rootless

log = structlog.get_logger(__name__)
_queue = schema.queue.c


def accept(connection: Connection, settings: Settings, limit: int) -> int:
    """Judge up to `limit` NEW rows, oldest first; how many. 0 as well while another session is at it."""
    if not begin_intake(connection):
        return 0
    know(connection, settings)
    rows = lock_inserted(connection, limit)
    if rows:
        intake = _Intake(connection, settings, rows)
        intake.take_down()
        intake.keep_down()
        intake.approve()
        intake.pause()
        intake.go_back()
        intake.make_ready()
        intake.reject()
        intake.note()
    return len(rows)


class _Intake:
    """The rows of one intake. Each step takes out of `accepted` what it deals with, and adds to `rejected` what it refuses."""

    def __init__(self, connection: Connection, settings: Settings, rows: Sequence[Row[Any]]) -> None:
        self._connection, self._settings, self._rows = connection, settings, rows
        self._now: datetime = rows[0].now
        self._requests = read_requests(connection, rows)
        verdicts = {row.id: judge(self._requests[row.id], settings) for row in rows}
        self._accepted = {id_: verdict for id_, verdict in verdicts.items() if isinstance(verdict, Accepted)}
        self._rejected = {id_: verdict.reason for id_, verdict in verdicts.items() if isinstance(verdict, Rejected)}
        self._cancelled: dict[int, str] = {}
        self._done: set[int] = set()

    def take_down(self) -> None:
        """Do what TAKEDOWN rows ask, before all else."""
        for row in self._rows:
            wish = self._accepted[row.id].takedown if row.id in self._accepted else None
            if wish is not None:
                del self._accepted[row.id]
                if reason := carry_out(self._connection, row, wish, self._settings, self._now):
                    self._rejected[row.id] = reason

    def keep_down(self) -> None:
        """Refuse what would bring back what is taken down, and end what a takedown made that is over."""
        known = [(row, self._accepted[row.id]) for row in self._rows if row.id in self._accepted]
        restoring = {row.id: str(row.url) for row, verdict in known if verdict.action in RESTORING}
        removing = {row.id: row.batch for row, verdict in known if verdict.action == Action.TAKEDOWN}
        down = brought_back(self._connection, restoring) | rootless(self._connection, removing)
        made = {row.id for row in self._rows if row.parent is not None}
        for id_, reason in down.items():
            del self._accepted[id_]
            # What an engine made itself, nobody asked for wrongly.
            (self._cancelled if id_ in made else self._rejected)[id_] = reason

    def approve(self) -> None:
        """Let the tasks go on that APPROVE rows name."""
        for row in self._rows:
            wish = self._accepted[row.id].approval if row.id in self._accepted else None
            if wish is not None:
                del self._accepted[row.id]
                self._done.add(row.id)
                if reason := approve(self._connection, row, wish, self._now):
                    self._rejected[row.id] = reason

    def pause(self) -> None:
        """Stop environments, or let them go on, in the order of the rows."""
        for row in self._rows:
            wish = self._accepted[row.id].pausing if row.id in self._accepted else None
            if wish is not None:
                del self._accepted[row.id]
                self._done.add(row.id)
                pause(self._connection, row, wish, self._now)

    def go_back(self) -> None:
        """Bind ROLLBACK rows to the version that they go back to."""
        for id_, verdict in list(self._accepted.items()):
            if verdict.earlier is None:
                continue
            found = find_earlier(self._connection, verdict.target, str(self._requests[id_].url), verdict.earlier)
            if isinstance(found, NoSuchPublication):
                del self._accepted[id_]
                self._rejected[id_] = found.reason
            else:
                self._requests[id_] = replace(self._requests[id_], version=found)

    def make_ready(self) -> None:
        for like, ids in self._alike():
            self._connection.execute(
                update(schema.queue)
                .where(_queue.id.in_(ids), _queue.status == "NEW")
                .values(
                    status="READY",
                    action=like.action,
                    target=like.target,
                    max_attempts=like.max_attempts,
                    absorbs=int(like.absorbs),
                    run_after=func.coalesce(_queue.run_after, self._now, type_=Moment()),
                    batch=func.coalesce(_queue.batch, _queue.id),
                )
            )
        if versions := self._versions():
            bound = update(schema.queue).where(_queue.id.in_(list(versions)))
            self._connection.execute(bound.values(version=by_id(_queue.id, versions, _queue.version.type)))
        tell(self._connection, self._now, ((id_, "READY", None, None) for id_ in self._accepted))

    def reject(self) -> None:
        self._end("REJECTED", self._rejected)
        self._end("CANCELLED", self._cancelled)

    def note(self) -> None:
        """For the audit log: what was asked for. What was done at once is noted as what it is."""
        told = (row for row in self._rows if row.parent is None and (row.id not in self._done or row.id in self._rejected))
        note(self._connection, (_asked(row, self._rejected.get(row.id)) for row in told), self._now)

    def _alike(self) -> Iterable[tuple[Accepted, list[int]]]:
        """Verdicts that one UPDATE can write, with their rows."""
        groups: dict[Accepted, list[int]] = {}
        for id_, verdict in self._accepted.items():
            groups.setdefault(verdict, []).append(id_)
        return groups.items()

    def _versions(self) -> dict[int, bytes | None]:
        """Task -> the version that it is bound to: what its row or a rollback named, or what is live where it promotes from."""
        named = {id_: self._requests[id_].version for id_ in self._accepted if self._requests[id_].version}
        wanted = {id_: (verdict.bind, self._requests[id_].url) for id_, verdict in self._accepted.items() if verdict.bind}
        if not wanted:
            return named
        live = schema.publication.c
        current = select(live.target, live.url, live.version).where(
            tuple_(live.target, live.url).in_(sorted(set(wanted.values()))), live.until.is_(None)
        )
        versions = {(row.target, row.url): row.version for row in self._connection.execute(current)}
        return {id_: versions[module] for id_, module in wanted.items() if versions.get(module) is not None} | named

    def _end(self, state: str, reasons: dict[int, str]) -> None:
        if not reasons:
            return
        log.info("rows ended at intake", state=state, tasks=sorted(reasons))
        self._connection.execute(
            update(schema.queue)
            .where(_queue.id.in_(list(reasons)), _queue.status == "NEW")
            .values(status=state, reason=by_id(_queue.id, reasons), finished_at=self._now)
        )
        tell(self._connection, self._now, ((id_, state, reason, None) for id_, reason in reasons.items()))


def _asked(row: Row[Any], rejected: str | None) -> Entry:
    """What a person or a schedule asked for, and by which account the row came."""
    asked = {
        "action": row.action,
        "parameters": row.parameters,
        "priority": row.priority,
        "why": row.note,
        "account": row.account,
    }
    return Entry(
        kind="asked" if rejected is None else "rejected",
        who=row.requested_by,
        task=row.id,
        environment=text_of(row.environment),
        url=text_of(row.url),
        document=asked | {"reason": rejected},
    )
