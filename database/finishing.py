"""Writing results: everything that one batch of attempts came to, in one transaction, guarded by the fences."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, insert, select, tuple_

from config import RetrySettings
from database import schema
from database.auditing import note
from database.backoff import Random
from database.breakers import ProbeEnds, lock_concerned, note_outcomes
from database.expanding import insert_made
from database.outcome_entries import entries
from database.picking import SIBLING, TASK, replaces
from database.publishing import record
from database.rows import clipped, tell
from database.settling import Ending, settle
from database.starting import MINE, lock_running, running, start
from database.updating import update_rows
from database.upserting import replace_rows
from database.values import Engine, Outcome, Result, State, Task
from database.verified import note_verified

_queue, _attempt, _live = schema.queue.c, schema.attempt.c, schema.publication.c
_READ = running(
    _queue.id, _queue.fence, _queue.environment, _queue.target, _queue.url, _queue.action, _queue.parameters, _queue.batch,
    _queue.requested_by, _queue.attempts, _queue.max_attempts, _queue.losses, _queue.cancel_requested, _queue.run_after,
    _queue.approved_plan, _queue.adopt,
    exists().where(schema.progress.c.task == _queue.id).label("told"),
    exists().where(schema.target.c.probe_task == _queue.id).label("probes"),
    exists().where(_live.target == _queue.target, _live.url == _queue.url, _live.until.is_(None)).label("live"),
)  # fmt: skip
"""What of a task its ending depends on, and what its record, its entries and the rows that it makes say of it."""
_KEPT = ("run_after", "attempts", "approved_plan", "adopt")
"""What an ending seldom changes."""
_PROGRESS = delete(schema.progress).where(schema.progress.c.task.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it: results that were refused, because their tasks are somebody else's, and the tasks that begin."""

    lost: frozenset[int] = frozenset()
    begun: frozenset[int] = frozenset()


class Finishing:
    """How results are written. `random` gives numbers in [0, 1) for the back-off."""

    def __init__(self, retry: RetrySettings, random: Random) -> None:
        self._retry, self._random = retry, random

    def write(
        self, connection: Connection, engine: Engine, results: Sequence[Result], begin: Sequence[Task] = (), *, careful: bool
    ) -> Written:
        """Write results, then that tasks begin, where they are still this engine's. What the same call wrote before is not lost.

        Breakers are locked before tasks, but hardly any result concerns one: without `careful` they are only looked for where
        something was unreachable, and ProbeEnds is raised, with nothing written, if a task turns out to be a probe.
        """
        careful = careful or any(result.outcome is Outcome.UNREACHABLE for result in results)
        switches = lock_concerned(connection, results) if careful else ()
        fences = {result.task: result.fence for result in results} | {task.id: task.fence for task in begin}
        kept = {row.id: row for row in lock_running(connection, engine, fences, _READ if results else MINE)}
        own = [result for result in results if result.task in kept]
        if not careful and any(kept[result.task].probes for result in own):
            raise ProbeEnds
        if own:
            self._write(connection, kept, own)
            note_outcomes(connection, switches, own, self._retry, self._random, kept[own[0].task].now)
        begun = [kept[task.id] for task in begin if task.id in kept]
        start(connection, begun)
        missing = [result for result in results if result.task not in kept]
        lost = frozenset(result.task for result in missing) - _written_before(connection, missing)
        return Written(lost, frozenset(row.id for row in begun))

    def _write(self, connection: Connection, kept: Mapping[int, Row[Any]], results: Sequence[Result]) -> None:
        now: datetime = next(iter(kept.values())).now
        newer = _newer_siblings(connection, [result.task for result in results if result.outcome.again])
        endings = {
            result.task: settle(kept[result.task], result, newer.get(result.task), self._retry, self._random)
            for result in results
        }
        _end_tasks(connection, kept, endings, now)
        _end_attempts(connection, results, now)
        _replace_plans(connection, results, now)
        if told := [task for task in endings if kept[task].told]:
            connection.execute(_PROGRESS, {"ids": told})
        absent = {(row.target, row.url) for row in kept.values() if not row.live}
        record(connection, [(result.task, published) for result in results for published in result.published], now, absent)
        seals = sorted((result.seal for result in results if result.seal), key=lambda seal: (seal.target, seal.url))
        replace_rows(connection, schema.seal, [asdict(seal) for seal in seals])
        insert_made(connection, [(kept[result.task], new) for result in results for new in result.new_tasks])
        note_verified(connection, kept, results, now)
        note(connection, entries(kept, results, endings), now)
        tell(connection, now, ((r.task, endings[r.task].state, endings[r.task].reason, r.fence) for r in results))


def _end_tasks(connection: Connection, kept: Mapping[int, Row[Any]], endings: Mapping[int, Ending], now: datetime) -> None:
    rows = [_end_of(kept[task], ending, now) for task, ending in endings.items()]
    # What most endings leave as it is, is not written at all.
    unchanged = {name for name in _KEPT if all(row[name] == getattr(kept[row["id"]], name) for row in rows)}
    update_rows(connection, schema.queue, ("id",), [{name: row[name] for name in row.keys() - unchanged} for row in rows])


def _end_of(row: Row[Any], ending: Ending, now: datetime) -> dict[str, Any]:
    held = ending.state == State.HELD
    return {
        "id": row.id,
        "status": str(ending.state),
        "reason": clipped(ending.reason),
        "finished_at": now if ending.final else None,
        "engine": None,
        "run_after": ending.run_after or row.run_after,
        "attempts": row.attempts if ending.spends_attempt else row.attempts - 1,
        # What a person approved is spent when another plan needs a person.
        "approved_plan": None if held else row.approved_plan,
        "adopt": 0 if held else row.adopt,
    }


def _end_attempts(connection: Connection, results: Sequence[Result], now: datetime) -> None:
    rows = [
        {
            "task": result.task,
            "fence": result.fence,
            "ended_at": now,
            "outcome": str(result.outcome),
            "error": clipped(result.error, 255),
            "reason": clipped(result.reason),
            "summary": json.dumps(dict(result.summary)),
        }
        for result in results
    ]
    update_rows(connection, schema.attempt, ("task", "fence"), rows)


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
