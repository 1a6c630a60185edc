"""Following tasks until they have ended: the daemon's (--wait), or by an engine that runs here (--now)."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from answers import many, size, task_fields, totals
from cli.exits import Exit, code_of_task, together
from cli.live import Speeds, screen
from cli.plan import print_plan
from cli.session import Session
from cli.words import TASK_TITLES, table, task_row
from database import ABSORBING, FOLLOWING, OPEN_STATES, Action, Desk, Moving, State, Task, TaskView, Underway
from engines import run_engine

PAUSE = 0.2
"""Seconds between looks at the queue."""
LOOKED_AT = 500
"""Tasks looked at each time, by one statement: they end roughly in the order in which they were added."""
PATIENCE = 10.0
"""Seconds without movement after which an engine that runs here gives up, at least: a claim may take a few on a busy machine."""
EXPANDING = frozenset({Action.REPUBLISH, Action.VERIFY, Action.FETCH, Action.EXPORT, Action.SITEMAP})
"""Actions that can make tasks which do what was asked for, and do not merely follow from it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that has ended (or is held), and how."""

    task: Task
    code: Exit
    summary: dict[str, object]

    @classmethod
    def of(cls, view: TaskView) -> "Ended":
        last = view.attempts[-1] if view.attempts else None
        return cls(view.task, code_of_task(view.task, last.error if last else None), dict(last.summary) if last else {})

    def fields(self) -> dict[str, object]:
        """As JSON."""
        return {**task_fields(self.task), "summary": self.summary, "exit": int(self.code)}


def follow(
    session: Session, ids: Sequence[int], *, alive: Callable[[], None] = lambda: None, patience: float | None = None
) -> list[Ended]:
    """Wait until every task has ended or is held; in the order of `ids`.

    `alive` is called between looks and may raise. When nothing ended and, in all, nothing ran for `patience` seconds, the rest is
    left as it is.
    """
    desk, speeds = Desk(session.database), Speeds()
    ended: dict[int, Ended] = {}
    idle = 0.0
    if session.options.lines:
        session.event("plan", {"tasks": list(ids)})
    with screen(session) as picture:
        while pending := [number for number in ids if number not in ended]:
            news, going = look(session, pending[:LOOKED_AT])
            for one in news.values():
                tell(session, one)
            ended |= news
            # What runs may take hours; but what only runs to fail again and again must not keep anybody waiting for ever.
            at_rest = not any(each.task.state is State.RUNNING for each in going)
            idle = 0.0 if news else idle + PAUSE * at_rest
            if patience is not None and idle > patience:
                ended |= {number: given_up(session, desk.show(number)) for number in pending if number not in news}
            picture.show(len(ended), len(ids), speeds.movers(going, time.monotonic()))
            alive()
            if len(ended) < len(ids):
                time.sleep(PAUSE)
    return [ended[number] for number in ids]


def look(session: Session, numbers: Sequence[int]) -> tuple[dict[int, Ended], list[Moving]]:
    """What has ended, by the number that was asked for; and what goes on, a superseded task's successor in its place.

    Raises NoSuchTask for a task that is not there any more.
    """
    desk, going = Desk(session.database), list[Moving]()
    found = {each.task.id: each for each in Underway(session.database).of(numbers)}
    ended: dict[int, Ended] = {}
    for number in numbers:
        if number in found and goes_on(found[number].task):
            going.append(found[number])
            continue
        view = final(desk, desk.show(number))
        if goes_on(view.task):
            going.append(Moving(view.task, view.progress))
        else:
            ended[number] = Ended.of(view)
    return ended, going


def final(desk: Desk, view: TaskView) -> TaskView:
    """The view of a task; of a superseded one, that of its successor."""
    if view.task.state is not State.SUPERSEDED:
        return view
    newest = successor(desk, view.task)
    return final(desk, desk.show(newest.id)) if newest else view


def goes_on(task: Task) -> bool:
    """Whether waiting for it makes sense: a held task waits for a person."""
    return task.state in OPEN_STATES - {State.HELD}


def successor(desk: Desk, task: Task) -> Task | None:
    """The task that took the place of this one: the next newer one of its module that was not itself superseded."""
    later = [one for one in desk.find(url=task.url, environment=task.environment, limit=50) if one.id > task.id]
    fit = [one for one in later if one.target == task.target and one.action in ABSORBING and one.state is not State.SUPERSEDED]
    return min(fit, key=lambda one: one.id, default=None)


def follow_all(
    session: Session,
    ids: Sequence[int],
    *,
    everything: bool = False,
    alive: Callable[[], None] = lambda: None,
    patience: float | None = None,
) -> list[Ended]:
    """Follow tasks and, of those that stand for many (REPUBLISH, VERIFY of everything), the many.

    `everything`: also what follows from each, deliveries and dependents, and what follows from that.
    """
    desk = Desk(session.database)
    ended: dict[int, Ended] = {}
    wanted = list(ids)
    while wanted:
        found = follow(session, wanted, alive=alive, patience=patience)
        ended |= {one.task.id: one for one in found}
        parents = [one.task.id for one in found if everything or one.task.action in EXPANDING]
        children = [child for parent in parents for child in desk.children(parent)]
        wanted = sorted({child.id for child in children if everything or child.action not in FOLLOWING} - ended.keys())
    return list(ended.values())


def tell(session: Session, ended: Ended) -> None:
    """One line for each task that ended, if it failed or if -v asked for more; for scripts, an event for each."""
    task = ended.task
    if session.options.lines:
        session.event("item", {"task": ended.fields()})
    if ended.code is not Exit.OK:
        session.say(f"{task.environment} {task.url}: {task.state}, {task.reason}")
    elif session.options.verbosity:
        session.say(f"{task.environment} {task.url}: {happened(ended)}")


def given_up(session: Session, view: TaskView) -> Ended:
    """A task that is left to the queue: what keeps it waiting is said."""
    left = Ended.of(view)
    tell(session, left)
    return left


def happened(one: Ended) -> str:
    """What became of a task, in words: what it moved, if it moves anything."""
    if one.code is Exit.OK and "put" in one.summary:
        return moves(totals([one.summary]))
    return one.task.reason or ""


def moves(counts: Mapping[str, int]) -> str:
    """What was put and dropped, in words."""
    put, drop = counts.get("put", 0), counts.get("drop", 0)
    if not put and not drop:
        return "nothing had to move"
    return f"{many(put, 'file')} put ({size(counts.get('bytes', 0))}), {drop} dropped"


def follow_here(session: Session, environment: str, ids: Sequence[int]) -> list[Ended]:
    """Run the engine in this process until the tasks have ended, or wait for something that does not come soon."""
    stop = threading.Event()
    failure: list[BaseException] = []

    def engine() -> None:
        try:
            while not stop.is_set():
                run_engine(session.settings, environment, until_idle=False, stop=stop, secrets=session.secrets)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            failure.append(error)

    def alive() -> None:
        if failure:
            raise failure[0]

    thread = threading.Thread(target=engine, name=f"engine {environment}")
    thread.start()
    try:
        return follow_all(session, ids, everything=True, alive=alive, patience=max(PATIENCE, session.settings.engine.linger))
    finally:
        stop.set()
        thread.join()


def conclude(session: Session, ended: Sequence[Ended], *, as_json: bool) -> Exit:
    """Report on the tasks and give the exit code that belongs to them."""
    code = together([one.code for one in ended])
    if as_json:
        session.document(
            sums(ended, code) if session.options.lines else {"tasks": [one.fields() for one in ended], "exit": int(code)}
        )
        return code
    rehearsals = [one for one in ended if one.summary.get("dry_run")]
    for one in rehearsals:
        print_rehearsal(session, one)
    rows = [(*task_row(one.task), happened(one)) for one in ended if one not in rehearsals]
    table(session, [*TASK_TITLES, "what happened"], rows)
    return code


def sums(ended: Sequence[Ended], code: Exit) -> dict[str, object]:
    """What many tasks came to: the last event."""
    done = sum(1 for one in ended if one.code is Exit.OK)
    counts = totals([one.summary for one in ended])
    moved = {name: counts.get(name, 0) for name in ("put", "keep", "drop", "bytes")}
    dry_run = any(one.summary.get("dry_run") for one in ended)
    return {"tasks": len(ended), "done": done, "not_done": len(ended) - done, "dry_run": dry_run, **moved, "exit": int(code)}


def print_rehearsal(session: Session, one: Ended) -> None:
    """What a dry run found: its plan, or the modules that it would have published."""
    plan, urls = one.summary.get("plan"), one.summary.get("urls")
    if isinstance(plan, Mapping):
        print_plan(session, plan)
    for url in urls if isinstance(urls, list) else ():
        session.print(str(url))
    passes = one.summary.get("passes")
    for number, each in enumerate(passes if isinstance(passes, list) else (), 1):
        session.say(f"pass {number}: {many(each['modules'], 'module')} ({', '.join(each['types'])})")
    session.say(one.task.reason or "")
