"""A lane for each target: its own workers, its own waiting tasks. A sick target fills its own lane and no other."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf

from config import EnvironmentSettings
from database import NOTICE, Lane, Result, Task
from engines.workers import Workers
from engines.workshop import Workshop
from tasks import needs

CHUNK = 8
"""Tasks that are started together at first: as many are counted as lost when the engine dies."""
QUICK_CHUNK = 64
"""The most. Each start costs a commit, and to run so many alone after a loss costs next to nothing when they end at once."""
QUICK = 0.5
"""Seconds of work that are started together: of slow tasks as many as workers are free."""
AHEAD = 1.0
"""Seconds of work that a lane holds. What it holds in advance, another engine cannot take, a newer task cannot absorb, and an
urgent one cannot overtake: of slow tasks it has few beyond those at work, or other engines would run out of them first."""
SPARE = 2
"""As many: each claim costs as much of the processor as a hundred small files."""
REST = 0.5
"""Seconds with nothing to do after which nobody knows what comes: a lane begins with little again, and takes more each time."""
SHORTEST = 0.001
"""Seconds that a task counts for at least."""


class TargetLane:
    """The tasks of one target in this engine. Used by the main loop; `note` and what is told of an end run in the threads."""

    def __init__(
        self,
        target: str,
        workshop: Workshop,
        ended: Callable[["TargetLane", Task, Result | None], None],
        *,
        urgent: bool = False,
    ) -> None:
        self.target, self._urgent = target, urgent
        self._workshop, self._ended = workshop, ended
        self._needs = () if urgent else needs(workshop.environment, target)
        self._most = workshop.settings.engine.workers
        place = workshop.settings.targets.get(target)
        self.exclusive = place is not None and place.exclusive
        """Whether the target takes one task at a time."""
        self._pace: float | None = None
        """Seconds that a task takes here, the newest ones counting most; None: nobody knows yet."""
        self._least = min(self._most + CHUNK, workshop.settings.queue.batch)
        self._ahead, self._chunk = self._least, CHUNK
        self._moved_at = 0.0
        """When tasks were claimed last, or one ended."""
        self._wished = self._offered = self._proven = 0
        """Tasks that were asked for last, that could have begun then, and that have ended since there was nothing to do."""
        self._refill = inf
        """Tasks at hand above which no more are asked for, as the last claim had no more for this engine."""
        self._waiting: deque[Task] = deque()
        self._workers = Workers(target, self._most, workshop, self._done, urgent=urgent)
        self.busy = 0
        """Tasks that are started and have not ended."""

    @property
    def idle(self) -> bool:
        """Whether nothing is here."""
        return not self.busy and not self._waiting

    def wish(self) -> Lane | None:
        """What the lane could take now; nothing as long as half of what it may hold in advance is there."""
        if self._rested:
            self._ahead, self._chunk, self._pace, self._proven = self._least, CHUNK, None, 0
        free = self._free
        # Before the first one has ended, nobody knows whether they are quick.
        ahead = self._least if self._pace is None else min(self._ahead, self._worth(AHEAD))
        spare = max(SPARE, ahead - self._most)
        most, here = min(spare + free, self._workshop.settings.queue.batch), len(self._waiting)
        self._wished, self._offered = most - here, max(self._room - here, 0)
        held = self.busy + here
        if here * 2 >= most or (not free and held > self._refill):
            return None
        return Lane(
            self.target,
            self._wished,
            self._needs,
            self._urgent,
            # What is urgent is left for no other engine, which may not be there.
            engines=1 if self._urgent else self._workshop.environment.engines,
            held=held,
            least=min(free, 1),
            begin=self._offered,
        )

    @property
    def _rested(self) -> bool:
        """Whether there was nothing to do for a while."""
        return self.idle and self._workshop.lease.clock() - self._moved_at >= REST

    @property
    def _free(self) -> int:
        """Workers with nothing to do."""
        return max(self._workers.ready - self.busy, 0)

    def _worth(self, seconds: float) -> int:
        """Tasks that the workers carry out in this time."""
        return QUICK_CHUNK if self._pace is None else int(seconds * self._workers.ready / max(self._pace, SHORTEST))

    def take(self, tasks: Sequence[Task]) -> None:
        """What a claim gave: what began with it goes to the workers, the rest is started when they are free."""
        if self._rested:
            self._workers.begin_anew()
        self._moved_at = self._workshop.lease.clock()
        # A few tasks that ended at once say nothing of the many that come next: more are held once as many have ended.
        if len(tasks) >= self._wished and self._proven >= self._ahead:
            self._ahead = min(self._ahead * 2, self._workshop.settings.queue.batch)
        begun = [task for task in tasks if task.started_at is not None]
        for task in begun:
            self.begin(task)
        self._waiting.extend(task for task in tasks if task.started_at is None)
        self._widen(begun, self._offered)
        self._refill = (self.busy + len(self._waiting)) / 2 if len(tasks) < self._wished else inf

    @property
    def _room(self) -> int:
        """Tasks that may begin now: none while every worker has one, then several in one go, since each start costs a commit."""
        return 0 if self.busy >= self._most else max(self._most, min(self._chunk, self._worth(QUICK))) - self.busy

    def _widen(self, begin: Sequence[Task], room: int) -> None:
        """Next time more may begin together, as all the room was used."""
        if begin and len(begin) >= room:
            self._chunk = min(self._chunk * 2, QUICK_CHUNK)

    def next_chunk(self) -> list[Task]:
        """Tasks to start now."""
        room = self._room
        chunk = [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]
        self._widen(chunk, room)
        return chunk

    def put_back(self, tasks: Sequence[Task]) -> None:
        """These were not started after all: the database did not answer."""
        self._waiting.extendleft(reversed(tasks))

    def begin(self, task: Task) -> None:
        """Hand a started task to a worker."""
        self.busy += 1
        self._workers.give(task, self.busy)

    def _done(self, task: Task, result: Result | None, seconds: float) -> None:
        self._moved_at = self._workshop.lease.clock()
        self.note(seconds)
        self._ended(self, task, result)

    def note(self, seconds: float) -> None:
        """A task took so long."""
        self._pace = seconds if self._pace is None else (self._pace + seconds) / 2
        self._proven += 1

    def dismiss(self) -> None:
        """No task will come any more."""
        self._workers.dismiss()


def lane_names(environment: EnvironmentSettings, left: Iterable[str] = ()) -> tuple[str, ...]:
    """What tasks of this environment write to: its origin, its holding areas, where exports go, and whom it notifies.

    `left`: what tasks wait for; what left the configuration has a lane until its tasks have ended with that.
    """
    areas = [area.target for area in environment.holding_areas]
    exports = [environment.exports.target] if environment.exports else []
    notices = [f"{NOTICE}{name}" for name in environment.notices]
    return tuple(dict.fromkeys([environment.origin, *areas, *exports, *notices, *sorted(left)]))
