"""What a server's refusal means, in words and in our errors.

Version 3 has a code for "not there" and one for "not allowed"; a full disk, an existing name, a quota and a hundred other
things all arrive as FAILURE. So a failure is followed by two questions: what lies there, and is there room?
"""

from targets.disk import Answer
from targets.errors import (
    NoSpace,
    PathBlocked,
    PermanentTargetError,
    PermissionRefused,
    TargetUnfit,
    TargetUnreachable,
    TransientTargetError,
)
from targets.sftp import fields, wire
from targets.sftp.asking import ask
from targets.sftp.session import Session
from targets.sftp.tickets import Work

_ANSWERS = {wire.OK: Answer.OK, wire.NO_SUCH_FILE: Answer.ABSENT, wire.PERMISSION_DENIED: Answer.DENIED}
_KINDS: dict[int, tuple[type[Exception], str]] = {
    wire.OK: (TransientTargetError, "the server says OK where something else belongs"),
    wire.NO_SUCH_FILE: (FileNotFoundError, "the file, or a folder on the way, is not there"),
    wire.PERMISSION_DENIED: (PermissionRefused, "the account may not; give it the right to"),
    wire.BAD_MESSAGE: (PermanentTargetError, "the server cannot take this name or request"),
    wire.NO_CONNECTION: (TargetUnreachable, "the server lost its own connection"),
    wire.CONNECTION_LOST: (TargetUnreachable, "the server lost its own connection"),
    wire.UNSUPPORTED: (TargetUnfit, "the server does not support it"),
}
_BLOCK = 4096
"""Even an empty file needs a block somewhere."""


def answer(status: wire.Status) -> Answer:
    """The contract's word for a status. Raises where it concerns the connection or the server as a whole."""
    said = _ANSWERS.get(status.code)
    if said is not None:
        return said
    if status.code in {wire.NO_CONNECTION, wire.CONNECTION_LOST}:
        raise TargetUnreachable(f"the server lost its own connection: {status.text}")
    if status.code == wire.UNSUPPORTED:
        raise TargetUnfit(f"the server does not support what was asked of it: {status.text}")
    return Answer.REFUSED


def fault(session: Session, status: wire.Status, doing: str, path: bytes, size: int = 0) -> Exception:
    """The error of a refusal that no question to the server would explain further."""
    name = f"{path.decode('utf-8', 'replace')!r} on {session.place}"
    said = f"(it said: {status.text or status.code})"
    if status.code in _KINDS:
        kind, why = _KINDS[status.code]
        return kind(f"could not {doing} {name}: {why} {said}.")
    return TransientTargetError(
        f"could not {doing} {name}, a file of {size} bytes: the server gives no reason {said}. "
        "A quota, or a fault of its disk? Its own log may say more."
    )


def explain(
    session: Session, status: wire.Status, doing: str, path: bytes, size: int = 0, *, new: bool = False
) -> Work[Exception]:
    """The error of a refusal; for a bare FAILURE after asking what lies there (`new`: nothing should) and for room."""
    if status.code != wire.FAILURE:
        return fault(session, status, doing, path, size)
    name = f"{path.decode('utf-8', 'replace')!r} on {session.place}"
    if new and isinstance(wire.attributes((yield from ask(session, wire.lstat(path)))), fields.Attributes):
        return PathBlocked(f"could not {doing} {name}: something of that name is there already.")
    room = yield from file_system(session, path.rpartition(b"/")[0] or b"/")
    if room is not None and room.read_only:
        return PermissionRefused(f"could not {doing} {name}: the file system is mounted read-only.")
    if room is not None and (room.free_bytes < max(size, _BLOCK) or room.free_inodes == 0):
        return NoSpace(
            f"could not {doing} {name}, a file of {size} bytes: the file system is full "
            f"({room.free_bytes} bytes and {room.free_inodes} inodes are free). Make room there."
        )
    return fault(session, status, doing, path, size)


def file_system(session: Session, path: bytes) -> Work[wire.FileSystem | None]:
    """Room on the file system of a path; None where the server cannot say."""
    if wire.STATVFS not in session.extensions:
        return None
    said = wire.file_system_of((yield from ask(session, wire.file_system(path))))
    return said if isinstance(said, wire.FileSystem) else None
