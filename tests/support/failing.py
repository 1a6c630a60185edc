"""Calls that fail on demand: those to files, to an SFTP server, to the database, to an object store."""

import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from botocore.exceptions import ConnectionClosedError
from pymysql.err import OperationalError
from sqlalchemy import event

from database import Database
from support.injector import Injector, site_of
from support.s3_memory import MemoryClient, refusal
from support.sftp_pipe import SocketPipe
from targets.sftp import wire
from targets.sftp.session import Session
from targets.sftp.tickets import Ticket

READS = ("lstat", "stat", "scandir", "statvfs", "readlink")
WRITES = (
    "open", "write", "replace", "rename", "mkdir", "rmdir", "unlink", "fsync", "chmod", "fchmod", "utime", "link", "symlink",
)  # fmt: skip


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

    with ExitStack() as stack:
        for name in (*READS, *WRITES):
            stack.enter_context(mock.patch.object(os, name, failing(name, getattr(os, name))))
        stack.enter_context(mock.patch.object(io, "open", failing("io.open", io.open)))
        yield


class FailingPipe:
    """Between an SFTP session and its server: a request is refused, or the connection ends there, before it or after it.

    A request waits in the session until a packet goes out. With `noting_askers` it counts as the site's that made it, and not as
    that one's whose own sends it along.
    """

    def __init__(self, pipe: SocketPipe, injector: Injector, how: str) -> None:
        self._pipe, self._injector, self._how = pipe, injector, how
        self.askers: dict[int, str] = {}
        """The site of each request that did not go out yet, by its number."""
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
        struck = not self._cut and self._struck(packet)
        if struck and self._how == "refuse":
            content = bytes([wire.STATUS]) + packet[5:9] + bytes([0, 0, 0, wire.FAILURE]) + bytes(8)
            self._given += len(content).to_bytes(4, "big") + content
            return
        if not (struck and self._how == "cut before"):
            self._pipe._near.sendall(packet)
        self._cut = self._cut or struck

    def _struck(self, packet: bytes) -> bool:
        kind = packet[4]
        if kind == wire.INIT:
            return False
        asker = self.askers.pop(int.from_bytes(packet[5:9], "big"), None)
        if kind == wire.READDIR:
            # Read ahead: made by whoever happens to wait for something when there is room for it.
            return self._injector.strikes("request to read on", "a listing")
        if kind == wire.EXTENDED:
            length = int.from_bytes(packet[9:13], "big")
            return self._injector.strikes(f"request {packet[13 : 13 + length].decode()}", asker)
        return self._injector.strikes(f"request {kind}", asker)

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


@contextmanager
def noting_askers() -> Iterator[None]:
    """Each request of a session over a failing pipe is known by the site that made it, also one that is to go out at some time."""
    sends, later = Session.send, Session.later
    afterthoughts: dict[int, tuple[wire.Request, str | None]] = {}
    # By identity, and kept with its request, so that no other one can have that identity meanwhile.

    def noting_later(session: Session, request: wire.Request) -> None:
        afterthoughts[id(request)] = request, site_of()
        later(session, request)

    def noting_send(session: Session, *requests: wire.Request, awaited: int = 0) -> Ticket:
        if isinstance(pipe := session._pipe, FailingPipe):
            for number, request in enumerate(requests, session._number + 1):
                _, asker = afterthoughts.pop(id(request), (request, None))
                asker = asker or site_of()
                if asker is not None:
                    pipe.askers[number] = asker
        return sends(session, *requests, awaited=awaited)

    with mock.patch.multiple(Session, send=noting_send, later=noting_later):
        yield


BUSY, BROKEN = "database is locked", "disk I/O error"
"""The first is tried again within the transaction's verb, as a deadlock is; the second ends it."""
DEADLOCK, GONE = "1213 Deadlock found", "2013 Lost connection to server during query"
"""The same two of MariaDB, but that after the second another connection may do."""
LATER = " when it was done"
"""After such a way's name: a commit takes effect, and its answer is lost."""


def driver_error(how: str) -> Exception:
    """What a driver raises."""
    how = how.removesuffix(LATER)
    if how[0].isdigit():
        number, _, words = how.partition(" ")
        return OperationalError(int(number), words)
    return sqlite3.OperationalError(how)


@contextmanager
def failing_database(database: Database, injector: Injector, how: str) -> Iterator[None]:
    """Statements and commits fail with `how`."""

    def statement(_connection: object, _cursor: object, said: str, *_: object) -> None:
        if injector.strikes(f"statement {said.split(maxsplit=1)[0]}"):
            raise driver_error(how)

    def commit(real: Callable[[Any], None]) -> Callable[[Any], None]:
        def committed(connection: Any) -> None:
            struck = injector.strikes("commit")
            if struck and not how.endswith(LATER):
                raise driver_error(how)
            real(connection)
            if struck:
                raise driver_error(how)

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


class FailingStore:
    """Between a target and an object store: a request is refused, or is lost before the service has it, or its answer after."""

    def __init__(self, client: MemoryClient, injector: Injector, how: str) -> None:
        self._client, self._injector, self._how = client, injector, how

    def __getattr__(self, verb: str) -> Any:
        real = getattr(self._client, verb)

        def request(**given: Any) -> Any:
            if not self._injector.strikes(verb):
                return real(**given)
            if self._how == "refuse":
                raise refusal("InternalError", 500)
            if self._how == "cut after":
                real(**given)
            raise ConnectionClosedError(endpoint_url="http://127.0.0.1")

        return real if verb == "close" else request
