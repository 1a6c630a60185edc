"""The calls of the commit protocol as requests: what can be sent together, and what must be waited for."""

import posixpath
import stat
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

from targets.disk import Answer, Op
from targets.errors import NoSpace, PermanentTargetError
from targets.sftp import fields, wire
from targets.sftp.asking import ask, ask_all, ask_handle
from targets.sftp.faults import answer as word
from targets.sftp.faults import explain
from targets.sftp.session import Session
from targets.sftp.tickets import Ticket, Work

T = TypeVar("T")

_LISTS_AT_ONCE = 4
"""READDIRs under way: OpenSSH answers a hundred names to each."""
_LIST_BYTES = 64 * 1024
_MOST_NAMES = 500_000
"""In one folder: five times as many as there are files in a large module. A server could go on for ever."""
_LEAD_BYTES = 8 * 1024
"""Of a link: its text, twice."""


def numbered(session: Session, *, number: int, work: Callable[[Session, bytes], Work[T]], path: bytes) -> Work[tuple[int, T]]:
    """A work whose result says which one it was."""
    return number, (yield from work(session, path))


class Change(NamedTuple):
    """One call, with the server's own names."""

    op: Op
    path: bytes
    to: bytes = b""
    mode: int | None = None


def change(session: Session, wanted: Sequence[Change]) -> Work[Sequence[Answer]]:
    """All but syncs: carried out in this order, all on their way at once."""
    replies = yield from ask_all(session, map(_request, wanted))
    answers = [word(wire.status(reply)) for reply in replies]
    refused = [one.path for one, said in zip(wanted, answers, strict=True) if one.op is Op.MKDIR and said is Answer.REFUSED]
    for path, reply in zip(refused, (yield from ask_all(session, map(wire.lstat, refused))), strict=True):
        yield from _notice_full_disk(session, path, wire.attributes(reply))
    return answers


def change_unless_there(session: Session, folders: Sequence[bytes], wanted: Sequence[Change]) -> Work[Sequence[Answer]]:
    """Like `change`, if the first of these folders is not there and the others are; otherwise nothing, and no answer."""
    first, *others = map(wire.attributes, (yield from ask_all(session, map(wire.lstat, folders))))
    gone = isinstance(first, wire.Status) and first.code == wire.NO_SUCH_FILE
    if not gone or any(isinstance(other, wire.Status) for other in others):
        return ()
    return (yield from change(session, wanted))


def make_folders(session: Session, wanted: Sequence[Change]) -> Work[tuple[Sequence[Answer], set[tuple[bytes, int]]]]:
    """Make folders, in this order, and give them exactly their modes: umask and default ACLs take part in MKDIR.

    Each is looked at right behind its MKDIR, in the same flight. Says also where modes were right by themselves, as parent and
    mode, if all were: further folders there need no look.
    """
    requests = ((_request(one), wire.lstat(one.path)) for one in wanted)
    replies = yield from ask_all(session, chain.from_iterable(requests))
    answers = [word(wire.status(reply)) for reply in replies[::2]]
    wrong: list[tuple[bytes, int]] = []
    exact: set[tuple[bytes, int]] = set()
    for one, said, reply in zip(wanted, answers, replies[1::2], strict=True):
        seen = wire.attributes(reply)
        if said is Answer.REFUSED:
            yield from _notice_full_disk(session, one.path, seen)
        if said is not Answer.OK or one.mode is None or not isinstance(seen, fields.Attributes) or seen.mode is None:
            continue
        if seen.mode & 0o777 == one.mode:
            exact.add((posixpath.dirname(one.path), one.mode))
        else:
            # A set-group-id bit that the folder got from its parent stays.
            wrong.append((one.path, seen.mode & 0o7000 | one.mode))
    yield from _set_modes(session, wrong)
    return answers, set() if wrong else exact


def _set_modes(session: Session, wrong: Sequence[tuple[bytes, int]]) -> Work[None]:
    replies = yield from ask_all(session, (wire.set_mode(*pair) for pair in wrong))
    for (path, _), reply in zip(wrong, replies, strict=True):
        status = wire.status(reply)
        if status.code not in {wire.OK, wire.NO_SUCH_FILE}:
            raise (yield from explain(session, status, "set the mode of", path))


def sync(session: Session, path: bytes) -> Work[Answer]:
    """fsync of a file that is there."""
    handle = yield from ask_handle(session, wire.open_for_reading(path))
    if isinstance(handle, wire.Status):
        return word(handle)
    ticket = session.send(wire.sync(handle), wire.close(handle))
    yield ticket
    for status in map(wire.status, ticket.replies):
        if status.code != wire.OK:
            raise (yield from explain(session, status, "sync", path))
    return Answer.OK


def listing(session: Session, path: bytes) -> Work[dict[bytes, fields.Attributes]]:
    """Names in a folder, without "." and ".."; raises FileNotFoundError."""
    handle = yield from ask_handle(session, wire.open_folder(path))
    if isinstance(handle, wire.Status):
        raise (yield from explain(session, handle, "list", path))
    try:
        found = yield from _names(session, path, handle)
    finally:
        session.later(wire.close(handle))
    return {name: said for name, said in found.items() if name not in {b".", b".."}}


def lead(session: Session, path: bytes) -> Work[str | None]:
    """Where a symbolic link leads; None where none is: the server says "not there" or just no."""
    said = wire.lead((yield from ask(session, wire.read_symlink(path), _LEAD_BYTES)))
    if not isinstance(said, wire.Status):
        return said.decode("utf-8", "surrogateescape")
    if said.code == wire.NO_SUCH_FILE:
        return None
    there = wire.attributes((yield from ask(session, wire.lstat(path))))
    if isinstance(there, fields.Attributes) and not stat.S_ISLNK(there.mode or 0):
        return None
    raise (yield from explain(session, said, "read the link", path))


def _names(session: Session, path: bytes, handle: bytes) -> Work[dict[bytes, fields.Attributes]]:
    found: dict[bytes, fields.Attributes] = {}
    count = 0
    under_way: deque[Ticket] = deque()
    while True:
        while len(under_way) < _LISTS_AT_ONCE and (session.room or not under_way):
            under_way.append(session.send(wire.read_folder(handle), awaited=_LIST_BYTES))
        ticket = under_way.popleft()
        yield ticket
        said = wire.names(ticket.reply)
        if not isinstance(said, wire.Status):
            found |= _believed(said)
            # A reply without any name, or with the same ones again, brings the end no nearer.
            count += max(1, len(said))
            if count > _MOST_NAMES:
                name = f"{path.decode('utf-8', 'replace')!r} on {session.place}"
                raise PermanentTargetError(
                    f"could not list {name}: it has more than {_MOST_NAMES} names, or the list has no end."
                )
        elif said.code == wire.EOF:
            return found
        else:
            raise (yield from explain(session, said, "list", path))


def _believed(said: dict[bytes, fields.Attributes]) -> dict[bytes, fields.Attributes]:
    """The names, none of which leads out of its folder. Raises Garbled."""
    for name in said:
        if not name or b"/" in name or b"\0" in name:
            raise fields.Garbled(f"{name[:100]!r} as a name in a folder")
    return said


def _request(one: Change) -> wire.Request:
    match one.op:
        case Op.MKDIR:
            return wire.make_folder(one.path, one.mode)
        case Op.RENAME:
            return wire.rename_over(one.path, one.to)
        case Op.LINK:
            return wire.link(one.path, one.to)
        case Op.SYMLINK:
            return wire.make_symlink(one.path, one.to)
        case Op.RMDIR:
            return wire.remove_folder(one.path)
        case _:
            return wire.remove(one.path)


def _notice_full_disk(session: Session, refused: bytes, seen: fields.Attributes | wire.Status) -> Work[None]:
    """A folder that is refused though nothing of its name is there."""
    if isinstance(seen, wire.Status) and seen.code == wire.NO_SUCH_FILE:
        error = yield from explain(session, wire.Status(wire.FAILURE, ""), "make the folder", refused)
        if isinstance(error, NoSpace):
            raise error
