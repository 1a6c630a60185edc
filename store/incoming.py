"""A blob on its way into the store: written under a temporary name, kept under its digest by one rename."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self

from store.faults import disk_faults


class Incoming:
    """A file of unknown digest. Used by one thread; leaving the `with` block discards what was not committed."""

    def __init__(self, temporary: Path, place: Callable[[bytes], Path], *, fsync: bool) -> None:
        self._temporary = temporary
        self._place = place
        self._fsync = fsync
        self._hash = hashlib.sha256()
        self._size = 0
        self._descriptor = -1

    def __enter__(self) -> Self:
        with disk_faults(self._temporary.parent):
            self._temporary.parent.mkdir(parents=True, exist_ok=True)
            # Exclusive: two processes that drew the same name must not write into one file.
            self._descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        return self

    def __exit__(self, *exc: object) -> None:
        """Discard what was not committed."""
        if self._descriptor >= 0:
            self._close()
            self._temporary.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Add to the end. Raises StoreFull, StoreHindered."""
        self._hash.update(chunk)
        self._size += len(chunk)
        rest = memoryview(chunk)
        with disk_faults(self._temporary.parent):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def commit(self) -> tuple[bytes, int]:
        """Keep it under its digest; digest and size. A blob that is there already is replaced by equal bytes."""
        digest = self._hash.digest()
        place = self._place(digest)
        with disk_faults(self._temporary.parent):
            if self._fsync:
                os.fsync(self._descriptor)
            place.parent.mkdir(exist_ok=True)
            self._temporary.replace(place)
            self._close()
            if self._fsync:
                _sync_folder(place.parent)
        return digest, self._size

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
