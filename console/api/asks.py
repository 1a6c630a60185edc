"""What the API takes: queries and bodies. A field that is not known is refused."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from console.api.calls import Strict
from console.wanted import LARGEST, MOST
from database import Action, Deed, Sort, State
from packageslip import UnsafePath, check_module_url

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""What every database can hold, in whatever zone it was written."""


RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")


def digits(value: object) -> object:
    """A number of a query, as JSON writes it; pydantic would also take ' 5' and '5_0'. Raises ValueError."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]+", value):
        raise ValueError("must be a whole number")
    return value


def rfc3339(value: object) -> datetime:
    """A time as RFC 3339 writes it; pydantic would also take seconds since the epoch. Raises ValueError."""
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise ValueError("must be a time such as 2026-01-31T18:00:00Z")
    return datetime.fromisoformat(value.upper())


def true_or_false(value: object) -> object:
    """A word of a query, as JSON writes it. Raises ValueError."""
    if isinstance(value, str) and value not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value


def module_url(url: str) -> str:
    """A slash at its end is forgiven, all else is checked, as the command does. Raises ValueError."""
    plain = url.rstrip("/") or "/"
    try:
        check_module_url(plain)
    except UnsafePath as error:
        raise ValueError(str(error)) from error
    return plain


Url = Annotated[
    str,
    Field(max_length=500, pattern="^/", description="A module's URL path, such as /courses/physics."),
    AfterValidator(module_url),
]
Id = Annotated[int, BeforeValidator(digits), Field(ge=1, le=LARGEST)]
Moment = Annotated[AwareDatetime, BeforeValidator(rfc3339), Field(ge=EARLIEST, le=LATEST)]
Flag = Annotated[bool, BeforeValidator(true_or_false)]
Limit = Annotated[int, BeforeValidator(digits), Field(ge=1, le=500, description="At most so many, the newest first.")]
After = Annotated[
    int, BeforeValidator(digits), Field(ge=0, le=LARGEST, description="Where the page before ended: `next` sets it.")
]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Note = Annotated[str, Field(max_length=2000, description="Why, for the record.")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{1,64}$")]


class TasksLike(Strict):
    """Which tasks: what is not said lets all through."""

    state: tuple[State, ...] = Field(default=(), description="May be repeated; none: all.")
    environment: Name | None = None
    action: Action | None = None
    url: Url | None = None
    below: Flag = Field(default=False, description="With `url`: also the modules below it.")
    text: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="Somewhere in URL, reason, note or the name of who asked."
    )
    on_hold: Flag = False
    cancelling: Flag = False
    batch: Id | None = None
    since: Moment | None = Field(default=None, description="Inserted then or later; with its offset from UTC.")
    until: Moment | None = Field(default=None, description="Inserted before.")


class TasksAsked(TasksLike):
    sort: Sort = Sort.NEWEST
    after: After = 0
    limit: Limit = 100


class Batch(Strict):
    """Of `ids` and `filter` exactly one."""

    do: Deed
    ids: tuple[Annotated[int, Field(ge=1, le=LARGEST)], ...] | None = Field(default=None, min_length=1, max_length=MOST)
    filter: TasksLike | None = Field(
        default=None,
        description="All tasks that are like that now, as GET /tasks lists them; with `expected`.",
        json_schema_extra={"minProperties": 1},
    )
    expected: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        description="How many tasks of the filter were seen: if more are like that now, none is changed (409).",
    )
    dry_run: bool = Field(default=False, description="Change nothing, and say how many are `matched`.")
    note: Note | None = None


class NewTask(Strict):
    url: Url
    environment: Name
    action: Action | None = Field(default=None, description="None: the environment's own.")
    priority: int = Field(default=100, ge=-(2**31), le=2**31 - 1, description="Lower runs first.")
    run_after: Moment | None = Field(default=None, description="With its offset from UTC.")
    parameters: dict[str, Any] = Field(default_factory=dict)
    note: Note | None = None
    hold: bool = False
    max_attempts: int | None = Field(default=None, ge=1, le=1000)


class Said(Strict):
    note: Note | None = None


class Approval(Strict):
    plan: Digest = Field(description="The digest of the plan that was looked at.")
    adopt: bool = Field(default=False, description="Also overwrite files that are not Slipway's.")
    note: Note | None = None


class Pause(Strict):
    drain: bool = Field(default=False, description="Its engines leave too, each as soon as it has nothing left to do.")
    note: Note | None = None


class OfModule(Strict):
    url: Url


class HistoryAsked(Strict):
    url: Url
    target: Name | None = None
    limit: Limit = 30


class DiffAsked(Strict):
    before: Id | None = Field(default=None, description="A publication's id; none: nothing was there.")
    after: Id | None = Field(default=None, description="A publication's id; none: nothing is there.")
    limit: Annotated[int, BeforeValidator(digits)] = Field(default=200, ge=0, le=10_000, description="Files that are listed.")


class Rollback(Strict):
    url: Url
    environment: Name
    to: Id | None = Field(default=None, description="The publication's id; neither this nor `version`: the one before.")
    version: Digest | None = Field(default=None, description="Or how its version begins.")
    dry_run: bool = False
    note: Note | None = None


class TakedownAsked(Strict):
    lifted: Flag = Field(default=False, description="Those that were lifted, too.")
    after: After = 0
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=500, description="At most so many, the oldest first.")] = 100


class TakeDown(Strict):
    url: Url
    below: bool = Field(default=False, description="And the modules below it.")
    note: Note = Field(min_length=1, description="Why, for everybody who wants to publish it.")


class Lift(Strict):
    url: Url
    note: Note | None = None


class TrendsAsked(Strict):
    window: str = Field(default="day", pattern="^(day|week|month|quarter|year)$")
    environment: Name | None = None


class AuditAsked(Strict):
    kind: Name | None = None
    who: Annotated[str, Field(max_length=255)] | None = None
    task: Id | None = None
    environment: Name | None = None
    target: Name | None = None
    url: Url | None = None
    since: Moment | None = Field(default=None, description="With its offset from UTC.")
    until: Moment | None = None
    before: Id | None = Field(default=None, description="Only rows with a lower id: `next` sets it.")
    limit: Limit = 100
