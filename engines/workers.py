"""The workers of one target: threads that carry out its tasks, and when they do it side by side."""

from collections.abc import Callable
from enum import Enum
from queue import SimpleQueue
from threading import Event, Lock, Thread

from database import Result, Task
from engines.workshop import Targets, Workshop

LONG = 1.0
"""Seconds after which a task may be one of those that last: whoever is at it is not counted on for the next ones."""
LAST_WORDS = 2.0
"""Seconds that workers get to close their targets at the end."""


class _Word(Enum):
    """What a worker is given instead of a task."""

    STAY_BACK = "go on when there is room"
    LEAVE = "nothing comes any more"


class Workers:
    """Begun one by one, as tasks come. Used by the main loop; `_work`, what it calls and `ended` run in the threads.

    Threads that wait for the same interpreter do no more than one of them, but disturb each other. So one works, and each
    further one stays back until the processors have time to spare, or until all others are at tasks that last.
    """

    def __init__(
        self,
        name: str,
        most: int,
        workshop: Workshop,
        ended: Callable[[Task, Result | None, float], None],
        *,
        urgent: bool = False,
    ) -> None:
        """`ended` is told of each task, what came of it, and its seconds. Those that are `urgent` never stay back."""
        self._name, self._most, self._workshop, self._ended, self._urgent = name, most, workshop, ended, urgent
        self._given: SimpleQueue[Task | _Word] = SimpleQueue()
        self._threads: list[Thread] = []
        self._began: dict[str, float | None] = {}
        """When each worker, by name, began its task; None: it has none."""
        self._back: set[str] = set()
        """Workers that stay back."""
        self._given_at = 0.0
        """When the last task came."""
        self._staying = Lock()
        self._leave = Event()

    @property
    def ready(self) -> int:
        """How many carry out tasks at once. Those not begun yet count, but where one stays back a task would only wait."""
        return len(self._threads) - len(self._back) if self._back else self._most

    def give(self, task: Task, busy: int) -> None:
        """A task that was started. `busy`: how many are, with this one; there is a worker for each of them, up to the most."""
        self._given_at = self._workshop.lease.clock()
        self._given.put(task)
        if len(self._threads) < min(self._most, busy):
            name = f"{self._name} {len(self._threads) + 1}"
            if self._threads and not self._urgent:
                self._back.add(name)
            self._began[name] = None
            thread = Thread(target=self._work, args=(name,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def begin_anew(self) -> None:
        """After a pause nobody knows what comes: let all but one stay back."""
        for _ in range(len(self._threads) - len(self._back) - 1 if not self._urgent else 0):
            self._given.put(_Word.STAY_BACK)

    def dismiss(self) -> None:
        """No task will come any more: workers close their targets and end."""
        clock = self._workshop.lease.clock
        self._leave.set()
        for _ in self._threads:
            self._given.put(_Word.LEAVE)
        deadline = clock() + LAST_WORDS
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - clock()))

    def _work(self, name: str) -> None:
        targets = Targets(self._workshop.open_target)
        clock = self._workshop.lease.clock
        while True:
            if name in self._back:
                self._workshop.room.wait(self._leave, self._needed)
                self._back.discard(name)
            given = self._given.get()
            if given is _Word.LEAVE:
                break
            if given is not _Word.STAY_BACK:
                self._began[name] = began = clock()
                result = self._workshop.carry_out(given, targets)
                self._began[name] = None
                self._ended(given, result, clock() - began)
            self._stay_back(name, at_once=given is _Word.STAY_BACK)
        targets.close()

    def _stay_back(self, name: str, *, at_once: bool) -> None:
        """Where it is crowded, or without a look, unless nobody else would be left."""
        with self._staying:
            if len(self._threads) - len(self._back) > 1 and not self._urgent and (at_once or self._workshop.room.crowded()):
                self._back.add(name)

    def _needed(self) -> bool:
        """Whether all who do not stay back are at tasks that last; or nothing comes, for which all can wait without a look."""
        since = self._workshop.lease.clock() - LONG
        others = [began for name, began in list(self._began.items()) if name not in self._back]
        if others.count(None) == len(others):
            return self._given.empty() and self._given_at <= since
        return all(began is not None and began <= since for began in others)
