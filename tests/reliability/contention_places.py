"""What contention is about: one OpenSSH server, one MariaDB, and daemons that know nothing of each other."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database import upgrade
from packageslip import build_slip, write_slip
from reliability.rivalry import Rivalry
from reliability.soak_places import _database, _until_gone
from support import mariadb, sshd
from support.deployment import ROOT, Deployment, toml

LEASE = 6.0
"""Seconds. Short, so that many leases end within a run; not so short that engines lose theirs because the machine is busy."""

MARK = "CONTENTION_FOLDER"
SKEWS = ("+0", "+3600", "-3600", "+1800")
"""Seconds by which the clocks of the daemons and their engines are wrong."""


@dataclass
class Contended:
    """Everything that runs."""

    folder: Path
    server: sshd.Sshd
    database: mariadb.Server
    deployment: Deployment
    modules: Sequence[str]
    restarted: list["subprocess.Popen[bytes]"]
    asking: sa.Engine
    """One connection for all that is asked: a new one loads the system's certificates each time."""
    daemons: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    rivalry: Rivalry = field(default_factory=Rivalry)
    last_event: int = 0

    @property
    def root(self) -> Path:
        return self.server.accounts[0].root

    def begin(self, number: int) -> None:
        """A daemon; its engines inherit host, clock and mark. The first two are on one host."""
        variables = {
            MARK: str(self.folder),
            "OTHER_HOST": f"host-{max(number, 1)}",
            "PYTHONPATH": f"{ROOT / 'tests/support/elsewhere'}:{ROOT}",
            "CLOCK_OFFSET": SKEWS[number % len(SKEWS)],
        }
        config = self.folder / f"slipway-{number}.toml"
        self.daemons.append(self.deployment.start("scheduler.py", "--config", str(config), **variables))

    def stop(self) -> None:
        """SIGTERM to each daemon, which lets its engines finish."""
        for daemon in self.daemons:
            daemon.send_signal(signal.SIGTERM)
        for daemon in self.daemons:
            daemon.wait(60)

    def engines(self) -> list[int]:
        """Pids of the engines that run now; the database may be down, so the system is asked."""
        mark = f"{MARK}={self.folder}".encode()
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (place / "cmdline").read_bytes().split(b"\0")
                if b"engines" in words and mark in (place / "environ").read_bytes().split(b"\0"):
                    found.append(int(place.name))
        return found

    def end_engines(self) -> None:
        """Also those that are asleep, or nobody's children any more."""
        for pid in self.engines():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def restart_database(self, how: signal.Signals) -> None:
        """End the server in the middle of what it does, and start it again over the same files."""
        folder = self.database.socket.parent
        pid = int((folder / "pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
        os.kill(pid, how)
        _until_gone(pid)
        with (folder / "log").open("ab") as log:
            self.restarted.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        mariadb._wait_for(self.database, self.restarted[-1], folder / "log")

    def claims(self) -> Rivalry:
        """The claims until now, as far as they can be told while others write: at the end they are counted anew."""
        changes = self._rows(
            "SELECT e.id, e.task, q.url, q.environment, e.state FROM event e JOIN publication_task_queue q ON q.id = e.task"
            " WHERE e.id > :last ORDER BY e.id",
            last=self.last_event,
        )
        self.rivalry.see((row.task, row.url, row.environment, row.state) for row in changes)
        self.last_event = max([self.last_event, *(row.id for row in changes)])
        return self.rivalry

    def waiting(self) -> set[tuple[str, str]]:
        """(module, environment) of what nobody has claimed yet."""
        rows = self._rows("SELECT url, environment FROM publication_task_queue WHERE status IN ('NEW', 'READY')")
        return {(row.url, row.environment) for row in rows}

    def _rows(self, statement: str, **values: object) -> Sequence[sa.Row[Any]]:
        with self.asking.connect() as connection:
            return connection.execute(sa.text(statement), values).all()

    def insert(self, rows: Sequence[tuple[str, str]]) -> set[int]:
        """Rows in one transaction; their ids."""
        statement = sa.text(
            'INSERT INTO publication_task_queue (url, environment, parameters) VALUES (:url, :environment, \'{"mode": "full"}\')'
        )
        with self.asking.begin() as connection:
            return {
                int(connection.execute(statement, {"url": url, "environment": environment}).lastrowid)
                for url, environment in rows
            }


@contextmanager
def contended(daemons: int, engines: int, modules: int) -> Iterator[Contended]:
    """Start everything; all of it ends with the block."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="slipway-contention-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        sshd._require(accounts=1, chroot=True)
        user = stack.enter_context(sshd._account())
        server = stack.enter_context(sshd._running([user], chroot=True, logged=False, options=("MaxStartups 200",)))
        database, restarted = _database(stack)
        url = database.url(database.new_database())
        upgrade(url)
        urls = [_module(folder / "cms", number) for number in range(modules)]
        for number in range(daemons):
            configuration = _configuration(folder, number, url, server, engines)
            (folder / f"slipway-{number}.toml").write_text("\n".join(toml(configuration)) + "\n", encoding="utf-8")
        deployment = Deployment(folder / "slipway-0.toml", url)
        stack.callback(deployment.stop)
        asking = sa.create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True)
        stack.callback(asking.dispose)
        made = Contended(folder, server, database, deployment, urls, restarted, asking)
        stack.callback(made.end_engines)
        for number in range(daemons):
            made.begin(number)
        yield made


def _module(cms: Path, number: int) -> str:
    url = f"/courses/c{number:03d}"
    folder = cms / url[1:]
    folder.mkdir(parents=True)
    (folder / "index.htm").write_text(f"course {number}", encoding="utf-8")
    (folder / "packageslip.xml").write_bytes(write_slip(build_slip(folder, url)))
    return url


def _configuration(folder: Path, number: int, url: str, server: sshd.Sshd, engines: int) -> dict[str, object]:
    account = server.accounts[0]
    origin = {
        "kind": "sftp",
        "host": "127.0.0.1",
        "port": server.port,
        "user": account.user,
        "key": account.key,
        "root": account.remote_root,
        "host_key": server.host_key,
        "durability": "none",
    }
    environment = {"source": "cms", "origin": "origin", "engines": engines}
    return {
        "state_dir": str(folder / f"state-{number}"),
        "queue": {"url": url, "lease": LEASE, "heartbeat": 0.7, "margin": 1.0, "poll": 0.2, "batch": 8},
        "engine": {"linger": 5, "workers": 2, "stop_grace": 20, "restart_base": 0.3, "restart_cap": 2},
        "retry": {"base": 0.5, "cap": 3, "max_attempts": 50, "breaker": 1},
        "sources": {"cms": {"kind": "directory", "path": str(folder / "cms")}},
        "targets": {"origin": origin},
        "environments": {"ONE": dict(environment), "TWO": dict(environment)},
    }
