"""A blob on its way into the store: written under a temporary name, kept under its digest by one rename."""

# ruff: noqa: PTH105, PTH108, PTH120

import hashlib
import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from store.faults import disk_fault


class Incoming:
    """A file of unknown digest. Used by one thread; leaving the `with` block discards what was not committed."""

    def __init__(self, folder: str, place: Callable[[bytes], str], *, fsync: bool) -> None:
        # Text, not Path: for each of a million files that costs more than the system calls.
        self._folder = folder
        self._temporary = f"{folder}/{random.getrandbits(128):032x}"  # nosec B311 - a name that nobody else shall have, no secret
        self._place = place
        self._fsync = fsync
        self._hash = hashlib.sha256()
        self._size = 0
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            try:
                self._descriptor = self._create()
            except FileNotFoundError:
                Path(self._folder).mkdir(parents=True, exist_ok=True)
                self._descriptor = self._create()
        except OSError as error:
            raise disk_fault(self._folder, error) from error
        return self

    def _create(self) -> int:
        # Exclusive: two processes that drew the same name must not write into one file.
        return os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def __exit__(self, *exc: object) -> None:
        """Discard what was not committed."""
        if self._descriptor >= 0:
            self._close()
            with suppress(FileNotFoundError):
                os.unlink(self._temporary)

    def write(self, chunk: bytes) -> None:
        """Add to the end. Raises StoreFull, StoreHindered."""
        self._hash.update(chunk)
        self._size += len(chunk)
        try:
            written = os.write(self._descriptor, chunk)
            while written < len(chunk):
                written += os.write(self._descriptor, memoryview(chunk)[written:])
        except OSError as error:
            raise disk_fault(self._folder, error) from error

    def commit(self) -> tuple[bytes, int]:
        """Keep it under its digest; digest and size. A blob that is there already is replaced by equal bytes."""
        digest = self._hash.digest()
        try:
            self._keep(self._place(digest))
        except OSError as error:
            raise disk_fault(self._folder, error) from error
        return digest, self._size

    def _keep(self, place: str) -> None:
        if self._fsync:
            os.fsync(self._descriptor)
        try:
            os.replace(self._temporary, place)
        except FileNotFoundError:
            Path(os.path.dirname(place)).mkdir(exist_ok=True)
            os.replace(self._temporary, place)
        self._close()
        if self._fsync:
            _sync_folder(os.path.dirname(place))

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
