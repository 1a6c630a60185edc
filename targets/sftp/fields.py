"""The fields of a packet of SFTP version 3, taken apart one after the other."""

import struct
from typing import NamedTuple

HAS_SIZE, HAS_OWNER, HAS_MODE, HAS_TIMES, HAS_MORE = 0x01, 0x02, 0x04, 0x08, 0x80000000
"""What the flags before a file's attributes say of what follows."""

U32 = struct.Struct(">I")
U64 = struct.Struct(">Q")


class Garbled(Exception):
    """These bytes are not what the protocol says comes here."""


class Attributes(NamedTuple):
    """What the server says of a file; None where it says nothing."""

    size: int | None = None
    mode: int | None = None
    modified: int | None = None
    owner: int | None = None
    """The account's number there."""


class Reader:
    """Takes the fields of one body in order; Garbled at its end."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def more(self) -> bool:
        return self._at < len(self._body)

    def u32(self) -> int:
        return int(U32.unpack(self._take(4))[0])

    def u64(self) -> int:
        return int(U64.unpack(self._take(8))[0])

    def string(self) -> bytes:
        return self._take(self.u32())

    def text(self) -> str:
        return self.string().decode("utf-8", "replace")

    def attributes(self) -> Attributes:
        flags = self.u32()
        size = self.u64() if flags & HAS_SIZE else None
        owner = U32.unpack(self._take(8)[:4])[0] if flags & HAS_OWNER else None
        mode = self.u32() if flags & HAS_MODE else None
        modified = U32.unpack(self._take(8)[4:])[0] if flags & HAS_TIMES else None
        if flags & HAS_MORE:
            for _ in range(2 * self.u32()):
                self.string()
        return Attributes(size, mode, modified, owner)

    def _take(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise Garbled(f"{count} bytes announced, {len(taken)} there")
        self._at += count
        return taken
