"""Reading a zip of which nothing is known: nothing in it may fill a disk, or leave the folder that it is unpacked in."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from archives.errors import PackageError
from archives.findings import Finding, failure, warning
from packageslip import UnsafePath, check_path, collisions

_BROKEN = (
    BadZipFile,
    LargeZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    OverflowError,
    LZMAError,
)
"""What the standard library raises for a zip that is none, is cut short, encrypted or packed in a way that it does not know."""
_LONGEST_TEXT = 64 * 1024 * 1024
"""Bytes of a manifest, a page or a metadata file that is read as a whole."""
_MOST_ENTRIES = 1_000_000
_SWOLLEN, _HARMLESS = 100, 1 << 30
"""A zip that unpacks to more than this many times its size, and to more bytes than this, is made to fill disks."""
_CHUNK = 1 << 20


class Unpacked:
    """The entries of an open zip, by name. Directories are none."""

    def __init__(self, archive: ZipFile, name: str) -> None:
        self._archive = archive
        self.name = name
        """The file's own name."""
        self.entries = {entry.orig_filename: entry for entry in archive.infolist() if not _is_folder(entry)}

    @property
    def order(self) -> list[ZipInfo]:
        return self._archive.infolist()

    def size(self, name: str) -> int:
        return self.entries[name].file_size

    def read(self, name: str) -> bytes:
        """The bytes of a text. Raises PackageError if it is too long or damaged."""
        if self.size(name) > _LONGEST_TEXT:
            raise PackageError(f"has {self.size(name)} bytes; texts of more than {_LONGEST_TEXT} are not read")
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes, piece by piece; the checksum is checked at the end. Raises PackageError if it is damaged."""
        entry = self.entries[name]
        if entry.header_offset < 0:
            raise PackageError("cannot be unpacked: the zip says that it begins before the file does")
        try:
            with self._archive.open(entry) as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except (*_BROKEN, OSError) as error:
            # The decompressor of bzip2 has no error of its own; one from the system has a number.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise PackageError(f"cannot be unpacked: {error}") from error


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    """Open a zip. Raises PackageError if it is none, OSError if it cannot be read."""
    try:
        archive = ZipFile(path)
    except _BROKEN as error:
        raise PackageError(f"is no readable zip: {error}; build or fetch it again") from error
    with archive:
        yield Unpacked(archive, path.name)


def check_container(zipped: Unpacked, length: int) -> Iterator[Finding]:
    """What is wrong with a zip, whatever it holds. `length`: bytes of the file. Raises PackageError if it must not be read on."""
    entries = zipped.order
    total = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_ENTRIES:
        raise PackageError(f"has {len(entries)} entries; more than {_MOST_ENTRIES} are not looked at")
    if total > _HARMLESS and total > length * _SWOLLEN:
        raise PackageError(f"would unpack to {total} bytes, {total // max(length, 1)} times its size; it is not looked into")
    yield from _names(entries)
    squeezed = [entry.orig_filename for entry in entries if entry.compress_type != ZIP_STORED]
    if squeezed:
        yield warning(squeezed[0], f"{_entries(len(squeezed))} compressed; packages hold their entries stored")


def check_bytes(zipped: Unpacked) -> Iterator[Finding]:
    """Read every entry, and compare it with its checksum."""
    for name in zipped.entries:
        try:
            for _ in zipped.chunks(name):
                pass
        except PackageError as error:
            yield failure(name, str(error))


def _names(entries: list[ZipInfo]) -> Iterator[Finding]:
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        if name in seen:
            yield failure(name, "stands twice in the zip; which one counts depends on the reader")
        seen.add(name)
        if _is_folder(entry):
            yield warning(name, "is a folder; packages hold files alone")
        try:
            check_path(name.removesuffix("/"))
        except UnsafePath as error:
            yield failure(name, f"must not be unpacked: {error.why}")
        if entry.external_attr >> 28 == 0o12:
            yield failure(name, "is a symbolic link; packages hold files alone")
    for earlier, later in collisions(sorted(name for name in seen if not name.endswith("/"))):
        yield warning(later, f"is the same name as {earlier} on many systems")


def _is_folder(entry: ZipInfo) -> bool:
    """By the name as it stands: the library's own question fails for an entry without one."""
    return entry.orig_filename.endswith("/")


def _entries(count: int) -> str:
    return "1 entry is" if count == 1 else f"{count} entries are"
