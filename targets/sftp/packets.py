"""SSH packets under AES-GCM, for a connection that moves many small requests and replies.

Paramiko's own way comes to the same bytes in some forty calls a packet, and hands each packet on by itself: one thread wakes
another for every few replies of the server. Here all that has arrived is opened in one go, and what belongs to one channel is
handed on as one. Whatever is not AES-GCM, the beginning of every connection too, is left to paramiko.
"""

import os
import struct
import threading
from collections.abc import Callable
from typing import Any

import paramiko
from paramiko.packet import Packetizer

from targets.sftp.bounds import LARGEST_PACKET, Watched

_CHANNEL_DATA = 94
"""The message type; channel, length and bytes follow."""
_OWNER = 5
"""Bytes of a type and a channel."""
_LENGTH = struct.Struct(">I")
_BLOCK, _TAG = 16, 16
_LEAST_PADDING = 4
_TOGETHER = 256 * 1024
"""Bytes of one channel that are handed on at once, about."""


class GcmPackets(Packetizer):
    """Paramiko's packet protocol, with AES-GCM (RFC 5647, as OpenSSH has it) done here. One thread reads, any may send."""

    def __init__(self, plain: Watched) -> None:
        super().__init__(plain)
        self._plain = plain
        self._sending = threading.Lock()
        self._seal: _Cipher | None = None
        self._open: _Cipher | None = None
        self._arrived = bytearray()
        self._ahead: bytes | None = None
        """A message that was opened to see whether it goes with the one before it."""

    def set_outbound_cipher(self, **how: Any) -> None:  # noqa: ANN401 - as paramiko calls it
        super().set_outbound_cipher(**how)
        self._seal = _Cipher(how["block_engine"].encrypt, how["iv_out"]) if how["aead"] else None

    def set_inbound_cipher(self, **how: Any) -> None:  # noqa: ANN401
        super().set_inbound_cipher(**how)
        self._open = _Cipher(how["block_engine"].decrypt, how["iv_in"]) if how["aead"] else None

    def send_message(self, data: paramiko.Message) -> None:
        """Seal one message and send it."""
        with self._sending:
            if self._seal is None:
                super().send_message(data)
                return
            message = data.asbytes()
            padding = _LEAST_PADDING + -(1 + len(message) + _LEAST_PADDING) % _BLOCK
            head = _LENGTH.pack(1 + len(message) + padding)
            self.write_all(head + self._seal.use(b"".join((bytes([padding]), message, os.urandom(padding))), head))
            self._weigh(self._seal)

    def read_message(self) -> tuple[int, paramiko.Message]:
        """Wait for the next message: its type, and what follows. Raises EOFError, SSHException, NeedRekeyException."""
        if self._open is None:
            return super().read_message()
        message, self._ahead = self._ahead or self._opened(self._open), None
        if message[0] == _CHANNEL_DATA:
            message = self._with_more(self._open, message)
        content = paramiko.Message(message[1:])
        content.seqno = self._open.packets - 1
        return message[0], content

    def _with_more(self, cipher: "_Cipher", first: bytes) -> bytes:
        """What has arrived for the same channel besides. What is anything else comes next: it may bring another key."""
        whose, parts, size = first[:_OWNER], [_bytes_of(first)], len(first)
        while size < _TOGETHER and self._whole():
            message = self._opened(cipher)
            if message[:_OWNER] != whose:
                self._ahead = message
                break
            parts.append(_bytes_of(message))
            size += len(message)
        joined = b"".join(parts)
        return whose + _LENGTH.pack(len(joined)) + joined

    def _whole(self) -> int:
        """Bytes of the packet that has arrived; 0: not all of it."""
        if len(self._arrived) < _LENGTH.size:
            return 0
        [length] = _LENGTH.unpack_from(self._arrived)
        if not _BLOCK <= length <= LARGEST_PACKET or length % _BLOCK:
            raise paramiko.SSHException(f"a packet of {length} bytes was announced; SSH has none as long")
        size: int = _LENGTH.size + length + _TAG
        return size if len(self._arrived) >= size else 0

    def _opened(self, cipher: "_Cipher") -> bytes:
        """The next message, as soon as all of it has arrived."""
        while not (size := self._whole()):
            # Nobody begins a new key in the middle of a packet.
            self._arrived += self.read_all(1, check_rekey=not self._arrived)
            self._arrived += self._plain.read_ahead()
        length, sealed = bytes(self._arrived[: _LENGTH.size]), bytes(self._arrived[_LENGTH.size : size])
        del self._arrived[:size]
        plain = cipher.use(sealed, length)
        self._weigh(cipher)
        padding = plain[0]
        if not _LEAST_PADDING <= padding < len(plain) - 1:
            raise paramiko.SSHException(f"a packet of {len(plain)} bytes with {padding} of padding")
        return plain[1 : len(plain) - padding]

    def _weigh(self, cipher: "_Cipher") -> None:
        """A key serves for so long; who ignores that another one is asked for is left."""
        if cipher.bytes >= self.REKEY_BYTES or cipher.packets >= self.REKEY_PACKETS:
            if cipher.bytes >= self.REKEY_BYTES + self.REKEY_BYTES_OVERFLOW_MAX:
                raise paramiko.SSHException("the server does not agree to a new key")
            self._trigger_rekey()


def _bytes_of(message: bytes) -> bytes:
    """What a message brings for a channel."""
    start = _OWNER + _LENGTH.size
    if len(message) < start or _LENGTH.unpack_from(message, _OWNER)[0] != len(message) - start:
        raise paramiko.SSHException("a message for a channel is not as long as it says")
    return message[start:]


class _Cipher:
    """One direction's key. The nonce is a fixed part and a counter of packets; the length before each packet is bound to it."""

    def __init__(self, engine: Callable[[bytes, bytes, bytes], bytes], nonce: bytes) -> None:
        self._engine = engine
        self._fixed, self._counter = nonce[:4], int.from_bytes(nonce[4:], "big")
        self.bytes = self.packets = 0
        """What the key was used for."""

    def use(self, content: bytes, length: bytes) -> bytes:
        """Seal or open one packet."""
        done = self._engine(self._fixed + self._counter.to_bytes(8, "big"), content, length)
        self._counter = (self._counter + 1) % 2**64
        self.bytes += len(content)
        self.packets += 1
        return done
