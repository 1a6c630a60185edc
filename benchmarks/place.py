"""What the rows run on: a private OpenSSH server, a MariaDB server, and one folder for everything; all ended with the block."""

import getpass
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpu import Meter, below
from benchmarks.peers import Site
from store import Store
from support import mariadb, sshd

FORGOTTEN = 65
"""Seconds: ext4's RECENTCY_MIN, and a little."""


@dataclass(frozen=True, slots=True)
class Place:
    """The servers, and where things lie."""

    folder: Path
    server: sshd.Sshd
    database: mariadb.Server
    rounds: int
    peers: Sequence[str] = ()
    """Whom a trial compares with, of several; none: all."""
    attended: bool = True
    """Whether a daemon runs the engines. Without, each is started by hand, and there is one for each environment."""

    @property
    def store(self) -> Store:
        """The content store of all our engines here."""
        return Store(self.folder / "store")

    @contextmanager
    def metered(self, *others: int) -> Iterator[Meter]:
        """What the servers here, and others, take of the processors while the block lasts."""
        database = int((self.database.socket.parent / "pid").read_text())
        meter = Meter(lambda: {*below(self.server.pid), database, *others})
        meter.start()
        try:
            yield meter
        finally:
            meter.stop()

    def site(self, port: int | None = None) -> Site:
        """An empty folder on the server; it goes with the server. `port`: of what stands before it.

        Nobody finds the traces of who was there before: see `settle`.
        """
        return Site(self.server, self.server.fresh_site(), port or self.server.port)


def settle() -> None:
    """Wait until removed files are forgotten.

    A file system without a journal gives nobody the inode of a file that was removed within the last minute (within the last six
    where something else was written beside it since), and looks at each of them again for every new file: whoever comes next
    would pay for it, and the more, the less it does besides.
    """
    os.sync()
    time.sleep(FORGOTTEN)


@contextmanager
def place(rounds: int, peers: Sequence[str] = ()) -> Iterator[Place]:
    """Start the servers."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="slipway-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        sshd._require(accounts=1, chroot=False)
        users = [stack.enter_context(sshd._account())] if sshd.IS_ROOT else [getpass.getuser()]
        server = stack.enter_context(sshd._running(users, chroot=False, logged=False, options=()))
        yield Place(folder, server, stack.enter_context(database_server()), rounds, peers)


@contextmanager
def database_server() -> Iterator[mariadb.Server]:
    """A MariaDB server alone."""
    programs = [shutil.which(name, path=mariadb.PATH) for name in ("mariadbd", "mariadb-install-db")]
    if None in programs:
        mariadb.missing("mariadbd is not installed: apt-get install mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="slipway-mariadb-"))
    try:
        with contextmanager(mariadb._serve)(str(programs[0]), str(programs[1]), folder, flush=True) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)
