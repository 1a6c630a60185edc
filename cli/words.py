"""How values look to people and to scripts: times, sizes, tables, tasks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from cli.session import Session
from database import Task


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


def table(session: Session, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns on stdout: titled and aligned on a terminal, separated by tabs in a pipe; never cut or wrapped."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not session.out.is_terminal:
        for row in cells:
            session.print("\t".join(row))
        return
    if not cells:
        return
    lines = [[title.upper() for title in titles], *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        session.print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


TASK_TITLES = ("id", "state", "environment", "action", "url", "target")


def task_row(task: Task) -> tuple[object, ...]:
    """A task as the first columns of a table."""
    return (task.id, task.state, task.environment, task.action, task.url, task.target)


def task_fields(task: Task) -> dict[str, object]:
    """A task as JSON."""
    return {
        "id": task.id,
        "url": task.url,
        "environment": task.environment,
        "action": task.action,
        "state": task.state.value,
        "target": task.target,
        "version": task.version.hex() if task.version else None,
        "priority": task.priority,
        "reason": task.reason,
        "requested_by": task.requested_by,
        "note": task.note,
        "hold": task.hold,
        "cancel_requested": task.cancel_requested,
        "attempts": task.attempts,
        "parameters": dict(task.parameters),
        "batch": task.batch,
        "parent": task.parent,
        "run_after": when(task.run_after),
        "created_at": when(task.created_at),
        "started_at": when(task.started_at),
        "finished_at": when(task.finished_at),
    }


def totals(summaries: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """The sums of what attempts counted."""
    sums: dict[str, int] = {}
    for summary in summaries:
        for key, value in summary.items():
            if isinstance(value, int) and not isinstance(value, bool):
                sums[key] = sums.get(key, 0) + value
    return sums
