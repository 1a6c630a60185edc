"""What all workers of an engine share, and what one worker adds: a target and connections of its own."""

import secrets as randomness
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock

import structlog

import archives
import tasks
from config import EnvironmentSettings, Secrets, Settings
from database import (
    Claims,
    Database,
    DatabaseError,
    Deposits,
    Engine,
    Intake,
    Leases,
    Outcome,
    Progress,
    Record,
    Restoration,
    Result,
    Signatures,
    Task,
)
from engines.claim import TaskClaim
from engines.lease import Lease
from engines.room import Room
from notices import Notifier
from sources import Source, Web, open_source
from store import Store
from targets import Fenced, Target, Verdicts, nowhere, open_target
from tasks import NotAsked, Tools, execute, failure, notice_of, views_source

log = structlog.get_logger(__name__)


def no_point(_: str) -> None:
    """Where a test may end the process."""


def _opening() -> Callable[[str, Settings, Secrets], Target]:
    """Opens targets of one engine, of which each connection knows what others found out."""
    verdicts = Verdicts()
    return lambda name, settings, secrets: open_target(name, settings, secrets=secrets, verdicts=verdicts)


@dataclass(frozen=True, slots=True)
class Seams:
    """What a test replaces: how targets are opened, and what happens at the named points of a task."""

    open_target: Callable[[str, Settings, Secrets], Target] = field(default_factory=_opening)
    reached: Callable[[str], None] = no_point


class Sources:
    """One source of each name for all threads, opened when first asked for."""

    def __init__(self, settings: Settings, secrets: Secrets, open_target: Callable[[str], Target]) -> None:
        self._settings, self._secrets, self._open_target = settings, secrets, open_target
        self._opened: dict[str, Source] = {}
        self._lock = Lock()

    def get(self, name: str) -> Source:
        """The source of this name. Raises SecretError, SourceError."""
        with self._lock:
            if name not in self._opened:
                self._opened[name] = open_source(name, self._settings, targets=self._open_target, secrets=self._secrets)
            return self._opened[name]

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            for source in self._opened.values():
                source.close()
            self._opened.clear()


class Targets:
    """One worker's open targets. After an outage they are opened anew."""

    def __init__(self, opening: Callable[[str], Target]) -> None:
        self._opening = opening
        self._opened: dict[str, Target] = {}

    def get(self, name: str) -> Target:
        """The target of this name; it connects at its first call."""
        if name not in self._opened:
            self._opened[name] = self._opening(name)
        return self._opened[name]

    def close(self) -> None:
        """Close them all; the next `get` opens again."""
        for target in self._opened.values():
            # Whatever a broken connection says at its end, the worker goes on.
            with suppress(Exception):
                target.close()
        self._opened.clear()


class Reports:
    """Whom to ask how far each running task is, for the main loop, which writes what is new once in a while.

    Nothing is told of a task that was not there the last time: most end before anybody could read it.
    """

    def __init__(self) -> None:
        self._looks: dict[int, Callable[[], Progress]] = {}
        self._seen: frozenset[int] = frozenset()
        self._taken: dict[int, Progress] = {}
        self._lock = Lock()

    def note(self, task: int, look: Callable[[], Progress]) -> None:
        """The task has come to another step, of which this tells at any moment."""
        with self._lock:
            self._looks[task] = look

    def forget(self, task: int) -> None:
        """The task has ended."""
        with self._lock:
            self._looks.pop(task, None)
            self._taken.pop(task, None)

    def take(self) -> list[Progress]:
        """What is new since the last time."""
        with self._lock:
            now = {task: look() for task, look in self._looks.items() if task in self._seen}
            newest = [progress for task, progress in now.items() if progress != self._taken.get(task)]
            self._seen, self._taken = frozenset(self._looks), now
        return newest


@dataclass(slots=True)
class Workshop:
    """One engine's shared things. `released` says whether the engine wants its tasks back."""

    settings: Settings
    environment: EnvironmentSettings
    secrets: Secrets
    database: Database
    engine: Engine
    lease: Lease
    seams: Seams = field(default_factory=Seams)
    reports: Reports = field(default_factory=Reports)
    room: Room = field(default_factory=Room)
    released: bool = False
    sources: Sources = field(init=False)
    web: Web = field(init=False)
    store: Store = field(init=False)
    leases: Leases = field(init=False)
    claims: Claims = field(init=False)
    record: Record = field(init=False)
    restoration: Restoration = field(init=False)
    compared: set[str] = field(default_factory=set)
    """Targets that know of no later fence than the database."""
    notifier: Notifier = field(init=False)

    def __post_init__(self) -> None:
        self.sources = Sources(self.settings, self.secrets, self.open_target)
        self.web = Web(self.settings.web)
        self.store = Store(self.settings.store.path or self.settings.state_dir / "store")
        self.leases = Leases(self.database)
        self.claims = Claims(self.database, self.settings.retry)
        self.record = Record(self.database)
        self.restoration = Restoration(self.database)
        self.notifier = Notifier(self.settings.notices, self.secrets)

    def get_ready(self) -> None:
        """Read in what the first task will need: the code for SSH alone takes a quarter of a second. What fails, fails then."""
        with suppress(Exception):
            self.open_target(self.environment.origin).close()
            self.sources.get(self.environment.source)
            tasks.get_ready()

    def open_target(self, name: str) -> Target:
        """A target of its own for whoever asks. A lane that only tells somebody works without one, and opens none."""
        if notice_of(name):
            return nowhere(name)
        if name not in self.settings.targets:
            raise NotAsked(f"the target {name} is not configured any more; nothing can be done there")
        return self.seams.open_target(name, self.settings, self.secrets)

    def _live(self, target: str) -> str | None:
        """Some module that is live on a target by the record; None: it knows of none."""
        return next((publication.url for publication in self.record.published(target)), None)

    def _purge(self, days: int) -> int:
        intake, deleted = Intake(self.database), 0
        while some := intake.purge(days):
            deleted += some
        return deleted

    def carry_out(self, task: Task, targets: Targets) -> Result | None:
        """One attempt by one worker; None: nothing may be reported, somebody else has the task or will have it."""
        nonce = partial(randomness.token_hex, 4)
        name = task.target or self.environment.origin
        try:
            queue = self.database.queue_id
        except DatabaseError as error:
            # The first task of an engine asks for it: an error that went further would end the worker, which would hold the task.
            return failure(task, task.fence, error, name)
        claim = TaskClaim(queue, self.engine, task, self.lease, self.leases, nonce, self._live)
        log.info("task started", task=task.id, url=task.url, action=task.action, target=name, fence=task.fence)
        try:
            result = self._attempt(task, claim, name, targets)
        except Fenced as error:
            log.warning("task fenced", task=task.id, url=task.url, target=name, reason=str(error))
            targets.close()
            # With the lease not lost the row is still this engine's: somebody from outside the queue has the module.
            return None if self.lease.lost else Result(task.id, claim.fence, Outcome.RETRY, str(error), error="Fenced")
        finally:
            self.reports.forget(task.id)
        # What a server sends back, its refusal may quote: no row and no page may hold it.
        result = replace(result, reason=self.secrets.masked(result.reason))
        if result.outcome in {Outcome.UNREACHABLE, Outcome.RETRY}:
            targets.close()
        log.info("task ended", task=task.id, url=task.url, outcome=result.outcome.value, reason=result.reason, **_counts(result))
        return result

    def _attempt(self, task: Task, claim: TaskClaim, name: str, targets: Targets) -> Result:
        try:
            target = targets.get(name)
            self._compare(target)
            return execute(task, self._tools(task, claim, target, targets))
        except Fenced:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the task and not the worker, which would hold it for ever
            return failure(task, claim.fence, error, name)

    def _compare(self, target: Target) -> None:
        """Once, before anything is written there: does the target know of later fences? Raises QueueRestored."""
        if target.name not in self.compared:
            self.restoration.compare(target.name, target.highest_fence(self.database.queue_id))
            self.compared.add(target.name)

    def _tools(self, task: Task, claim: TaskClaim, target: Target, targets: Targets) -> Tools:
        return Tools(
            settings=self.settings,
            environment=self.environment,
            source=self.sources.get(self.environment.source),
            views=self.sources.get(views_source(self.environment)),
            target=target,
            open_target=targets.get,
            store=self.store,
            web=self.web,
            record=self.record,
            proofs=Signatures(self.database),
            deposits=Deposits(self.database, self.engine),
            open_archive=lambda archive: archives.open_archive(archive, self.settings, self.secrets),
            notifier=self.notifier,
            claim=claim,
            expand=lambda parent, rows, cursor: self.claims.expand(self.engine, parent, rows, cursor),
            purge=self._purge,
            report=self.reports.note,
            cancelled=lambda: task.id in self.lease.cancelled,
            released=lambda: self.released,
            reached=self.seams.reached,
        )


def _counts(result: Result) -> dict[str, object]:
    return {name: result.summary[name] for name in ("put", "drop", "keep", "fetched", "bytes") if name in result.summary}
