"""SSH packets under AES-GCM, for a connection that moves many small requests and replies.

Paramiko's own way comes to the same bytes in some forty calls a packet, and hands each packet on by itself: one thread wakes
another for every few replies of the server. Here all that has arrived is opened in one go, and what belongs to one channel is
handed on as one. Whatever is not AES-GCM, the beginning of every connection too, is left to paramiko.
"""

import errno
import os
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import paramiko
from paramiko.packet import Packetizer

from targets.sftp.bounds import LARGEST_PACKET, Watched

_CHANNEL_DATA = 94
"""The message type; channel, length and bytes follow."""
_CHANNEL_REQUEST = 98
_WINDOW_ADJUST = 93
"""Says that more may be sent, many times a second, and has nothing to do with what is received before it or after it."""
_OWNER = 5
"""Bytes of a type and a channel."""
_LENGTH = struct.Struct(">I")
_DATA = struct.Struct(">BII")
"""What stands before a channel's bytes."""
_BLOCK, _TAG = 16, 16
_LEAST_PADDING = 4
_NOISE = 1024
"""Random bytes for padding that are drawn at once."""
_TOGETHER = 256 * 1024
"""Bytes of one channel that are handed on at once, about."""


class Together:
    """Messages that are sent one right behind the other, each in parts. Paramiko hands it on as if it were one message."""

    def __init__(self, messages: Sequence[Sequence[bytes | memoryview]]) -> None:
        self.messages = messages


def send_together(channel: paramiko.Channel, data: bytes | memoryview) -> int:
    """What `Channel.send` does, with as many packets as the server has room for, and with one system call: how much it took.

    Raises what it raises.
    """
    messages: list[tuple[bytes, memoryview]] = []
    at, view = 0, memoryview(data)
    with channel.lock:
        if channel.closed:
            raise OSError(errno.EPIPE, "the channel is closed")
        while at < len(data) and (not messages or channel.out_window_size):
            size = channel._wait_for_send_window(len(data) - at)  # noqa: SLF001 - as `send` does
            if not size:
                break
            messages.append((_DATA.pack(_CHANNEL_DATA, channel.remote_chanid, size), view[at : at + size]))
            at += size
    # Not within the lock: a change of keys waits for it.
    if messages:
        channel.transport._send_user_message(Together(messages))  # noqa: SLF001 - as `send` does
    return at


def terminate(channel: paramiko.Channel) -> None:
    """Send SIGTERM to a channel's program (RFC 4254, 6.9), for which paramiko has no call. Raises what `send` does."""
    if channel.closed:
        # A server ends the connection over a word about a channel that is none any more.
        return
    request = struct.pack(">BII6s?I4s", _CHANNEL_REQUEST, channel.remote_chanid, 6, b"signal", False, 4, b"TERM")
    channel.transport._send_user_message(paramiko.Message(request))  # noqa: SLF001 - as `send` does


class GcmPackets(Packetizer):
    """Paramiko's packet protocol, with AES-GCM (RFC 5647, as OpenSSH has it) done here. One thread reads, any may send."""

    def __init__(self, plain: Watched) -> None:
        super().__init__(plain)
        self._plain = plain
        self._sending = threading.Lock()
        self._seal: _Cipher | None = None
        self._open: _Cipher | None = None
        self._noise = b""
        self._out = bytearray()
        """Room for what goes out together. It is kept: to be given so much memory anew takes longer than to seal all of it."""
        self._arrived = bytearray()
        self._at = 0
        """So much of it was opened."""
        self._ahead: deque[bytes] = deque()
        """Messages that were opened to see whether they go with the one before them."""

    def set_outbound_cipher(self, **how: Any) -> None:  # noqa: ANN401 - as paramiko calls it
        super().set_outbound_cipher(**how)
        self._seal = _Cipher(how["block_engine"].encrypt_into, how["iv_out"]) if how["aead"] else None

    def set_inbound_cipher(self, **how: Any) -> None:  # noqa: ANN401
        super().set_inbound_cipher(**how)
        self._open = _Cipher(how["block_engine"].decrypt, how["iv_in"]) if how["aead"] else None

    def send_message(self, data: "paramiko.Message | Together") -> None:
        """Seal one message, or several, and send them."""
        messages = data.messages if isinstance(data, Together) else [(data.asbytes(),)]
        with self._sending:
            if self._seal is None:
                for message in messages:
                    super().send_message(paramiko.Message(b"".join(message)))
                return
            filled = 0
            for message in messages:
                filled = self._sealed(self._seal, message, filled)
                self._weigh(self._seal)
            self.write_all(memoryview(self._out)[:filled])  # type: ignore[arg-type]  # any bytes will do

    def _sealed(self, cipher: "_Cipher", message: Sequence[bytes | memoryview], start: int) -> int:
        """Put a packet of these bytes into what goes out, from there on: its length, and what is sealed. Says where it ends."""
        size = 1 + sum(map(len, message))
        padding = _LEAST_PADDING + -(size + _LEAST_PADDING) % _BLOCK
        if len(self._noise) < padding:
            # One system call for many packets.
            self._noise = os.urandom(_NOISE)
        noise, self._noise = self._noise[:padding], self._noise[padding:]
        head = _LENGTH.pack(size + padding)
        begin = start + len(head)
        end = begin + size + padding + _TAG
        if len(self._out) < end:
            self._out = self._out.ljust(end)
        out = memoryview(self._out)
        out[start:begin] = head
        cipher.use(b"".join((bytes([padding]), *message, noise)), head, out[begin:end])
        return end

    def read_message(self) -> tuple[int, paramiko.Message]:
        """Wait for the next message: its type, and what follows. Raises EOFError, SSHException, NeedRekeyException."""
        if self._open is None:
            return super().read_message()
        message = self._ahead.popleft() if self._ahead else self._opened(self._open)
        if message[0] == _CHANNEL_DATA:
            message = self._with_more(self._open, message)
        self._weigh(self._open)
        content = paramiko.Message(message[1:])
        content.seqno = self._open.packets - 1
        return message[0], content

    def _with_more(self, cipher: "_Cipher", first: bytes) -> bytes:
        """What has arrived for the same channel besides. What is anything else comes next: it may bring another key."""
        whose, parts, size = first[:_OWNER], [_bytes_of(first)], len(first)
        while size < _TOGETHER and (message := self._arrived_message(cipher)) is not None:
            if message[:_OWNER] == whose:
                parts.append(_bytes_of(message))
                size += len(message)
                continue
            self._ahead.append(message)
            if message[0] != _WINDOW_ADJUST:
                break
        joined = b"".join(parts)
        return whose + _LENGTH.pack(len(joined)) + joined

    def _opened(self, cipher: "_Cipher") -> bytes:
        """The next message, as soon as all of it has arrived."""
        while (message := self._arrived_message(cipher)) is None:
            del self._arrived[: self._at]
            self._at = 0
            # Nobody begins a new key in the middle of a packet.
            self._arrived += self.read_all(1, check_rekey=not self._arrived)
            self._arrived += self._plain.read_ahead()
        return message

    def _arrived_message(self, cipher: "_Cipher") -> bytes | None:
        """The next message; None: not all of it has arrived."""
        begin = self._at + _LENGTH.size
        head = bytes(self._arrived[self._at : begin])
        if len(head) < _LENGTH.size:
            return None
        [length] = _LENGTH.unpack(head)
        if not _BLOCK <= length <= LARGEST_PACKET or length % _BLOCK:
            raise paramiko.SSHException(f"a packet of {length} bytes was announced; SSH has none as long")
        end = begin + length + _TAG
        if len(self._arrived) < end:
            return None
        plain: bytes = cipher.use(bytes(self._arrived[begin:end]), head)
        self._at = end
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

    def __init__(self, engine: Callable[..., Any], nonce: bytes) -> None:
        self._engine = engine
        self._fixed, self._counter = nonce[:4], int.from_bytes(nonce[4:], "big")
        self.bytes = self.packets = 0
        """What the key was used for."""

    def use(self, content: bytes, length: bytes, *into: memoryview) -> Any:  # noqa: ANN401 - what the engine gives
        """Seal or open one packet."""
        done = self._engine(self._fixed + self._counter.to_bytes(8, "big"), content, length, *into)
        self._counter = (self._counter + 1) % 2**64
        self.bytes += len(content)
        self.packets += 1
        return done
