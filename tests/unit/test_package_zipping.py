"""The zip writer: bytes that never differ, read by the standard library and by unzip."""

import io
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from archives.errors import PackageError
from archives.zipping import ZipWriter

GIBIBYTE = 1 << 30


def zipped(*entries: tuple[str, bytes, int]) -> bytes:
    out = io.BytesIO()
    writer = ZipWriter(out)
    for name, body, modified in entries:
        assert writer.add(name, io.BytesIO(body), modified) == len(body)
    writer.finish()
    return out.getvalue()


def test_the_standard_library_reads_what_was_written() -> None:
    made = zipped(("a/b.txt", b"bee", 1_569_433_655), ("Übung.txt", b"", 0), ("late", b"x", 2**33))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.namelist() == ["a/b.txt", "Übung.txt", "late"]
        assert archive.testzip() is None
        first, second, last = archive.infolist()
    assert first.date_time == (2019, 9, 25, 17, 47, 34), "UTC, to two seconds"
    assert second.date_time == (1980, 1, 1, 0, 0, 0)
    assert last.date_time == (2107, 12, 31, 23, 59, 58)
    assert {entry.compress_type for entry in (first, second, last)} == {zipfile.ZIP_STORED}
    assert {entry.external_attr >> 16 for entry in (first, second, last)} == {0o100644}
    assert {entry.create_system for entry in (first, second, last)} == {3}
    assert [entry.flag_bits for entry in (first, second, last)] == [0, 0x800, 0], "no sizes behind the bytes"


def test_the_bytes_are_these_and_no_others() -> None:
    made = zipped(("a", b"1", 315_532_800))
    assert made.hex() == (
        "504b030414000000000000002100b7efdc8301000000010000000100000061" + "31"
        "504b0102140314000000000000002100b7efdc830100000001000000010000000000000000000000a4810000000061"
        "504b05060000000001000100" + "2f000000" + "20000000" + "0000"
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("unzip") is None, reason="no unzip here")
def test_unzip_reads_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped(("a/b.txt", b"bee", 0), ("Übung.txt", b"x", 0)))
    done = subprocess.run(["unzip", "-t", str(tmp_path / "x.zip")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


class Endless(io.RawIOBase):
    """Zeros: this many bytes, without a disk."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left = self.size = size

    def read(self, wanted: int = -1) -> bytes:
        got = min(wanted, self.left)
        self.left -= got
        return bytes(got)

    def seek(self, place: int, _whence: int = 0, /) -> int:
        self.left = self.size - place
        return place


class Holes:
    """Remembers what was written but for long runs of zeros: (offset, bytes)."""

    def __init__(self) -> None:
        self.size = 0
        self.kept: list[tuple[int, bytes]] = []

    def write(self, chunk: bytes) -> None:
        if len(chunk) < 4096:
            self.kept.append((self.size, chunk))
        self.size += len(chunk)

    def sparse(self, path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(self.size)
            for offset, chunk in self.kept:
                file.seek(offset)
                file.write(chunk)


def test_more_than_four_gibibytes_need_zip64(tmp_path: Path) -> None:
    """One entry that is too large, and one that begins too far behind; nothing of it is ever in memory."""
    out = Holes()
    writer = ZipWriter(out)
    writer.add("large", cast("BinaryIO", Endless(4 * GIBIBYTE)), 0)
    writer.add("behind", io.BytesIO(b"x"), 0)
    writer.finish()
    out.sparse(tmp_path / "large.zip")
    with zipfile.ZipFile(tmp_path / "large.zip") as archive:
        large, behind = archive.infolist()
        assert large.file_size == 4 * GIBIBYTE
        assert behind.header_offset > 4 * GIBIBYTE
        assert archive.read(behind) == b"x"
        with archive.open(large) as stream:
            assert stream.read(10) == bytes(10)


def test_more_than_65_534_entries_need_zip64() -> None:
    made = zipped(*((f"{number}", b"", 0) for number in range(65_535)))
    assert struct.unpack("<H", made[-12:-10]) == (0xFFFF,)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert len(archive.infolist()) == 65_535


class Changing(io.BytesIO):
    """A file that somebody writes to meanwhile."""

    def seek(self, place: int, whence: int = 0, /) -> int:
        self.truncate(1)
        return super().seek(place, whence)


def test_a_file_that_changes_while_it_is_packed_is_noticed() -> None:
    with pytest.raises(PackageError, match="a changed while it was packed"):
        ZipWriter(io.BytesIO()).add("a", Changing(b"12"), 0)
