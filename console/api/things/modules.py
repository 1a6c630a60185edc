"""What is live, since when, and why not."""

from pydantic import Field

from console.api.things.thing import Count, Id, Moment, Thing, Version
from console.api.things.work import Attempt, Breaker, Task


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
    state: str = Field(description="works, paused, draining or drained")
    engines: Count = Field(description="How many are up.")
    start: str = Field(description="Who starts them: auto, or manual.")
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
    next: str | None = Field(description="The address of the next page; null: there is none.")
