"""What attempts add up to over time: by the hour, the day and the week, so that a year costs no more to look at than a day.

Whoever polls adds up what has ended, once for all: the place that has been reached is one row, locked while more is added.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from database import schema
from database.connection import Database
from database.rows import object_of
from database.upserting import add_up_rows

SETTLED = timedelta(seconds=30)
"""How long an attempt has ended before it counts: its transaction may end later than the time that it wrote."""
ALL = "*"
"""The environment that stands for all: what is looked at most, and so kept added up."""
HOURS_KEPT = timedelta(days=35)
"""Hours older than that are looked at as days."""

_attempt, _queue, _setting, _trend = schema.attempt.c, schema.queue.c, schema.setting.c, schema.trend.c
_PLACE = "trend"
_THERE = ("same", "adopted", "returns")
"""Reasons of a plan for which no byte of a file has to move."""
_BAD = frozenset({"FAILED", "RETRY", "UNREACHABLE", "HELD", "LOST"})

Numbers = tuple[int, float, float]
"""How often, how much in all, the most at once."""


@dataclass(frozen=True, slots=True)
class Sum:
    """One measure in one hour, day or week: how often, how much in all, the most at once."""

    at: datetime
    measure: str
    n: int
    total: float
    most: float


@dataclass(frozen=True, slots=True)
class Total:
    """One measure of one environment over all time: how often, and how much in all."""

    environment: str
    measure: str
    n: int
    total: float


class Trends:
    """Reading what was added up."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def read(self, span: str, since: datetime, environment: str | None = None) -> list[Sum]:
        """Sums by `span` ("hour", "day" or "week"), oldest first; without an environment, over all of them."""
        mine = _trend.span == span, _trend.environment == (environment or ALL), _trend.at >= since
        wanted = select(_trend.at, _trend.measure, _trend.n, _trend.total, _trend.most).where(*mine).order_by(_trend.at)
        rows = self._db.look(lambda connection: connection.execute(wanted).all())
        return [Sum(row.at, row.measure, row.n, row.total, row.most) for row in rows]

    def totals(self) -> list[Total]:
        """Everything that was ever added up; it only grows."""
        wanted = (
            select(_trend.environment, _trend.measure, func.sum(_trend.n).label("n"), func.sum(_trend.total).label("total"))
            .where(_trend.span == "week", _trend.environment != ALL)
            .group_by(_trend.environment, _trend.measure)
            .order_by(_trend.environment, _trend.measure)
        )
        rows = self._db.look(lambda connection: connection.execute(wanted).all())
        return [Total(row.environment, row.measure, int(row.n), float(row.total)) for row in rows]

    def reached(self) -> datetime | None:
        """Up to when attempts are added up; None: none is."""
        place = self._db.look(lambda connection: connection.scalar(select(_setting.value).where(_setting.name == _PLACE)))
        return _place_of(place)[0]


def add_up(connection: Connection, limit: int) -> int:
    """Add up the next attempts that have ended; how many."""
    mine = select(_setting.value).where(_setting.name == _PLACE).with_for_update(skip_locked=True)
    place = connection.scalar(mine)
    if place is None:
        return 0
    rows = _ended(connection, place, limit)
    if not rows:
        return 0
    sums = _spread(_by_hour(rows))
    add_up_rows(connection, schema.trend, [_row(key, numbers) for key, numbers in sorted(sums.items())])
    last = rows[-1]
    reached = json.dumps([last.ended_at.isoformat(), last.task, last.fence])
    connection.execute(update(schema.setting).where(_setting.name == _PLACE).values(value=reached))
    old = last.ended_at - HOURS_KEPT
    places = sorted({environment for _, _, environment, _ in sums})
    connection.execute(delete(schema.trend).where(_trend.span == "hour", _trend.environment.in_(places), _trend.at < old))
    return len(rows)


def _by_hour(rows: Sequence[Row[Any]]) -> dict[tuple[datetime, str, str], Numbers]:
    """By hour, environment and measure."""
    sums: dict[tuple[datetime, str, str], Numbers] = {}
    for row in rows:
        at, environment = row.ended_at.replace(minute=0, second=0, microsecond=0), (row.environment or "")[:64]
        for measure, numbers in _measures(row):
            key = at, environment, measure[:80]
            sums[key] = _plus(sums.get(key), numbers)
    return sums


def _spread(hours: Mapping[tuple[datetime, str, str], Numbers]) -> dict[tuple[str, datetime, str, str], Numbers]:
    """The same by hour, day and week, and for all environments too."""
    sums: dict[tuple[str, datetime, str, str], Numbers] = {}
    for (hour, environment, measure), numbers in hours.items():
        for span, at in _spans(hour):
            for place in (ALL, environment):
                key = span, at, place, measure
                sums[key] = _plus(sums.get(key), numbers)
    return sums


def _ended(connection: Connection, place: str, limit: int) -> Sequence[Row[Any]]:
    """The next attempts in the order of their ends, with what their tasks say."""
    about = (_queue.environment, _queue.action, _queue.created_at, _queue.run_after)
    wanted = (
        select(schema.attempt, *about)
        .join_from(schema.attempt, schema.queue, _queue.id == _attempt.task)
        .with_hint(schema.attempt, "FORCE INDEX (k_ended)", "mysql")
        .where(_attempt.ended_at < connection.execute(select(schema.NOW)).scalar_one() - SETTLED)
        .order_by(_attempt.ended_at, _attempt.task, _attempt.fence)
        .limit(limit)
    )
    at, task, fence = _place_of(place)
    if at is not None:
        later = and_(_attempt.task == task, _attempt.fence > fence)
        wanted = wanted.where(_attempt.ended_at >= at, or_(_attempt.ended_at > at, _attempt.task > task, later))
    return connection.execute(wanted).all()


def _place_of(place: str | None) -> tuple[datetime | None, int, int]:
    if not place:
        return None, 0, 0
    at, task, fence = json.loads(place)
    return datetime.fromisoformat(at), task, fence


def _spans(hour: datetime) -> Iterator[tuple[str, datetime]]:
    yield "hour", hour
    day = hour.replace(hour=0)
    yield "day", day
    yield "week", day - timedelta(days=day.weekday())


def _measures(row: Row[Any]) -> Iterator[tuple[str, Numbers]]:
    """What one attempt adds, and to what."""
    yield f"outcome:{row.outcome}", (1, 0.0, 0.0)
    if row.outcome == "SUCCEEDED":
        yield f"action:{row.action}", (1, 0.0, 0.0)
    if row.outcome in _BAD:
        yield f"error:{row.error or row.outcome}", (1, 0.0, 0.0)
    if row.number == 1:
        yield "age", _once(_waited(row))
    summary = object_of(row.summary)
    for step, seconds in _numbers(summary.get("seconds")):
        yield f"phase:{step}", _once(seconds)
    yield from _bytes(summary)


def _bytes(summary: Mapping[str, Any]) -> Iterator[tuple[str, Numbers]]:
    """Bytes that were put, and those that did not have to be."""
    if isinstance(moved := summary.get("bytes"), int) and not summary.get("dry_run"):
        yield "moved", _once(moved)
        yield "saved", _once(_kept(summary.get("reasons")))


def _kept(reasons: object) -> float:
    """Bytes that lay there already."""
    found = reasons if isinstance(reasons, dict) else {}
    return float(sum(found[name][1] for name in _THERE if name in found))


def _waited(row: Row[Any]) -> float:
    """Seconds from when the task could run to its claim. A retry moves `run_after` past that: then it counts from its making."""
    since = [row.created_at, *([row.run_after] if row.run_after and row.run_after <= row.claimed_at else [])]
    return max(0.0, float((row.claimed_at - max(since)).total_seconds()))


def _numbers(found: object) -> Iterator[tuple[str, float]]:
    for name, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield str(name), float(value)


def _once(value: float) -> Numbers:
    return 1, float(value), float(value)


def _plus(old: Numbers | None, new: Numbers) -> Numbers:
    return new if old is None else (old[0] + new[0], old[1] + new[1], max(old[2], new[2]))


def _row(key: tuple[str, datetime, str, str], numbers: Numbers) -> dict[str, Any]:
    span, at, environment, measure = key
    n, total, most = numbers
    return {"span": span, "at": at, "environment": environment, "measure": measure, "n": n, "total": total, "most": most}
