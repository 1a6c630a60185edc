"""Where a packet of SFTP begins and ends, and whose it is: a length, a type, an id, and then a body."""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from targets.sftp.fields import U32, Garbled

LARGEST_PACKET = 1024 * 1024
"""OpenSSH sends at most 256 KiB; what claims to be longer than this is not SFTP."""

_HEAD = struct.Struct(">IBI")
_AFTER_LENGTH = 5
"""Bytes of a type and an id."""
_SHORT = 256
"""Bytes of a reply that will come again just as it is: "OK" does so thousands of times a second."""
_KEPT = 1024
"""Different ones of them: as many as there are handles at OpenSSH."""
_ALIKE = 64
"""Replies that are looked at together. Each try that comes to nothing costs a copy of so many."""


class Reply(NamedTuple):
    """One answer: its type and its body, after the id."""

    kind: int
    body: bytes


def head(kind: int, size: int, number: int) -> bytes:
    """What stands before a request's body of `size` bytes."""
    return _HEAD.pack(size + _AFTER_LENGTH, kind, number)


def replies(received: bytearray) -> Sequence[tuple[int, Reply]]:
    """Take each whole reply off the front of what was received: the id that it carries, and the reply. Raises Garbled."""
    found: list[tuple[int, Reply]] = []
    start, size = 0, len(received)
    while size >= start + U32.size:
        [length] = U32.unpack_from(received, start)
        if not _AFTER_LENGTH <= length <= LARGEST_PACKET:
            raise Garbled(f"a packet of {length} bytes; it begins {bytes(received[start : start + 40])!r}")
        packet = _packet(length)
        whole = (size - start) // packet.size
        if not whole:
            break
        # Short ones are many and alike: those behind it that are as long are taken apart in one go.
        alike, reply = (min(whole, _ALIKE), _kept) if length < _SHORT else (1, Reply)
        for other, kind, number, body in packet.iter_unpack(received[start : start + alike * packet.size]):
            if other != length:
                break
            found.append((number, reply(kind, body)))
            start += packet.size
    del received[:start]
    return found


@lru_cache(maxsize=16)
def _packet(length: int) -> struct.Struct:
    """One that is said to be so long."""
    return struct.Struct(f">IBI{length - _AFTER_LENGTH}s")


@lru_cache(maxsize=_KEPT)
def _kept(kind: int, body: bytes) -> Reply:
    """One value for all replies that say the same."""
    return Reply(kind, body)
