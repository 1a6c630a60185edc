"""How values look to people and to scripts alike: times, sizes, numbers and their nouns."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime


def when(moment: datetime | None) -> str | None:
    """RFC 3339, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


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
