"""SFTP version 3 on the wire: pure functions from values to packets and back.

The protocol is draft-ietf-secsh-filexfer-02; the extensions are those of OpenSSH's PROTOCOL file. A request is a pair of
its type and its body; the session adds length and id. Names are bytes here.
"""

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from targets.sftp.fields import HAS_MODE, HAS_TIMES, U32, Attributes, Garbled, Reader
from targets.sftp.framing import Reply

VERSION = 3

INIT, VERSION_REPLY = 1, 2
OPEN, CLOSE, READ, WRITE, LSTAT, FSETSTAT, SETSTAT = 3, 4, 5, 6, 7, 10, 9
OPENDIR, READDIR, REMOVE, MKDIR, RMDIR = 11, 12, 13, 14, 15
READLINK, SYMLINK = 19, 20
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EXTENDED, EXTENDED_REPLY = 200, 201

OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE, NO_CONNECTION, CONNECTION_LOST, UNSUPPORTED = range(9)

POSIX_RENAME = "posix-rename@openssh.com"
HARDLINK = "hardlink@openssh.com"
FSYNC = "fsync@openssh.com"
STATVFS = "statvfs@openssh.com"
LIMITS = "limits@openssh.com"

LONGEST_HANDLE = 256
"""What the draft allows. Each request about an open file carries its handle, which is kept as it comes: behind its length."""
_FOR_READING, _FOR_WRITING, _CREATE, _EXCLUSIVE = 0x01, 0x02, 0x08, 0x20
_NEW = U32.pack(_FOR_WRITING | _CREATE | _EXCLUSIVE)
_LATEST = 2**32 - 1
"""Version 3 has 32 bits for a time: February 2106."""

_NO_ATTRIBUTES = bytes(4)
_MODE, _TIMES, _MODE_AND_TIMES = map(struct.Struct, (">II", ">III", ">IIII"))
"""Behind the flags that say which they are."""

_SPAN = struct.Struct(">QI")
"""Where in a file, and how many bytes."""
Request = tuple[int, bytes]
"""Type and body."""


class Status(NamedTuple):
    """A code, and what the server says in words (often nothing but the code's name)."""

    code: int
    text: str


class Limits(NamedTuple):
    """What one request may hold, in bytes, and how many files may be open; 0: the server does not say."""

    packet: int
    read: int
    write: int
    handles: int


class FileSystem(NamedTuple):
    """Room on the server's file system."""

    free_bytes: int
    free_inodes: int
    read_only: bool


def hello() -> bytes:
    """The first packet of a session."""
    return U32.pack(5) + bytes([INIT]) + U32.pack(VERSION)


def open_for_reading(path: bytes) -> Request:
    return OPEN, _string(path) + U32.pack(_FOR_READING) + _attributes()


def create(path: bytes, mode: int | None) -> Request:
    """Open for writing a file that must not exist yet."""
    return OPEN, b"".join((U32.pack(len(path)), path, _NEW, _attributes(mode)))


def close(handle: bytes) -> Request:
    return CLOSE, handle


def read(handle: bytes, offset: int, length: int) -> Request:
    return READ, handle + _SPAN.pack(offset, length)


def write(handle: bytes, offset: int, chunk: bytes) -> Request:
    return WRITE, b"".join((handle, _SPAN.pack(offset, len(chunk)), chunk))


def set_attributes(handle: bytes, mode: int | None, modified: int | None) -> Request:
    """Mode and times of an open file."""
    return FSETSTAT, handle + _attributes(mode, modified)


def set_mode(path: bytes, mode: int) -> Request:
    return SETSTAT, _string(path) + _attributes(mode)


def lstat(path: bytes) -> Request:
    return LSTAT, _string(path)


def open_folder(path: bytes) -> Request:
    return OPENDIR, _string(path)


def read_folder(handle: bytes) -> Request:
    return READDIR, handle


def remove(path: bytes) -> Request:
    return REMOVE, _string(path)


def make_folder(path: bytes, mode: int | None) -> Request:
    return MKDIR, _string(path) + _attributes(mode)


def remove_folder(path: bytes) -> Request:
    return RMDIR, _string(path)


def rename_over(old: bytes, new: bytes) -> Request:
    """rename(2): replaces what is there. The protocol's own RENAME refuses to."""
    return EXTENDED, b"".join((_RENAME, U32.pack(len(old)), old, U32.pack(len(new)), new))


def link(old: bytes, new: bytes) -> Request:
    """A second name for a file."""
    return _extended(HARDLINK, old, new)


def make_symlink(path: bytes, to: bytes) -> Request:
    """A symbolic link at `path`. OpenSSH, and who follows it, reads the two the other way round than the draft has them."""
    return SYMLINK, _string(to) + _string(path)


def read_symlink(path: bytes) -> Request:
    return READLINK, _string(path)


def sync(handle: bytes) -> Request:
    return EXTENDED, _SYNC + handle


def file_system(path: bytes) -> Request:
    return _extended(STATVFS, path)


def limits() -> Request:
    return _extended(LIMITS)


def version(number: int, reply: Reply) -> tuple[int, Mapping[str, str]]:
    """The server's version, which stands where others have their id, and its extensions: name to value."""
    if reply.kind != VERSION_REPLY:
        raise Garbled(f"a packet of type {reply.kind} instead of the server's version")
    reader = Reader(reply.body)
    extensions = {}
    while reader.more():
        name = reader.text()
        extensions[name] = reader.text()
    return number, extensions


@lru_cache(maxsize=64)
def status(reply: Reply) -> Status:
    """The code of a reply that can be nothing else. Servers say "OK" thousands of times a second, always in the same bytes."""
    if reply.kind != STATUS:
        raise Garbled(f"a reply of type {reply.kind} where {STATUS} belongs")
    reader = Reader(reply.body)
    code = reader.u32()
    # Servers older than version 3's last draft send neither text nor language.
    text = reader.text() if reader.more() else ""
    if reader.more():
        reader.string()  # the text's language; one that is cut off shows that the packet was
    return Status(code, text)


@lru_cache(maxsize=1024)
def handle(reply: Reply) -> bytes | Status:
    """A handle, as it came. A server that counts its open files gives the same ones over and over."""
    if reply.kind != HANDLE:
        return status(reply)
    length = int.from_bytes(reply.body[: U32.size], "big")
    end = U32.size + length
    if length > LONGEST_HANDLE or end > len(reply.body):
        raise Garbled(f"a handle of {length} bytes, {len(reply.body) - U32.size} there")
    return reply.body[:end]


def chunk(reply: Reply) -> bytes | Status:
    return Reader(reply.body).string() if reply.kind == DATA else status(reply)


def attributes(reply: Reply) -> Attributes | Status:
    return Reader(reply.body).attributes() if reply.kind == ATTRS else status(reply)


def names(reply: Reply) -> dict[bytes, Attributes] | Status:
    """Names in a folder, with what lstat says of each."""
    if reply.kind != NAME:
        return status(reply)
    reader = Reader(reply.body)
    found = {}
    for _ in range(reader.u32()):
        name = reader.string()
        reader.string()  # what `ls -l` would print
        found[name] = reader.attributes()
    return found


def lead(reply: Reply) -> bytes | Status:
    """Where a symbolic link leads."""
    found = names(reply)
    if isinstance(found, Status):
        return found
    if len(found) != 1:
        raise Garbled(f"a link that leads to {len(found)} places")
    return next(iter(found))


def limits_of(reply: Reply) -> Limits | Status:
    if reply.kind != EXTENDED_REPLY:
        return status(reply)
    reader = Reader(reply.body)
    return Limits(reader.u64(), reader.u64(), reader.u64(), reader.u64())


def file_system_of(reply: Reply) -> FileSystem | Status:
    if reply.kind != EXTENDED_REPLY:
        return status(reply)
    reader = Reader(reply.body)
    _, fragment, _, _, free, inodes, _, free_inodes, _, flags, _ = (reader.u64() for _ in range(11))
    # btrfs and others have no fixed number of inodes and say 0 of 0.
    return FileSystem(free * fragment, free_inodes if inodes else 2**63 - 1, read_only=bool(flags & 1))


def _string(content: bytes) -> bytes:
    return U32.pack(len(content)) + content


def _extended(name: str, *arguments: bytes) -> Request:
    return EXTENDED, b"".join(_string(part) for part in (name.encode(), *arguments))


def _attributes(mode: int | None = None, modified: int | None = None) -> bytes:
    if modified is None:
        return _NO_ATTRIBUTES if mode is None else _MODE.pack(HAS_MODE, mode)
    moment = min(max(modified, 0), _LATEST)
    # Access, modification: there is no way to set one alone.
    if mode is None:
        return _TIMES.pack(HAS_TIMES, moment, moment)
    return _MODE_AND_TIMES.pack(HAS_MODE | HAS_TIMES, mode, moment, moment)


_RENAME, _SYNC = (_string(name.encode()) for name in (POSIX_RENAME, FSYNC))
