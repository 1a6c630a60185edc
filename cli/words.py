"""Tables, and tasks in them."""

from collections.abc import Sequence

from cli.session import Session
from database import Task


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
