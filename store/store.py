"""Blobs by their SHA-256, in a folder that several processes share without locks.

A blob's file appears complete, by a rename, or not at all; nobody ever changes one. The modification time of the file
is the moment of its last use, give or take a quarter of an hour, so that a collection spares what somebody is about to read.
"""

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from store.errors import BlobMissing
from store.faults import disk_faults
from store.incoming import Incoming

_INCOMING = "incoming"
_ABANDONED = 24 * 3600.0
"""Seconds without a write after which a temporary file has no writer any more: no transfer may be silent for so long."""


_FRESH = 900.0
"""Seconds within which a second use is not noted: a collection looks at hours, and to note it costs more than to open a file."""
_READING = os.O_RDONLY | os.O_CLOEXEC
_UNTOUCHABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""Another account's blob, or a read-only disk: it can be read, only its time of use stays as it was."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection deleted."""

    files: int = 0
    bytes: int = 0


class Store:
    """The content store. Safe for many threads and processes; holds no open file of its own.

    `fsync`: force each blob to the disk before it counts as kept. Off by default: a blob lost with the power is
    fetched again, and its digest is checked whenever it is put.
    """

    def __init__(self, root: Path, *, fsync: bool = False) -> None:
        self.root = root
        self._fsync = fsync
        self._start = f"{root}/"

    def has(self, digest: bytes) -> bool:
        """Whether the blob is here. Counts as a use."""
        return _used(self._place(digest), time.time())

    def missing(self, digests: Iterable[bytes]) -> set[bytes]:
        """Those that are not here. Counts as a use of the others."""
        now, place = time.time(), self._place
        return {digest for digest in set(digests) if not _used(place(digest), now)}

    def open(self, digest: bytes, *, buffered: bool = True) -> BinaryIO:
        """The blob's bytes, at their start. Counts as a use; raises BlobMissing. What is open stays readable.

        `buffered` is for who reads a little at a time.
        """
        place = self._place(digest)
        if not _used(place, time.time()):
            raise BlobMissing(digest)
        try:
            return open(place, "rb", -1 if buffered else 0)  # noqa: PTH123 - the caller closes it
        except FileNotFoundError as error:
            raise BlobMissing(digest) from error

    def read(self, digest: bytes, most: int) -> bytes:
        """The blob's first bytes, `most` of them at the most: for a small one without a stream's overhead. Raises BlobMissing.

        It notes no use: who reads thousands has just asked for all of them what is `missing`.
        """
        try:
            blob = os.open(self._place(digest), _READING)
        except FileNotFoundError as error:
            raise BlobMissing(digest) from error
        try:
            return os.read(blob, most)
        finally:
            os.close(blob)

    def path(self, digest: bytes) -> Path:
        """Where the blob lies, or would lie."""
        return Path(self._place(digest))

    def _place(self, digest: bytes) -> str:
        """The same as text: a Path for each of a million files costs more than to open it."""
        name = digest.hex()
        return f"{self._start}{name[:2]}/{name}"

    def incoming(self) -> Incoming:
        """A new blob to write. Raises StoreFull, StoreHindered, StoreUnwritable."""
        return Incoming(f"{self._start}{_INCOMING}", self._place, fsync=self._fsync)

    def scratch(self) -> BinaryIO:
        """A file without a name on the store's disk, to write and read: gone when it is closed, or when its process dies.

        Raises StoreFull, StoreHindered, StoreUnwritable.
        """
        folder = self.root / _INCOMING
        with disk_faults(folder):
            folder.mkdir(parents=True, exist_ok=True)
            return cast("BinaryIO", TemporaryFile(dir=folder))

    def verify(self, digest: bytes) -> bool:
        """Whether the blob is here and still has the bytes of its name; reads it in full."""
        try:
            with self.path(digest).open("rb") as blob:
                return file_digest(blob, "sha256").digest() == digest
        except FileNotFoundError:
            return False

    def discard(self, digest: bytes) -> None:
        """Remove a blob that turned out to be damaged, so that it is fetched again."""
        with disk_faults(self.root):
            self.path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[bytes]:
        """What is here, in no order."""
        for folder in _folders(self.root):
            yield from (bytes.fromhex(entry.name) for entry in _entries(folder) if _is_blob(entry.name))

    def collect(self, keep: Callable[[bytes], bool], older_than: float, now: float) -> Collected:
        """Delete each blob that `keep` does not want and nobody used for `older_than` seconds before `now` (epoch).

        Temporary files that nobody wrote to for a day go too. Somebody who still wanted one gets BlobMissing and fetches it.
        """
        with disk_faults(self.root):
            sizes = [_delete(Path(entry.path), now - _ABANDONED) for entry in _entries(self.root / _INCOMING)]
            for digest in self.digests():
                if not keep(digest):
                    sizes.append(_delete(self.path(digest), now - older_than))
        gone = [size for size in sizes if size is not None]
        return Collected(len(gone), sum(gone))


def _used(place: str, now: float) -> bool:
    """Note that somebody uses the blob; False where none is. `now`: seconds since the epoch."""
    try:
        if now - os.stat(place).st_mtime >= _FRESH:  # noqa: PTH116 - as for `_place`
            _touch(place)
    except FileNotFoundError:
        return False
    return True


def _touch(place: str) -> None:
    try:
        os.utime(place)
    except OSError as error:
        if error.errno not in _UNTOUCHABLE:
            raise


def _folders(root: Path) -> list[Path]:
    """The fan-out folders: one for each first byte of a digest."""
    return [Path(entry.path) for entry in _entries(root) if len(entry.name) == 2]


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_blob(name: str) -> bool:
    return len(name) == 64 and not set(name) - set("0123456789abcdef")


def _delete(file: Path, unused_since: float) -> int | None:
    """Delete a file that was last used before that moment; its size, or None if it stays or is gone already."""
    try:
        status = file.stat()
        if status.st_mtime > unused_since:
            return None
        file.unlink()
    except FileNotFoundError:
        return None
    return status.st_size
