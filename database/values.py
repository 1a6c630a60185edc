"""What the database's verbs take and give. All times are aware datetimes in UTC, by the database's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from database.actions import Action
from packageslip import Digest


class State(StrEnum):
    """Where a task is in its life."""

    NEW = "NEW"
    READY = "READY"
    RUNNING = "RUNNING"
    HELD = "HELD"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    SUPERSEDED = "SUPERSEDED"


OPEN_STATES = frozenset({State.NEW, State.READY, State.RUNNING, State.HELD})


@dataclass(frozen=True, slots=True)
class NewTask:
    """A row to insert, as a person, a schedule or an engine asks for it.

    `target`, `version`, `batch` and `generation` are set by engines only.
    """

    url: str
    environment: str
    action: Action | str | None = None
    priority: int = 100
    run_after: datetime | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    requested_by: str | None = None
    note: str | None = None
    hold: bool = False
    max_attempts: int | None = None
    target: str | None = None
    version: Digest | None = None
    batch: int | None = None
    generation: int = 0
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One claimed or listed row."""

    id: int
    url: str
    environment: str
    action: str
    state: State
    target: str | None = None
    version: Digest | None = None
    """The version the task is bound to (promotion, DELIVER); None: what the source has."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 100
    run_after: datetime | None = None
    reason: str | None = None
    requested_by: str | None = None
    note: str | None = None
    hold: bool = False
    cancel_requested: bool = False
    batch: int | None = None
    generation: int = 0
    parent: int | None = None
    fence: int = 0
    serial: int = 0
    attempts: int = 0
    max_attempts: int = 0
    losses: int = 0
    approved_plan: str | None = None
    """The digest (hex) of the plan that a person approved."""
    adopt: bool = False
    """The approval allows to overwrite strangers' files."""
    cursor: str | None = None
    """How far an expanding task (REPUBLISH, VERIFY of everything) has come: the last URL done."""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    sealed: bool = True
    """Whether its module may have a seal on its target; False: it had none when the task was claimed."""


class Outcome(StrEnum):
    """How an attempt ended, as the engine reports it."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """A person must act."""
    RETRY = "RETRY"
    """For the moment; spends an attempt, FAILED when they are used up."""
    UNREACHABLE = "UNREACHABLE"
    """The target or source (`breaker`) is down: opens its breaker, READY again, spends no attempt."""
    HELD = "HELD"
    """A guard wants a person."""
    CANCELLED = "CANCELLED"
    RELEASED = "RELEASED"
    """Given back unharmed (the engine stops): READY again, spends no attempt."""

    @property
    def again(self) -> bool:
        """Whether the task is to be tried again."""
        return self in {Outcome.RETRY, Outcome.UNREACHABLE, Outcome.RELEASED}


class Document(NamedTuple):
    """A slip as the record keeps it: the SHA-256 of its XML, and the XML compressed by zlib."""

    digest: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Published:
    """A module became live (`document`: the slip as on the target) or went (`document` is None)."""

    target: str
    url: str
    serial: int
    version: Digest | None = None
    document: Document | None = None
    """The slip as it lies on the target (`pack` makes it)."""
    module_type: str | None = None
    title: str | None = None
    module_state: str | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """What an attempt left behind that made a module what its source has: by it, it is told later whether anybody touched it."""

    target: str
    url: str
    version: Digest
    serial: int
    """Of the publication that it is the seal of."""
    source: str
    seen: str
    """The source's document, as `Source.seen` names it."""
    mark: str
    """What lies on the target, as `Target.mark` names it."""
    files: int


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """What a person is asked to approve."""

    digest: str
    """Hex; APPROVE names it."""
    document: str
    """The plan as JSON, for `queue show`."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to. Everything in it is written in one transaction, guarded by the fence."""

    task: int
    fence: int
    outcome: Outcome
    reason: str
    error: str | None = None
    """The error's class name, for statistics and breakers."""
    retry_after: float | None = None
    """Seconds that the other side asked for; at least this long is waited."""
    breaker: str | None = None
    """With UNREACHABLE: the target's name or "source:NAME"."""
    published: tuple[Published, ...] = ()
    """In the order they happened: a recovered release first."""
    new_tasks: tuple[NewTask, ...] = ()
    """DELIVERs, dependents, holding areas' UNPUBLISHes."""
    seal: Seal | None = None
    """Takes the place of the module's seal."""
    plan: HeldPlan | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    """Counts and durations: put, kept, dropped, bytes, fetched, ..."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One registered engine process."""

    start: str
    """New at each start (UUID hex); what the rows name."""
    environment: str
    host: str
    boot: str
    pid: int
    began: int = 0
    """When the process began, in clock ticks since the boot; 0: not noted."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """The answer to a heartbeat."""

    cancelled: frozenset[int] = frozenset()
    """Running tasks of this engine that somebody asked to cancel."""
    drained: bool = False
    """The engine is to leave as soon as it has nothing left to do."""
    fence: int = 0
    """The newest fence that the database knows to have given out."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One look at the queue.

    `due`: environments with something that may be claimable; `engines`: how many are up, by environment.
    """

    now: datetime
    intake: bool = False
    cancel: bool = False
    dead: bool = False
    takedowns: bool = False
    """A takedown is open: `Intake.settle_takedowns` says how far it is."""
    unsealed: bool = False
    """Whether the audit log has rows that are not chained yet."""
    due: frozenset[str] = frozenset()
    engines: Mapping[str, int] = field(default_factory=dict)
    fence: int = 0
    """The newest fence that was given out."""
    stopped: str | None = None
    """Why nothing may be claimed, whatever is due."""


@dataclass(frozen=True, slots=True)
class Publication:
    """The record that a module was live on a target, from `since` to `until` (None: it is)."""

    id: int
    target: str
    url: str
    version: Digest | None
    serial: int
    task: int | None
    since: datetime
    until: datetime | None = None
    module_type: str | None = None
    title: str | None = None
    module_state: str | None = None


@dataclass(frozen=True, slots=True)
class Takedown:
    """A module (with `below`: and those below it) that must not be published until it is lifted. `by`, `why`: as the row said."""

    id: int
    url: str
    below: bool
    task: int
    since: datetime
    by: str | None = None
    why: str | None = None
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    def covers(self, url: str) -> bool:
        """Whether it stands against publishing this module."""
        return url == self.url or (self.below and url.startswith(self.url.rstrip("/") + "/"))

    def sentence(self, url: str) -> str:
        """Why the module is not published."""
        by = f" by {self.by}" if self.by else ""
        why = f" ({self.why.rstrip('. ')})" if self.why else ""
        with_it = "" if url == self.url else f", with {self.url},"
        return (
            f"{url} was taken down{with_it} on {self.since:%Y-%m-%d %H:%M} UTC{by}{why}: it is not published before "
            f"'slipway takedown {self.url} --lift'"
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a task. `outcome` is None while it runs; LOST when its engine died."""

    task: int
    number: int
    fence: int
    engine: str
    host: str
    claimed_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    error: str | None = None
    reason: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a task, never changed afterwards."""

    id: int
    task: int
    at: datetime
    state: str
    reason: str | None = None
    fence: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running task is. `step` is a word such as load, plan, transfer, commit."""

    task: int
    step: str
    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    at: datetime | None = None
    seconds: float = 0.0
    """How long the step has taken so far."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether a target or source is left alone for now."""

    name: str
    open: bool
    reason: str | None = None
    since: datetime | None = None
    probe_at: datetime | None = None
    failures: int = 0
