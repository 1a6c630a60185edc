"""Tables, and tasks in them."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from cli.session import Session
from cli.visible import one_line
from database import Task

GAP = 2
NARROWEST = 8
"""Cells below which no column is shortened: a narrower terminal wraps."""


def table(session: Session, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns on stdout: on a terminal titled, aligned and shortened to its width; in a pipe separated by tabs and never cut."""
    cells = [["" if cell is None else one_line(str(cell)) for cell in row] for row in rows]
    if not session.out.is_terminal:
        for row in cells:
            session.print("\t".join(row))
        return
    if not cells:
        return
    # What is masked must be masked before it is cut: half of a secret is not known as one.
    lines = [[title.upper() for title in titles], *([session.secrets.masked(cell) for cell in row] for row in cells)]
    widths = fitting([max(cell_len(line[column]) for line in lines) for column in range(len(titles))], session.out.width)
    for line in lines:
        session.print((" " * GAP).join(fitted(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())


def fitting(widths: Sequence[int], width: int) -> list[int]:
    """The widths of columns in a table that is at most so wide: only the widest are made narrower, all to the same width."""
    room = width - GAP * (len(widths) - 1)
    cap = max(widths, default=0)
    while cap > NARROWEST and sum(min(each, cap) for each in widths) > room:
        cap -= 1
    return [min(each, cap) for each in widths]


def fitted(text: str, width: int) -> str:
    """Exactly so many cells wide. A path loses its middle, for what tells modules apart is at its end; all else its end."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    if not text.startswith("/"):
        return set_cell_size(text, width - 1) + "…"
    head = (width - 1) // 3
    tail = text
    while cell_len(tail) > width - 1 - head:
        tail = tail[1:]
    return set_cell_size(set_cell_size(text, head) + "…" + tail, width)


TASK_TITLES = ("id", "state", "environment", "action", "url", "target")


def task_row(task: Task) -> tuple[object, ...]:
    """A task as the first columns of a table."""
    return (task.id, task.state, task.environment, task.action, task.url, task.target)
