"""A lane for each target: its own workers, its own waiting tasks. A sick target fills its own lane and no other."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue
from threading import Thread

from config import EnvironmentSettings
from database import Lane, Result, Task
from engines.workshop import Targets, Workshop
from tasks import NOTICE, needs

CHUNK = 8
"""Tasks that are started together, as a rule: as many are counted as lost when the engine dies."""
QUICK_CHUNK = 32
"""The same while they end at once: each start costs a commit, and to run so many alone after a loss costs next to nothing."""
QUICK = 0.5
"""Seconds within which the last chunk must have come to its end for the next one to be larger."""
BRISK = 2.0
"""Seconds in which a lane that wants tasks again counts as brisk and claims more at once. A slow one claims fewer: what it
holds in advance, another engine cannot take, a newer task cannot absorb, and an urgent one cannot overtake."""
LAST_WORDS = 2.0
"""Seconds that workers get to close their targets at the end."""


class TargetLane:
    """The tasks of one target in this engine. Used by the main loop; only `_work` runs in the workers' threads."""

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
        self._least = min(self._most + CHUNK, workshop.settings.queue.batch)
        self._ahead = self._least
        self._claimed_at = self._begun_at = 0.0
        self._chunk = CHUNK
        self._waiting: deque[Task] = deque()
        self._started: SimpleQueue[Task | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self.busy = 0
        """Tasks that are started and have not ended."""

    @property
    def idle(self) -> bool:
        """Whether nothing is here."""
        return not self.busy and not self._waiting

    def wish(self) -> Lane | None:
        """What the lane could take now; nothing as long as its workers have enough waiting for them."""
        if len(self._waiting) >= self._most:
            return None
        room = self._ahead - len(self._waiting) - self.busy
        return Lane(self.target, room, self._needs, self._urgent) if room > 0 else None

    def take(self, tasks: Sequence[Task]) -> None:
        """What a claim gave, to be started when workers are free."""
        now = self._workshop.lease.clock()
        brisk = now - self._claimed_at < BRISK
        self._ahead = min(self._ahead * 2, self._workshop.settings.queue.batch) if brisk else max(self._ahead // 2, self._least)
        self._claimed_at = now
        self._waiting.extend(tasks)

    def next_chunk(self) -> list[Task]:
        """Tasks to start now: none while every worker has one, then several in one go, since each start costs a commit."""
        if self.busy >= self._most or not self._waiting:
            return []
        now = self._workshop.lease.clock()
        self._chunk = min(self._chunk * 2, QUICK_CHUNK) if now - self._begun_at < QUICK else CHUNK
        self._begun_at = now
        room = max(self._most, self._chunk) - self.busy
        return [self._waiting.popleft() for _ in range(min(room, self._chunk, len(self._waiting)))]

    def put_back(self, tasks: Sequence[Task]) -> None:
        """These were not started after all: the database did not answer."""
        self._waiting.extendleft(reversed(tasks))

    def begin(self, task: Task) -> None:
        """Hand a started task to a worker."""
        self.busy += 1
        self._started.put(task)
        if len(self._threads) < min(self._most, self.busy):
            thread = Thread(target=self._work, name=f"{self.target} {len(self._threads) + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        targets = Targets(self._workshop.open_target)
        while (task := self._started.get()) is not None:
            self._ended(self, task, self._workshop.carry_out(task, targets))
        targets.close()

    def dismiss(self) -> None:
        """No task will come any more: workers close their targets and end."""
        for _ in self._threads:
            self._started.put(None)
        deadline = self._workshop.lease.clock() + LAST_WORDS
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - self._workshop.lease.clock()))


def lane_names(environment: EnvironmentSettings, left: Iterable[str] = ()) -> tuple[str, ...]:
    """What tasks of this environment write to: its origin, its holding areas, where exports go, and whom it notifies.

    `left`: what tasks wait for; what left the configuration has a lane until its tasks have ended with that.
    """
    areas = [area.target for area in environment.holding_areas]
    exports = [environment.exports.target] if environment.exports else []
    notices = [f"{NOTICE}{name}" for name in environment.notices]
    return tuple(dict.fromkeys([environment.origin, *areas, *exports, *notices, *sorted(left)]))
