"""`slipway queue`: what waits, what happened, and a person's say in it."""

import json
from collections.abc import Callable, Iterator, Sequence

import click

from answers import many, remarks, size, task_changes, task_fields, view_fields, when
from cli.completing import ENVIRONMENT
from cli.exits import Exit
from cli.flags import AS_JSON, NOTE, YES, json_or_lines
from cli.insert import insert
from cli.pausing import pause, resume, run
from cli.places import person
from cli.plan import print_plan
from cli.session import Failure, Session, in_session
from cli.watch import watch
from cli.words import TASK_TITLES, table, task_row
from database import OPEN_STATES, Desk, State, TaskView

STATES = click.Choice([state.value for state in State], case_sensitive=False)


@click.group()
def queue() -> None:
    """Look at the queue and change what waits in it."""


for verb in (insert, pause, resume, run, watch):
    queue.add_command(verb)


@queue.command("list")
@click.option("--state", "states", multiple=True, type=STATES, help="May be repeated.")
@click.option("--env", "environment", type=ENVIRONMENT, metavar="ENV", help="Only this environment.")
@click.option("--url", help="Only this module.")
@click.option("--all", "everything", is_flag=True, help="Finished tasks too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, the newest first.")
@json_or_lines
@in_session
def list_tasks(
    session: Session,
    states: tuple[str, ...],
    environment: str | None,
    url: str | None,
    everything: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List tasks; those that are not finished, if nothing else is said."""
    wanted = [State(state.upper()) for state in states] or (list(State) if everything or url else sorted(OPEN_STATES))
    tasks = Desk(session.database).find(states=wanted, environment=environment, url=url, limit=limit)
    if as_json:
        session.listing("tasks", "task", [task_fields(task) for task in tasks])
        return
    rows = [(*task_row(task), when(task.created_at), task.reason) for task in tasks]
    table(session, [*TASK_TITLES, "created", "reason"], rows)
    if not tasks:
        session.say("no such task" if everything or url or states else "nothing waits")


@queue.command()
@click.argument("id", type=int)
@AS_JSON
@in_session
def show(session: Session, id: int, as_json: bool) -> None:
    """Show one task: its attempts, its events, and the plan that a person is asked to approve."""
    view = Desk(session.database).show(id)
    if as_json:
        session.document(view_fields(view))
    else:
        print_view(session, view)


def print_view(session: Session, view: TaskView) -> None:
    task = view.task
    session.print(f"task {task.id}: {task.action} {task.url} in {task.environment}, {task.state}")
    for name, value in task_fields(task).items():
        if value not in (None, {}, False) and name not in ("id", "url", "environment", "action", "state"):
            session.print(f"  {name}: {value}")
    for event in view.events:
        session.print(f"  {when(event.at)}  {event.state}" + (f"  {event.reason}" if event.reason else ""))
    for attempt in view.attempts:
        ended = ", ".join(filter(None, (attempt.outcome or "under way", attempt.reason)))
        session.print(f"  attempt {attempt.number} on {attempt.host}: {ended}")
        for remark in remarks(attempt):
            session.print(f"    {remark}")
    for line in change_lines(view):
        session.print(f"  {line}")
    if view.children:
        session.print(f"  its tasks: {', '.join(f'{child.id} {child.state}' for child in view.children)}")
    if view.plan:
        session.print(f"  plan {view.plan.digest}")
        print_plan(session, json.loads(view.plan.document))
    if view.task.state is State.HELD:
        session.say(f"to let it go on: slipway queue approve {task.id}")


def change_lines(view: TaskView) -> Iterator[str]:
    """What it changed, or would, on each target; a plan that waits is itemised instead."""
    changes = task_changes(view)
    if changes is None or changes.stage == "held":
        return
    would = "changed" if changes.stage == "done" else "would change"
    for plan in changes.plans:
        tallies = (f"{many(tally.files, 'file')} {kind} ({size(tally.bytes)})" for kind, tally in plan.tallies.items())
        yield f"{would} on {plan.target}: {', '.join(tallies) or 'nothing'}"


def acting(name: str, text: str, act: Callable[[Desk, Sequence[int], str], object], done: str) -> click.Command:
    """A verb that does one thing to the tasks it is given."""

    @in_session
    def verb(session: Session, ids: tuple[int, ...]) -> None:
        act(Desk(session.database), ids, person())
        for number in ids:
            session.print(f"{number}\t{done}")

    numbers = click.Argument(["ids"], type=int, nargs=-1, required=True)
    return click.Command(name, callback=verb, params=[numbers], help=text)


CANCEL = "Cancel tasks. A running one ends before anything becomes visible, or not at all."
HOLD = "Let tasks wait until they are released."
RELEASE = "Let tasks go on that were put on hold."

queue.add_command(acting("cancel", CANCEL, Desk.cancel, "cancelling"))
queue.add_command(acting("hold", HOLD, Desk.hold, "on hold"))
queue.add_command(acting("release", RELEASE, Desk.release, "released"))


@queue.command()
@click.argument("ids", type=int, nargs=-1, required=True)
@in_session
def retry(session: Session, ids: tuple[int, ...]) -> None:
    """Ask for tasks again: each becomes a new row, and the old one stays as it is."""
    desk = Desk(session.database)
    for number in ids:
        session.print(f"{desk.retry(number, by=person())}\ta rerun of {number}")


@queue.command()
@click.argument("id", type=int)
@click.option("--plan", "digest", metavar="DIGEST", help="The plan's digest; default: the one that the task shows now.")
@click.option("--adopt", is_flag=True, help="Also overwrite files that are not Slipway's.")
@YES
@NOTE
@in_session
def approve(session: Session, id: int, digest: str | None, adopt: bool, yes: bool, note: str | None) -> None:
    """Let a held task go on, with exactly the plan that it shows."""
    desk = Desk(session.database)
    view = desk.show(id)
    if view.task.state is not State.HELD or view.plan is None:
        raise Failure(f"task {id} is {view.task.state}: only a held task can be approved", Exit.FAILED)
    if digest not in (None, view.plan.digest):
        raise Failure(f"task {id} now has the plan {view.plan.digest}: look at it with 'slipway queue show {id}'", Exit.HELD)
    if not yes:
        print_plan(session, json.loads(view.plan.document))
        session.confirm(f"Let task {id} do this?", yes=yes)
    row = desk.approve(id, view.plan.digest, adopt=adopt, by=person(), note=note)
    session.print(f"{row}\tapproves {id}")
