"""Claiming: an engine's next tasks, in one short transaction under the locked rows of its targets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import random as system_random

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update

from config import RetrySettings
from database import schema
from database.actions import NOTICE, RESTORING, Action
from database.breakers import Allowance, Switch, allowances, begin_probes, lock_switches, probed_by
from database.connection import Database
from database.counters import next_fences
from database.errors import DatabaseUnavailable
from database.expanding import expand
from database.finishing import Finishing
from database.leases import check_lease
from database.picking import Among, Choice, choose, find_candidates, find_siblings, split
from database.publishing import Packed, pack
from database.restored import suspicion
from database.rows import by_id, task_of, tell
from database.starting import start, write_progress
from database.takedowns import EVERYWHERE, covering, in_force
from database.values import Engine, Lane, NewTask, Outcome, Progress, Result, State, Task

BATCH = 64
"""Tasks claimed or finished in one transaction, at most."""

PATIENCE = timedelta(minutes=5)
"""How long a task that must run alone waits for a pause; then the engine gets nothing else until it is idle."""

_queue = schema.queue.c
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_HELD = select(func.count(), func.max(_queue.losses)).where(_queue.engine == bindparam("engine"), _queue.status == "RUNNING")
_ROOTS = (
    select(_queue.id)
    .with_hint(schema.queue, "FORCE INDEX (k_due)", "mysql")
    .where(_queue.status == "READY", _queue.environment == EVERYWHERE)
)
_LOCKED = (
    select(_queue.id)
    .where(_queue.id.in_(_IDS), _queue.status == "READY", _queue.hold == 0, _queue.cancel_requested == 0)
    .order_by(_queue.id)
    .with_for_update(skip_locked=True)
)
_TASKS = select(schema.queue).where(_queue.id.in_(_IDS))
_PAUSED = select(schema.environment.c.paused).where(schema.environment.c.name == bindparam("environment"))


@dataclass(frozen=True, slots=True)
class _Load:
    """What the engine has at work."""

    running: int
    suspect: bool


class Claims:
    """What an engine does with tasks. `retry` says how long failures wait; `random` gives numbers in [0, 1)."""

    def __init__(self, db: Database, retry: RetrySettings | None = None, random: Callable[[], float] = system_random) -> None:
        self._db = db
        self._finishing = Finishing(retry or RetrySettings(), random)
        self._unsure: list[Task] = []
        """Claimed perhaps: the answer to a commit was lost, and the database stayed away. Nobody would carry them out."""

    def claim(self, engine: Engine, lanes: Sequence[Lane]) -> list[Task]:
        """The next tasks for these lanes, RUNNING and fenced, best first; older ones of the same modules end SUPERSEDED.

        Empty when nothing can be claimed now: an open breaker, a paused environment, a module at work, a dependent
        that waits. Raises LeaseLost.
        """
        claimed: list[Task] = []

        def work(connection: Connection) -> list[Task]:
            # After a connection was lost during COMMIT nobody knows whether it was done: what this engine holds tells.
            if claimed and _hold(connection, engine, claimed):
                return list(claimed)
            self._give_back(connection, engine)
            claimed[:] = _claim(connection, engine, lanes)
            return list(claimed)

        try:
            tasks = self._db.change(work)
        except DatabaseUnavailable:
            self._unsure += claimed
            raise
        self._unsure.clear()
        return tasks

    def _give_back(self, connection: Connection, engine: Engine) -> None:
        said = "the database did not say whether an engine had claimed it"
        unsure = [Result(task.id, task.fence, Outcome.RELEASED, said) for task in self._unsure]
        if unsure:
            self._finishing.write(connection, engine, unsure, _packed(unsure))

    def waited_for(self, environment: str) -> frozenset[str]:
        """Targets that tasks of an environment wait for, whether it has a lane for them or not."""
        wanted = select(_queue.target).where(_queue.status == "READY", _queue.environment == environment).distinct()
        wanted = wanted.where(_queue.target.is_not(None), _queue.action != Action.TAKEDOWN)
        return self._db.look(lambda connection: frozenset(connection.scalars(wanted)))

    def urgent(self, environment: str) -> frozenset[str]:
        """Targets on which a takedown waits for an engine of this environment, in its lanes or not."""
        return self._db.look(lambda connection: _urgent(connection, environment))

    def start(self, engine: Engine, tasks: Sequence[Task], finished: Sequence[Result] = ()) -> frozenset[int]:
        """Note that these begin, and write what the last ones came to, in one commit; the ids that are still this engine's."""
        packed = _packed(finished)

        def work(connection: Connection) -> frozenset[int]:
            self._finishing.write(connection, engine, finished, packed)
            return start(connection, engine, tasks)

        return self._db.change(work)

    def finish(self, engine: Engine, results: Sequence[Result]) -> frozenset[int]:
        """Write results, a batch a transaction. The ids of tasks that were lost: nothing was written for those.

        The same results again change nothing.
        """
        lost: set[int] = set()
        for first in range(0, len(results), BATCH):
            lost |= self._finish(engine, results[first : first + BATCH])
        return frozenset(lost)

    def _finish(self, engine: Engine, results: Sequence[Result]) -> frozenset[int]:
        packed = _packed(results)
        return self._db.change(lambda connection: self._finishing.write(connection, engine, results, packed))

    def expand(self, engine: Engine, task: Task, rows: Sequence[NewTask], cursor: str) -> None:
        """Insert rows that a running task makes, and how far it came, in one transaction. Raises LeaseLost.

        A second call with the same cursor does nothing.
        """
        self._db.change(lambda connection: expand(connection, engine, task, rows, cursor))

    def progress(self, engine: Engine, values: Progress | Sequence[Progress]) -> None:
        """Write how far running tasks are; what is not this engine's any more is left out."""
        several = [values] if isinstance(values, Progress) else values
        self._db.change(lambda connection: write_progress(connection, engine, several))


def _urgent(connection: Connection, environment: str) -> frozenset[str]:
    # Nearly always there is no open takedown, and one look along an index says so.
    open_ = connection.scalars(_ROOTS).all()
    if not open_:
        return frozenset()
    waiting = select(_queue.target).where(
        _queue.batch.in_(open_),
        _queue.action == Action.TAKEDOWN,
        _queue.status == "READY",
        _queue.environment == environment,
        _queue.hold == 0,
        _queue.cancel_requested == 0,
        _queue.run_after <= schema.NOW,
    )
    return frozenset(connection.scalars(waiting.distinct()))


def _packed(results: Sequence[Result]) -> Packed:
    return pack(published for result in results for published in result.published)


def _claim(connection: Connection, engine: Engine, lanes: Sequence[Lane]) -> list[Task]:
    now = check_lease(connection, engine)
    if suspicion(connection) is not None:
        # It would give out fences that others have, also to what is urgent: see restored.py.
        return []
    load = _load_of(connection, engine)
    paused = _paused(connection, engine)
    if load.suspect or paused:
        # A cache that still shows what was taken down is a part of the takedown, which no pause holds up.
        lanes = [lane for lane in lanes if lane.urgent or (lane.target.startswith(NOTICE) and not load.suspect)]
    if not lanes:
        return []
    switches = lock_switches(connection, lanes)
    chosen: list[tuple[Allowance, list[Choice]]] = []
    room = BATCH
    for lane in lanes:
        allowed, choices = _choose_for(
            connection, engine, replace(lane, limit=min(lane.limit, room)), switches, now, paused=paused
        )
        room -= len(choices)
        # One probe is enough, also where several lanes wait for the same source.
        switches |= {name: replace(switches[name], probing=True) for name in allowed.probes}
        chosen.append((allowed, choices))
    choices_by_winner = {choice.winner: choice for _, some in chosen for choice in some}
    taken = _take(connection, _alone_or_not(list(choices_by_winner.values()), load, now))
    taken = _without_taken_down(connection, taken, now)
    superseded = {older: choice.winner for choice in taken for older in choice.absorbed}
    _supersede(connection, superseded, now)
    tasks = _begin(connection, engine, [choice.winner for choice in taken if choice.runs], now)
    begin_probes(connection, _probes(chosen, tasks))
    return tasks


def _choose_for(
    connection: Connection, engine: Engine, lane: Lane, switches: Mapping[str, Switch], now: datetime, *, paused: bool
) -> tuple[Allowance, list[Choice]]:
    """The first allowance with something to take."""
    for allowance in allowances(lane, switches, now):
        allowed = replace(allowance, among=Among.TELLING) if paused and not lane.urgent else allowance
        found = find_candidates(connection, engine.environment, lane.target, allowed.limit, allowed.among)
        urls = sorted({row.url for row in found if row.absorbs})
        siblings = find_siblings(connection, engine.environment, lane.target, urls) if urls else []
        if choices := choose(found, siblings, allowed.among):
            return allowed, choices
    return Allowance(0), []


def _alone_or_not(choices: Sequence[Choice], load: _Load, now: datetime) -> list[Choice]:
    """The clean ones; a task with a loss only by itself, when nothing else is at work here."""
    clean, suspect = split(choices)
    impatient = any(choice.since is not None and choice.since < now - PATIENCE for choice in suspect)
    if suspect and (impatient or not clean):
        return suspect[:1] if load.running == 0 else []
    return clean


def _take(connection: Connection, choices: Sequence[Choice]) -> list[Choice]:
    """Lock everything the choices touch, by id; a module of which one row cannot be locked is left for the next claim."""
    ids = sorted({id_ for choice in choices for id_ in (choice.winner, *choice.absorbed)})
    if not ids:
        return []
    locked = set(connection.scalars(_LOCKED, {"ids": ids}))
    return [choice for choice in choices if {choice.winner, *choice.absorbed} <= locked]


def _without_taken_down(connection: Connection, choices: list[Choice], now: datetime) -> list[Choice]:
    """Less those that would bring back what is taken down, whoever let them wait until now: they end here."""
    takedowns = in_force(connection) if choices else []
    if not takedowns:
        return choices
    wanted = select(_queue.id, _queue.url, _queue.action).where(_queue.id.in_([choice.winner for choice in choices]))
    found = {row.id: covering(takedowns, row.url) for row in connection.execute(wanted) if row.action in RESTORING}
    down = {choice.winner: f"Cancelled: {each.sentence(each.url)}." for choice in choices if (each := found.get(choice.winner))}
    if down:
        ended = {"status": "CANCELLED", "reason": by_id(_queue.id, down), "finished_at": now}
        connection.execute(update(schema.queue).where(_queue.id.in_(list(down))).values(ended))
        tell(connection, now, ((id_, "CANCELLED", reason, None) for id_, reason in sorted(down.items())))
    return [choice for choice in choices if choice.winner not in down]


def _supersede(connection: Connection, superseded: Mapping[int, int], now: datetime) -> None:
    if not superseded:
        return
    reasons = {older: f"Task {winner} for the same module is newer." for older, winner in superseded.items()}
    connection.execute(
        update(schema.queue)
        .where(_queue.id.in_(list(superseded)))
        .values(status="SUPERSEDED", reason=by_id(_queue.id, reasons), finished_at=now)
    )
    tell(connection, now, ((older, "SUPERSEDED", reasons[older], None) for older in sorted(superseded)))


def _begin(connection: Connection, engine: Engine, winners: Sequence[int], now: datetime) -> list[Task]:
    if not winners:
        return []
    fences = dict(zip(sorted(winners), next_fences(connection, len(winners)), strict=True))
    connection.execute(
        update(schema.queue)
        .where(_queue.id.in_(winners))
        .values(
            status="RUNNING",
            engine=engine.start,
            reason=None,
            fence=by_id(_queue.id, fences),
            serial=func.coalesce(func.nullif(_queue.serial, 0), by_id(_queue.id, fences)),
            attempts=_queue.attempts + 1,
            started_at=None,
        )
    )
    rows = {row.id: task_of(row) for row in connection.execute(_TASKS, {"ids": winners})}
    tasks = [rows[winner] for winner in winners]
    connection.execute(insert(schema.attempt), [_attempt_row(task, engine, now) for task in tasks])
    tell(connection, now, ((task.id, State.RUNNING, None, task.fence) for task in tasks))
    return tasks


def _attempt_row(task: Task, engine: Engine, now: datetime) -> dict[str, object]:
    return {
        "task": task.id,
        "fence": task.fence,
        "number": task.attempts,
        "engine": engine.start,
        "host": engine.host,
        "claimed_at": now,
    }


def _probes(chosen: Sequence[tuple[Allowance, list[Choice]]], tasks: Sequence[Task]) -> dict[str, int]:
    """Breaker -> the task that probes it."""
    allowances = {choice.winner: allowed for allowed, choices in chosen for choice in choices}
    return {name: task.id for task in tasks for name in probed_by(task, allowances[task.id])}


def _load_of(connection: Connection, engine: Engine) -> _Load:
    running, losses = connection.execute(_HELD, {"engine": engine.start}).one()
    return _Load(running, suspect=bool(losses))


def _paused(connection: Connection, engine: Engine) -> bool:
    return bool(connection.scalar(_PAUSED, {"environment": engine.environment}))


def _hold(connection: Connection, engine: Engine, tasks: Sequence[Task]) -> bool:
    fences = {task.id: task.fence for task in tasks}
    wanted = select(_queue.id, _queue.fence).where(
        _queue.id.in_(list(fences)), _queue.engine == engine.start, _queue.status == "RUNNING"
    )
    return {row.id: row.fence for row in connection.execute(wanted)} == fences
