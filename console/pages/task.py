"""One task: what it does, how far it is, what went wrong, and a person's say in it."""

import json
from collections.abc import Callable

from starlette.responses import Response

from answers import life, pace, remarks, remedy, task_changes
from console.asked import Asked
from console.decisions import check_may, not_for
from console.drawing import CHILDREN, family, parts, shares
from console.errors import NotThere, Refused
from console.wanted import LARGEST
from database import OPEN_STATES, Desk, Record, State, Task, TaskView

LISTED = 200
"""Files of a plan that the page lists."""


def show(asked: Asked) -> Response:
    """Everything about it."""
    desk = Desk(asked.database)
    view = desk.show(_number(asked), children=0)
    offspring = desk.offspring(view.task.id, CHILDREN)
    moments, changes = life(view), task_changes(view)
    return asked.page(
        "task.html",
        view=view,
        task=view.task,
        moments=list(zip(moments, shares(one.seconds for one in moments), strict=True)),
        pace=pace(view.progress) if view.progress else None,
        changes=changes,
        bars=[parts(plan.tallies) for plan in changes.plans] if changes else [],
        listed=LISTED,
        tries=[(attempt, remedy(attempt), remarks(attempt)) for attempt in reversed(view.attempts)],
        family=family(view.task, _parent(desk, view.task), offspring.tasks),
        offspring=offspring,
        made=_publication(asked, view),
        may=_allowed(view) - ({"retry"} if view.task.action in not_for(asked.someone) else set()),
        adoptable=bool(changes and any("strangers" in rule for rule in _rules(view))),
    )


def _number(asked: Asked) -> int:
    """The task that the address names. Raises NotThere for a number that no database has."""
    number: int = asked.request.path_params["id"]
    if number > LARGEST:
        raise NotThere(f"There is no task {number}.")
    return number


def _parent(desk: Desk, task: Task) -> Task | None:
    """The task that it came of, if its row is still there."""
    if task.parent is None:
        return None
    found = desk.find(before=task.parent + 1, limit=1)
    return found[0] if found and found[0].id == task.parent else None


def _publication(asked: Asked, view: TaskView) -> tuple[int, int | None] | None:
    """What it made live, and what was live before: their ids."""
    task = view.task
    if task.target is None or not any(attempt.outcome == "SUCCEEDED" for attempt in view.attempts):
        return None
    history = Record(asked.database).history(task.url, 50, task.target)
    place = next((place for place, one in enumerate(history) if one.task == task.id), None)
    if place is None:
        return None
    return history[place].id, history[place + 1].id if place + 1 < len(history) else None


def _rules(view: TaskView) -> list[str]:
    """The rules that stand against a held plan."""
    document = json.loads(view.plan.document) if view.plan else {}
    return [each["rule"] for one in document.get("members", [document]) for each in one.get("objections", ())]


def _allowed(view: TaskView) -> frozenset[str]:
    """What can be done with it in its state."""
    task, found = view.task, set()
    if task.state in OPEN_STATES and not task.cancel_requested:
        found.add("cancel")
    if task.hold and task.state in OPEN_STATES:
        found.add("release")
    elif task.state in (State.NEW, State.READY):
        found.add("hold")
    if task.state not in OPEN_STATES and task.state is not State.REJECTED:
        found.add("retry")
    if task.state is State.HELD and view.plan is not None:
        found.add("approve")
    return frozenset(found)


def cancel(asked: Asked) -> Response:
    return _change(asked, Desk.cancel, "is being cancelled")


def hold(asked: Asked) -> Response:
    return _change(asked, Desk.hold, "is on hold")


def release(asked: Asked) -> Response:
    return _change(asked, Desk.release, "goes on")


def _change(asked: Asked, act: Callable[[Desk, list[int], str, str | None], None], done: str) -> Response:
    task = _number(asked)
    act(Desk(asked.database), [task], asked.someone.name, asked.given("note") or None)
    return asked.done(f"/task/{task}", f"Task {task} {done}.")


def retry(asked: Asked) -> Response:
    """A new row; the old one stays as it is."""
    task, desk = _number(asked), Desk(asked.database)
    check_may(asked.someone, desk.show(task, children=0).task.action)
    again = desk.retry(task, asked.someone.name, asked.given("note") or None)
    return asked.done(f"/task/{again}", f"This is a rerun of task {task}.")


def approve(asked: Asked) -> Response:
    """Let a held task go on with the very plan that the person saw: another one has another digest, and is refused."""
    task, digest = _number(asked), asked.given("plan")
    if not digest:
        raise Refused(400, "Not understood", "An approval names the plan that it is about.")
    adopt, note = bool(asked.given("adopt")), asked.given("note") or None
    row = Desk(asked.database).approve(task, digest, adopt, asked.someone.name, note)
    return asked.done(f"/task/{task}", f"Task {task} may go on with this plan: row {row} says so.")
