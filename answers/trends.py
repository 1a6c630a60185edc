"""How publishing goes over time: throughput, durations, queue age, failures, bytes; in hours, days or weeks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from answers.words import when
from database import Database, Sum
from database import Trends as Sums

_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
WINDOWS: Mapping[str, tuple[str, int]] = {
    "day": ("hour", 24),
    "week": ("hour", 7 * 24),
    "month": ("day", 31),
    "quarter": ("day", 92),
    "year": ("week", 53),
}
"""What can be looked at: the span of a bucket, and how many there are."""
CLASSES = 8
"""Classes of failures that are told apart, the most frequent; the others are one."""
PHASES = 10
"""Phases that are told apart, those that took the most time; the others are one."""
OTHERS = "others"

Rows = Mapping[datetime, Sum]
"""One measure by its buckets."""

Values = tuple[float | None, ...]
"""One for each bucket; None where nothing happened that it could be about."""
Lines = dict[str, Values]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over the same buckets. `unit`: tasks, seconds or bytes."""

    name: str
    title: str
    unit: str
    lines: Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Trends:
    """Everything for one window. `reached`: up to when attempts are in it."""

    window: str
    environment: str | None
    span: str
    buckets: tuple[datetime, ...]
    charts: tuple[Chart, ...]
    reached: datetime | None


def trends(database: Database, now: datetime, window: str, environment: str | None = None) -> Trends:
    """What happened in a window of WINDOWS, over all environments or in one. Raises KeyError for a window that is none."""
    span, count = WINDOWS[window]
    sums = Sums(database)
    buckets = _buckets(now, span, count)
    found = sums.read(span, buckets[0], environment)
    return Trends(window, environment, span, buckets, tuple(_charts(found, buckets)), sums.reached())


def _buckets(now: datetime, span: str, count: int) -> tuple[datetime, ...]:
    last = now.replace(minute=0, second=0, microsecond=0)
    last = last if span == "hour" else last.replace(hour=0)
    last = last - timedelta(days=last.weekday()) if span == "week" else last
    return tuple(last - _STEPS[span] * back for back in range(count - 1, -1, -1))


def _charts(sums: Sequence[Sum], buckets: tuple[datetime, ...]) -> list[Chart]:
    table: dict[str, dict[datetime, Sum]] = {}
    for each in sums:
        table.setdefault(each.measure, {})[each.at] = each
    outcomes, actions = (_lines(_of_kind(table, kind), buckets, _counts) for kind in ("outcome", "action"))
    errors = _lines(_largest(_of_kind(table, "error"), CLASSES, lambda each: each.n), buckets, _counts)
    phases = _lines(_largest(_of_kind(table, "phase"), PHASES, lambda each: each.total), buckets, _means)
    ages = table.get("age", {})
    return [
        Chart("throughput", "Attempts that ended, by outcome", "tasks", outcomes),
        Chart("actions", "Tasks that succeeded, by action", "tasks", actions),
        Chart("phases", "Mean duration of each phase", "seconds", phases),
        Chart(
            "age", "Time from asked for to claimed", "seconds", {"mean": _means(ages, buckets), "longest": _mosts(ages, buckets)}
        ),
        Chart("failures", "What went wrong, by class", "tasks", errors),
        Chart(
            "bytes",
            "Bytes moved, and those that did not have to be",
            "bytes",
            {name: _totals(table.get(name, {}), buckets) for name in ("moved", "saved")},
        ),
    ]


def _of_kind(table: Mapping[str, Rows], kind: str) -> dict[str, Rows]:
    return {name.partition(":")[2]: rows for name, rows in sorted(table.items()) if name.startswith(f"{kind}:")}


def _lines(found: Mapping[str, Rows], buckets: Sequence[datetime], line: Callable[[Rows, Sequence[datetime]], Values]) -> Lines:
    return {name: line(rows, buckets) for name, rows in found.items()}


def _largest(found: Mapping[str, Rows], most: int, weight: Callable[[Sum], float]) -> dict[str, Rows]:
    """The measures with the greatest weight; the rest added up to one, before anything is divided."""
    ranked = sorted(found, key=lambda name: -sum(map(weight, found[name].values())))
    kept = {name: found[name] for name in ranked[:most]}
    rest: dict[datetime, Sum] = {}
    for at, each in (pair for name in ranked[most:] for pair in found[name].items()):
        before = rest.get(at, Sum(at, OTHERS, 0, 0.0, 0.0))
        rest[at] = Sum(at, OTHERS, before.n + each.n, before.total + each.total, max(before.most, each.most))
    return kept | ({OTHERS: rest} if rest else {})


def _counts(rows: Rows, buckets: Sequence[datetime]) -> Values:
    return tuple(float(rows[at].n) if at in rows else 0.0 for at in buckets)


def _means(rows: Rows, buckets: Sequence[datetime]) -> Values:
    return tuple(round(rows[at].total / rows[at].n, 3) if at in rows and rows[at].n else None for at in buckets)


def _mosts(rows: Rows, buckets: Sequence[datetime]) -> Values:
    return tuple(rows[at].most if at in rows else None for at in buckets)


def _totals(rows: Rows, buckets: Sequence[datetime]) -> Values:
    return tuple(rows[at].total if at in rows else 0.0 for at in buckets)


def trends_fields(found: Trends) -> dict[str, object]:
    """The same as JSON: what the plots are drawn from."""
    return {
        "window": found.window,
        "environment": found.environment,
        "span": found.span,
        "reached": when(found.reached),
        "buckets": [int(at.timestamp()) for at in found.buckets],
        "charts": [
            {
                "name": one.name,
                "title": one.title,
                "unit": one.unit,
                "lines": {name: list(line) for name, line in one.lines.items()},
            }
            for one in found.charts
        ],
    }
