"""What a history consists of: rows, logs and sightings as plain values. Whoever checks them never looks inside an engine."""

from collections.abc import Sequence
from dataclasses import dataclass, field

Digest = bytes


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One row of the queue at the end. `plan`: the digest of the plan that waits for a person."""

    id: int
    environment: str
    url: str
    status: str
    target: str | None = None
    action: str = "PUBLISH"
    reason: str | None = None
    absorbs: bool = True
    batch: int | None = None
    generation: int = 0
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try. `outcome` is None while it runs."""

    task: int
    fence: int
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One change of a task's state; the ids are in the order of the changes."""

    id: int
    task: int
    state: str
    reason: str | None = None
    fence: int | None = None


@dataclass(frozen=True, slots=True)
class PublicationRow:
    """A module was live; `open`: it still is."""

    target: str
    url: str
    serial: int
    open: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """One successful rename between a holder's folder and the public tree, in the order of the target's own log.

    `area`: the folder of one queue; numbers of two queues do not compare. `token`: the holder's folder.
    """

    target: str
    area: str
    module: str
    token: str
    path: str

    @property
    def fence(self) -> int:
        """The number in the token."""
        return int(self.token.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Seen:
    """The commit record of a module, as somebody read it; `serial` None: there was none."""

    target: str
    queue: str
    url: str
    serial: int | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a visitor got at a public path: the digest of whole bytes."""

    target: str
    path: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise: which rule, and what was seen."""

    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class History:
    """Everything that happened, from outside. Sequences are in order; those of moves and records by the target's own clock.

    `accepted`: ids that an INSERT was answered with. `deferred`: tasks that were held, cancelled or for later at some
    time, which are out of their module's order. `listed`: what any slip ever listed, as (target, public path, digest).
    `settled`: the queue was left alone until nothing more happened.
    """

    accepted: frozenset[int] = frozenset()
    tasks: Sequence[TaskRow] = ()
    attempts: Sequence[AttemptRow] = ()
    events: Sequence[EventRow] = ()
    publications: Sequence[PublicationRow] = ()
    moves: Sequence[Move] = ()
    records: Sequence[Seen] = ()
    sightings: Sequence[Sighting] = ()
    listed: frozenset[tuple[str, str, Digest]] = frozenset()
    deferred: frozenset[int] = frozenset()
    settled: bool = False
    tasks_by_id: dict[int, TaskRow] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks_by_id", {task.id: task for task in self.tasks})
