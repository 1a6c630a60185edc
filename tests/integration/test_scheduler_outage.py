"""The daemon and a MariaDB that goes away and comes back."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from database import Database, Desk, NewTask, State, upgrade
from support.daemon import CONFIG, LONGEST, Daemon
from support.deployment import eventually
from support.mariadb import Server


class Cable:
    """A way to the server that can be cut and mended."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(50)
        self.port: int = self._listener.getsockname()[1]
        self._whole = threading.Event()
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        self._whole.set()

    def cut(self) -> None:
        self._whole.clear()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for end in [self._listener, *self._ends]:
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._ends.append(near)
            if not self._whole.is_set():
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._server.port))
            self._ends.append(far)
            threading.Thread(target=_carry, args=(near, far), daemon=True).start()
            threading.Thread(target=_carry, args=(far, near), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(65536):
            sink.sendall(some)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def cable(mariadb_server: Server) -> Iterator[Cable]:
    one = Cable(mariadb_server)
    yield one
    one.close()


@pytest.fixture
def daemon(tmp_path: Path, mariadb_server: Server, mariadb_url: str, cable: Cable) -> Iterator[Daemon]:
    far = mariadb_url.replace(f":{mariadb_server.port}/", f":{cable.port}/")
    (tmp_path / "config.toml").write_text(CONFIG.replace("queue = {", f'queue = {{ url = "{far}",'))
    one = Daemon(tmp_path, url=mariadb_url)
    yield one
    one.stop()


def insert(url: str, path: str) -> int:
    db = Database.connect(url)
    task = Desk(db).insert(NewTask(path, "STAGING"))
    db.close()
    return task


def test_the_daemon_waits_for_its_database_and_goes_on_after_an_outage(daemon: Daemon, cable: Cable, mariadb_url: str) -> None:
    upgrade(mariadb_url)
    first = insert(mariadb_url, "/courses/a")
    db = Database.connect(mariadb_url)
    daemon.start()
    daemon.says("database unavailable")
    cable.mend()
    ((_, pid, *_),) = daemon.waits_for("started")
    cable.cut()
    eventually(lambda: daemon.stderr.count("database unavailable") >= 2, LONGEST, "the outage to be seen")
    second = insert(mariadb_url, "/courses/b")
    cable.mend()
    eventually(lambda: Desk(db).show(second).task.state == State.READY, LONGEST, "intake after the outage")
    assert Desk(db).show(first).task.state == State.READY
    assert [told[1] for told in daemon.told("started")] == [pid], "the engine was left alone"
    db.close()
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0


def test_sigterm_ends_a_daemon_that_waits_for_its_database(daemon: Daemon) -> None:
    daemon.start()
    daemon.says("database unavailable")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0


def test_a_schema_that_is_not_there_is_told_with_the_remedy(daemon: Daemon, cable: Cable) -> None:
    cable.mend()
    assert daemon.start().ends() == 4
    assert "slipway db upgrade" in daemon.stderr
