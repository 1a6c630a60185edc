"""What must hold for every history of a queue, judged from its rows alone."""

from collections import Counter
from collections.abc import Iterator, Mapping

from reliability.happenings import EventRow, History, TaskRow, Violation

ENDS = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "REJECTED", "SUPERSEDED"})
OPEN = frozenset({"NEW", "READY", "RUNNING", "HELD"})

MOVES: Mapping[str, frozenset[str]] = {
    "NEW": frozenset({"READY", "REJECTED", "CANCELLED", "SUCCEEDED"}),
    "READY": frozenset({"RUNNING", "CANCELLED", "SUPERSEDED", "SUCCEEDED", "FAILED"}),
    "RUNNING": frozenset({"READY", "SUCCEEDED", "FAILED", "CANCELLED", "HELD", "SUPERSEDED"}),
    "HELD": frozenset({"READY", "CANCELLED"}),
    **dict.fromkeys(ENDS, frozenset[str]()),
}
"""The state machine of the manual. NEW to SUCCEEDED is an APPROVE, which intake itself carries out; READY to
SUCCEEDED or FAILED a TAKEDOWN, which ends with the last of its tasks."""


def lost(history: History) -> Iterator[Violation]:
    """A task that was accepted is there, and is open with a reason or has ended with one."""
    for gone in sorted(history.accepted - history.tasks_by_id.keys()):
        yield Violation("lost", f"task {gone} was accepted and is gone")
    last = {event.task: event for event in history.events}
    for task in history.tasks:
        told = last.get(task.id)
        if task.status != "NEW" and (told is None or told.state != task.status):
            yield Violation("lost", f"task {task.id} is {task.status}, its last event says {told.state if told else 'nothing'}")
        if _needs_reason(task, history) and not (task.reason or (told and told.reason)):
            yield Violation("lost", f"task {task.id} is {task.status} without a reason")
        if task.status == "HELD" and not task.plan:
            yield Violation("lost", f"task {task.id} is HELD without a plan that anybody could approve")
        if history.settled and task.status in OPEN - {"HELD"}:
            yield Violation("lost", f"task {task.id} never ended: it is {task.status} ({task.reason})")


def _needs_reason(task: TaskRow, history: History) -> bool:
    if task.status == "READY":
        return any(attempt.task == task.id and attempt.outcome not in {None, "RETURNED"} for attempt in history.attempts)
    return task.status in ENDS | {"HELD"}


def states(history: History) -> Iterator[Violation]:
    """Every change is one that the state machine has; nothing follows an end."""
    at: dict[int, EventRow] = {}
    for event in history.events:
        before = at.get(event.task)
        state = before.state if before else "NEW"
        if state in ENDS:
            yield Violation("second end", f"task {event.task} was {state} and became {event.state} (event {event.id})")
        elif event.state not in MOVES[state]:
            yield Violation("state", f"task {event.task} went from {state} to {event.state} (event {event.id})")
        at[event.task] = event


def attempts(history: History) -> Iterator[Violation]:
    """Each claim has its attempt and its fence; what runs has one that is open, and nothing else has."""
    for fence, count in Counter(attempt.fence for attempt in history.attempts).items():
        if count > 1:
            yield Violation("fence", f"fence {fence} was given {count} times")
    tries = Counter(attempt.task for attempt in history.attempts)
    claims = Counter(event.task for event in history.events if event.state == "RUNNING")
    for task in sorted({*tries, *claims}):
        if tries[task] != claims[task]:
            yield Violation("attempt", f"task {task} was claimed {claims[task]} times and has {tries[task]} attempts")
    running = {task.id for task in history.tasks if task.status == "RUNNING"}
    still = {attempt.task for attempt in history.attempts if attempt.outcome is None}
    for task in sorted(running ^ still):
        what = "runs without an open attempt" if task in running else "has an open attempt and does not run"
        yield Violation("attempt", f"task {task} {what}")


def overlaps(history: History) -> Iterator[Violation]:
    """One module on one target is in one task's hands at a time, and the fences of those tasks rise."""
    inside: dict[tuple[str | None, str], EventRow] = {}
    highest: dict[tuple[str | None, str], int] = {}
    for event in history.events:
        task = history.tasks_by_id.get(event.task)
        if task is None:
            continue
        module = (task.target, task.url)
        held = inside.get(module)
        if event.state != "RUNNING":
            if held and held.task == event.task:
                del inside[module]
            continue
        if held:
            yield Violation("overlap", f"task {event.task} began in {module} while task {held.task} was at work there")
        if (event.fence or 0) <= highest.get(module, 0):
            yield Violation(
                "overlap", f"task {event.task} began in {module} with fence {event.fence}, not above {highest[module]}"
            )
        inside[module], highest[module] = event, event.fence or 0


def newest_wins(history: History) -> Iterator[Violation]:
    """A task never begins after a newer one of its module has begun, if it waited beside it and was free to run."""
    newest: dict[tuple[str, str | None, str], int] = {}
    ready: dict[int, int] = {}
    excused: set[int] = set(history.deferred)
    for event in history.events:
        task = history.tasks_by_id.get(event.task)
        if task is None or not task.absorbs:
            continue
        if event.state == "HELD":
            excused.add(task.id)
        elif event.state == "READY":
            ready.setdefault(task.id, event.id)
        elif event.state == "RUNNING" and not task.generation:
            module = (task.environment, task.target, task.url)
            newer = newest.get(module)
            waited = newer is not None and ready.get(task.id, event.id) < ready.get(newer, 0)
            if newer is not None and newer > task.id and waited and task.id not in excused:
                yield Violation("newest wins", f"task {task.id} began after the newer task {newer} of {module}")
            newest[module] = max(newer or 0, task.id)


def dependents(history: History) -> Iterator[Violation]:
    """A dependent begins only when the earlier generations of its batch on its target are done."""
    at: dict[int, str] = {}
    batches: dict[int, list[TaskRow]] = {}
    for member in history.tasks:
        if member.batch is not None:
            batches.setdefault(member.batch, []).append(member)
    for event in history.events:
        task = history.tasks_by_id.get(event.task)
        if task and event.state == "RUNNING" and task.generation and task.batch is not None:
            for other in batches[task.batch]:
                before = other.generation < task.generation and other.target == task.target
                if before and at.get(other.id, "ended") in OPEN:
                    yield Violation("dependent", f"task {task.id} began while task {other.id} of its batch was {at[other.id]}")
        at[event.task] = event.state


RULES = (lost, states, attempts, overlaps, newest_wins, dependents)
