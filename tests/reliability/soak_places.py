"""What a soak runs on: a CMS over HTTP, a chrooted OpenSSH server with two sites, MariaDB, nginx over both sites, and the daemon."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from database import upgrade
from reliability.soak_site import NESTED, Site
from support import mariadb, sshd
from support.deployment import Deployment, toml
from support.dropping_port import DroppingPort
from support.http_cms import Cms
from support.nginx import serving

LEASE = 5.0
"""Seconds. Short, so that many leases end within a soak."""

MARK = "SOAK_FOLDER"
"""A variable of this soak's processes, and of no others."""

ENVIRONMENTS = {"STAGING": "staging", "PRODUCTION": "production"}
"""Environment to its target."""

LAYOUTS: Mapping[str, frozenset[str]] = {
    "ordered": frozenset(),
    "versioned": frozenset({"staging", "production"}),
    "mixed": frozenset({"production"}),
}
"""How the sites can be laid out: the targets of which modules are versioned, if nothing lies below them."""

KEEP_RELEASES = 3
"""Few, so that releases go while somebody reads them."""


@dataclass
class Places:
    """Everything that runs, and where things lie."""

    folder: Path
    site: Site
    cms: Cms
    server: sshd.Sshd
    proxy: DroppingPort
    database: mariadb.Server
    deployment: Deployment
    roots: dict[str, Path]
    """Target to its public folder."""
    web_port: int
    layout: str
    """One of LAYOUTS."""
    restarted: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def versioned(self, target: str) -> frozenset[str]:
        """The modules that are versioned there."""
        return frozenset(self.site.alone if target in LAYOUTS[self.layout] else ())

    def daemon(self) -> "subprocess.Popen[bytes]":
        """A new one; its engines inherit the mark by which they are found."""
        return self.deployment.start("scheduler.py", "--config", str(self.deployment.config), **{MARK: str(self.folder)})

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

    def restart_database(self, how: signal.Signals) -> None:
        """End the server and start it again, over the same files."""
        folder = self.database.socket.parent
        pid = int((folder / "pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
        os.kill(pid, how)
        _until_gone(pid)
        with (folder / "log").open("ab") as log:
            self.restarted.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        mariadb._wait_for(self.database, self.restarted[-1], folder / "log")


def _until_gone(pid: int) -> None:
    """A child of ours stays as a zombie until it is waited for; that is gone enough."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} does not end")


@contextmanager
def places(chance: random.Random, layout: str) -> Iterator[Places]:
    """Start everything; all of it ends with the block."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="slipway-soak-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        sshd._require(accounts=2, chroot=True)
        users = [stack.enter_context(sshd._account()) for _ in range(2)]
        server = stack.enter_context(sshd._running(users, chroot=True, logged=False, options=()))
        proxy = DroppingPort(server.port)
        stack.callback(proxy.close)
        database, started = _database(stack)
        (folder / "cms").mkdir()
        site = Site(folder / "cms", chance)
        cms = Cms(site.folder)
        stack.callback(cms.stop)
        roots = {target: account.root for target, account in zip(ENVIRONMENTS.values(), server.accounts, strict=True)}
        served = "\n".join(f"location /{target}/ {{ alias {root}/; }}" for target, root in roots.items())
        web = stack.enter_context(serving(folder / "nginx", folder, server=served))
        url = database.url(database.new_database())
        deployment = _deployment(folder / "slipway.toml", url, cms, server, proxy, layout)
        stack.callback(deployment.stop)
        made = Places(folder, site, cms, server, proxy, database, deployment, roots, web.port, layout, started)
        stack.callback(_end_engines, made)
        yield made


def _database(stack: ExitStack) -> tuple[mariadb.Server, list["subprocess.Popen[bytes]"]]:
    """A server of the soak's own, for it is restarted; and the processes that replaced it, which end with it."""
    programs = [shutil.which(name, path=mariadb.PATH) for name in ("mariadbd", "mariadb-install-db")]
    if None in programs:
        mariadb.missing("mariadbd is not installed: apt-get install mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="slipway-mariadb-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    server = stack.enter_context(contextmanager(mariadb._serve)(str(programs[0]), str(programs[1]), folder))
    restarted: list[subprocess.Popen[bytes]] = []
    stack.callback(_end_all, restarted)
    return server, restarted


def _end_all(processes: list["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
        process.wait(60)


def _end_engines(made: Places) -> None:
    """Engines whose daemon was killed are nobody's children any more."""
    for pid in made.engines():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)


def _deployment(config: Path, url: str, cms: Cms, server: sshd.Sshd, proxy: DroppingPort, layout: str) -> Deployment:
    versioned = {"layout": "versioned", "versioned_modules": {"except_urls": [NESTED]}, "keep_releases": KEEP_RELEASES}
    targets = {
        target: {
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": proxy.port,
            "user": account.user,
            "key": account.key,
            "root": account.remote_root,
            "host_key": server.host_key,
            "connect_timeout": 3,
            "idle_timeout": 4,
            "durability": "none",
            "delete_grace": 3 if target == "production" else 0,
            **(versioned if target in LAYOUTS[layout] else {}),
        }
        for target, account in zip(ENVIRONMENTS.values(), server.accounts, strict=True)
    }
    timing = {"lease": LEASE, "heartbeat": 1.0, "margin": 1.0, "poll": 0.3}
    configuration = {
        "state_dir": config.parent / "state",
        "queue": {"url": url, **timing},
        "engine": {"linger": 5, "workers": 2, "stop_grace": 5, "restart_base": 0.5, "restart_cap": 2},
        "retry": {"base": 0.5, "cap": 3, "max_attempts": 20, "breaker": 1},
        "sources": {"cms": {"kind": "http", "url": cms.url, "connect_timeout": 2, "read_timeout": 4, "retries": 1}},
        "targets": targets,
        "environments": {
            "STAGING": {"source": "cms", "origin": "staging"},
            "PRODUCTION": {"source": "target:staging", "origin": "production", "views": "cms"},
        },
    }
    config.write_text("\n".join(toml(configuration)) + "\n", encoding="utf-8")
    upgrade(url)
    return Deployment(config, url)
