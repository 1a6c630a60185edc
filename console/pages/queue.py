"""The queue: a list by filter, and one thing done to many of its tasks."""

from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.datastructures import QueryParams
from starlette.responses import Response

from answers import many
from console.asked import Asked
from console.decisions import never_again
from console.errors import NotThere, Refused
from console.rendering import query
from console.wanted import GROUPS, MOST, Wanted, number, packed, read_wanted, unpacked
from database import Action, Batches, Deed, Listing, Shown, Sort, State, Task, Underway

LIMIT = 50
"""Tasks on a page."""
PATIENCE = 0.2
"""Seconds for which tasks of a filter are gathered before they are changed."""
SHOWN = 20
"""Of those, as many are listed before they are changed."""
NONE_FOUND = "No task is like that any more, or none is near: look further in the list, and choose tasks there."

DOING: Mapping[Deed, tuple[str, str]] = {
    Deed.CANCEL: ("Cancel", "A running task stops before anything becomes visible, or not at all."),
    Deed.HOLD: ("Hold", "They wait until they are released."),
    Deed.RELEASE: ("Release", "They can be claimed again."),
    Deed.RETRY: ("Retry", "Each becomes a new row; the old one stays as it is."),
}
DONE: Mapping[Deed, str] = {
    Deed.CANCEL: "being cancelled",
    Deed.HOLD: "on hold",
    Deed.RELEASE: "released",
    Deed.RETRY: "asked for again",
}


def show(asked: Asked) -> Response:
    """The list."""
    wanted = read_wanted(asked.query, datetime.now(UTC))
    listing = Listing(asked.database)
    page = listing.page(wanted.filter, wanted.sort, wanted.after, LIMIT)
    return asked.page(
        "queue.html",
        wanted=wanted,
        page=page,
        counts=listing.counts(wanted.filter.environment),
        states=tuple(State),
        groups=GROUPS,
        actions=tuple(Action),
        sorts=tuple(Sort),
        deeds=DOING,
        states_of=states_of,
        self_link=asked.url("/queue") + query(**wanted.link(after=wanted.after or None)),
    )


def states_of(task: Task) -> list[str]:
    """A task's state as a person sees it: what was asked for and is not yet so, stands beside it."""
    words = [str(task.state)]
    if task.cancel_requested and task.state in GROUPS["open"]:
        words.append("CANCELLING")
    if task.hold and task.state in {State.NEW, State.READY}:
        words.append("ON HOLD")
    return words


def confirm(asked: Asked) -> Response:
    """What would be touched, before it is: the chosen tasks, or those of the filter."""
    deed = _deed(asked)
    wanted = _of_form(asked)
    if whole := asked.given("scope") == "filter":
        page = Listing(asked.database).page(wanted.filter, wanted.sort, 0, MOST, PATIENCE)
    else:
        page = Shown(_chosen(asked))
    if not page.tasks:
        raise Refused(409, "Nothing chosen", NONE_FOUND if whole else "Choose tasks in the list first, or all of the filter.")
    label, meaning = DOING[deed]
    return asked.page(
        "queue_confirm.html",
        deed=deed,
        label=label,
        meaning=meaning,
        page=page,
        shown=page.tasks[:SHOWN],
        kinds=_kinds(page.tasks),
        ids=packed([task.id for task in page.tasks]),
        back="/queue" + query(**wanted.link()),
        states_of=states_of,
        whole=whole,
    )


def change(asked: Asked) -> Response:
    """Do it to exactly the tasks that were seen; those that are not fit for it any more are left and counted."""
    deed = _deed(asked)
    try:
        ids = unpacked(asked.given("ids"), MOST)
    except ValueError as error:
        raise Refused(400, "Not understood", f"The tasks cannot be read from the form: {error}.") from error
    done = Batches(asked.database).do(deed, ids, asked.someone.name, asked.given("note") or None, never_again(asked.someone))
    left = ", ".join(f"{number:,} {state}" for state, number in sorted(done.left.items()))
    text = f"{many(done.done, 'task')} {DONE[deed]}." + (f" Left as they are: {left}." if left else "")
    return asked.done(asked.back("/queue"), text)


def _deed(asked: Asked) -> Deed:
    word = asked.given("do")
    if word not in {each.value for each in Deed}:
        raise Refused(400, "Not understood", f"Tasks can be cancelled, held, released or retried, not {word!r}.")
    return Deed(word)


def _of_form(asked: Asked) -> Wanted:
    """The filter of the page that the form stood on."""
    return read_wanted(QueryParams(asked.given("filter").lstrip("?")), datetime.now(UTC))


def _chosen(asked: Asked) -> tuple[Task, ...]:
    """The tasks whose boxes are checked; of the list that was shown, so not many."""
    ids = []
    for word in asked.form.get("task", [])[: 10 * LIMIT]:
        if (task := number(word)) is None:
            raise NotThere(f"There is no task {word[:30]!r}.")
        ids.append(task)
    return tuple(moving.task for moving in Underway(asked.database).of(ids))


def _kinds(tasks: tuple[Task, ...]) -> list[tuple[str, str, int]]:
    """How many of each state in each environment."""
    counts: dict[tuple[str, str], int] = {}
    for task in tasks:
        counts[task.environment, str(task.state)] = counts.get((task.environment, str(task.state)), 0) + 1
    return [(environment, state, number) for (environment, state), number in sorted(counts.items())]
