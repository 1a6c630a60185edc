"""Calls that fail on demand: the Nth call to files, to an SFTP server or to the database, once or from then on.

Each call is known by its site, the innermost function of the project that made it, so that it can be counted which sites a sweep
has made fail and which it has not.
"""

import errno
import io
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import event

from database import Database
from support.sftp_pipe import SocketPipe
from targets.sftp import wire

ROOT = Path(__file__).resolve().parents[2]
TESTS = str(ROOT / "tests")
PLUMBING = (
    "targets/sftp/session.py",
    "targets/sftp/asking.py",
    "targets/sftp/crew.py",
    "database/transactions.py",
    "database/connection.py",
)
"""What only passes calls on: who asked for one is further out."""

READS = ("lstat", "stat", "scandir", "statvfs", "readlink")
WRITES = (
    "open", "write", "replace", "rename", "mkdir", "rmdir", "unlink", "fsync", "chmod", "fchmod", "utime", "link", "symlink",
)  # fmt: skip


@dataclass
class Injector:
    """Counts calls, and says which of them fails. `forever`: and each one after it."""

    nth: int = 0
    forever: bool = False
    sites: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    since: float | None = None
    """When the first call failed, on the monotonic clock."""

    def failing_for(self, seconds: float) -> bool:
        """Whether calls have gone on failing for so long."""
        return self.since is not None and time.monotonic() - self.since > seconds

    def strikes(self, call: str, site: str | None = None) -> bool:
        """Whether this call fails; only calls that the project makes count."""
        site = site or site_of()
        if site is None:
            return False
        self.sites.append(f"{call} in {site}")
        number = len(self.sites)
        if number == self.nth or (self.forever and self.nth and number > self.nth):
            self.failed.append(self.sites[-1])
            self.since = self.since or time.monotonic()
            return True
        return False


def site_of(within: tuple[str, ...] = ()) -> str | None:
    """The innermost function of the project on the stack; None if there is none, or if it is not below one of these folders."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(str(ROOT)) and not name.startswith(TESTS) and "/.venv/" not in name:
            relative = name[len(str(ROOT)) + 1 :]
            if relative not in PLUMBING:
                return f"{relative}:{frame.f_code.co_qualname}" if not within or relative.startswith(within) else None
        frame = frame.f_back
    return None


@contextmanager
def failing_files(injector: Injector, number: int) -> Iterator[None]:
    """System calls on files fail with this errno: those of the local target, the content store and the source's folder."""

    def failing(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            site = site_of(("targets/", "store/", "sources/"))
            if site is not None and injector.strikes(name, site):
                raise OSError(number, os.strerror(number), arguments[0] if isinstance(arguments[0], str) else None)
            return real(*arguments, **more)

        return call

    left_out = READS if number == errno.ENOSPC else ()
    with ExitStack() as stack:
        for name in (*READS, *WRITES):
            if name not in left_out:
                stack.enter_context(mock.patch.object(os, name, failing(name, getattr(os, name))))
        stack.enter_context(mock.patch.object(io, "open", failing("io.open", io.open)))
        yield


class FailingPipe:
    """Between an SFTP session and its server: the Nth request is refused, or the connection ends there, before it or after it."""

    def __init__(self, pipe: SocketPipe, injector: Injector, how: str) -> None:
        self._pipe, self._injector, self._how = pipe, injector, how
        self._out, self._given = bytearray(), bytearray()
        self._cut = False

    def send(self, data: bytes, /) -> int:
        if self._cut:
            raise ConnectionResetError("cut")
        self._out += data
        while len(self._out) >= 4 and len(self._out) >= (end := 4 + int.from_bytes(self._out[:4], "big")):
            packet = bytes(self._out[:end])
            del self._out[:end]
            self._pass(packet)
        return len(data)

    def _pass(self, packet: bytes) -> None:
        struck = packet[4] != wire.INIT and not self._cut and self._injector.strikes(f"request {packet[4]}")
        if struck and self._how == "refuse":
            content = bytes([wire.STATUS]) + packet[5:9] + bytes([0, 0, 0, wire.FAILURE]) + bytes(8)
            self._given += len(content).to_bytes(4, "big") + content
            return
        if not (struck and self._how == "cut before"):
            self._pipe._near.sendall(packet)
        self._cut = self._cut or struck

    def recv(self, count: int, /) -> bytes:
        if self._given:
            given = bytes(self._given[:count])
            del self._given[:count]
            return given
        if self._cut:
            raise ConnectionResetError("cut")
        return self._pipe.recv(count)

    def recv_ready(self) -> bool:
        return bool(self._given) or self._pipe.recv_ready()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


BUSY, BROKEN = "database is locked", "disk I/O error"
"""The first is tried again within the transaction's verb, as a deadlock is; the second ends it."""


@contextmanager
def failing_database(database: Database, injector: Injector, how: str) -> Iterator[None]:
    """Statements and commits fail with `how`; "after": a commit takes effect and its answer is lost."""
    message = BROKEN if how == "after" else how

    def statement(*_: Any) -> None:
        if how != "after" and injector.strikes("statement"):
            raise sqlite3.OperationalError(message)

    def commit(real: Callable[[Any], None]) -> Callable[[Any], None]:
        def committed(connection: Any) -> None:
            struck = injector.strikes("commit")
            if struck and how != "after":
                raise sqlite3.OperationalError(message)
            real(connection)
            if struck:
                raise sqlite3.OperationalError(message)

        return committed

    engines = (database._change, database._look)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", statement)
    dialect = database._change.dialect
    try:
        with mock.patch.object(dialect, "do_commit", commit(dialect.do_commit)):
            yield
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", statement)
