"""A zip whose bytes depend on nothing but what goes in: entries stored, in the order given, the same on every machine.

Written front to back, so that it can go into a pipe, a store or a request; sizes and checksums stand before the bytes, since
readers of streams refuse stored entries that have them behind. The standard library's writer can do neither.

The format: PKWARE's APPNOTE.TXT 6.3.3, sections 4.3 to 4.5. Zip64 where an entry, an offset or the count needs it.
"""

import struct
import zlib
from datetime import UTC, datetime
from typing import BinaryIO, Protocol

from archives.errors import PackageError

_CHUNK = 1 << 20
_FIRST, _LAST = 315_532_800, 4_354_819_198
"""1980-01-01 and 2107-12-31T23:59:58, the times that a zip can hold."""
_SMALL, _SHORT = 0xFFFFFFFF, 0xFFFF
_UNIX = 3 << 8
_STORED, _PLAIN_VERSION, _LARGE_VERSION = 0, 20, 45
_UTF8 = 0x0800
_FILE_0644 = 0o100644 << 16


class Out(Protocol):
    """Where a zip goes: anything that takes bytes, one chunk after the other."""

    def write(self, chunk: bytes, /) -> object: ...


class ZipWriter:
    """A zip in the making. `add` each entry, then `finish`."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._offset = 0
        self._directory: list[bytes] = []

    def add(self, name: str, stream: BinaryIO, modified: int) -> int:
        """Add what the stream has, from its start; it must be able to seek. `modified`: seconds since the epoch. Its size."""
        size, checksum = _measure(stream)
        raw, flags = _encoded(name)
        at = self._offset
        wide = size >= _SMALL
        extra = struct.pack("<HHQQ", 1, 16, size, size) if wide else b""
        version = _LARGE_VERSION if wide else _PLAIN_VERSION
        common = struct.pack("<HHIIII", flags, _STORED, _dos_time(modified), checksum, *(2 * [_SMALL if wide else size]))
        self._write(b"PK\3\4" + struct.pack("<H", version) + common + struct.pack("<HH", len(raw), len(extra)) + raw + extra)
        self._copy(name, stream, size, checksum)
        self._directory.append(_listed(raw, common, size, at))
        return size

    def finish(self) -> None:
        """Write the directory of entries, the end of the file."""
        start, count = self._offset, len(self._directory)
        for listed in self._directory:
            self._write(listed)
        length = self._offset - start
        if count >= _SHORT or start >= _SMALL or length >= _SMALL:
            end = struct.pack("<QHHIIQQQQ", 44, _UNIX | _LARGE_VERSION, _LARGE_VERSION, 0, 0, count, count, length, start)
            locator = struct.pack("<IQI", 0, self._offset, 1)
            self._write(b"PK\6\6" + end + b"PK\6\7" + locator)
        few = min(count, _SHORT)
        self._write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, few, few, min(length, _SMALL), min(start, _SMALL), 0))

    def _copy(self, name: str, stream: BinaryIO, size: int, checksum: int) -> None:
        seen, total = 0, 0
        while chunk := stream.read(_CHUNK):
            seen, total = zlib.crc32(chunk, seen), total + len(chunk)
            self._write(chunk)
        if (total, seen) != (size, checksum):
            raise PackageError(f"{name} changed while it was packed; build the package again")

    def _write(self, chunk: bytes) -> None:
        self._out.write(chunk)
        self._offset += len(chunk)


def _measure(stream: BinaryIO) -> tuple[int, int]:
    """Size and CRC-32 of the whole stream, which is at its start again."""
    size, checksum = 0, 0
    while chunk := stream.read(_CHUNK):
        size, checksum = size + len(chunk), zlib.crc32(chunk, checksum)
    stream.seek(0)
    return size, checksum


def _listed(raw: bytes, common: bytes, size: int, at: int) -> bytes:
    """An entry's record in the directory."""
    large = struct.pack("<QQ", size, size) if size >= _SMALL else b""
    if at >= _SMALL:
        large += struct.pack("<Q", at)
    extra = struct.pack("<HH", 1, len(large)) + large if large else b""
    version = _LARGE_VERSION if large else _PLAIN_VERSION
    lengths = struct.pack("<HHHHHII", len(raw), len(extra), 0, 0, 0, _FILE_0644, min(at, _SMALL))
    return b"PK\1\2" + struct.pack("<HH", _UNIX | version, version) + common + lengths + raw + extra


def _encoded(name: str) -> tuple[bytes, int]:
    """The name's bytes, and the flag that says that they are UTF-8 where they are not ASCII."""
    raw = name.encode()
    return raw, 0 if raw.isascii() else _UTF8


def _dos_time(seconds: int) -> int:
    """Date and time as a zip writes them, to two seconds; UTC, since it knows no zone."""
    moment = datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC)
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    return date << 16 | moment.hour << 11 | moment.minute << 5 | moment.second // 2
