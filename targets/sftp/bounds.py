"""Bounds that paramiko does not set: on the memory and time that a server can make it spend, and that it makes a server spend."""

import errno
import socket
import threading
import time
from contextlib import suppress

import paramiko
from paramiko.buffered_pipe import BufferedPipe

_READ_AHEAD = 128 * 1024
_PAUSE = 0.001
"""Seconds in which much comes together where many replies are awaited: each look wakes two threads, and costs as much as a
file."""
_MUCH = 32 * 1024
"""Bytes that are worth a look at once."""
NEAR = 0.01
"""Seconds within which a near server answers."""
UNDER_WAY = 1024 * 1024 + 32 * 1024
"""Bytes under way to a program on one, at the most; one packet more than half of what OpenSSH takes."""
LARGEST_PACKET = 256 * 1024
"""RFC 4253 6.1 asks for 35,000 bytes, and we announce that we take 32 KiB; paramiko alone would wait for 4 GiB."""


class Watched:
    """A socket for paramiko that reads ahead, and gives up a send that makes no progress.

    Paramiko reads each packet in two calls and retries a blocked send for ever; its reads time out so that it can look
    around, which stays as it is.
    """

    def __init__(self, plain: socket.socket, patience: float) -> None:
        self._plain = plain
        self._patience = patience
        self._ahead = b""
        self._last = 0
        """Bytes that came at once, the last time."""
        self.gathering = False
        """Whether so much is awaited that nobody is in a hurry for the first of it. Set by another thread."""
        self._closed = False  # paramiko looks at this name of a socket
        self._blocked_since: float | None = None

    def send(self, data: bytes) -> int:
        try:
            sent = self._plain.send(data)
        except TimeoutError:
            now = time.monotonic()
            self._blocked_since = self._blocked_since or now
            if now - self._blocked_since > self._patience:
                raise _abort(f"nothing could be sent for {self._patience:g} s") from None
            raise
        self._blocked_since = None
        return sent

    def recv(self, count: int) -> bytes:
        """Some bytes. ConnectionAbortedError for a packet that no SSH server sends."""
        if count > LARGEST_PACKET:
            raise _abort(f"a packet of {count} bytes was announced; SSH has none as long")
        if not self._ahead:
            if self.gathering and self._last < _MUCH:
                time.sleep(_PAUSE)
            self._ahead = self._plain.recv(max(count, _READ_AHEAD))
            self._last = len(self._ahead)
        taken, self._ahead = self._ahead[:count], self._ahead[count:]
        return taken

    def read_ahead(self) -> bytes:
        """What came with the bytes that were asked for last."""
        ahead, self._ahead = self._ahead, b""
        return ahead

    def settimeout(self, seconds: float) -> None:
        self._plain.settimeout(seconds)

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            # Wakes the reading thread at once.
            self._plain.shutdown(socket.SHUT_RDWR)
        self._plain.close()


def _abort(what: str) -> ConnectionAbortedError:
    """With a number: paramiko's reading thread dies untidily of an OSError that has none."""
    return ConnectionAbortedError(errno.ECONNABORTED, what)


def bound(channel: paramiko.Channel, window: int, patience: float) -> None:
    """Let a new channel hold no more unread bytes than `window`, and wait no longer than `patience` seconds for an answer.

    Paramiko keeps whatever a server sends, also beyond the window that it was granted, and waits for ever for the answer to
    a request for a subsystem.
    """
    channel.in_buffer, channel.in_stderr_buffer = _Bounded(window), _Bounded(window)
    channel.event = _Patient(patience)


def spare(channel: paramiko.Channel, round_trip: float) -> None:
    """Have less under way to a program on a near server than the server would take.

    What the program's pipe has no room for OpenSSH keeps in memory that it copies, to a new place, whenever more comes: half of
    what it took of the processor, with two megabytes under way. Other servers are left alone: OpenSSH says after every few
    packets that there is room again, another one perhaps only once half of all that it takes has come. `round_trip`: seconds; on
    the way to a far server there must be more.
    """
    if round_trip < NEAR and channel.transport.remote_version.startswith("SSH-2.0-OpenSSH_"):
        with channel.lock:
            channel.out_window_size = min(channel.out_window_size, UNDER_WAY)


class _Bounded(BufferedPipe):
    """What was received and not read. Paramiko's reading thread ends the connection for the error."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def feed(self, data: bytes) -> None:
        if len(self) + len(data) > self._most:
            raise paramiko.SSHException(f"the server sent more than the {self._most} bytes that it may")
        super().feed(data)


class _Patient(threading.Event):
    """An event for which nobody waits for ever. TimeoutError when its time is over."""

    def __init__(self, patience: float) -> None:
        super().__init__()
        self._patience = patience

    def wait(self, timeout: float | None = None) -> bool:
        if not super().wait(self._patience if timeout is None else timeout) and timeout is None:
            raise TimeoutError
        return self.is_set()
