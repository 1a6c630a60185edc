"""One attempt under way: what it has done so far, kept also when it fails."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from database import NewTask, Progress, Published, Seal, Task
from notices import MOST_PATHS
from packageslip import Packageslip
from targets import SEEN
from tasks.plans import Plan
from tasks.tools import Tools

KEPT = 50
"""Changes that an attempt's summary spells out: enough for nearly every publish, and little beside a slip."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a task ended well: a sentence, and what has to be done after it."""

    reason: str
    new_tasks: tuple[NewTask, ...] = ()


@dataclass(slots=True)
class Step:
    """A step under way: counted for every file, and made a `Progress` only when somebody looks."""

    task: int
    name: str
    files: int
    size: int
    began: float
    now: float
    files_done: int = 0
    bytes_done: int = 0

    def progress(self) -> Progress:
        """How far it is by now; called by another thread too."""
        seconds = round(self.now - self.began, 3)
        return Progress(self.task, self.name, self.files_done, self.files, self.bytes_done, self.size, seconds=seconds)


@dataclass(slots=True)
class Work:
    """The attempt that one worker makes at one task."""

    task: Task
    tools: Tools
    published: list[Published] = field(default_factory=list)
    """What became live or went, in this order; the record gets it whatever the outcome."""
    slips: list[Packageslip] = field(default_factory=list)
    """The module as it was and as it became, for those who are told that it changed."""
    moved: set[str] = field(default_factory=set)
    """Paths that look different since: as many as are told one by one, and one more where there are more."""
    others: list["Work"] = field(default_factory=list)
    """The same attempt at other modules that it changes too."""
    known_takedowns: frozenset[int] | None = None
    """Of a task that publishes what other modules hold: the takedowns that it knew of when it looked at them."""
    seal: Seal | None = None
    """How it can be told later that nobody has touched the module since."""
    summary: dict[str, Any] = field(default_factory=dict)
    expires: int | None = None
    """When the last stale file may go, in seconds since the epoch by the queue's clock; None: no task knows of any."""
    _step: Step | None = None

    @property
    def target(self) -> str:
        """The name of the task's target."""
        return self.tools.target.name

    def parameter(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON of the row
        """One of the row's parameters."""
        return self.task.parameters.get(name, default)

    def note_change(self, *slips: Packageslip | None, paths: Iterable[str] | None = None) -> None:
        """These paths of the module look different now; without `paths`, all that the slips list: nobody knows which."""
        known = [slip for slip in slips if slip]
        self.slips += known
        for path in (file.path for slip in known for file in slip.files()) if paths is None else paths:
            if len(self.moved) > MOST_PATHS:
                return
            self.moved.add(path)

    def expire_after(self, seconds: int) -> None:
        """Files are stale here, or will be in a moment, that may go after so many seconds: somebody has to come back."""
        if seconds:
            self.expires = max(self.expires or 0, self.tools.claim.now() + SEEN + seconds)

    def at(self, url: str) -> "Work":
        """The same attempt at another module, of which others are told apart."""
        other = replace(self, task=replace(self.task, url=url), slips=[], moved=set(), others=[])
        self.others.append(other)
        return other

    @property
    def dry_run(self) -> bool:
        """Whether to stop after the plan."""
        return bool(self.parameter("dry_run", default=False))

    @contextmanager
    def step(self, name: str, files: int = 0, size: int = 0) -> Iterator[None]:
        """One step of a task's life: may end here, is reported and timed."""
        self.tools.pause_point()
        started = self.tools.clock()
        self._step = Step(self.task.id, name, files, size, started, started)
        self.tools.report(self.task.id, self._step.progress)
        try:
            yield
        finally:
            seconds: dict[str, float] = self.summary.setdefault("seconds", {})
            seconds[name] = round(seconds.get(name, 0) + self.tools.clock() - started, 3)

    def file_done(self, size: int) -> float:
        """One file more of the step's. The moment, by the tools' clock."""
        step = self._step
        assert step is not None, "a file is done within a step"
        step.files_done += 1
        step.bytes_done += size
        step.now = self.tools.clock()
        return step.now

    def note_plan(self, plan: Plan) -> None:
        """What the plan does and why, as far as a person looks at it afterwards: files and bytes by reason, the first changes."""
        reasons: dict[str, list[int]] = self.summary.setdefault("reasons", {})
        for reason, (files, size) in plan.reasons().items():
            before = reasons.get(reason, [0, 0])
            reasons[reason] = [before[0] + files, before[1] + size]
        listed: list[object] = self.summary.setdefault("changes", [])
        listed += plan.moving(KEPT - len(listed))

    def note_lagging(self, members: Iterable[str]) -> None:
        """These members of the task's group have not what the others have."""
        if late := {*members, *self.summary.get("lagging", ())}:
            self.summary["lagging"] = sorted(late)

    def laggards(self) -> str:
        """What to add to a sentence about a group of which not every member answered."""
        late: list[str] = self.summary.get("lagging", [])
        then = ", and a VERIFY looks after it" if self.published else ": do this again when it does"
        return f"; {', '.join(late)} did not answer{then}" if late else ""

    def count(self, counts: Mapping[str, int]) -> None:
        """Add to the summary's counts."""
        for name, number in counts.items():
            self.summary[name] = self.summary.get(name, 0) + number
