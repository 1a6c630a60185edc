"""A MariaDB server of the tests' own: its folder, socket, port and user; one for the session, a database for each test."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NoReturn

import pymysql
import pytest
from pymysql.connections import Connection

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
LOG_SIZE = "--innodb-log-file-size=16M"
"""Of the redo log, which is written to the disk in full before anything else is."""
_numbers = count(1)


@dataclass(frozen=True)
class Server:
    """A running mariadbd; `root` may do everything, over TCP on loopback."""

    port: int
    socket: Path

    def url(self, database: str, user: str = "root") -> str:
        return f"mysql+pymysql://{user}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str | None = None, user: str = "root", password: str = "") -> Connection:
        # TLS would read every certificate authority of the machine first, and nobody here speaks it.
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            database=database,
            autocommit=True,
            ssl_disabled=True,
        )

    def execute(self, *statements: str, database: str | None = None) -> None:
        connection = self.connect(database)
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()

    def new_database(self) -> str:
        name = f"slipway_{os.getpid()}_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """The server; starts at the first test that needs it."""
    daemon, install = shutil.which("mariadbd", path=PATH), shutil.which("mariadb-install-db", path=PATH)
    if daemon is None or install is None:
        missing("mariadbd is not installed: apt-get install mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="slipway-mariadb-"))
    try:
        yield from _serve(daemon, install, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mariadb_url(mariadb_server: Server) -> Iterator[str]:
    """The URL of an empty database on the server."""
    name = mariadb_server.new_database()
    yield mariadb_server.url(name)
    mariadb_server.execute(f"DROP DATABASE IF EXISTS {name}")


def missing(reason: str) -> NoReturn:
    """Skip on a laptop, fail on CI: a contract that nobody ran is not a contract."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _serve(daemon: str, install: str, folder: Path, *, flush: bool = False) -> Iterator[Server]:
    """`flush`: whether each commit waits for the disk, as it has to in use and where something is measured. What the server has given
    to the system outlives its process, however that ends.
    """
    user = _own_to_unprivileged(folder)
    as_user = [f"--user={user}"] if user else []
    made = subprocess.run(
        [
            install,
            "--no-defaults",
            f"--datadir={folder}/data",
            # A server that starts removes the temporary tables of every other in the same folder.
            f"--tmpdir={folder}",
            LOG_SIZE,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *as_user,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    port = _free_port()
    server = Server(port, folder / "sock")
    options = [
        f"--datadir={folder}/data",
        f"--tmpdir={folder}",
        f"--socket={server.socket}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--pid-file={folder}/pid",
    ]
    # Names resolved would need a resolver; the binary log, a big buffer and a file for each table only cost time here.
    options += [
        "--skip-name-resolve",
        "--skip-log-bin",
        "--innodb-buffer-pool-size=64M",
        LOG_SIZE,
        f"--innodb-flush-log-at-trx-commit={1 if flush else 2}",
        "--innodb-doublewrite=0",
        "--innodb-file-per-table=0",
        "--sync-frm=0",
    ]
    options += ["--character-set-server=latin1", "--max-connections=200"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [daemon, "--no-defaults", *options, *as_user], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait_for(server, process, folder / "log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _own_to_unprivileged(folder: Path) -> str | None:
    """As root the server must run as somebody else, who then owns its folder; that user's name."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "mysql" if "mysql" in names else "nobody"
    shutil.chown(folder, user)
    return user


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            server.connect().close()
        except pymysql.err.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"mariadbd did not start: {log.read_text(errors='replace')[-3000:]}")
