"""One claim: what an engine's lanes get, in one short transaction under the locked rows of its targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, exists, select, update

from database import schema
from database.actions import NOTICE, RESTORING
from database.beginning import begin
from database.breakers import Allowance, Switch, allowances, begin_probes, lock_switches, probed_by
from database.lane import Lane
from database.leases import in_force as lease_in_force
from database.picking import Among, Choice, choose, find_candidates, find_siblings, split
from database.restored import SUSPICION
from database.rows import TASK_COLUMNS, by_id, tell
from database.starting import BY_NUMBER
from database.takedowns import covering, in_force
from database.values import Engine, Task

BATCH = 64
"""Tasks claimed or finished in one transaction, at most."""

PATIENCE = timedelta(minutes=5)
"""How long a task that must run alone waits for a pause; then the engine gets nothing else until it is idle."""

_queue, _engine, _seal = schema.queue.c, schema.engine.c, schema.seal.c
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_HELD = select(_queue.id).where(_queue.engine == bindparam("engine"), _queue.status == "RUNNING")
_PAUSED = select(schema.environment.c.paused).where(schema.environment.c.name == bindparam("environment"))
_STANDING = (
    select(
        _engine.state,
        _engine.lease_until,
        schema.NOW.label("now"),
        SUSPICION.scalar_subquery().label("suspicion"),
        _PAUSED.scalar_subquery().label("paused"),
        _HELD.exists().label("running"),
        _HELD.where(_queue.losses > 0).exists().label("suspect"),
    )
    .where(_engine.start == bindparam("engine"))
    .with_for_update()
)
"""The engine's row is locked; what is asked within is read as it is committed, and locked by nobody."""
_LOCKED: Select[Any] = (
    select(
        *TASK_COLUMNS,
        exists().where(_seal.target == _queue.target, _seal.url == _queue.url).label("sealed"),
        exists().where(schema.takedown.c.lifted_at.is_(None)).label("takedowns"),
    )
    .with_hint(schema.queue, BY_NUMBER, "mysql")
    .where(_queue.id.in_(_IDS), _queue.status == "READY", _queue.hold == 0, _queue.cancel_requested == 0)
    .order_by(_queue.id)
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class _Load:
    """What the engine has at work."""

    running: bool
    suspect: bool


def claim(connection: Connection, engine: Engine, lanes: Sequence[Lane]) -> list[Task]:
    """The next tasks for these lanes. Raises LeaseLost."""
    standing = connection.execute(_STANDING, {"engine": engine.start, "environment": engine.environment}).one_or_none()
    now = lease_in_force(standing, engine)
    if standing is None or standing.suspicion is not None:
        # It would give out fences that others have, also to what is urgent: see restored.py.
        return []
    load, paused = _Load(bool(standing.running), bool(standing.suspect)), bool(standing.paused)
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
    taken, rows = _take(connection, _alone_or_not(list(choices_by_winner.values()), load, now))
    taken = _without_taken_down(connection, taken, rows, now)
    superseded = {older: choice.winner for choice in taken for older in choice.absorbed}
    _supersede(connection, superseded, now)
    runs = {choice.winner for choice in taken if choice.runs}
    mine = ([choice.winner for choice in choices if choice.winner in runs] for _, choices in chosen)
    started = {id_ for lane, ids in zip(lanes, mine, strict=True) for id_ in ids[: lane.begin]}
    tasks = begin(connection, engine, [rows[choice.winner] for choice in taken if choice.runs], started, now)
    begin_probes(connection, _probes(chosen, tasks))
    return tasks


def _choose_for(
    connection: Connection, engine: Engine, lane: Lane, switches: Mapping[str, Switch], now: datetime, *, paused: bool
) -> tuple[Allowance, list[Choice]]:
    """The first allowance with something to take."""
    for allowance in allowances(lane, switches, now):
        allowed = replace(allowance, among=Among.TELLING) if paused and not lane.urgent else allowance
        waiting = find_candidates(connection, engine.environment, lane.target, allowed.limit * lane.engines, allowed.among)
        found = waiting[: min(allowed.limit, lane.part_of(len(waiting)))]
        urls = sorted({row.url for row in found if row.absorbs and not row.alone})
        siblings = find_siblings(connection, engine.environment, lane.target, urls) if urls else []
        if choices := choose(found, siblings, allowed.among):
            return allowed, choices
    return Allowance(0), []


def _alone_or_not(choices: Sequence[Choice], load: _Load, now: datetime) -> list[Choice]:
    """The clean ones; a task with a loss only by itself, when nothing else is at work here."""
    clean, suspect = split(choices)
    impatient = any(choice.since is not None and choice.since < now - PATIENCE for choice in suspect)
    if suspect and (impatient or not clean):
        return [] if load.running else suspect[:1]
    return clean


def _take(connection: Connection, choices: Sequence[Choice]) -> tuple[list[Choice], dict[int, Row[Any]]]:
    """Lock everything the choices touch, by id; a module of which one row cannot be locked is left for the next claim.

    Those that could be locked, and the rows as they are from then on.
    """
    ids = sorted({id_ for choice in choices for id_ in (choice.winner, *choice.absorbed)})
    rows = {row.id: row for row in connection.execute(_LOCKED, {"ids": ids})} if ids else {}
    return [choice for choice in choices if {choice.winner, *choice.absorbed} <= rows.keys()], rows


def _without_taken_down(
    connection: Connection, choices: list[Choice], rows: Mapping[int, Row[Any]], now: datetime
) -> list[Choice]:
    """Less those that would bring back what is taken down, whoever let them wait until now: they end here."""
    winners = [rows[choice.winner] for choice in choices]
    if not any(row.takedowns for row in winners):
        return choices
    takedowns = in_force(connection)
    found = {row.id: covering(takedowns, row.url) for row in winners if row.action in RESTORING}
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


def _probes(chosen: Sequence[tuple[Allowance, list[Choice]]], tasks: Sequence[Task]) -> dict[str, int]:
    """Breaker -> the task that probes it."""
    allowances = {choice.winner: allowed for allowed, choices in chosen for choice in choices}
    return {name: task.id for task in tasks for name in probed_by(task, allowances[task.id])}
