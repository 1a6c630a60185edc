"""Intake: rows that people inserted become READY or REJECTED. Run by whoever polls; one at a time per database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, insert, select, tuple_, update

from config import Settings
from database import schema
from database.actions import RESTORING, Action
from database.approving import approve
from database.auditing import Entry, note, seal
from database.connection import Database
from database.counters import begin_intake
from database.earlier import NoSuchPublication, find_earlier
from database.judge import Accepted, Approval, Rejected, Request, judge
from database.parameters import PROCEDURE_CODE, RERUN_OF, is_id
from database.polling import poll
from database.protocol import newest_protocol
from database.purging import cancel_requested, purge
from database.rows import by_id, insert_ignore, new_row, object_of, tell, text_of
from database.settling_takedowns import settle_takedowns
from database.stranded import end_stranded
from database.takedowns import brought_back, carry_out, rootless
from database.values import NewTask, Poll

log = structlog.get_logger(__name__)
_queue, _run = schema.queue.c, schema.schedule_run.c


class Intake:
    """What whoever polls does for all."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def poll(self) -> Poll:
        """One look at the queue: one statement."""
        return self._db.look(poll)

    def accept(self, settings: Settings, limit: int = 500) -> int:
        """Judge up to `limit` NEW rows, oldest first; how many. 0 as well while somebody else is at it."""
        return self._db.change(lambda connection: _accept(connection, settings, limit))

    def seal(self) -> int:
        """Chain what was written to the audit log since; how many rows. 0 as well while somebody else is at it."""
        return self._db.change(seal)

    def sweep(self) -> int:
        """Cancel what is asked to be and does not run: NEW, READY, HELD; how many."""
        return self._db.change(cancel_requested)

    def end_stranded(self, settings: Settings) -> int:
        """End tasks of environments that left the configuration long ago; how many. Call it again while it ends many."""
        return self._db.change(lambda connection: end_stranded(connection, settings.environments.keys()))

    def settle_takedowns(self) -> int:
        """Say of every open takedown how far it is, and end those that every target has confirmed; how many ended."""
        return self._db.change(settle_takedowns)

    def purge(self, days: int, batch: int = 500) -> int:
        """Delete at most `batch` tasks that ended more than `days` days ago, with what belongs to them; how many.

        Call it again while it deletes a whole batch. Publications stay.
        """
        return self._db.change(lambda connection: purge(connection, days, batch))

    def fire(self, schedule: str, at: datetime, new: NewTask) -> bool:
        """Insert a schedule's row for this moment, once for all daemons; False: another one did it."""
        return self._db.change(lambda connection: _fire(connection, schedule, at, new))

    def last_fired(self, schedule: str) -> datetime | None:
        """The newest moment for which this schedule was fired."""
        newest = select(_run.fire_at).where(_run.schedule == schedule).order_by(_run.fire_at.desc()).limit(1)
        found: datetime | None = self._db.look(lambda connection: connection.scalar(newest))
        return found


def _accept(connection: Connection, settings: Settings, limit: int) -> int:
    if not begin_intake(connection):
        return 0
    _know(connection, settings)
    rows = _understood(connection, _lock_new(connection, limit))
    if not rows:
        return 0
    now: datetime = rows[0].now
    requests = _requests(connection, rows)
    _name_codes(rows)
    verdicts = {row.id: judge(requests[row.id], settings) for row in rows}
    rejected = {id_: verdict.reason for id_, verdict in verdicts.items() if isinstance(verdict, Rejected)}
    accepted = {id_: verdict for id_, verdict in verdicts.items() if isinstance(verdict, Accepted)}
    rejected |= _take_down(connection, rows, accepted, settings, now)
    down = _taken_down(connection, rows, accepted)
    accepted = {id_: verdict for id_, verdict in accepted.items() if id_ not in down and verdict.takedown is None}
    approvals = {id_: verdict.approval for id_, verdict in accepted.items() if verdict.approval is not None}
    rejected |= _carry_out(connection, rows, approvals, now)
    requests, lost = _gone_back(connection, accepted, requests)
    rejected |= lost
    ready = {id_: verdict for id_, verdict in accepted.items() if verdict.approval is None and id_ not in lost}
    _make_ready(connection, ready, requests, now)
    made = {row.id for row in rows if row.parent is not None}
    rejected |= {id_: reason for id_, reason in down.items() if id_ not in made}
    _reject(connection, rejected, now)
    _reject(connection, {id_: reason for id_, reason in down.items() if id_ in made}, now, "CANCELLED")
    told = (row for row in rows if row.parent is None and (row.id not in approvals or row.id in rejected))
    note(connection, (_asked(row, rejected.get(row.id)) for row in told), now)
    return len(rows)


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


def _understood(connection: Connection, rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """What a newer program that works here may mean by an action unknown to this one is left for it to judge."""
    strange = {row.id for row in rows if row.action and row.action not in set(Action)}
    if not strange or newest_protocol(connection) <= schema.PROTOCOL:
        return rows
    return [row for row in rows if row.id not in strange]


def _lock_new(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    # By id, so that of two rows for one module the older is never accepted after the newer.
    oldest = (
        select(_queue.id)
        .with_hint(schema.queue, "FORCE INDEX (k_due)", "mysql")
        .where(_queue.status == "NEW")
        .order_by(_queue.id)
    )
    ids = list(connection.scalars(oldest.limit(limit)))
    if not ids:
        return ()
    if len(ids) == limit:
        # Behind so many others a takedown must not wait.
        urgent = select(_queue.id).with_hint(schema.queue, "FORCE INDEX (k_pick)", "mysql")
        urgent = urgent.where(_queue.status == "NEW", _queue.action == Action.TAKEDOWN, _queue.id > ids[-1])
        ids += connection.scalars(urgent.order_by(_queue.id).limit(limit))
    wanted = select(schema.queue, schema.NOW.label("now")).where(_queue.id.in_(ids), _queue.status == "NEW").order_by(_queue.id)
    rows = connection.execute(wanted.with_for_update(skip_locked=True)).all()
    return rows if len(rows) == len(ids) else _in_order(connection, ids, rows)


def _in_order(connection: Connection, ids: Sequence[int], rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """Without what is newer than a row that another session has locked just now, for the same module."""
    left = select(_queue.id, _queue.url, _queue.environment).where(
        _queue.id.in_(set(ids) - {row.id for row in rows}), _queue.status == "NEW"
    )
    first: dict[tuple[object, object], int] = {}
    for row in connection.execute(left):
        module = row.url, row.environment
        first[module] = min(row.id, first.get(module, row.id))
    return [row for row in rows if row.id < first.get((row.url, row.environment), row.id + 1)]


def _know(connection: Connection, settings: Settings) -> None:
    """Rows for every environment and target of the configuration, so that operators need not make them."""
    known = set(connection.scalars(select(schema.environment.c.name)))
    insert_ignore(connection, schema.environment, [{"name": name} for name in sorted(settings.environments.keys() - known)])
    wanted = {name: int(target.exclusive) for name, target in settings.targets.items()}
    wanted |= {f"source:{name}": 0 for name in settings.sources} | {f"notice:{name}": 0 for name in settings.notices}
    wanted |= {f"archive:{name}": 0 for name in settings.archives}
    found = {row.name: row.exclusive for row in connection.execute(select(schema.target.c.name, schema.target.c.exclusive))}
    new = [{"name": name, "exclusive": wanted[name]} for name in sorted(wanted.keys() - found.keys())]
    insert_ignore(connection, schema.target, new)
    for name in sorted(wanted.keys() & found.keys()):
        if found[name] != wanted[name]:
            connection.execute(update(schema.target).where(schema.target.c.name == name).values(exclusive=wanted[name]))


def _name_codes(rows: Sequence[Row[Any]]) -> None:
    """The procedure's numbers are others than those of the old command line: each use says what its number stood for."""
    for row in rows:
        parameters = object_of(row.parameters)
        if PROCEDURE_CODE in parameters and RERUN_OF not in parameters:
            code, environment = parameters[PROCEDURE_CODE], row.environment
            log.info("procedure code stands for an environment", task=row.id, url=row.url, code=code, environment=environment)


def _requests(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, Request]:
    """The rows' requests; a rerun takes over the target and version of what it repeats."""
    requests = {
        row.id: Request(
            row.url,
            row.environment,
            row.action,
            row.parameters,
            row.max_attempts,
            row.target,
            row.version,
            row.parent,
        )
        for row in rows
    }
    repeated = {row.id: old for row in rows if is_id(old := object_of(row.parameters).get(RERUN_OF))}
    if repeated:
        wanted = select(_queue.id, _queue.url, _queue.environment, _queue.action, _queue.target, _queue.version, _queue.parent)
        old = {row.id: row for row in connection.execute(wanted.where(_queue.id.in_(sorted(set(repeated.values())))))}
        for id_, of in repeated.items():
            # The same thing again: a DELIVER that repeated a PUBLISH would do without the guard what that was held for.
            if requests[id_].action == Action.TAKEDOWN:
                # One target's part of it cannot be done by itself: it is asked for again, everywhere.
                continue
            if of in old and all(
                getattr(old[of], name) == getattr(requests[id_], name) for name in ("url", "environment", "action")
            ):
                requests[id_] = replace(requests[id_], target=old[of].target, version=old[of].version, made_by=old[of].parent)
    return requests


def _make_ready(connection: Connection, accepted: Mapping[int, Accepted], requests: Mapping[int, Request], now: datetime) -> None:
    versions = _bound(connection, accepted, requests) | {id_: requests[id_].version for id_ in accepted if requests[id_].version}
    for like, ids in _alike(accepted):
        connection.execute(
            update(schema.queue)
            .where(_queue.id.in_(ids), _queue.status == "NEW")
            .values(
                status="READY",
                action=like.action,
                target=like.target,
                max_attempts=like.max_attempts,
                absorbs=int(like.absorbs),
                run_after=func.coalesce(_queue.run_after, now, type_=schema.Moment()),
                batch=func.coalesce(_queue.batch, _queue.id),
            )
        )
    if versions:
        bound = update(schema.queue).where(_queue.id.in_(list(versions)))
        connection.execute(bound.values(version=by_id(_queue.id, versions, _queue.version.type)))
    tell(connection, now, ((id_, "READY", None, None) for id_ in accepted))


def _alike(accepted: Mapping[int, Accepted]) -> Iterable[tuple[Accepted, list[int]]]:
    """Verdicts that one UPDATE can write, with their rows."""
    groups: dict[Accepted, list[int]] = {}
    for id_, verdict in accepted.items():
        groups.setdefault(verdict, []).append(id_)
    return groups.items()


def _bound(connection: Connection, accepted: Mapping[int, Accepted], requests: Mapping[int, Request]) -> dict[int, bytes | None]:
    """Task -> the version that is live now on the target that it promotes from, where one is known."""
    wanted = {id_: (verdict.bind, requests[id_].url) for id_, verdict in accepted.items() if verdict.bind is not None}
    if not wanted:
        return {}
    live = schema.publication.c
    current = select(live.target, live.url, live.version).where(tuple_(live.target, live.url).in_(sorted(set(wanted.values()))))
    versions = {(row.target, row.url): row.version for row in connection.execute(current.where(live.until.is_(None)))}
    return {id_: versions[module] for id_, module in wanted.items() if versions.get(module) is not None}


def _gone_back(
    connection: Connection, accepted: Mapping[int, Accepted], requests: Mapping[int, Request]
) -> tuple[dict[int, Request], dict[int, str]]:
    """The requests, those of ROLLBACK rows with the version that they go back to; and those for which there is none."""
    bound, refused = dict(requests), {}
    for id_, verdict in accepted.items():
        if verdict.earlier is not None:
            found = find_earlier(connection, verdict.target, str(requests[id_].url), verdict.earlier)
            if isinstance(found, NoSuchPublication):
                refused[id_] = found.reason
            else:
                bound[id_] = replace(requests[id_], version=found)
    return bound, refused


def _carry_out(
    connection: Connection, rows: Sequence[Row[Any]], approvals: Mapping[int, Approval], now: datetime
) -> dict[int, str]:
    """Do what APPROVE rows ask; those that cannot be done, each with its reason."""
    refused: dict[int, str] = {}
    for row in rows:
        if row.id in approvals and (reason := approve(connection, row, approvals[row.id], now)):
            refused[row.id] = reason
    return refused


def _take_down(
    connection: Connection, rows: Sequence[Row[Any]], accepted: Mapping[int, Accepted], settings: Settings, now: datetime
) -> dict[int, str]:
    """Do what TAKEDOWN rows ask, before all else; those that cannot be done, each with its reason."""
    refused: dict[int, str] = {}
    for row in rows:
        wish = accepted[row.id].takedown if row.id in accepted else None
        if wish is not None and (reason := carry_out(connection, row, wish, settings, now)):
            refused[row.id] = reason
    return refused


def _taken_down(connection: Connection, rows: Sequence[Row[Any]], accepted: Mapping[int, Accepted]) -> dict[int, str]:
    """Rows that would bring back what is taken down, each with its sentence; and what a takedown made that is over."""
    known = [(row, accepted[row.id]) for row in rows if row.id in accepted]
    restoring = {row.id: str(row.url) for row, verdict in known if verdict.action in RESTORING}
    removing = {row.id: row.batch for row, verdict in known if verdict.action == Action.TAKEDOWN and verdict.takedown is None}
    return brought_back(connection, restoring) | rootless(connection, removing)


def _reject(connection: Connection, rejected: Mapping[int, str], now: datetime, state: str = "REJECTED") -> None:
    if not rejected:
        return
    log.info("rows rejected", tasks=sorted(rejected))
    connection.execute(
        update(schema.queue)
        .where(_queue.id.in_(list(rejected)), _queue.status == "NEW")
        .values(status=state, reason=by_id(_queue.id, rejected), finished_at=now)
    )
    tell(connection, now, ((id_, state, reason, None) for id_, reason in rejected.items()))


def _fire(connection: Connection, schedule: str, at: datetime, new: NewTask) -> bool:
    there = select(_run.task).where(_run.schedule == schedule, _run.fire_at == at)
    if connection.scalar(there) is not None:
        return False
    task = connection.execute(insert(schema.queue).values(new_row(new))).inserted_primary_key
    connection.execute(insert(schema.schedule_run).values(schedule=schedule, fire_at=at, task=task[0] if task else 0))
    return True
