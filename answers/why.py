"""Why is this not live? For each environment: what is live, since when, and everything that stands in the way of what waits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from answers.address import unlisted
from answers.fields import attempt_fields, breaker_fields, deposit_fields, publication_fields, task_fields
from answers.standing import WORKS, engine_words, standing, standing_words
from answers.takedowns import Down, takedowns
from answers.words import at, when
from config import EnvironmentSettings, Settings
from database import (
    OPEN_STATES,
    SOURCELESS,
    Action,
    Breaker,
    Database,
    Deposit,
    Deposits,
    DepositState,
    Desk,
    Intake,
    Publication,
    Record,
    State,
    Task,
    TaskView,
)
from tasks import needs

LOOKED_BACK = 20
"""Tasks of the module that are looked at in each environment, the newest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one environment has to say about a module."""

    environment: str
    state: str
    """works, paused, draining or drained."""
    engines: int
    """How many are up."""
    start: str
    """Who starts them: auto, or manual."""
    live: tuple[tuple[str, Publication | None], ...]
    """Each target and what is live there."""
    open: tuple[TaskView, ...]
    failed: TaskView | None
    """The newest task, if it ended badly after what is live."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """The whole answer."""

    url: str
    findings: tuple[Finding, ...]
    takedowns: tuple[Down, ...]
    deposits: tuple[Deposit, ...]
    breakers: tuple[Breaker, ...]
    """Those that are open, whether the module needs them or not."""
    now: datetime
    """When that was so."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What can keep any task waiting, as it is now."""

    now: datetime
    pauses: Mapping[str, bool]
    breakers: tuple[Breaker, ...]
    engines: Mapping[str, int]

    @classmethod
    def of(cls, database: Database) -> "Conditions":
        desk, poll = Desk(database), Intake(database).poll()
        return cls(poll.now, desk.pauses(), tuple(each for each in desk.breakers() if each.open), poll.engines)

    def standing(self, environment: str) -> str:
        """Whether it works, is paused, draining or drained."""
        return standing(self.pauses.get(environment), self.engines.get(environment, 0))


def why(database: Database, settings: Settings, url: str, page: str = "") -> Why:
    """Everything that is known of a module's way to the public. `page`: what somebody misses, by its path in the module."""
    conditions = Conditions.of(database)
    return Why(
        url,
        tuple(find(database, name, each, url, conditions, page) for name, each in settings.environments.items()),
        tuple(down for down in takedowns(database) if down.takedown.covers(url)),
        tuple(Deposits(database).history(url)),
        conditions.breakers,
        conditions.now,
    )


def find(
    database: Database, name: str, settings: EnvironmentSettings, url: str, conditions: Conditions, page: str = ""
) -> Finding:
    """What one environment has to say."""
    desk, record = Desk(database), Record(database)
    live = tuple(live_on(record, settings, url))
    tasks = desk.find(environment=name, url=url, limit=LOOKED_BACK)
    # What each made is not asked for: of a republish it would be a thousand rows.
    waiting = tuple(desk.show(task.id, children=0) for task in tasks if task.state in OPEN_STATES)
    bad = newest_failure(tasks, settings.origin)
    failed = desk.show(bad.id, children=0) if bad else None
    reasons = [reason for view in waiting for reason in standing_in_the_way(settings, view, conditions)]
    missed = unlisted(record, settings.origin, url, page)
    state, engines = conditions.standing(name), conditions.engines.get(name, 0)
    return Finding(name, state, engines, settings.start, live, waiting, failed, (*missed, *reasons, *untold(tasks)))


def live_on(record: Record, settings: EnvironmentSettings, url: str) -> Iterator[tuple[str, Publication | None]]:
    """The origin, and each holding area that has the module or should have it."""
    origin = record.current(settings.origin, url)
    yield settings.origin, origin
    for area in settings.holding_areas:
        held = record.current(area.target, url)
        if held or (origin and area.modules.takes(url, origin.module_type)):
            yield area.target, held


def newest_failure(tasks: Sequence[Task], origin: str) -> Task | None:
    """The newest finished task on the origin, if it did not end well."""
    finished = [task for task in tasks if task.state not in OPEN_STATES | {State.SUPERSEDED, State.CANCELLED}]
    newest = next((task for task in finished if task.target in (None, origin)), None)
    return newest if newest and newest.state is not State.SUCCEEDED else None


def standing_in_the_way(settings: EnvironmentSettings, view: TaskView, conditions: Conditions) -> Iterator[str]:
    """Every reason for which a task is not done yet."""
    task, name = view.task, f"task {view.task.id}"
    if task.state is State.HELD:
        yield f"{name} is held: {task.reason}; let it go on with 'slipway queue approve {task.id}'"
    if task.cancel_requested:
        yield f"{name} is being cancelled"
    if task.hold:
        yield f"{name} is on hold; 'slipway queue release {task.id}' lets it go on"
    if task.state is State.RUNNING:
        yield f"{name} is running: {_progress_words(view)}"
    if task.state in (State.NEW, State.READY):
        yield from _waiting_for(settings, task, conditions)


def untold(tasks: Sequence[Task]) -> Iterator[str]:
    """The notices whose newest word about the module did not arrive: caches may still show what was there before."""
    newest = {task.target: task for task in reversed(tasks) if task.action == Action.NOTIFY}
    for target, task in sorted(newest.items(), key=lambda item: item[1].id):
        if task.state is State.FAILED:
            yield f"{target} was not told (task {task.id}), what it shows may be old: {task.reason}"


def _progress_words(view: TaskView) -> str:
    progress = view.progress
    return f"{progress.step}, {progress.files_done} of {progress.files_total} files" if progress else "just started"


def _waiting_for(settings: EnvironmentSettings, task: Task, conditions: Conditions) -> Iterator[str]:
    name = f"task {task.id}"
    if task.run_after and task.run_after > conditions.now:
        again = f": {task.reason}" if task.attempts and task.reason else ""
        yield f"{name} waits until {at(task.run_after, conditions.now)}{again}"
    state = conditions.standing(task.environment)
    held_up = state != WORKS and not _of_takedown(task)
    if held_up:
        yield f"{name} waits because {standing_words(task.environment, state)}"
    for breaker in _closed_to(settings, task, conditions):
        yield f"{name} waits for {_silent(breaker, 'which has', conditions.now)}"
    if not held_up and not conditions.engines.get(task.environment):
        yield f"{name} waits for an engine of {task.environment}: {engine_words(task.environment, settings)}"
    if task.generation and task.batch:
        yield f"{name} follows batch {task.batch}: it runs when that batch's other tasks are done"


def _of_takedown(task: Task) -> bool:
    """Whether no pause holds it up: a takedown, or the word of one to a cache."""
    return task.action == Action.TAKEDOWN or (task.action == Action.NOTIFY and bool(task.parameters.get("hard")))


def _closed_to(settings: EnvironmentSettings, task: Task, conditions: Conditions) -> list[Breaker]:
    target = task.target or settings.origin
    if task.action == Action.TAKEDOWN:
        return []
    wanted = {target, *(() if task.action in SOURCELESS else needs(settings, target))}
    return [breaker for breaker in conditions.breakers if breaker.name in wanted]


def _silent(breaker: Breaker, has: str, now: datetime) -> str:
    comma = "," if has.startswith("which") else ""
    return f"{breaker.name}{comma} {has} not answered since {at(breaker.since, now)}: {breaker.reason}"


def why_lines(answer: Why) -> Iterator[str]:
    """The answer in sentences, as the command prints it."""
    for down in answer.takedowns:
        yield f"{down.takedown.sentence(answer.url)} (task {down.takedown.task}: {down.how_far})"
    for finding in answer.findings:
        yield from _finding_lines(finding, answer.now)
    for deposit in answer.deposits:
        yield deposit_words(deposit, answer.now)
    for breaker in answer.breakers:
        yield _silent(breaker, "has", answer.now)


def _finding_lines(finding: Finding, now: datetime) -> Iterator[str]:
    for target, live in finding.live:
        yield f"{finding.environment} ({target}): {_live_words(live, now)}"
    for reason in finding.reasons:
        yield f"  {reason}"
    if finding.failed:
        yield f"  {failure_words(finding.failed.task, now)}"


def failure_words(task: Task, now: datetime) -> str:
    """The newest task that ended badly."""
    return f"the newest task that ended, {task.id}, is {task.state} since {at(task.finished_at, now)}: {task.reason}"


def _live_words(live: Publication | None, now: datetime) -> str:
    """What is live on a target, in a few words."""
    if live is None:
        return "not published"
    version = live.version.hex()[:12] if live.version else "unknown"
    return f"live since {at(live.since, now)}, version {version}, " + (f"from task {live.task}" if live.task else "adopted")


def deposit_words(deposit: Deposit, now: datetime) -> str:
    """What an archive has of a module, in a line."""
    told = f", the CMS was told {at(deposit.told_at, now)}" if deposit.told_at else ", the CMS was not told yet"
    states = {
        DepositState.PREPARED: f"package ready since {at(deposit.prepared_at, now)}, not deposited",
        DepositState.SENT: f"sent {at(deposit.sent_at, now)}, and not known whether it arrived",
        DepositState.CONFIRMED: f"deposited {at(deposit.confirmed_at, now)}, handle {deposit.handle}{told}"
        if deposit.handle
        else f"deposited {at(deposit.confirmed_at, now)}, without a handle so far ({deposit.location or deposit.identifier})",
    }
    return f"archive {deposit.archive}: {states[deposit.state]}; version {deposit.version.hex()[:12]}, from task {deposit.task}"


def why_fields(answer: Why) -> dict[str, object]:
    """The answer as JSON."""
    downs = (down.takedown for down in answer.takedowns)
    return {
        "url": answer.url,
        "environments": [finding_fields(finding) for finding in answer.findings],
        "takedowns": [{"url": one.url, "since": when(one.since), "task": one.task, "why": one.why} for one in downs],
        "deposits": [deposit_fields(deposit) for deposit in answer.deposits],
        "breakers": [breaker_fields(one) for one in answer.breakers],
    }


def finding_fields(finding: Finding) -> dict[str, object]:
    """One environment's part of the answer."""
    failed = finding.failed
    return {
        "environment": finding.environment,
        "state": finding.state,
        "engines": finding.engines,
        "start": finding.start,
        "live": {target: publication_fields(live) if live else None for target, live in finding.live},
        "waiting": [task_fields(view.task) for view in finding.open],
        "reasons": list(finding.reasons),
        "failed": {**task_fields(failed.task), "attempts": [attempt_fields(a) for a in failed.attempts]} if failed else None,
    }
