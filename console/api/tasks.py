"""Tasks: listing, looking at one, and what a person can say about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from answers import changes_fields, many, task_changes, task_fields, view_fields
from console.api.asks import Approval, Batch, NewTask, Rollback, Said, TasksAsked, TasksLike
from console.api.calls import ROOT, Made, fault
from console.asked import Asked
from console.decisions import check_may, never_again
from console.errors import NotThere, NotUnderstood, Refused
from console.wanted import LARGEST, MOST
from database import Action, Batches, Desk, Filter, Listing, NoSuchTask, TaskView, rejection
from database import NewTask as Row

PATIENCE = 2.0
"""Seconds for which the tasks of a filter are gathered before something is done to them."""
NOTHING = "Nothing was changed."
CHILDREN = 100
"""Tasks that one task made, as far as they are listed with it."""


def index(asked: Asked, query: TasksAsked) -> Mapping[str, object]:
    """Tasks by filter and order. In a large queue a page can be short, or empty, and still have a next one."""
    page = Listing(asked.database).page(_filter(query), query.sort, query.after, query.limit)
    tasks = [task_fields(task) for task in page.tasks]
    return {"tasks": tasks, "unsorted": page.unsorted, "next": next_page(asked, "/tasks", "after", page.after)}


def batch(asked: Asked, body: Batch) -> Mapping[str, object]:
    """One thing done to many: to those that are fit for it."""
    ids = _chosen(asked, body)
    if body.dry_run:
        return {"matched": len(ids), "done": 0, "left": {}, "made": []}
    done = Batches(asked.database).do(body.do, ids, asked.someone.name, body.note, never_again(asked.someone))
    return {"matched": len(ids), "done": done.done, "left": done.left, "made": done.made}


def _chosen(asked: Asked, body: Batch) -> list[int]:
    """The tasks that are named, or those of the filter. Raises NotUnderstood, or Refused if more are like that than was said."""
    if (body.ids is None) == (body.filter is None):
        raise NotUnderstood("`ids` and `filter` say which tasks: give one of them.", [fault("body", "filter", "or `ids`")])
    if body.ids is not None:
        return sorted(set(body.ids))
    if body.filter is None or not body.filter.model_fields_set:
        raise NotUnderstood("This filter is like every task: say which.", [fault("body", "filter", "is empty")])
    if body.expected is None and not body.dry_run:
        raise NotUnderstood("Say how many tasks of the filter were seen.", [fault("body", "expected", "is needed with `filter`")])
    most = body.expected or MOST
    page = Listing(asked.database).page(_filter(body.filter), limit=most, patience=PATIENCE)
    if page.looked_to is not None:
        raise Refused(409, "Too many to look at", f"{NOTHING} Narrow the filter: by state, environment or time; or name `ids`.")
    if page.after is not None:
        raise Refused(409, "More than expected", f"More than {many(most, 'task')} are like that now. {NOTHING} Look again first.")
    return [task.id for task in page.tasks]


def _filter(asked: TasksLike) -> Filter:
    return Filter(
        frozenset(asked.state),
        asked.environment,
        asked.action,
        asked.url,
        asked.below,
        asked.text,
        asked.on_hold,
        asked.cancelling,
        asked.batch,
        asked.since,
        asked.until,
    )


def show(asked: Asked) -> Mapping[str, object]:
    """Everything about one; of thousands of tasks that it made, those that a person looks at first."""
    view, made = view_of(asked), Desk(asked.database).offspring(int(asked.request.path_params["id"]), CHILDREN)
    changes = task_changes(view)
    return {
        **view_fields(replace(view, children=made.tasks)),
        "offspring": {str(state): number for state, number in made.counts.items()},
        "changes": changes_fields(changes) if changes else None,
    }


def insert(asked: Asked, body: NewTask) -> Made:
    """A row as anybody may insert it."""
    row = Row(
        body.url,
        body.environment,
        body.action,
        body.priority,
        run_after=body.run_after,
        parameters=body.parameters,
        note=body.note,
        hold=body.hold,
        max_attempts=body.max_attempts,
    )
    return inserted(asked, row)


def rollback(asked: Asked, body: Rollback) -> Made:
    """What was live before, again."""
    if body.to is not None and body.version is not None:
        raise NotUnderstood("`to` and `version` name the same thing: choose one.", [fault("body", "version", "or `to`")])
    chosen = {"to": body.to, "version": body.version, "dry_run": body.dry_run or None}
    parameters = {name: value for name, value in chosen.items() if value is not None}
    return inserted(asked, Row(body.url, body.environment, Action.ROLLBACK, parameters=parameters, note=body.note))


def acting(act: Callable[[Desk, Sequence[int], str, str | None], object]) -> Callable[[Asked, Said], Mapping[str, object]]:
    """A call that says one thing about one task, and gives the task as it is then."""

    def do(asked: Asked, body: Said) -> Mapping[str, object]:
        task = view_of(asked).task
        act(Desk(asked.database), [task.id], asked.someone.name, body.note)
        return {"task": task_fields(view_of(asked).task)}

    return do


def retry(asked: Asked, body: Said) -> Made:
    """A new row that does an ended task again."""
    task = view_of(asked).task
    check_may(asked.someone, task.action)
    return made(asked, Desk(asked.database).retry(task.id, asked.someone.name, body.note))


def approve(asked: Asked, body: Approval) -> Made:
    """A row that lets a held task go on with exactly this plan."""
    desk, task = Desk(asked.database), view_of(asked).task.id
    return made(asked, desk.approve(task, body.plan, adopt=body.adopt, by=asked.someone.name, note=body.note))


def view_of(asked: Asked) -> TaskView:
    """The task that the path names. Raises NotThere."""
    number = int(asked.request.path_params["id"])
    try:
        if number > LARGEST:
            raise NoSuchTask(f"There is no task {number}.")
        return Desk(asked.database).show(number, children=0)
    except NoSuchTask as error:
        raise NotThere(str(error)) from error


def inserted(asked: Asked, row: Row) -> Made:
    """The new row, whoever asked for it. Raises NotAllowed, or NotUnderstood for one that would be rejected."""
    check_may(asked.someone, row.action)
    if reason := rejection(row, asked.settings):
        raise NotUnderstood(reason)
    return made(asked, Desk(asked.database).insert(replace(row, requested_by=asked.someone.name)))


def made(asked: Asked, number: int) -> Made:
    """A new row, as it is now."""
    return Made({"task": task_fields(Desk(asked.database).show(number).task)}, f"/tasks/{number}")


def next_page(asked: Asked, path: str, name: str, place: int | None) -> str | None:
    """The address of what comes after this place, with the same filters."""
    if place is None:
        return None
    kept = [(key, value) for key, value in asked.query.multi_items() if key != name]
    return asked.url(f"{ROOT}{path}?{urlencode([*kept, (name, place)])}")
