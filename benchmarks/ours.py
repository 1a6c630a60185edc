"""Slipway as operators run it: a configuration, a queue in MariaDB, the daemon, its engines; work comes as rows by plain SQL."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import Site
from benchmarks.place import Place
from benchmarks.tree import WARM
from support.deployment import Deployment, toml
from support.schema import fresh

ENVIRONMENT = "STAGING"
ENGINES = 2
"""One for each core of the machine that the targets are stated for: one Python process keeps one core busy."""
PATIENCE = 3600.0
"""A bound for hangs."""
SOONEST, UNKNOWN = 0.005, 0.02
"""Seconds between two looks, at least; and while nothing has ended that would tell how long the rest takes."""
RESTED = 0.5
"""Seconds after which an idle engine has nothing left to do."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A running installation."""

    deployment: Deployment
    engines: int

    def insert(self, urls: Sequence[str], environment: str = ENVIRONMENT) -> None:
        """One row for each module, in one transaction."""
        with self._connected() as cursor:
            _insert(cursor, urls, environment)

    def finish(self) -> None:
        """Return as soon as nothing is open; every task must have succeeded."""
        with self._connected() as cursor:
            self._wait(cursor)
        self._check()

    def publish(self, urls: Sequence[str], environment: str = ENVIRONMENT) -> float:
        """Seconds from the rows' INSERT to the end of the last task; every one must have succeeded."""
        with self._connected() as cursor:
            began = time.monotonic()
            _insert(cursor, urls, environment)
            self._wait(cursor)
            seconds = time.monotonic() - began
        self._check()
        return seconds

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A cursor of the driver's own, each statement a transaction: anything more costs as much as a few of the files."""
        with closing(self.deployment.database.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SET autocommit = 1")
            yield cursor

    def _wait(self, cursor: Any) -> None:
        began, most = time.monotonic(), 0
        while left := _open(cursor):
            waited, most = time.monotonic() - began, max(most, left)
            assert waited < PATIENCE, f"the queue is not idle after {PATIENCE:.0f} s: {self.deployment.tail()}"
            # Each look takes of what is measured: as seldom as what has ended allows to, and often enough to see the end in time.
            between = min(waited * left / (most - left), waited) / 8 if left < most else waited / 200
            time.sleep(max(SOONEST if left < most else UNKNOWN, between))

    def _check(self) -> None:
        ended = self.deployment.rows("SELECT url, status, reason FROM publication_task_queue WHERE status <> 'SUCCEEDED'")
        assert not ended, f"not published: {ended[:3]}\n{self.deployment.tail()}"

    def pids(self, environment: str = ENVIRONMENT) -> list[int]:
        """The engines' processes."""
        wanted = "SELECT pid FROM engine WHERE environment = :environment AND ended_at IS NULL"
        return [int(row["pid"]) for row in self.deployment.rows(wanted, environment=environment)]

    @property
    def processes(self) -> set[int]:
        """The daemon's, and every engine's."""
        engines = [int(row["pid"]) for row in self.deployment.rows("SELECT pid FROM engine WHERE ended_at IS NULL")]
        return {self.deployment.processes[0].pid, *engines}

    def warm(self, environment: str = ENVIRONMENT) -> None:
        """Keep small tasks due until the daemon has started every engine and each of them has carried one out; let them rest.

        What a first task costs an engine, and what it reads in while it is idle for the first time, are row 7's subject.
        """
        deadline = time.monotonic() + 60
        while len(self.pids(environment)) < self.engines or self._unused(environment):
            assert time.monotonic() < deadline, f"the daemon started no {self.engines} engines: {self.deployment.tail()}"
            self.publish(WARM, environment)
        time.sleep(RESTED)

    def _unused(self, environment: str) -> int:
        """How many engines have ended no task yet."""
        wanted = (
            "SELECT count(*) AS engines FROM engine WHERE environment = :environment AND ended_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.engine = engine.start AND attempt.ended_at IS NOT NULL)"
        )
        return int(self.deployment.rows(wanted, environment=environment)[0]["engines"])


def _insert(cursor: Any, urls: Sequence[str], environment: str) -> None:
    statement = "INSERT INTO publication_task_queue (url, environment) VALUES (%s, %s)"
    cursor.executemany(statement, [(url, environment) for url in urls])


def _open(cursor: Any) -> int:
    """How many tasks have not ended."""
    cursor.execute("SELECT count(*) FROM publication_task_queue WHERE status IN ('NEW', 'READY', 'RUNNING')")
    return int(cursor.fetchone()[0])


@contextmanager
def running(
    place: Place,
    source: Mapping[str, Any],
    targets: Mapping[str, Mapping[str, Any]],
    *,
    engines: int = ENGINES,
    **more: Any,
) -> Iterator[Ours]:
    """An installation with an empty queue, and who works on it. `targets`: environment to origin; `more`: further tables.

    `engines`: of each environment; 0: nobody works, whoever wants an engine starts it.
    """
    folder = Path(place.folder, "ours")
    folder.mkdir()
    url = place.database.url(place.database.new_database())
    configuration = {
        "state_dir": folder / "state",
        "queue": {"url": url},
        "store": {"path": place.store.root},
        "sources": {"cms": source},
        "targets": {name.lower(): target for name, target in targets.items()},
        "environments": {
            name: {"source": "cms", "origin": name.lower(), "engines": max(engines, 1), "dependents": False} for name in targets
        },
        **more,
    }
    config = folder / "slipway.toml"
    config.write_text("\n".join(toml(configuration)) + "\n", encoding="utf-8")
    fresh(url)
    deployment = Deployment(config, url)
    try:
        if place.attended and engines:
            deployment.daemon()
        for name in targets if engines and not place.attended else ():
            deployment.engine(name)
        yield Ours(deployment, engines if place.attended else 1)
    finally:
        deployment.stop()
        shutil.rmtree(folder)


def origin(site: Site, **settings: Any) -> dict[str, Any]:
    """The settings of a target at this site."""
    return {
        "kind": "sftp",
        "host": "127.0.0.1",
        "port": site.port,
        "user": site.account.user,
        "key": site.account.key,
        "root": site.account.remote_root,
        "host_key": site.server.host_key,
        **settings,
    }


def folder_source(folder: Path) -> dict[str, Any]:
    """A source that is a folder with slips."""
    return {"kind": "directory", "path": folder}
