"""What goes on, in each environment; and pausing, draining, resuming, trying again."""

from starlette.responses import Response

from answers import COUNTED, carried_out, many, overview
from console.asked import Asked
from console.errors import NotThere, Refused
from database import Desk

PATIENCE = 1.5
"""Seconds in which a daemon takes a row in, if there is one."""


def show(asked: Asked) -> Response:
    return asked.page("overview.html", environments=overview(asked.database, asked.settings), counted=COUNTED)


def change(asked: Asked) -> Response:
    """One form for each environment; `do` says which of its buttons was pressed."""
    name, do = asked.request.path_params["name"], asked.given("do")
    if name not in asked.settings.environments:
        raise NotThere(f"There is no environment {name}.")
    desk, by, why = Desk(asked.database), asked.someone.name, asked.given("note") or None
    if do == "run":
        hastened = desk.hasten(name, by, why)
        return asked.done("/", f"{name}: {many(hastened, 'task')} that waited for another try can run now.")
    if do == "resume":
        row = desk.resume(name, by, why)
    elif do in {"pause", "drain"}:
        row = desk.pause(name, by, why, drain=do == "drain")
    else:
        raise Refused(400, "Not understood", f"An environment can be paused, drained, resumed or run, not {do!r}.")
    return asked.done("/", _outcome(asked, row, name))


def _outcome(asked: Asked, row: int, name: str) -> str:
    """The row is carried out by whoever polls; where nobody does, that is said."""
    task = carried_out(asked.database, row, PATIENCE)
    if task is None:
        return f"{name}: asked for (task {row}). It is done as soon as a daemon or an engine runs; none has taken it yet."
    return task.reason or str(task.state)
