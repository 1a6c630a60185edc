"""`slipway why` and `slipway history`: what is live, since when, and what stands in the way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from cli.completing import URL
from cli.deposits import deposit_fields, deposit_words
from cli.flags import AS_JSON
from cli.places import module_url
from cli.queue import attempt_fields
from cli.session import Session, in_session
from cli.takedown import how_far
from cli.words import table, task_fields, when
from config import EnvironmentSettings
from database import OPEN_STATES, SOURCELESS, Action, Breaker, Deposits, Desk, Intake, Publication, Record, State, Task, TaskView
from tasks import needs

LOOKED_BACK = 20
"""Tasks of the module that are looked at in each environment, the newest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one environment has to say about a module."""

    environment: str
    live: tuple[tuple[str, Publication | None], ...]
    """Each target and what is live there."""
    open: tuple[TaskView, ...]
    failed: TaskView | None
    """The newest task, if it ended badly after what is live."""
    reasons: tuple[str, ...]


@click.command()
@click.argument("url", type=URL)
@AS_JSON
@in_session
def why(session: Session, url: str, as_json: bool) -> None:
    """Say, for each environment, what is live, since when and from which task, and what waits, is held or failed, and why."""
    module = module_url(url)
    findings = [find(session, name, settings, module) for name, settings in session.settings.environments.items()]
    down = [one for one in Record(session.database).takedowns() if one.covers(module)]
    breakers = [breaker for breaker in Desk(session.database).breakers() if breaker.open]
    deposits = Deposits(session.database).history(module)
    if as_json:
        session.document(
            {
                "url": module,
                "environments": [finding_fields(finding) for finding in findings],
                "takedowns": [{"url": one.url, "since": when(one.since), "task": one.task, "why": one.why} for one in down],
                "deposits": [deposit_fields(deposit) for deposit in deposits],
                "breakers": [breaker_fields(one) for one in breakers],
            }
        )
        return
    for one in down:
        session.print(f"{one.sentence(module)} (task {one.task}: {how_far(session, one)})")
    for finding in findings:
        print_finding(session, finding)
    for deposit in deposits:
        session.print(deposit_words(deposit))
    for breaker in breakers:
        session.print(f"{breaker.name} does not answer since {when(breaker.since)}: {breaker.reason}")


def find(session: Session, name: str, settings: EnvironmentSettings, url: str) -> Finding:
    desk, record = Desk(session.database), Record(session.database)
    live = tuple(live_on(record, settings, url))
    tasks = desk.find(environment=name, url=url, limit=LOOKED_BACK)
    waiting = tuple(desk.show(task.id) for task in tasks if task.state in OPEN_STATES)
    bad = newest_failure(tasks, settings.origin)
    failed = desk.show(bad.id) if bad else None
    reasons = [reason for view in waiting for reason in standing_in_the_way(session, settings, view)]
    return Finding(name, live, waiting, failed, (*reasons, *untold(tasks)))


def untold(tasks: Sequence[Task]) -> Iterator[str]:
    """The notices whose newest word about the module did not arrive: caches may still show what was there before."""
    newest = {task.target: task for task in reversed(tasks) if task.action == Action.NOTIFY}
    for target, task in sorted(newest.items(), key=lambda item: item[1].id):
        if task.state is State.FAILED:
            yield f"{target} was not told (task {task.id}), what it shows may be old: {task.reason}"


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


def standing_in_the_way(session: Session, settings: EnvironmentSettings, view: TaskView) -> Iterator[str]:
    """Every reason for which a task is not done yet."""
    task, name = view.task, f"task {view.task.id}"
    if task.state is State.HELD:
        yield f"{name} is held: {task.reason}; let it go on with 'slipway queue approve {task.id}'"
    if task.cancel_requested:
        yield f"{name} is being cancelled"
    if task.hold:
        yield f"{name} is on hold; 'slipway queue release {task.id}' lets it go on"
    if task.state is State.RUNNING:
        yield f"{name} is running: {progress_of(view)}"
    if task.state in (State.NEW, State.READY):
        yield from waiting_for(session, settings, view)


def progress_of(view: TaskView) -> str:
    progress = view.progress
    return f"{progress.step}, {progress.files_done} of {progress.files_total} files" if progress else "just started"


def waiting_for(session: Session, settings: EnvironmentSettings, view: TaskView) -> Iterator[str]:
    task, name = view.task, f"task {view.task.id}"
    if task.run_after and task.run_after > datetime.now(UTC):
        again = f" ({task.reason})" if task.attempts and task.reason else ""
        yield f"{name} waits until {when(task.run_after)}{again}"
    if task.environment in Desk(session.database).paused():
        yield f"{name} waits because the environment {task.environment} is paused"
    for breaker in closed_to(session, settings, task):
        yield f"{name} waits for {breaker.name}, which does not answer since {when(breaker.since)}: {breaker.reason}"
    if not Intake(session.database).poll().engines.get(task.environment):
        yield f"{name} waits for an engine of {task.environment}: none is running ('slipway run' starts it)"
    if task.generation and task.batch:
        yield f"{name} follows batch {task.batch}: it runs when that batch's other tasks are done"


def closed_to(session: Session, settings: EnvironmentSettings, task: Task) -> list[Breaker]:
    target = task.target or settings.origin
    wanted = {target, *(() if task.action in SOURCELESS else needs(settings, target))}
    return [breaker for breaker in Desk(session.database).breakers() if breaker.open and breaker.name in wanted]


def print_finding(session: Session, finding: Finding) -> None:
    for target, live in finding.live:
        session.print(f"{finding.environment} ({target}): {live_words(live)}")
    for reason in finding.reasons:
        session.print(f"  {reason}")
    if finding.failed:
        task = finding.failed.task
        session.print(f"  the newest task that ended, {task.id}, is {task.state} since {when(task.finished_at)}: {task.reason}")


def live_words(live: Publication | None) -> str:
    if live is None:
        return "not published"
    version = live.version.hex()[:12] if live.version else "unknown"
    return f"live since {when(live.since)}, version {version}, " + (f"from task {live.task}" if live.task else "adopted")


def publication_fields(publication: Publication) -> dict[str, object]:
    return {
        "target": publication.target,
        "version": publication.version.hex() if publication.version else None,
        "task": publication.task,
        "serial": publication.serial,
        "since": when(publication.since),
        "until": when(publication.until),
        "title": publication.title,
    }


def finding_fields(finding: Finding) -> dict[str, object]:
    failed = finding.failed
    return {
        "environment": finding.environment,
        "live": {target: publication_fields(live) if live else None for target, live in finding.live},
        "waiting": [task_fields(view.task) for view in finding.open],
        "reasons": list(finding.reasons),
        "failed": {**task_fields(failed.task), "attempts": [attempt_fields(a) for a in failed.attempts]} if failed else None,
    }


def breaker_fields(breaker: Breaker) -> dict[str, object]:
    return {
        "name": breaker.name,
        "reason": breaker.reason,
        "since": when(breaker.since),
        "probe_at": when(breaker.probe_at),
        "failures": breaker.failures,
    }


@click.command()
@click.argument("url", type=URL)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many, the newest first.")
@AS_JSON
@in_session
def history(session: Session, url: str, limit: int, as_json: bool) -> None:
    """List a module's publications on every target, the newest first."""
    found = Record(session.database).history(module_url(url), limit)
    if as_json:
        session.document({"url": module_url(url), "publications": [publication_fields(one) for one in found]})
        return
    rows = [
        (one.target, when(one.since), when(one.until) or "live", (one.version or b"").hex()[:12], one.task, one.title)
        for one in found
    ]
    table(session, ["target", "since", "until", "version", "task", "title"], rows)
    if not found:
        session.say("never published")
