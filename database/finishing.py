"""Writing results: everything that one batch of attempts came to, in one transaction, guarded by the fences."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, literal, null, select, tuple_, update

from config import RetrySettings
from database import schema
from database.auditing import note
from database.backoff import Random
from database.breakers import lock_concerned, note_outcomes
from database.expanding import insert_made
from database.moments import Moment
from database.outcome_entries import entries
from database.picking import SIBLING, TASK, replaces
from database.publishing import record
from database.rows import by_id, clipped, tell
from database.settling import Ending, settle
from database.starting import lock_running, running
from database.upserting import replace_rows
from database.values import Engine, Outcome, Result, State
from database.verified import note_verified

_queue, _attempt = schema.queue.c, schema.attempt.c
_READ = running(
    _queue.id, _queue.fence, _queue.environment, _queue.target, _queue.url, _queue.action, _queue.parameters, _queue.batch,
    _queue.requested_by, _queue.attempts, _queue.max_attempts, _queue.losses, _queue.cancel_requested,
)  # fmt: skip
"""What of a task its ending depends on, and what its record, its entries and the rows that it makes say of it."""
_AGAIN = frozenset({Outcome.RETRY, Outcome.UNREACHABLE, Outcome.RELEASED})


class Finishing:
    """How results are written. `random` gives numbers in [0, 1) for the back-off."""

    def __init__(self, retry: RetrySettings, random: Random) -> None:
        self._retry, self._random = retry, random

    def write(self, connection: Connection, engine: Engine, results: Sequence[Result]) -> frozenset[int]:
        """Write what is still this engine's; the ids that were lost. What the same call wrote before is not lost."""
        if not results:
            return frozenset()
        switches = lock_concerned(connection, results)
        rows = lock_running(connection, engine, {result.task: result.fence for result in results}, _READ)
        kept = {row.id: row for row in rows}
        own = [result for result in results if result.task in kept]
        if own:
            self._write(connection, kept, own)
            note_outcomes(connection, switches, own, self._retry, self._random, rows[0].now)
        missing = [result for result in results if result.task not in kept]
        return frozenset(result.task for result in missing) - _written_before(connection, missing)

    def _write(self, connection: Connection, kept: Mapping[int, Row[Any]], results: Sequence[Result]) -> None:
        now: datetime = next(iter(kept.values())).now
        newer = _newer_siblings(connection, [result.task for result in results if result.outcome in _AGAIN])
        endings = {
            result.task: settle(kept[result.task], result, newer.get(result.task), self._retry, self._random)
            for result in results
        }
        _end_tasks(connection, endings, now)
        _end_attempts(connection, results, now)
        _replace_plans(connection, results, now)
        connection.execute(delete(schema.progress).where(schema.progress.c.task.in_(list(endings))))
        record(connection, [(result.task, published) for result in results for published in result.published], now)
        seals = sorted((result.seal for result in results if result.seal), key=lambda seal: (seal.target, seal.url))
        replace_rows(connection, schema.seal, [asdict(seal) for seal in seals])
        insert_made(connection, [(kept[result.task], new) for result in results for new in result.new_tasks])
        note_verified(connection, kept, results, now)
        note(connection, entries(kept, results, endings), now)
        tell(connection, now, ((r.task, endings[r.task].state, endings[r.task].reason, r.fence) for r in results))


def _end_tasks(connection: Connection, endings: Mapping[int, Ending], now: datetime) -> None:
    """What most endings leave as it is, is not written at all: a CASE over a batch costs more than all else of it."""
    values: dict[str, Any] = {
        "status": by_id(_queue.id, {task: str(ending.state) for task, ending in endings.items()}),
        "reason": by_id(_queue.id, {task: clipped(ending.reason) for task, ending in endings.items()}),
        "finished_at": by_id(_queue.id, {task: now if ending.final else None for task, ending in endings.items()}, Moment()),
        "engine": None,
    }
    if later := {task: literal(ending.run_after, Moment()) for task, ending in endings.items() if ending.run_after}:
        values["run_after"] = case(later, value=_queue.id, else_=_queue.run_after)
    if free := [task for task, ending in endings.items() if not ending.spends_attempt]:
        values["attempts"] = _queue.attempts - case((_queue.id.in_(free), 1), else_=0)
    if held := [task for task, ending in endings.items() if ending.state == State.HELD]:
        # What a person approved is spent when another plan needs a person.
        values["approved_plan"] = case((_queue.id.in_(held), null()), else_=_queue.approved_plan)
        values["adopt"] = case((_queue.id.in_(held), 0), else_=_queue.adopt)
    connection.execute(update(schema.queue).where(_queue.id.in_(list(endings))).values(values))


def _end_attempts(connection: Connection, results: Sequence[Result], now: datetime) -> None:
    connection.execute(
        update(schema.attempt)
        .where(tuple_(_attempt.task, _attempt.fence).in_([(result.task, result.fence) for result in results]))
        .values(
            ended_at=now,
            outcome=by_id(_attempt.task, {result.task: str(result.outcome) for result in results}),
            error=by_id(_attempt.task, {result.task: clipped(result.error, 255) for result in results}),
            reason=by_id(_attempt.task, {result.task: clipped(result.reason) for result in results}),
            summary=by_id(_attempt.task, {result.task: json.dumps(dict(result.summary)) for result in results}),
        )
    )


def _replace_plans(connection: Connection, results: Sequence[Result], now: datetime) -> None:
    plans = {result.task: result.plan for result in results if result.plan is not None}
    if plans:
        connection.execute(delete(schema.plan).where(schema.plan.c.task.in_(list(plans))))
        rows = [
            {"task": task, "digest": plan.digest, "document": clipped(plan.document, len(plan.document)), "at": now}
            for task, plan in sorted(plans.items())
        ]
        connection.execute(insert(schema.plan), rows)


def _newer_siblings(connection: Connection, tasks: Sequence[int]) -> dict[int, int]:
    """Task -> a newer one of its module that could run now."""
    if not tasks:
        return {}
    mine, other = TASK, SIBLING
    wanted = (
        select(mine.c.id, func.max(other.c.id).label("newer"))
        .where(mine.c.id.in_(tasks), mine.c.absorbs == 1)
        .where(*replaces(other, mine))
        .group_by(mine.c.id)
    )
    return {row.id: row.newer for row in connection.execute(wanted)}


def _written_before(connection: Connection, missing: Sequence[Result]) -> frozenset[int]:
    """Those whose attempt has ended by a result: the commit of an earlier try went through although its answer was lost."""
    if not missing:
        return frozenset()
    pairs = tuple_(_attempt.task, _attempt.fence).in_([(result.task, result.fence) for result in missing])
    wanted = select(_attempt.task).where(pairs, _attempt.outcome.in_([str(outcome) for outcome in Outcome]))
    return frozenset(connection.scalars(wanted))
