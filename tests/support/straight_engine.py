"""An engine in one thread: the verbs of a real one in its order, so that the Nth call of a run is the same in every run.

Sweeps walk along such a run call by call; what a real engine does beside it (heartbeat, workers side by side) has tests of its own.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import func, select

from config import Secrets, Settings, queue_url, this_host
from database import Database, DatabaseUnavailable, Intake, Lane, Leases, Result, Takeover, Task, schema
from engines.lanes import lane_names
from engines.lease import Lease
from engines.workshop import Seams, Targets, Workshop
from store import Store
from targets.local import disk as local
from tasks import needs

PATIENCE = 60.0
"""Seconds after which a run that never gets idle ends: a bound for hangs."""
PAUSE = 0.005
HASTE = 1_000_000
"""How much faster time goes for whoever waits whether an engine lives: in a sweep no other lives, and its tasks are taken at once in
every run, not sooner in one and later in another.
"""


@dataclass(frozen=True, slots=True)
class Tooling:
    """What a sweep replaces in an engine."""

    seams: Seams = field(default_factory=Seams)
    connect: Callable[[str], Database] = Database.connect
    store: Callable[[Store], Any] = lambda store: store
    patience: float = PATIENCE
    enough: Callable[[], bool] = lambda: False
    """Whether a run that is not idle yet shall end."""


class Straight:
    """One engine; `run` works until nothing is left that could be done."""

    def __init__(self, settings: Settings, environment: str, database: Database, tooling: Tooling) -> None:
        self._settings, self._name, self._database, self._tooling = settings, environment, database, tooling
        database.check_schema()
        self._leases, self._intake = Leases(database), Intake(database)
        self._takeover = Takeover(self._leases, settings.queue.lease, clock=lambda: HASTE * time.monotonic())
        self._takeover.bury()
        lease = Lease(settings.queue)
        sent = lease.clock()
        host, boot = this_host()
        engine = self._leases.register(environment, host, boot, os.getpid(), settings.queue.lease, "test")
        lease.renewed(sent)
        configured = settings.environments[environment]
        self._workshop = Workshop(settings, configured, Secrets({}), database, engine, lease, tooling.seams)
        self._workshop.store = tooling.store(self._workshop.store)
        self._targets = Targets(self._workshop.open_target)
        self._waiting: list[Task] = []
        self._finished: list[Result] = []

    def run(self) -> None:
        """Until idle. Raises TimeoutError if that does not come. A database that does not answer is asked again, as in a real engine."""
        deadline = time.monotonic() + self._tooling.patience
        while True:
            try:
                if not self._turn():
                    self._leases.leave(self._workshop.engine)
                    return
            except DatabaseUnavailable:
                time.sleep(PAUSE)
            if time.monotonic() > deadline or self._tooling.enough():
                raise TimeoutError("something is still open, or the database does not answer")

    def _turn(self) -> bool:
        """Results go out before the next claim, for rows may wait for them. Whether there is more to do."""
        workshop = self._workshop
        if self._finished:
            workshop.claims.finish(workshop.engine, self._finished)
            self._finished = []
        self._look()
        self._waiting = self._waiting or self._claim()
        if not self._waiting:
            time.sleep(PAUSE if (open_ := self._open()) else 0)
            return open_
        ours = workshop.claims.start(workshop.engine, self._waiting)
        tasks, self._waiting = self._waiting, []
        ended = [workshop.carry_out(task, self._targets) for task in tasks if task.id in ours]
        self._finished = [result for result in ended if result is not None]
        return True

    def close(self) -> None:
        self._targets.close()
        self._workshop.sources.close()
        self._workshop.web.close()

    def _look(self) -> None:
        poll = self._intake.poll()
        if poll.intake:
            self._intake.accept(self._settings)
        if poll.cancel:
            self._intake.sweep()
        if poll.dead:
            self._takeover.rescue()

    def _claim(self) -> list[Task]:
        workshop = self._workshop
        names = lane_names(workshop.environment, workshop.claims.waited_for(self._name))
        lanes = [Lane(name, 8, needs(workshop.environment, name)) for name in names]
        return workshop.claims.claim(workshop.engine, lanes)

    def _open(self) -> bool:
        wanted = select(func.count()).where(schema.queue.c.status.in_(["NEW", "READY", "RUNNING"]))
        return bool(self._database.look(lambda connection: connection.scalar(wanted)))


def run_straight(settings: Settings, environment: str, tooling: Tooling | None = None) -> None:
    """One engine from its start to its end, in this process."""
    tooling = tooling or Tooling()
    local.ThreadPoolExecutor = InTurn  # type: ignore[assignment,attr-defined]
    with (
        closing(tooling.connect(queue_url(settings))) as database,
        closing(Straight(settings, environment, database, tooling)) as engine,
    ):
        engine.run()


class InTurn:
    """A pool of threads without threads: a system call is counted by the thread that makes it."""

    def __init__(self, _workers: int) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, work: Callable[[Any], Any], things: Iterable[Any]) -> Iterator[Any]:
        return map(work, things)
