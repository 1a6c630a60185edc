"""Reading inside one folder and never outside of it, whatever names and links say."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sources.errors import AccessRefused, ResourceMissing, SourceChanged, SourceUnreachable


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file and what it was when it was opened."""

    source: str
    where: Path
    stream: BinaryIO
    status: os.stat_result

    @property
    def etag(self) -> str:
        """A validator: another one, at the latest a clock tick later, once the file was written or replaced."""
        return f'"{self.status.st_mtime_ns:x}-{self.status.st_ctime_ns:x}-{self.status.st_size:x}"'

    @property
    def modified(self) -> int:
        """Seconds since the epoch."""
        return int(self.status.st_mtime)

    def check_unchanged(self) -> None:
        """Raise SourceChanged if the file was written to since it was opened: what was read may be half old, half new."""
        now = os.fstat(self.stream.fileno())
        if (now.st_mtime_ns, now.st_size) != (self.status.st_mtime_ns, self.status.st_size):
            raise SourceChanged(f"{self.source}: {self.where} was written to while it was read", source=self.source)


class Folder:
    """One folder. All names are relative to it, parts joined by "/"; "" is the folder itself."""

    def __init__(self, source: str, path: Path) -> None:
        self.source, self.path = source, path

    def check(self) -> None:
        """Raise SourceUnreachable if the folder itself is gone: a file system that is not mounted is no empty site."""
        if not self.path.is_dir():
            raise SourceUnreachable(f"{self.source}: the folder {self.path} does not exist; is it mounted?", source=self.source)

    def inside(self, name: str) -> Path:
        """The real path of what is there. Raises ResourceMissing, and AccessRefused for a link that leads outside."""
        self.check()
        with self.faults(name):
            real = (self.path / name).resolve(strict=True)
        if not real.is_relative_to(self.path.resolve()):
            raise AccessRefused(
                f"{self.source}: {self.path / name} is a link out of {self.path}, to {real}; put the file itself there",
                source=self.source,
            )
        return real

    def has_file(self, name: str) -> bool:
        """Whether something other than a folder is there."""
        try:
            return not self.inside(name).is_dir()
        except ResourceMissing:
            return False

    def has_folder(self, name: str) -> bool:
        """Whether a folder is there."""
        try:
            return self.inside(name).is_dir()
        except ResourceMissing:
            return False

    @contextmanager
    def open(self, name: str) -> Iterator[Opened]:
        """A regular file, for the length of the block, in which reading it raises a source's errors too."""
        real = self.inside(name)
        with self.faults(name):
            # Not blocking: opening a pipe that nobody writes to would wait for ever.
            descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                os.close(descriptor)
                raise AccessRefused(f"{self.source}: {self.path / name} is not a regular file", source=self.source)
            with os.fdopen(descriptor, "rb") as stream:
                yield Opened(self.source, self.path / name, stream, status)

    @contextmanager
    def faults(self, name: str) -> Iterator[None]:
        """Raise the operating system's errors as a source's."""
        where = self.path / name
        try:
            yield
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ResourceMissing(
                f"{self.source}: {where} does not exist; correct the slip or restore the file", source=self.source
            ) from error
        except PermissionError as error:
            raise AccessRefused(f"{self.source}: {where} may not be read by this account", source=self.source) from error
        except RuntimeError as error:
            raise AccessRefused(f"{self.source}: {where} is a link that leads to itself", source=self.source) from error
        except OSError as error:
            raise SourceUnreachable(f"{self.source}: {where} cannot be read: {error.strerror}", source=self.source) from error
