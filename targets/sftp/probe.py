"""What a server must be able to do, tried in a scratch folder and cleaned up."""

import hashlib
import io
import secrets
from collections.abc import Iterator, Mapping

from targets.disk import Answer, Call, Disk, Op, Write
from targets.errors import PathBlocked, TargetError, TargetUnreachable
from targets.sftp import wire

_USE_OPENSSH = "use OpenSSH's SFTP server there"
_MOMENT = 946684800
"""Midnight of 1 January 2000, UTC."""


def probe(disk: Disk, extensions: Mapping[str, str], folder: str, *, durable: bool) -> Iterator[tuple[str, bool, str]]:
    """Each ability as (what, works, remedy). `folder` is there, and is as empty afterwards as it was before."""
    renames, syncs = wire.POSIX_RENAME in extensions, wire.FSYNC in extensions
    yield "rename over a file", renames, _USE_OPENSSH
    if durable:
        yield "sync to the disk", syncs, f'{_USE_OPENSSH}, or set durability = "none"'
    yield "free space is known", wire.STATVFS in extensions, f"{_USE_OPENSSH}; without it a full disk shows only when it is full"
    mark = f"probe-{secrets.token_hex(8)}"
    first, second, outside = f"{folder}/{mark}-1", f"{folder}/{mark}-2", f".slipway-{mark}"
    try:
        yield from _try_writing(disk, first, second, sync=durable and syncs)
        if renames:
            yield from _try_renaming(disk, first, second, outside)
    finally:
        disk.run([Call(Op.UNLINK, name) for name in (first, second, outside)])


def _try_writing(disk: Disk, first: str, second: str, *, sync: bool) -> Iterator[tuple[str, bool, str]]:
    yield "create a file", *_tried(disk, _file(first, sync=sync))
    works, _ = _tried(disk, _file(first, sync=False))
    yield "refuse to create a file twice", not works, f"two engines could write one file; {_USE_OPENSSH}"
    yield "create a second file", *_tried(disk, _file(second, sync=False))
    entry = disk.stat([first])[0]
    yield "set modification times", entry is not None and entry.modified == _MOMENT, "set times = false, or " + _USE_OPENSSH


def _try_renaming(disk: Disk, first: str, second: str, outside: str) -> Iterator[tuple[str, bool, str]]:
    over, out = disk.run([Call(Op.RENAME, first, second), Call(Op.RENAME, second, outside)])
    yield "replace a file by renaming", over is Answer.OK, _USE_OPENSSH
    yield (
        "rename from the area into the root",
        out is Answer.OK,
        "the account must be allowed to write in the root, and the area must be on the same file system; set area",
    )


def _file(path: str, *, sync: bool) -> Write:
    content = path.encode()
    return Write(
        path, lambda: io.BytesIO(content), len(content), hashlib.sha256(content).digest(), 0o600, _MOMENT, sync, read_back=True
    )


def _tried(disk: Disk, write: Write) -> tuple[bool, str]:
    try:
        return bool(list(disk.write([write]))), ""
    except TargetUnreachable:
        raise
    except (TargetError, FileNotFoundError) as error:
        return False, "it is there already" if isinstance(error, PathBlocked) else str(error)
