"""A queue on each kind of database, whose time can be moved; and the few calls that most tests make."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import event, text

from config.settings import RetrySettings, Settings
from database import (
    Claims,
    Database,
    Desk,
    Engine,
    Intake,
    Lane,
    Leases,
    NewTask,
    Outcome,
    Record,
    Result,
    State,
    Task,
    TaskView,
)
from support.mariadb import Server
from support.schema import emptied, fresh

SETTINGS: Mapping[str, Any] = {
    "targets": {
        "staging": {"kind": "memory"},
        "production": {"kind": "memory"},
        "mirror": {"kind": "memory"},
        "archive": {"kind": "memory", "exclusive": True},
    },
    "sources": {"cms": {"kind": "directory", "path": "/srv/cms"}},
    "environments": {
        "STAGING": {"source": "cms", "origin": "staging", "holding_areas": [{"target": "mirror"}]},
        "PRODUCTION": {"source": "target:staging", "origin": "production"},
        "SHARED": {"source": "cms", "origin": "staging"},
        "ARCHIVE": {"source": "cms", "origin": "archive"},
    },
}


class Clock:
    """The databases' clock, ahead of the real one by what was moved."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._stopped: float | None = None

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    def _now(self) -> float:
        return (time.time() if self._stopped is None else self._stopped) + self._offset

    def stop(self) -> None:
        """From now on nothing but `forward` moves it, however long a busy machine takes between two calls."""
        self._stopped = time.time()

    def forward(self, seconds: float) -> None:
        self._offset += seconds

    def govern(self, database: Database) -> None:
        """MariaDB takes the time of a session from a variable; SQLite asks us anyway."""
        if database.dialect == "mysql":
            for engine in (database._change, database._look):
                self._set_before_each(engine)

    def _set_before_each(self, engine: SqlEngine) -> None:
        @event.listens_for(engine, "before_cursor_execute")
        def move(_connection: object, cursor: Any, *_: object) -> None:
            if self._offset or self._stopped is not None:
                cursor.execute(f"SET timestamp={self._now():.6f}")


@dataclass
class Queue:
    """An open database and its verbs."""

    url: str
    db: Database
    clock: Clock
    settings: Settings = field(default_factory=lambda: Settings.model_validate(SETTINGS))

    def __post_init__(self) -> None:
        self.intake, self.leases = Intake(self.db), Leases(self.db)
        # No jitter: back-off is exactly half of base x 2^n.
        self.claims = Claims(self.db, RetrySettings(base=10, cap=100, max_attempts=3, breaker=16), random=lambda: 0.0)
        self.desk, self.record = Desk(self.db), Record(self.db)

    def pause(self, environment: str, *, drain: bool = False) -> None:
        self.desk.pause(environment, drain=drain)
        self.intake.accept(self.settings)

    def resume(self, environment: str) -> None:
        self.desk.resume(environment)
        self.intake.accept(self.settings)

    def sql(self, statement: str, **values: object) -> None:
        self.db.change(lambda connection: connection.execute(text(statement), values))

    def ready(self, url: str = "/a", environment: str = "STAGING", **more: Any) -> int:
        """A row that intake has accepted."""
        task = self.desk.insert(NewTask(url, environment, **more))
        self.intake.accept(self.settings)
        assert self.state(task) is State.READY, self.show(task).task.reason
        return task

    def made(self, *new: NewTask) -> list[int]:
        """Rows as engines make them, accepted; their ids in the order of the URLs given."""
        before = {task.id for task in self.desk.find(limit=1000)}
        engine = self.engine()
        root = self.ready("/root", priority=-1000)
        [task] = self.claim(engine, limit=1)
        assert task.id == root
        self.claims.expand(engine, task, new, "all")
        self.end(engine, task)
        self.leases.leave(engine)
        self.intake.accept(self.settings)
        order = [row.url for row in new]
        fresh = [task for task in self.desk.find(limit=1000) if task.id not in {*before, root}]
        return [task.id for task in sorted(fresh, key=lambda task: (order.index(task.url), task.id))]

    def engine(self, environment: str = "STAGING", ttl: float = 60) -> Engine:
        return self.leases.register(environment, "host", "boot", 4711, ttl, "0.1.0")

    def rescue(self) -> list[str]:
        """Declare dead whose lease is over, without looking for its process."""
        return [engine.start for engine in self.leases.expired() if self.leases.rescue(engine.start)]

    def claim(self, engine: Engine, *targets: str, limit: int = 64, needs: Sequence[str] = ()) -> list[Task]:
        origin = self.settings.environments[engine.environment].origin
        return self.claims.claim(engine, [Lane(target, limit, tuple(needs)) for target in targets or (origin,)])

    def end(self, engine: Engine, task: Task, outcome: Outcome = Outcome.SUCCEEDED, reason: str = "done", **more: Any) -> None:
        lost = self.claims.finish(engine, [Result(task.id, task.fence, outcome, reason, **more)])
        assert not lost

    def show(self, task: int) -> TaskView:
        return self.desk.show(task)

    def state(self, task: int) -> State:
        return self.show(task).task.state

    def counts(self) -> dict[str, dict[str, int]]:
        """Tasks by environment, then by state; of the newest thousand."""
        found: dict[str, dict[str, int]] = {}
        for task in self.desk.find(limit=1000):
            states = found.setdefault(task.environment, {})
            states[task.state] = states.get(task.state, 0) + 1
        return found

    def states(self, *tasks: int) -> list[str]:
        return [str(self.state(task)) for task in tasks]


@pytest.fixture(params=["sqlite", "mariadb"])
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an upgraded database of each kind."""
    if request.param == "sqlite":
        fresh(f"sqlite:///{tmp_path}/queue.db")
        return f"sqlite:///{tmp_path}/queue.db"
    return str(request.getfixturevalue("used_url"))


@pytest.fixture(scope="session")
def kept_url(mariadb_server: Server) -> str:
    """An upgraded database that is used by one test after the other."""
    url = mariadb_server.url(mariadb_server.new_database())
    fresh(url)
    return url


@pytest.fixture
def used_url(kept_url: str) -> str:
    """That database as if it were new: to make one for each test took longer than the tests."""
    emptied(kept_url)
    return kept_url


@pytest.fixture
def queue(queue_url: str) -> Iterator[Queue]:
    """A queue on each kind of database."""
    yield from opened(queue_url)


@pytest.fixture
def mariadb_queue(used_url: str) -> Iterator[Queue]:
    """A queue on MariaDB alone."""
    yield from opened(used_url)


@pytest.fixture
def sqlite_queue(tmp_path: Path) -> Iterator[Queue]:
    """A queue on SQLite alone."""
    fresh(f"sqlite:///{tmp_path}/queue.db")
    yield from opened(f"sqlite:///{tmp_path}/queue.db")


def opened(url: str) -> Iterator[Queue]:
    clock = Clock()
    database = Database.connect(url, clock=clock)
    clock.govern(database)
    yield Queue(url, database, clock)
    database.close()
