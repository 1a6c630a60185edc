"""Reading a file with many READs under way, and never a byte from a link's target."""

import hashlib
import io
import stat
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from packageslip import Digest
from targets.errors import TargetError, TransientTargetError
from targets.sftp import fields, wire
from targets.sftp.asking import ask, ask_handle
from targets.sftp.faults import explain, fault
from targets.sftp.session import Session
from targets.sftp.tickets import Ticket, Work

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_AHEAD = 2 * 1024 * 1024
"""Bytes asked for before they are wanted: what a channel holds, so that distance costs nothing."""
_GROWTH = 64 * 1024 * 1024
"""Bytes that a file may have beyond the size that it was said to have. A server could send more for ever."""


class Ahead:
    """The READs of one open file, in order. The file may be longer or shorter than it was said to be."""

    def __init__(self, session: Session, path: bytes, handle: bytes, size: int) -> None:
        self._session, self._path, self._handle, self._size = session, path, handle, size
        self._under_way: deque[tuple[int, int, Ticket]] = deque()
        self._next = 0
        self._asked_beyond = False
        self.ended = False

    def ask(self) -> Ticket | None:
        """Ask for as much as may be under way; the ticket to wait for now, or None: there is no room for even one."""
        while not self._asked_beyond and (self._session.room and self._next - self._first() < _AHEAD):
            # What lies beyond the size that was said: nothing, and then this READ says so; or the file has grown.
            self._asked_beyond = self._next >= self._size
            length = self._session.read_size if self._asked_beyond else min(self._session.read_size, self._size - self._next)
            ticket = self._session.send(wire.read(self._handle, self._next, length), awaited=length)
            self._under_way.append((self._next, length, ticket))
            self._next += length
        return self._under_way[0][2] if self._under_way else None

    def take(self) -> bytes:
        """The next bytes, once the ticket was answered; empty at the end."""
        offset, length, ticket = self._under_way.popleft()
        said = wire.chunk(ticket.reply)
        if isinstance(said, wire.Status):
            if said.code != wire.EOF:
                raise fault(self._session, said, "read", self._path)
            self.ended = True
            return b""
        if len(said) > length or not said:
            raise fields.Garbled(f"{len(said)} bytes in reply to a READ of {length}")
        if offset > self._size + _GROWTH:
            name = f"{self._path.decode('utf-8', 'replace')!r} on {self._session.place}"
            raise TransientTargetError(f"could not read {name}: it should have {self._size} bytes, and does not end.")
        if len(said) < length or (self._asked_beyond and not self._under_way):
            # A server may give less than was asked for: go on from there, and forget what was asked beyond.
            self._under_way.clear()
            self._next, self._asked_beyond = offset + len(said), False
        return said

    def close(self) -> None:
        """Close the file; the reply is not waited for, it could change nothing."""
        self._session.later(wire.close(self._handle))

    def _first(self) -> int:
        return self._under_way[0][0] if self._under_way else self._next


def open_regular(session: Session, path: bytes, size: int | None = None) -> Work[Ahead | None]:
    """Open a regular file; None where there is none. The type is asked for first: opening a FIFO would hang the server.

    `size`: of a file that is known to be a regular one.
    """
    if size is None:
        said = wire.attributes((yield from ask(session, wire.lstat(path))))
        if isinstance(said, wire.Status):
            if said.code == wire.NO_SUCH_FILE:
                return None
            raise (yield from explain(session, said, "look at", path))
        if said.mode is None or not stat.S_ISREG(said.mode):
            return None
        size = said.size or 0
    handle = yield from ask_handle(session, wire.open_for_reading(path))
    if isinstance(handle, wire.Status):
        if handle.code == wire.NO_SUCH_FILE:
            return None
        raise (yield from explain(session, handle, "open", path))
    return Ahead(session, path, handle, size)


def read_all(session: Session, path: bytes, take: Callable[[bytes], object], size: int | None = None) -> Work[bool]:
    """Give every byte of a regular file to `take`, in order; False where there is no such file. `size`: as above."""
    ahead = yield from open_regular(session, path, size)
    if ahead is None:
        return False
    try:
        while not ahead.ended:
            ticket = ahead.ask()
            if ticket is None:
                yield None
                continue
            yield ticket
            take(ahead.take())
    finally:
        ahead.close()
    return True


def digest(session: Session, path: bytes) -> Work[tuple[int, Digest] | None]:
    """Size and SHA-256 of a regular file, read in full; None where there is none."""
    hasher, size = hashlib.sha256(), 0

    def take(chunk: bytes) -> None:
        nonlocal size
        hasher.update(chunk)
        size += len(chunk)

    found = yield from read_all(session, path, take)
    return (size, hasher.digest()) if found else None


class Reader(io.RawIOBase):
    """A file on the server as a stream; used by the thread that uses the session. Errors carry the target's name."""

    def __init__(self, session: Session, ahead: Ahead, target: str) -> None:
        super().__init__()
        self._session, self._ahead, self._target = session, ahead, target
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill as much as is at hand, at least one byte; 0 at the end. Raises TargetUnreachable and its kin."""
        if not self._left and not self._ahead.ended:
            try:
                self._left = memoryview(self._fetch())
            except TargetError as error:
                error.name(self._target)
                raise
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._left))
        view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        """Close the file on the server. Safe to call twice, and after the connection is gone."""
        if not self.closed:
            self._ahead.close()
        super().close()

    def _fetch(self) -> bytes:
        try:
            ticket = self._ahead.ask()
            while ticket is None:
                self._session.make_room()
                ticket = self._ahead.ask()
            self._session.wait(ticket)
            return self._ahead.take()
        except fields.Garbled as error:
            self._session.distrust(error)
        except FileNotFoundError as error:
            raise TransientTargetError(f"{error} any more") from error
