"""A whole installation for acceptance tests: a configuration file, a database, the real daemon, rows by plain SQL."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from support.schema import fresh

ROOT = Path(__file__).resolve().parents[2]
END_STATES = {"SUCCEEDED", "FAILED", "CANCELLED", "REJECTED", "SUPERSEDED"}
SETTLED = END_STATES | {"HELD"}


@dataclass(frozen=True)
class Leaf:
    """One file of a tree."""

    digest: str
    mode: int
    modified: int


def tree(folder: Path) -> dict[str, Leaf]:
    """Every file below the folder, less slips and Slipway's own area."""
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and ".slipway" not in relative.parts and path.name != "packageslip.xml":
            status = path.stat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(relative)] = Leaf(digest, status.st_mode & 0o777, int(status.st_mtime))
    return found


def digests(leaves: Mapping[str, Leaf]) -> dict[str, str]:
    return {path: leaf.digest for path, leaf in leaves.items()}


def empty_folders(folder: Path) -> list[str]:
    """Folders in the public tree that hold nothing."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_dir() and ".slipway" not in path.relative_to(folder).parts and not any(path.iterdir())
    ]


def eventually(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait for something true; the wait is a bound for hangs, not a measure of speed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


@dataclass
class Deployment:
    """Start and stop daemons and engines over one configuration; every process is ended by its own id."""

    config: Path
    url: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Tests wait by asking again and again, and TLS reads every certificate authority of the machine for each connection.
        plain = {"ssl_disabled": True} if self.url.startswith("mysql") else {}
        self.database = sa.create_engine(self.url, poolclass=sa.NullPool, connect_args=plain)
        self.logs = self.config.parent / "logs"
        self.logs.mkdir(exist_ok=True)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """A process of ours: python and these arguments, its log beside the configuration."""
        with (self.logs / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def daemon(self) -> subprocess.Popen[bytes]:
        return self.start("scheduler.py", "--config", str(self.config))

    def engine(self, environment: str, *arguments: str) -> subprocess.Popen[bytes]:
        return self.start("-P", "-m", "engines", environment, "--config", str(self.config), *arguments)

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The slipway command, as a person types it."""
        done = subprocess.run(
            [sys.executable, "-P", "-c", "import cli; cli.main()", "--config", str(self.config), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"slipway {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.database.dispose()

    def insert(self, url: str, environment: str, **columns: object) -> int:
        """One row, as an operator inserts it."""
        values = {"url": url, "environment": environment} | columns
        names = ", ".join(values)
        binds = ", ".join(f":{name}" for name in values)
        with self.database.begin() as connection:
            done = connection.execute(sa.text(f"INSERT INTO publication_task_queue ({names}) VALUES ({binds})"), values)
            return int(done.lastrowid)

    @contextmanager
    def asking(self) -> Iterator[Callable[..., list[Mapping[str, Any]]]]:
        """`rows` over one connection, for whoever asks again and again: to connect takes longer than to ask."""
        with self.database.connect() as connection:

            def rows(statement: str, **values: object) -> list[Mapping[str, Any]]:
                found: list[Mapping[str, Any]] = [dict(row) for row in connection.execute(sa.text(statement), values).mappings()]
                # What others commit from now on is seen by the next transaction alone.
                connection.rollback()
                return found

            yield rows

    def rows(self, statement: str, **values: object) -> list[Mapping[str, Any]]:
        with self.asking() as rows:
            return rows(statement, **values)

    def task(self, number: int) -> Mapping[str, Any]:
        return self.rows("SELECT * FROM publication_task_queue WHERE id = :id", id=number)[0]

    def settled(self, number: int, seconds: float = 90) -> Mapping[str, Any]:
        """The row once its task has ended or is held."""
        with self.asking() as rows:

            def ended() -> bool:
                [row] = rows("SELECT status FROM publication_task_queue WHERE id = :id", id=number)
                return str(row["status"]) in SETTLED

            eventually(ended, seconds, f"the end of task {number} ({self.tail()})")
        return self.task(number)

    def quiet(self, seconds: float = 120) -> None:
        """Until nothing is open any more."""
        open_ = "SELECT id FROM publication_task_queue WHERE status IN ('NEW', 'READY', 'RUNNING') LIMIT 1"
        with self.asking() as rows:
            eventually(lambda: not rows(open_), seconds, "an idle queue")

    def tail(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self.logs.iterdir()))


@pytest.fixture
def deploy() -> Iterator[Callable[[Path, Mapping[str, Any]], Deployment]]:
    """Write a configuration, bring its database up to date, and give the installation; all that it started is stopped."""
    made: list[Deployment] = []

    def deploy_one(config: Path, configuration: Mapping[str, Any]) -> Deployment:
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("\n".join(toml(configuration)) + "\n", encoding="utf-8")
        url = str(configuration["queue"]["url"])
        fresh(url)
        made.append(Deployment(config, url))
        return made[-1]

    yield deploy_one
    for deployment in made:
        deployment.stop()


Deploy = Callable[[Path, Mapping[str, Any]], Deployment]


def toml(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """A nested mapping as TOML (strings, numbers, booleans, lists of them, lists of tables)."""
    plain = {k: v for k, v in values.items() if not isinstance(v, Mapping) and not _tables(v)}
    if prefix and plain:
        yield f"[{prefix}]"
    for key, value in plain.items():
        yield f"{key} = {_literal(value)}"
    for key, value in values.items():
        path = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping):
            yield from toml(value, path)
        elif _tables(value):
            for table in value:
                yield f"[[{path}]]"
                yield from (f"{k} = {_literal(v)}" for k, v in table.items())


def _tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_literal(v)}" for k, v in value.items()) + " }"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "[" + ", ".join(_literal(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, (str, Path)) else str(value)
