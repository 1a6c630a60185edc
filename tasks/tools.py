"""What a task works with. The engine makes one bundle for each task; tests make their own."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from config import EnvironmentSettings, GroupTarget, Settings
from database import NOTICE, Deposit, NewTask, Parcel, Progress, Publication, Seal, Takedown, Task
from packageslip import Digest, Packageslip, Seen
from sources import Source, Web
from store import Store
from targets import Claim, Target
from tasks.errors import Cancelled, Released

if TYPE_CHECKING:
    from archives import Sword


class Record(Protocol):
    """What the database remembers of publications; `database.Record` is one."""

    def current(self, target: str, url: str) -> Publication | None: ...

    def slip(self, target: str, url: str, version: Digest | None = None) -> Packageslip | None: ...

    def seal(self, target: str, url: str) -> Seal | None: ...

    def live(self, url: str) -> Sequence[Publication]: ...

    def history(self, url: str, limit: int = 20, target: str | None = None) -> Sequence[Publication]: ...

    def takedowns(self) -> Sequence[Takedown]: ...

    def below(self, target: str, url: str) -> Sequence[str]: ...

    def published(self, target: str) -> Iterator[Publication]: ...

    def gone(self, target: str) -> Iterator[Publication]: ...

    def keep(self, publications: int) -> Iterator[Digest]: ...


class Deposited(Protocol):
    """What the database remembers of deposits; `database.Deposits` is one. What changes one raises LeaseLost."""

    def current(self, url: str, archive: str | None = None) -> Deposit | None: ...

    def prepare(self, task: Task, fence: int, parcel: Parcel) -> Deposit: ...

    def send(self, task: Task, fence: int, deposit: int) -> Deposit: ...

    def unsend(self, task: Task, fence: int, deposit: int) -> Deposit: ...

    def confirm(
        self,
        task: Task,
        fence: int,
        deposit: int,
        *,
        location: str | None,
        handle: str | None,
        receipt: bytes | None,
        since: datetime | None = None,
    ) -> Deposit: ...

    def told(self, task: Task, fence: int, deposit: int) -> Deposit: ...


class Proofs(Protocol):
    """What the database remembers of signed slips; `database.Signatures` is one."""

    def now(self) -> datetime: ...

    def seen(self, environment: str, url: str) -> Seen | None: ...

    def believe(self, environment: str, url: str, seen: Seen | None) -> None: ...


class Notifies(Protocol):
    """Who sends notices; `notices.Notifier` is one."""

    def send(self, name: str, order: Mapping[str, Any], pause: Callable[[], None]) -> str: ...


def _nothing(point: str) -> None:
    """Where a test may end the process; the real engine goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """One worker's own target and connections, and the engine's shared source, store and record."""

    settings: Settings
    environment: EnvironmentSettings
    source: Source
    views: Source
    target: Target
    open_target: Callable[[str], Target]
    """Another target, of this worker; the worker closes it."""
    store: Store
    web: Web
    """Pages that no source has."""
    record: Record
    proofs: Proofs
    deposits: Deposited
    open_archive: "Callable[[str], Sword]"
    """An archive, by its name, with its account."""
    notifier: Notifies
    claim: Claim
    expand: Callable[[Task, Sequence[NewTask], str], None]
    """Insert a chunk of new tasks and the cursor, in one transaction."""
    purge: Callable[[int], int]
    """Delete the rows of tasks that ended more than so many days ago; how many."""
    report: Callable[[int, Callable[[], Progress]], None]
    """Tell whom to ask, from any thread, how far this task is."""
    cancelled: Callable[[], bool]
    released: Callable[[], bool]
    """Whether the engine wants its tasks back now."""
    clock: Callable[[], float] = time.monotonic
    reached: Callable[[str], None] = _nothing
    """Called at named points: loading, staging, prepared, switched, finishing; and those of RETIRE and SNAPSHOT."""

    def pause_point(self) -> None:
        """Between steps, while nothing is visible yet: go on, or end here.

        Raises Fenced, Cancelled, Released.
        """
        self.claim.check()
        if self.cancelled():
            raise Cancelled("it was cancelled before anything became visible")
        if self.released():
            raise Released("the engine stops; nothing was changed, another engine takes it")


def notice_of(target: str) -> str | None:
    """The notice that a lane tells; None for a lane that writes to a target."""
    return target.removeprefix(NOTICE) if target.startswith(NOTICE) else None


def promoted_from(environment: EnvironmentSettings) -> str | None:
    """The target that the environment publishes from, if its source is one."""
    kind, _, name = environment.source.partition(":")
    return name if kind == "target" else None


def views_source(environment: EnvironmentSettings) -> str:
    """The name of the source that feeds and JSON views come from."""
    return environment.views or environment.source


def needs(environment: EnvironmentSettings, target: str) -> tuple[str, ...]:
    """Breakers, beside the target's own, that must be closed for tasks of this environment on this target.

    A holding area needs none: what it gets is in the content store, as a rule. Exports are asked from the source of views.
    """
    exporting = environment.exports is not None and target == environment.exports.target
    if target != environment.origin and not exporting:
        return ()
    names = {views_source(environment)} if exporting else {environment.source, views_source(environment)}
    needed = [name.removeprefix("target:") if name.startswith("target:") else f"source:{name}" for name in names]
    archive = environment.retire.archive if environment.retire and not exporting else None
    return tuple(sorted([*needed, *([f"archive:{archive}"] if archive else [])]))


def breakers(settings: Settings, environment: EnvironmentSettings, target: str) -> Mapping[str, str]:
    """What may be down to the breaker that its outage opens: an outage of a member is one of its group."""
    return {name: name for name in needs(environment, target)} | dict.fromkeys([target, *members(settings, target)], target)


def members(settings: Settings, target: str) -> tuple[str, ...]:
    """The targets that a group consists of; none for every other kind."""
    kind = settings.targets.get(target)
    return kind.members if isinstance(kind, GroupTarget) else ()


def needed_members(settings: Settings, target: str) -> int:
    """How many members of a group must be ready: its quorum, or all."""
    kind = settings.targets[target]
    return (kind.quorum or len(kind.members)) if isinstance(kind, GroupTarget) else 0
