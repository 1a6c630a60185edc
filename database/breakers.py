"""Breakers: what is down is left alone, but for one probe at a time. The decisions are pure; the rows are those of `target`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from config import RetrySettings
from database import schema
from database.actions import SOURCELESS
from database.backoff import Random, breaker_delay
from database.lane import Lane
from database.picking import Among
from database.rows import clipped, insert_ignore
from database.values import Outcome, Result, Task

_target, _queue = schema.target.c, schema.queue.c
_BREAKERS = (
    select(schema.target).where(_target.name.in_(bindparam("names", expanding=True))).order_by(_target.name).with_for_update()
)
_SWITCHES = _BREAKERS.with_only_columns(_target.name, _target.exclusive, _target.is_open, _target.probe_at, _target.probe_task)
_CONCERNED = select(_target.name).where(
    or_(_target.name.in_(bindparam("down", expanding=True)), _target.probe_task.in_(bindparam("tasks", expanding=True)))
)


class ProbeEnds(Exception):
    """A result ends a probe, and what it probes was not locked before the tasks: the transaction is to begin again, with care."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One breaker as the claim sees it."""

    name: str
    exclusive: bool
    is_open: bool
    probe_at: datetime | None
    probing: bool
    """A probe is under way."""
    busy: bool
    """A task runs on this target, whoever's it is. Only known where `exclusive`."""

    def waits(self, now: datetime) -> bool:
        """Whether it is open and not to be probed now."""
        return self.is_open and (self.probing or (self.probe_at or now) > now)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many tasks a lane may claim now; with `probes`, the one task is the probe of these."""

    limit: int
    probes: tuple[str, ...] = ()
    among: Among = Among.ALL


def allowances(lane: Lane, switches: Mapping[str, Switch], now: datetime) -> tuple[Allowance, ...]:
    """What the lane may take: the first of these for which there is a task.

    Nothing behind the target's open breaker, one task as its probe when it is time, one where exclusive. Behind a need's,
    what does without it; when that is to be probed, first the one task that asks it. An urgent lane waits for nothing.
    """
    own = switches.get(lane.target)
    if lane.urgent:
        return (Allowance(lane.limit, (own.name,) if own and own.is_open and not own.probing else (), Among.URGENT),)
    limit = _room(lane, own)
    if limit <= 0 or (own is not None and own.waits(now)):
        return ()
    probes = (own.name,) if own is not None and own.is_open else ()
    down = [switches[name] for name in lane.needs if name in switches and switches[name].is_open]
    if not down:
        return (Allowance(limit, probes),)
    without = Allowance(limit, probes, Among.SOURCELESS)
    if any(need.waits(now) for need in down):
        return (without,)
    return Allowance(1, (*probes, *(need.name for need in down)), Among.NEEDING), without


def _room(lane: Lane, own: Switch | None) -> int:
    if own is None or not (own.exclusive or own.is_open):
        return lane.limit
    return 0 if own.busy else min(lane.limit, 1)


def probed_by(task: Task, allowed: Allowance) -> tuple[str, ...]:
    """The breakers that this task probes: what does without the source learns nothing about it."""
    return tuple(name for name in allowed.probes if name == task.target or task.action not in SOURCELESS)


def lock_switches(connection: Connection, lanes: Sequence[Lane]) -> dict[str, Switch]:
    """Lock the lanes' targets and needs, in the order of their names, and read them."""
    names = sorted({name for lane in lanes for name in (lane.target, *lane.needs)})
    rows = connection.execute(_SWITCHES, {"names": names}).all()
    probes = _running(connection, [row.probe_task for row in rows if row.is_open and row.probe_task is not None])
    busy = _busy(connection, [row.name for row in rows if row.exclusive])
    return {
        row.name: Switch(
            row.name,
            bool(row.exclusive),
            bool(row.is_open),
            row.probe_at,
            probing=row.probe_task in probes,
            busy=row.name in busy,
        )
        for row in rows
    }


def begin_probes(connection: Connection, probes: Mapping[str, int]) -> None:
    """Note which task probes which breaker."""
    for name in sorted(probes):
        connection.execute(update(schema.target).where(_target.name == name).values(probe_task=probes[name]))


def lock_concerned(connection: Connection, results: Sequence[Result]) -> Sequence[Row[Any]]:
    """Lock the rows that these results may open or close, by name; before any task is locked."""
    down = {result.breaker for result in results if result.outcome is Outcome.UNREACHABLE and result.breaker}
    tasks = [result.task for result in results]
    names = set(connection.scalars(_CONCERNED, {"down": list(down), "tasks": tasks}))
    insert_ignore(connection, schema.target, [{"name": name} for name in sorted(down - names)])
    if not names | down:
        return ()
    return connection.execute(_BREAKERS, {"names": sorted(names | down)}).all()


def note_outcomes(
    connection: Connection,
    rows: Sequence[Row[Any]],
    results: Sequence[Result],
    retry: RetrySettings,
    random: Random,
    now: datetime,
) -> None:
    """Open what was unreachable, close what a probe found well.

    Tasks that were under way when a breaker opened say nothing new; only its probe makes it wait longer or closes it.
    """
    down = {result.breaker: result for result in results if result.outcome is Outcome.UNREACHABLE}
    tasks = {result.task: result for result in results}
    for row in rows:
        probe = tasks.get(row.probe_task)
        values: dict[str, Any] = {}
        if row.name in down and (not row.is_open or (probe is not None and probe.breaker == row.name)):
            values = _opened(row, down[row.name], retry, random, now)
        elif probe is not None:
            values = _probed(probe)
        if values:
            connection.execute(update(schema.target).where(_target.name == row.name).values(values))


def _opened(row: Row[Any], result: Result, retry: RetrySettings, random: Random, now: datetime) -> dict[str, Any]:
    failures = row.failures + 1
    wait = max(breaker_delay(failures, retry, random), result.retry_after or 0)
    return {
        "is_open": 1,
        "reason": clipped(result.reason),
        "since": row.since if row.is_open else now,
        "probe_at": now + timedelta(seconds=wait),
        "probe_task": None,
        "failures": failures,
    }


def _probed(probe: Result) -> dict[str, Any]:
    # A probe that was stopped, or stopped by something else that is down, has learnt nothing about this one.
    learnt = probe.outcome not in {Outcome.RELEASED, Outcome.CANCELLED, Outcome.UNREACHABLE}
    closed = {"is_open": 0, "reason": None, "since": None, "probe_at": None, "failures": 0}
    return {"probe_task": None} | (closed if learnt else {})


def _running(connection: Connection, tasks: Sequence[int]) -> Collection[int]:
    if not tasks:
        return ()
    return set(connection.scalars(select(_queue.id).where(_queue.id.in_(tasks), _queue.status == "RUNNING")))


def _busy(connection: Connection, names: Sequence[str]) -> Collection[str]:
    if not names:
        return ()
    return set(connection.scalars(select(_queue.running_target).where(_queue.running_target.in_(names)).distinct()))
