"""Trends, schedules, targets, the audit log, and what went wrong."""

from typing import Any

from pydantic import Field

from console.api.things.modules import Publication
from console.api.things.thing import Id, Moment, Thing
from console.api.things.work import Breaker, Task
from database import Action


class Chart(Thing):
    name: str
    title: str
    unit: str
    lines: dict[str, list[float | None]] = Field(description="One number for each bucket.")


class Trends(Thing):
    window: str
    environment: str | None
    span: str
    reached: Moment | None
    buckets: list[int] = Field(description="Seconds since the epoch.")
    charts: list[Chart]


class Schedule(Thing):
    name: str
    cron: str
    zone: str
    environment: str
    action: Action
    url: str
    parameters: dict[str, Any]
    priority: int
    catch_up: Any
    last_fired: Moment | None
    last_task: Task | None
    next: Moment | None


class Schedules(Thing):
    schedules: list[Schedule]


class Newest(Publication):
    url: str


class Drifted(Thing):
    url: str
    task: int
    at: Moment
    reason: str | None


class Room(Thing):
    free: int = Field(description="Bytes; of a group, on its fullest member.")
    at: Moment


class Target(Thing):
    name: str
    kind: str
    where: str
    serves: list[str]
    breaker: Breaker | None
    newest: Newest | None
    contact: Moment | None = Field(description="When a task was there last and found what it came for.")
    room: Room | None = Field(description="What an engine saw when it last changed something there; null: it cannot be known so.")
    verified: Moment | None
    drifted: list[Drifted]


class Targets(Thing):
    targets: list[Target]
    breakers: list[Breaker] = Field(description="Of sources, archives and notices that do not answer.")


class Check(Thing):
    outcome: str = Field(description="ok, warning or failure")
    what: str
    remedy: str


class Trial(Thing):
    target: str
    works: bool
    free: int | None = Field(description="Bytes; of a group, those of the fullest member.")
    fault: str | None = Field(description="Why it could not be tried at all.")
    checks: list[Check]


class AuditRow(Thing):
    id: Id
    seq: int | None = Field(description="Null: not chained yet.")
    at: Moment
    kind: str
    who: str | None
    account: str | None
    task: int | None
    fence: int | None
    environment: str | None
    target: str | None
    url: str | None
    document: dict[str, Any]
    hash: str | None


class Audited(Thing):
    rows: list[AuditRow]
    next: str | None = Field(description="The address of the next page; null: there is none.")


class Fault(Thing):
    """One thing that is wrong with what was sent."""

    field: str
    message: str
    part: str = Field(alias="in", description="query or body")


class Problem(Thing):
    """Why not, for a person: RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = Field(default_factory=list)
