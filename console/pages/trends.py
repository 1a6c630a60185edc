"""How publishing goes over time: plots, and the same figures as tables."""

import json
from datetime import UTC, datetime

from starlette.responses import Response

from answers import WINDOWS, Chart, Trends, size, trends, trends_fields
from console.asked import Asked
from console.errors import NotThere

WORDS = {"day": "24 hours", "week": "7 days", "month": "31 days", "quarter": "3 months", "year": "a year"}


def show(asked: Asked) -> Response:
    found = _found(asked)
    return asked.page(
        "trends.html",
        found=found,
        windows=WORDS,
        environments=asked.settings.environments,
        query_of={"window": found.window, "environment": found.environment},
        tables=[(chart, _table(found, chart), _total(chart)) for chart in found.charts],
    )


def figures(asked: Asked) -> Response:
    """What the plots are drawn from."""
    return Response(json.dumps(trends_fields(_found(asked))), media_type="application/json")


def _found(asked: Asked) -> Trends:
    window, environment = asked.query.get("window", "day"), asked.query.get("environment") or None
    if window not in WINDOWS:
        raise NotThere(f"There are trends of {', '.join(WINDOWS)}, not of {window[:20]}.")
    if environment is not None and environment not in asked.settings.environments:
        raise NotThere(f"There is no environment {environment[:64]}.")
    return trends(asked.database, datetime.now(UTC), window, environment)


def _table(found: Trends, chart: Chart) -> list[tuple[datetime, list[str]]]:
    """The buckets in which anything happened, the newest first."""
    rows = zip(found.buckets, *chart.lines.values(), strict=True) if chart.lines else ()
    return [(at, [_words(value, chart.unit) for value in values]) for at, *values in rows if any(values)][::-1]


def _total(chart: Chart) -> str:
    """What it comes to, in a few words: the figure to look at first."""
    known = [value for line in chart.lines.values() for value in line if value]
    if not known:
        return "nothing in this time"
    if chart.unit == "seconds":
        return f"at most {_words(max(known), chart.unit)}"
    return ", ".join(
        f"{_words(sum(value or 0 for value in line), chart.unit)} {name}" for name, line in list(chart.lines.items())[:4]
    )


def _words(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "bytes":
        return size(int(value))
    return f"{value:,.0f}" if unit == "tasks" else f"{value:.3g} s"
