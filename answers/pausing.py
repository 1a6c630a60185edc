"""Waiting until a row is carried out that whoever polls carries out: PAUSE, RESUME."""

import time

from database import Database, Desk, State, Task

BETWEEN = 0.1
"""Seconds between two looks."""


def carried_out(database: Database, row: int, patience: float) -> Task | None:
    """The row as it ended; None if nobody took it within so many seconds: then neither a daemon nor an engine runs."""
    desk, until = Desk(database), time.monotonic() + patience
    while (task := desk.show(row, children=0).task).state is State.NEW:
        if time.monotonic() >= until:
            return None
        time.sleep(BETWEEN)
    return task
