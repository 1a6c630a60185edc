"""The places: what they are, whether they answer, what last went live there, whether they have drifted; and trying one."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from answers.fields import breaker_fields, publication_fields
from answers.words import when
from config import GroupTarget, S3Target, SecretError, Secrets, Settings, SftpTarget, TargetSettings
from database import Attempt, Breaker, Database, Desk, Drift, Publication, Record, Verification, Verifications
from targets import Check, TargetError, open_target


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that were free on a target, and when; of a group, on its fullest member."""

    free: int
    at: datetime


@dataclass(frozen=True, slots=True)
class TargetState:
    """One target. `where`: its address for a person; `serves`: environments that publish to it, and as what."""

    name: str
    kind: str
    where: str
    serves: tuple[str, ...]
    breaker: Breaker | None
    """Open, or None: it answers, as far as anybody tried."""
    newest: Publication | None
    drift: Drift
    room: Room | None = None

    @property
    def contact(self) -> datetime | None:
        """When a task was there last and found what it came for, as far as the record tells."""
        known = [self.newest and self.newest.since, self.drift.last]
        return max((moment for moment in known if moment), default=None)

    @property
    def drifted(self) -> tuple[Verification, ...]:
        """Modules that differ from their slips, as far as it is known."""
        return tuple(one for one in self.drift.drifted if not one.mended)


def targets(database: Database, settings: Settings) -> list[TargetState]:
    """Every target of the configuration, by name."""
    breakers = {each.name: each for each in Desk(database).breakers() if each.open}
    return [_state(database, settings, name, breakers.get(name)) for name in sorted(settings.targets)]


def other_breakers(database: Database, settings: Settings) -> list[Breaker]:
    """What is left alone for now and is no target: sources, archives, notices."""
    return [each for each in Desk(database).breakers() if each.open and each.name not in settings.targets]


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying a target came to. `fault`: why it could not be tried at all."""

    checks: tuple[Check, ...] = ()
    fault: str | None = None

    @property
    def works(self) -> bool:
        """Whether nothing failed."""
        return self.fault is None and all(check.outcome != "failure" for check in self.checks)

    @property
    def free(self) -> int | None:
        """Bytes that were free; of a group, those of the fullest member."""
        return min((check.free for check in self.checks if check.free is not None), default=None)


def try_target(settings: Settings, name: str, secrets: Secrets) -> Trial:
    """Try what publishing needs there, as `slipway target test` does; nothing is left behind. Raises KeyError."""
    try:
        with closing(open_target(name, settings, secrets=secrets)) as target:
            return Trial(tuple(target.probe()))
    except (TargetError, SecretError) as error:
        return Trial(fault=str(error))


def _state(database: Database, settings: Settings, name: str, breaker: Breaker | None) -> TargetState:
    one, drift, record = settings.targets[name], Verifications(database).drift(name), Record(database)
    newest = record.newest(name)
    room = _room(record.attempt(newest)) if newest else None
    return TargetState(name, one.kind, where(one), tuple(_serves(settings, name)), breaker, newest, drift, room)


def _room(attempt: Attempt | None) -> Room | None:
    """What the engine saw when it last changed something there: it looks before each change whether there is room."""
    free = attempt.summary.get("room") if attempt else None
    return Room(free, attempt.started_at or attempt.claimed_at) if attempt and isinstance(free, int) else None


def where(target: TargetSettings) -> str:
    """Its address, for a person."""
    if isinstance(target, GroupTarget):
        return f"all of {', '.join(target.members)}"
    if isinstance(target, SftpTarget):
        return f"{target.user}@{target.host}:{target.root}"
    if isinstance(target, S3Target):
        return f"{target.bucket}/{target.prefix}".rstrip("/")
    return getattr(target, "root", "in memory")


def _serves(settings: Settings, name: str) -> Iterator[str]:
    for environment, each in settings.environments.items():
        if each.origin == name:
            yield f"origin of {environment}"
        if name in {area.target for area in each.holding_areas}:
            yield f"holding area of {environment}"
    for group, target in settings.targets.items():
        if isinstance(target, GroupTarget) and name in target.members:
            yield f"member of {group}"


def check_fields(check: Check) -> dict[str, object]:
    """One line of a test as JSON."""
    return {"outcome": check.outcome, "what": check.what, "remedy": check.remedy}


def trial_fields(trial: Trial) -> dict[str, object]:
    """A trial as JSON."""
    checks = [check_fields(check) for check in trial.checks]
    return {"works": trial.works, "free": trial.free, "fault": trial.fault, "checks": checks}


def target_fields(state: TargetState) -> dict[str, object]:
    """A target as JSON."""
    return {
        "name": state.name,
        "kind": state.kind,
        "where": state.where,
        "serves": list(state.serves),
        "breaker": breaker_fields(state.breaker) if state.breaker else None,
        "newest": {"url": state.newest.url, **publication_fields(state.newest)} if state.newest else None,
        "contact": when(state.contact),
        "room": {"free": state.room.free, "at": when(state.room.at)} if state.room else None,
        "verified": when(state.drift.last),
        "drifted": [{"url": one.url, "task": one.task, "at": when(one.at), "reason": one.reason} for one in state.drifted],
    }
