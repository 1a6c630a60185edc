"""A folder of this machine as a Disk."""

# System calls on strings: a Path object for each of 100,000 files costs more than the calls.
# ruff: noqa: PTH101, PTH102, PTH105, PTH106, PTH108, PTH115, PTH118, PTH120, PTH211

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from packageslip import Digest
from targets.disk import Answer, Call, Done, Entry, EntryType, Looks, Op, Script, Seen, Write, ahead_at_once, look_in_turn
from targets.errors import CorruptTransfer, PathBlocked, TargetError
from targets.faults import ABSENT, DENIED, REFUSED, as_target_errors, target_error

CHUNK = 1024 * 1024
TOGETHER, SYNCS = 64, 16
"""Files written before they are synced, and syncs at once: a file system commits many in one go (measured: twice as fast)."""
NO_LIMIT = 2**62
"""What a file system that counts no inodes has free of them."""


class LocalDisk:
    """Implements `Disk` with system calls. `target` is the name that errors carry."""

    def __init__(self, root: Path, target: str = "local") -> None:
        self._root, self._target = root, target
        self._unsynced: set[str] = set()
        """Folders whose names changed since the last sync: here they can be synced too, which SFTP cannot do."""

    def _at(self, path: str) -> str:
        return os.path.join(self._root, path)

    def list(self, folder: str) -> Mapping[str, Entry]:
        with as_target_errors(self._target), os.scandir(self._at(folder)) as names:
            return {name.name: entry_of(name.stat(follow_symlinks=False)) for name in names}

    def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
        return [self._lstat(path) for path in paths]

    def _lstat(self, path: str) -> Entry | None:
        try:
            with as_target_errors(self._target):
                return entry_of(os.lstat(self._at(path)) if path else self._root.stat())
        except FileNotFoundError:
            return None

    def lead(self, path: str) -> str | None:
        try:
            with as_target_errors(self._target):
                return os.readlink(self._at(path))
        except FileNotFoundError:
            return None
        except TargetError:
            # Of something else the kernel says "invalid argument". A link that cannot be read is a link still.
            entry = self._lstat(path)
            if entry is not None and entry.type is not EntryType.LINK:
                return None
            raise

    def read(self, path: str) -> bytes:
        with self.open(path) as stream:
            return stream.read()

    def open(self, path: str) -> BinaryIO:
        # O_NONBLOCK: a FIFO in a file's place must not hang the engine.
        with as_target_errors(self._target):
            number = self._open(path, os.O_RDONLY | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise FileNotFoundError(f"{path} is not a regular file")
        return os.fdopen(number, "rb")

    def _open(self, path: str, flags: int) -> int:
        try:
            return os.open(self._at(path), flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if error.errno in REFUSED and not flags & os.O_CREAT:
                raise FileNotFoundError(error.errno, error.strerror, path) from error
            raise

    def digests(self, paths: Sequence[str]) -> Iterator[tuple[int, Digest] | None]:
        return (self._digest(path) for path in paths)

    def _digest(self, path: str) -> tuple[int, Digest] | None:
        try:
            with as_target_errors(self._target), self.open(path) as stream:
                digest = hashlib.sha256()
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                return stream.tell(), digest.digest()
        except FileNotFoundError:
            return None

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._call(call) for call in calls]

    def _call(self, call: Call) -> Answer:
        try:
            self._make(call)
        except OSError as error:
            if error.errno in ABSENT and not (error.errno == errno.ENOTDIR and os.path.lexists(self._at(call.path))):
                return Answer.ABSENT
            if error.errno in DENIED:
                return Answer.DENIED
            if error.errno in REFUSED or error.errno in ABSENT:
                return Answer.REFUSED
            raise target_error(error, self._target) from error
        return Answer.OK

    def _make(self, call: Call) -> None:
        path = self._at(call.path)
        match call.op:
            case Op.MKDIR:
                os.mkdir(path, 0o777 if call.mode is None else call.mode)
                if call.mode is not None:
                    os.chmod(path, call.mode)
            case Op.RMDIR:
                os.rmdir(path)
            case Op.UNLINK:
                os.unlink(path)
            case Op.RENAME:
                os.replace(path, self._at(call.to))
            case Op.LINK:
                os.link(path, self._at(call.to), follow_symlinks=False)
                self._changed(call.to)
                return
            case Op.SYMLINK:
                os.symlink(call.to, path)
                self._changed(call.path)
                return
            case _:
                self._sync(call.path)
                return
        self._changed(call.path, call.to or call.path)

    def _changed(self, *paths: str) -> None:
        self._unsynced.update(os.path.dirname(self._at(path)) for path in paths)

    def _sync(self, path: str) -> None:
        """The file, then every folder in which names changed since the last sync."""
        self._sync_one(self._open(path, os.O_RDONLY))
        for folder in sorted(self._unsynced):
            try:
                self._sync_one(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            except (FileNotFoundError, NotADirectoryError):
                # Gone since, or a file now; the folder above it is among them.
                continue
        self._unsynced.clear()

    @staticmethod
    def _sync_one(number: int) -> None:
        try:
            os.fsync(number)
        finally:
            os.close(number)

    def look(self, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()) -> tuple[Sequence[Answer], Seen]:
        return look_in_turn(self, looks, after, otherwise)

    def ahead(self, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
        return ahead_at_once(self, folders)

    def carry_out(self, script: Script) -> Done | None:  # noqa: ARG002
        """Nothing is waited for here."""
        return None

    def write(self, writes: Iterable[Write]) -> Iterator[Write]:
        rest = iter(writes)
        while together := list(islice(rest, TOGETHER)):
            for write in together:
                self._write(write)
            self._sync_written([write.path for write in together if write.sync])
            yield from together

    def _write(self, write: Write) -> None:
        # Opened first: a stream that is missing says nothing about this disk.
        with write.open() as stream, self._created(write) as out:
            self._copy(write, stream, out)
            with as_target_errors(self._target):
                set_attributes(write, out.fileno())
        self._changed(write.path)

    def _sync_written(self, paths: Sequence[str]) -> None:
        if paths:
            with ThreadPoolExecutor(SYNCS) as pool, as_target_errors(self._target):
                list(pool.map(lambda path: self._sync_one(self._open(path, os.O_RDONLY)), paths))

    @contextmanager
    def _created(self, write: Write) -> Iterator[BinaryIO]:
        """The new file, open for writing; removed again if anything goes wrong before it is whole."""
        with as_target_errors(self._target):
            number = self._create(write)
        try:
            with os.fdopen(number, "wb", buffering=0) as out:
                yield out
            self._read_back(write)
        except BaseException:
            self._call(Call(Op.UNLINK, write.path))
            raise

    def _create(self, write: Write) -> int:
        try:
            return self._open(write.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError as error:
            raise PathBlocked(f"{self._target}: {write.path} exists already", target=self._target) from error

    def _copy(self, write: Write, stream: BinaryIO, out: BinaryIO) -> None:
        digest, size = hashlib.sha256(), 0
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            with as_target_errors(self._target):
                write_all(out.fileno(), chunk)
        if (size, digest.digest()) != (write.size, write.digest):
            raise CorruptTransfer(
                f"{self._target}: the bytes for {write.path} are not those that were promised", target=self._target
            )

    def _read_back(self, write: Write) -> None:
        if write.read_back and next(self.digests([write.path])) != (write.size, write.digest):
            raise CorruptTransfer(f"{self._target}: {write.path} reads back differently", target=self._target)

    def space(self) -> tuple[int, int] | None:
        with as_target_errors(self._target):
            room = os.statvfs(self._root)
        return room.f_bavail * room.f_frsize, room.f_favail if room.f_files else NO_LIMIT

    def probe(self, folder: str) -> Iterator[tuple[str, bool, str]]:  # noqa: ARG002
        """System calls need no extensions."""
        yield from ()

    def close(self) -> None:
        """Nothing stays open between calls."""


def entry_of(found: os.stat_result) -> Entry:
    """lstat's answer as an Entry."""
    kinds = {stat.S_IFREG: EntryType.FILE, stat.S_IFDIR: EntryType.FOLDER, stat.S_IFLNK: EntryType.LINK}
    return Entry(kinds.get(stat.S_IFMT(found.st_mode), EntryType.OTHER), found.st_size, int(found.st_mtime))


def set_attributes(write: Write, number: int) -> None:
    """Mode and times of a file that is complete."""
    if write.mode is not None:
        os.fchmod(number, write.mode)
    if write.modified is not None:
        os.utime(number, (write.modified, write.modified))


def write_all(number: int, chunk: bytes) -> None:
    """Write a whole chunk: a system call may take less."""
    view = memoryview(chunk)
    while view:
        view = view[os.write(number, view) :]
