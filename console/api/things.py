"""What the API gives, as pydantic models: every answer is checked against them before it goes, and the document is made of them.

A field is never taken away and keeps its meaning; new ones may come.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from database import Action, State

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, UTC.")]
Version = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The digest over a slip's resources.")]
Count = Annotated[int, Field(ge=0)]
Id = Annotated[int, Field(ge=1)]


class Thing(BaseModel):
    """Something that is given. What `answers` has and this has not is a mistake of ours, and found by the tests."""

    model_config = ConfigDict(extra="forbid")


class Progress(Thing):
    step: str
    files_done: Count
    files_total: Count
    bytes_done: Count
    bytes_total: Count
    at: Moment | None
    seconds: float = Field(description="How long this step has run.")


class Task(Thing):
    id: Id
    url: str = Field(description="The module; of a row that people wrote, whatever they wrote.")
    environment: str
    action: str
    state: State
    target: str | None
    version: Version | None = Field(description="What it is bound to; null: what the source has.")
    priority: int
    reason: str | None
    requested_by: str | None
    note: str | None
    hold: bool
    cancel_requested: bool = Field(description="Cancelling, until the state says CANCELLED.")
    attempts: Count
    parameters: dict[str, Any]
    batch: int | None
    parent: int | None
    run_after: Moment | None
    created_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None


class Attempt(Thing):
    number: int
    fence: int
    engine: str
    host: str
    claimed_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    outcome: str | None = Field(description="Null while it runs; LOST when its engine died.")
    error: str | None
    reason: str | None
    summary: dict[str, Any]


class Event(Thing):
    at: Moment
    state: str
    reason: str | None
    fence: int | None


class Whole(Thing):
    """A task with everything about it."""

    task: Task
    attempts: list[Attempt]
    events: list[Event]
    progress: Progress | None
    plan: dict[str, Any] | None = Field(description="What waits for an approval; `digest` is what the approval names.")
    children: list[Task] = Field(description="The first 100 that it made, failed and running ones first; /tasks?batch= has all.")
    offspring: dict[str, int] = Field(description="How many it made, by state; counted up to 10,000.")
    changes: dict[str, Any] | None = Field(
        description="What the task will change, would change or changed, by file and added up."
    )


class Tasks(Thing):
    tasks: list[Task]
    unsorted: bool = Field(description="There are too many for the order that was asked for; the newest come first.")
    next: str | None = Field(description="The address of the next page; null: there is none.")


class OneTask(Thing):
    task: Task


class Batch(Thing):
    done: Count
    left: dict[str, int] = Field(
        description="How many were left as they are, by state; with the action where it is not tried again, or takes an approver."
    )
    made: list[int] = Field(description="The new tasks of a retry.")


class Breaker(Thing):
    name: str
    reason: str | None
    since: Moment | None
    probe_at: Moment | None
    failures: Count


class Running(Thing):
    task: Id
    url: str
    action: str
    target: str | None
    started_at: Moment | None
    cancel_requested: bool
    progress: Progress | None
    files_per_second: float | None
    bytes_per_second: float | None
    seconds_left: float | None


class Engine(Thing):
    start: str
    host: str
    pid: int
    version: str
    since: Moment
    lease_until: Moment
    tasks: list[Running]


class Environment(Thing):
    name: str
    state: str = Field(description="works, paused, draining or drained")
    start: str
    engines: list[Engine]
    new: Count
    due: Count
    later: Count
    on_hold: Count
    running: Count
    held: Count
    counted_to: Count = Field(description="A count that is this number means: so many or more.")
    oldest_due: Moment | None
    breakers: list[Breaker]
    last_success: Task | None
    last_failure: Task | None


class Overview(Thing):
    environments: list[Environment]


class Hastened(Thing):
    environment: str
    tasks: Count


class Publication(Thing):
    id: Id
    target: str
    version: Version | None
    task: int | None
    serial: int
    since: Moment
    until: Moment | None = Field(description="Null: it is live.")
    title: str | None


class Failed(Task):
    attempts: list[Attempt]  # type: ignore[assignment]


class Finding(Thing):
    environment: str
    live: dict[str, Publication | None] = Field(description="By target.")
    waiting: list[Task]
    reasons: list[str] = Field(description="Everything that stands in the way, in sentences.")
    failed: Failed | None


class Down(Thing):
    url: str
    since: Moment
    task: int
    why: str | None


class Deposit(Thing):
    archive: str
    state: str
    version: Version
    handle: str | None
    location: str | None
    collection: str | None
    identifier: str | None
    file: str | None
    size: int | None
    md5: str | None
    sendings: int
    prepared: Moment | None
    sent: Moment | None
    confirmed: Moment | None
    told: Moment | None
    task: int | None


class Why(Thing):
    url: str
    environments: list[Finding]
    takedowns: list[Down]
    deposits: list[Deposit]
    breakers: list[Breaker]


class Tally(Thing):
    files: Count
    bytes: Count


class FileDifference(Thing):
    path: str
    kind: str = Field(description="added, changed, renamed, removed, unknown or kept")
    was: str | None
    before: int | None = Field(description="Its size before.")
    after: int | None


class Difference(Thing):
    before: Publication | None
    after: Publication | None
    same: bool
    tallies: dict[str, Tally]
    files: list[FileDifference]
    not_listed: Count
    described: list[str]
    slips_not_kept: list[int]


class Apart(Thing):
    first: str
    then: str
    difference: Difference | None = Field(description="Null: too large to be compared by the way; ask for the diff.")


class Module(Why):
    title: str | None
    apart: list[Apart]
    history: list[Publication]


class History(Thing):
    url: str
    publications: list[Publication]


class Takedown(Thing):
    url: str
    below: bool
    since: Moment
    by: str | None
    why: str | None
    task: int
    lifted_at: Moment | None
    lifted_by: str | None
    how_far: str


class Takedowns(Thing):
    takedowns: list[Takedown]


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


class Target(Thing):
    name: str
    kind: str
    where: str
    serves: list[str]
    breaker: Breaker | None
    newest: Newest | None
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
    errors: list[Fault] = []
