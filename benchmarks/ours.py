"""Slipway as operators run it: a configuration, a queue in MariaDB, the daemon, its engines; work comes as rows by plain SQL."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

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
RESTED = 0.5
"""Seconds after which an idle engine has nothing left to do."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A running installation."""

    deployment: Deployment
    engines: int

    def insert(self, urls: Sequence[str], environment: str = ENVIRONMENT) -> None:
        """One row for each module, in one transaction."""
        statement = sa.text("INSERT INTO publication_task_queue (url, environment) VALUES (:url, :environment)")
        with self.deployment.database.begin() as connection:
            connection.execute(statement, [{"url": url, "environment": environment} for url in urls])

    def finish(self) -> None:
        """Return as soon as nothing is open; every task must have succeeded."""
        open_ones = "SELECT id FROM publication_task_queue WHERE status IN ('NEW', 'READY', 'RUNNING') LIMIT 1"
        began = time.monotonic()
        # One connection for all the looks, and the driver's own: anything more costs as much as a few of the files.
        with closing(self.deployment.database.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            # A transaction would go on seeing what its first look saw.
            cursor.execute("SET autocommit = 1")
            while cursor.execute(open_ones):
                waited = time.monotonic() - began
                assert waited < PATIENCE, f"the queue is not idle after {PATIENCE:.0f} s: {self.deployment.tail()}"
                # Often enough to see the end in time; each look takes of what is measured.
                time.sleep(max(0.02, waited / 200))
        ended = self.deployment.rows("SELECT url, status, reason FROM publication_task_queue WHERE status <> 'SUCCEEDED'")
        assert not ended, f"not published: {ended[:3]}\n{self.deployment.tail()}"

    def publish(self, urls: Sequence[str], environment: str = ENVIRONMENT) -> float:
        """Seconds from the rows' INSERT to the end of the last task."""
        began = time.monotonic()
        self.insert(urls, environment)
        self.finish()
        return time.monotonic() - began

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
