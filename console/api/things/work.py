"""Tasks, engines and environments."""

from typing import Any

from pydantic import Field

from console.api.things.thing import Count, Id, Moment, Thing, Version
from database import State


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
    remarks: list[str] = Field(description="What it met by the way.")
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
    matched: Count = Field(description="How many were named, or are like the filter.")
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
