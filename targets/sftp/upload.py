"""Storing one file: created exclusively, filled, its mode and times set, synced, closed, and every reply looked at."""

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import closing

from targets.disk import Write
from targets.errors import CorruptTransfer
from targets.sftp import download, fields, wire
from targets.sftp.asking import ask, ask_handle
from targets.sftp.faults import explain
from targets.sftp.framing import Reply
from targets.sftp.session import Session
from targets.sftp.tickets import Ticket, Work


def upload(session: Session, write: Write, path: bytes) -> Work[Sequence[Write]]:
    """The whole life of one upload, of any size. What was not good to the end is removed again, as far as the server lets us.

    Raises CorruptTransfer, PathBlocked, FileNotFoundError, NoSpace and what else a server may say.
    """
    handle = yield from ask_handle(session, wire.create(path, write.mode), made=path)
    if isinstance(handle, wire.Status):
        raise (yield from explain(session, handle, "create", path, write.size, new=True))
    file = _Open(session, write, path, handle)
    try:
        yield from file.fill()
        yield from file.finish()
        if write.read_back:
            yield from _compare(session, write, path)
    except BaseException:
        file.give_up()
        raise
    return [write]


def ending(write: Write, handle: bytes) -> list[tuple[str, wire.Request]]:
    """What a file needs once its bytes were sent: mode and times, sync, close; each in words, and as a request."""
    steps = [("close", wire.close(handle))]
    if write.sync:
        steps.insert(0, ("sync", wire.sync(handle)))
    if write.mode is not None or write.modified is not None:
        steps.insert(0, ("set mode and times of", wire.set_attributes(handle, write.mode, write.modified)))
    return steps


def refusal(replies: Iterable[Reply]) -> tuple[int, wire.Status] | None:
    """The first that is not good: where it stands, and what it says."""
    for place, status in enumerate(map(wire.status, replies)):
        if status.code != wire.OK:
            return place, status
    return None


class _Open:
    """A file that we created, and the replies still awaited for it."""

    def __init__(self, session: Session, write: Write, path: bytes, handle: bytes) -> None:
        self._session, self._write, self._path, self._handle = session, write, path, handle
        self._awaited: deque[tuple[str, Ticket]] = deque()
        self._closed = False

    def fill(self) -> Work[None]:
        """Send the bytes. They are what was promised, or CorruptTransfer is raised before the file is closed."""
        write, hasher, offset, ended = self._write, hashlib.sha256(), 0, False
        with closing(write.open()) as stream:
            while not ended:
                # One byte more than promised is asked for, so that a longer file does not pass for the right one.
                wanted = min(self._session.write_size, write.size - offset + 1)
                chunk = stream.read(wanted)
                # A file's bytes come short at its end alone, and to ask again for nothing costs as much as to ask for it all.
                ended = len(chunk) < wanted
                hasher.update(chunk)
                if offset + len(chunk) > write.size:
                    raise wrong_source(write, f"more than {write.size} bytes")
                while not self._session.room:
                    yield None
                if chunk:
                    self._send("write", wire.write(self._handle, offset, chunk))
                offset += len(chunk)
                yield from self._look_back()
        if offset < write.size:
            raise wrong_source(write, f"{offset} bytes instead of {write.size}")
        check(write, hasher)

    def finish(self) -> Work[None]:
        """Mode and times, sync, close; then every reply must have been good."""
        for step in ending(self._write, self._handle):
            self._send(*step)
        # Handles are numbers that the server uses again: a second CLOSE could hit somebody else's file.
        self._closed = True
        # Where replies come in order, the last one's wakes this work once for all of them.
        yield self._awaited[-1][1]
        yield from self._look_back(every=True)

    def give_up(self) -> None:
        """Close and remove it. The file is invisible still, so nobody waits for the replies."""
        if not self._closed:
            self._session.later(wire.close(self._handle))
        self._session.later(wire.remove(self._path))

    def _send(self, doing: str, request: wire.Request) -> None:
        self._awaited.append((doing, self._session.send(request)))

    def _look_back(self, *, every: bool = False) -> Work[None]:
        """Check what was answered meanwhile, so that a refusal stops a large file early; `every`: wait for what was not."""
        while self._awaited and (every or not self._awaited[0][1].left):
            doing, ticket = self._awaited.popleft()
            if ticket.left:
                yield ticket
            if refused := refusal(ticket.replies):
                raise (yield from explain(self._session, refused[1], doing, self._path, self._write.size))


def compare(session: Session, write: Write, path: bytes) -> Work[Write]:
    """Read a file again that was stored; one that differs is removed. Raises CorruptTransfer."""
    try:
        yield from _compare(session, write, path)
    except BaseException:
        session.later(wire.remove(path))
        raise
    return write


def _compare(session: Session, write: Write, path: bytes) -> Work[None]:
    """From the server's disk or its cache."""
    there = wire.attributes((yield from ask(session, wire.lstat(path))))
    # Bytes that were put at a wrong place can make a file of many terabytes with nothing in it: it is not read.
    if isinstance(there, fields.Attributes) and there.size not in {None, write.size}:
        raise _differs(session, write, f"{there.size} bytes instead of {write.size}")
    found = yield from download.digest(session, path)
    if found != (write.size, write.digest):
        raise _differs(session, write, f"{found[0]} bytes with the digest {found[1].hex()}" if found else "nothing there")


def _differs(session: Session, write: Write, found: str) -> CorruptTransfer:
    return CorruptTransfer(
        f"{write.path} on {session.place} is not what was sent, though every reply was good: reading it again found {found}. "
        "The server's disk or something between may be faulty."
    )


def whole(write: Write) -> bytes:
    """A small file's bytes. Raises CorruptTransfer if they are not what was promised."""
    # One byte more than promised is asked for, so that a longer file does not pass for the right one.
    if write.read is not None:
        content = write.read(write.size + 1)
    else:
        with write.open() as stream:
            content = stream.read(write.size + 1)
    if len(content) != write.size:
        raise wrong_source(write, f"{len(content)} bytes or more instead of {write.size}")
    check(write, hashlib.sha256(content))
    return content


def check(write: Write, hasher: "hashlib._Hash") -> None:
    """Raise CorruptTransfer if the bytes were not what was promised."""
    if hasher.digest() != write.digest:
        raise wrong_source(write, f"bytes with the digest {hasher.hexdigest()} instead of {write.digest.hex()}")


def wrong_source(write: Write, found: str) -> CorruptTransfer:
    """The error of a source that gave other bytes than were promised."""
    return CorruptTransfer(f"{write.path} was not stored: its source gave {found}.")
