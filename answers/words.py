"""How values look to people and to scripts alike: times, sizes, numbers and their nouns."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

_STEPS = ((90, 1, "s"), (90 * 60, 60, "min"), (36 * 3600, 3600, "h"), (float("inf"), 86400, "d"))
"""Up to so many seconds, an age is said in this unit."""


def when(moment: datetime | None) -> str | None:
    """RFC 3339, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def at(moment: datetime | None, now: datetime) -> str:
    """A time in a sentence, and how long ago that is, or in how long; nothing for none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC ({ago(moment, now)})" if moment else ""


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, or in how long."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def span(seconds: float) -> str:
    """A duration in one unit: 45 s, 12 min, 3 h, 8 d."""
    for most, each, unit in _STEPS:
        if seconds < most:
            return f"{max(int(seconds / each), 0)} {unit}"
    raise AssertionError


def size(count: int) -> str:
    """Bytes for a person."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def many(count: int, thing: str, things: str | None = None) -> str:
    """A number and its noun."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def totals(summaries: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """The sums of what attempts counted."""
    sums: dict[str, int] = {}
    for summary in summaries:
        for key, value in summary.items():
            if isinstance(value, int) and not isinstance(value, bool):
                sums[key] = sums.get(key, 0) + value
    return sums
