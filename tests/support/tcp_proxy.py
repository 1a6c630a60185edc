"""A proxy for TCP on this machine: a slow line, a thin line, and everything that can go wrong with a line.

It delays each way, limits the rate, and strikes a connection once so many bytes have gone one way: hangs up, resets, falls silent,
takes one side away without a word to the other, or spoils a byte. `TcpProxy(port, delay=0.01)` makes a round trip of 20 ms.

One thread serves all connections. Where both sides are to be fast, as in a measurement, `proxied` runs it in a process of its own;
`python -P -m support.tcp_proxy PORT --delay 0.01` does the same from a shell.
"""

import argparse
import contextlib
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Self

import pytest

CHUNK = 256 * 1024
ON_THE_WAY = 32 * 1024 * 1024
"""Bytes that a line holds each way; over it the sender waits, as it would for a full window. 10 ms at 3.2 GB a second."""
SMOOTH = 100
"""Into how many pieces a second a limited rate is cut at least."""
ROOT = Path(__file__).resolve().parents[2]


class How(Enum):
    """What happens to a connection."""

    CUT = "cut"
    """Both sides read an end."""
    RESET = "reset"
    """Both sides are told that the connection was reset."""
    SILENCE = "silence"
    """Nothing passes any more, either way; both sides believe in the connection. After 0 bytes: accepted, and never answered."""
    HALF_OPEN = "half-open"
    """The server's side is gone; the client's is not told."""
    FLIP = "flip"
    """The lowest bit of the next byte is another one; all else passes."""


class Way(Enum):
    TO_SERVER = "to the server"
    TO_CLIENT = "to the client"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens once `after` bytes have gone one way."""

    how: How
    after: int = 0
    way: Way = Way.TO_SERVER

    def __str__(self) -> str:
        return f"{self.how.value} after {self.after} bytes {self.way.value}"


@dataclass(slots=True, eq=False)
class Conversation:
    """One connection, and what has become of it."""

    client: socket.socket
    server: socket.socket
    fault: Fault | None
    taken: dict[Way, int] = field(default_factory=lambda: dict.fromkeys(Way, 0))
    """Bytes read each way."""
    struck: bool = False
    silent: bool = False
    over: bool = False

    def source(self, way: Way) -> socket.socket:
        return self.client if way is Way.TO_SERVER else self.server

    def sink(self, way: Way) -> socket.socket:
        return self.server if way is Way.TO_SERVER else self.client


class _Line:
    """One way of one conversation: what is on its way, and when each piece arrives."""

    def __init__(self, talk: Conversation, way: Way, delay: float, rate: float | None) -> None:
        self.talk, self.way, self._delay, self._rate = talk, way, delay, rate
        self.source, self.sink = talk.source(way), talk.sink(way)
        self._pieces: deque[tuple[float, memoryview]] = deque()
        self._held = 0
        self._free_at = 0.0
        self.ended = False
        """Whether nothing more comes from the source."""
        self.closed = False
        """Whether the sink has been told so."""
        self.blocked = False
        self._last: How | None = None

    @property
    def hungry(self) -> bool:
        return not self.ended and not self.talk.silent and self._held < ON_THE_WAY

    @property
    def due(self) -> float | None:
        """When something is to be done here, on the monotonic clock."""
        return self._pieces[0][0] if self._pieces and not self.blocked and not self.talk.silent else None

    def take(self) -> None:
        """Read what the source has said."""
        size = CHUNK if self._rate is None else max(1, min(CHUNK, int(self._rate / SMOOTH)))
        try:
            chunk = self.source.recv(size)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self.ended = not chunk
        self._append(self._harmed(chunk))

    def _harmed(self, chunk: bytes) -> bytes:
        talk, fault = self.talk, self.talk.fault
        begin = talk.taken[self.way]
        talk.taken[self.way] += len(chunk)
        if (
            fault is None
            or talk.struck
            or fault.way is not self.way
            or talk.taken[self.way] < fault.after + (fault.how is How.FLIP)
        ):
            return chunk
        talk.struck = True
        at = fault.after - begin
        if fault.how is How.FLIP:
            return chunk[:at] + bytes([chunk[at] ^ 1]) + chunk[at + 1 :]
        self.ended, self._last = True, fault.how
        return chunk[:at]

    def _append(self, chunk: bytes) -> None:
        now = time.monotonic()
        if self._rate is not None:
            self._free_at = max(now, self._free_at) + len(chunk) / self._rate
            now = self._free_at
        self._pieces.append((now + self._delay, memoryview(chunk)))
        self._held += len(chunk)

    def give(self) -> None:
        """Pass on whatever has arrived; the end and the fault too have their place in the line."""
        while self._pieces and self._pieces[0][0] <= time.monotonic():
            moment, piece = self._pieces.popleft()
            try:
                sent = self.sink.send(piece) if piece else 0
            except BlockingIOError:
                sent, self.blocked = 0, True
            except OSError:
                # Whoever listened is gone: whoever speaks has to learn it.
                self.talk.over = True
                return
            self._held -= sent
            if sent < len(piece):
                self._pieces.appendleft((moment, piece[sent:]))
                self.blocked = True
                return
        if self.ended and not self._pieces and not self.closed:
            self.closed = True
            self._end()

    def _end(self) -> None:
        match self._last:
            case None:
                with contextlib.suppress(OSError):
                    self.sink.shutdown(socket.SHUT_WR)
            case How.CUT:
                for side in (self.talk.client, self.talk.server):
                    with contextlib.suppress(OSError):
                        # What was said before is read before the end, also where somebody goes on talking.
                        side.shutdown(socket.SHUT_WR)
                self.talk.over = True
            case How.RESET:
                for side in (self.talk.client, self.talk.server):
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.talk.over = True
            case How.SILENCE:
                self.talk.silent = True
            case _:
                self.talk.silent = True
                self.talk.server.close()


class TcpProxy:
    """A port that passes on to `upstream`, a port of this machine. `delay`: seconds each way; `rate`: bytes a second each way."""

    def __init__(self, upstream: int, *, delay: float = 0.0, rate: float | None = None) -> None:
        self._upstream, self._delay, self._rate = upstream, delay, rate
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._fault: Callable[[int], Fault | None] = lambda _: None
        self.talks: list[Conversation] = []
        """Every connection so far, in order."""
        self._lines: list[_Line] = []
        self._stopping = threading.Event()
        self._bell, self._ear = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="tcp-proxy", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def strike(self, fault: Fault, times: int | None = None) -> None:
        """Connections from now on meet this fault, each once: the next `times` of them, or all until `mend`."""
        first = len(self.talks)
        self._fault = lambda number: fault if times is None or number < first + times else None

    def mend(self) -> None:
        """Connections from now on are spared. Those that are silent stay so."""
        self._fault = lambda _: None

    @property
    def struck(self) -> int:
        """How many connections have met their fault."""
        return sum(talk.struck for talk in self.talks)

    def close(self) -> None:
        """Stop, and hang up on everybody."""
        self._stopping.set()
        self._bell.send(b"\0")
        self._thread.join()
        for line in self._lines:
            line.source.close()
        for each in (self._listener, self._bell, self._ear):
            each.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            readers = [line.source for line in self._lines if line.hungry]
            writers = [line.sink for line in self._lines if line.blocked and not line.talk.silent]
            due = min((moment for line in self._lines if (moment := line.due) is not None), default=None)
            wait = None if due is None else max(0.0, due - time.monotonic())
            # Not epoll, which rounds up to milliseconds.
            ready, free, _ = select.select([self._listener, self._ear, *readers], writers, [], wait)
            if self._listener in ready:
                self._accept()
            for line in self._lines:
                if line.source in ready and line.hungry:
                    line.take()
                line.blocked = line.blocked and line.sink not in free
                if not line.blocked and not line.talk.silent and not line.talk.over:
                    line.give()
            self._forget()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream))
        except OSError:
            # Nobody there: as refused as it can be once it was accepted.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            return
        for side in (client, server):
            side.setblocking(False)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = Conversation(client, server, self._fault(len(self.talks)))
        self.talks.append(talk)
        fresh = [_Line(talk, way, self._delay, self._rate) for way in Way]
        for line in fresh:
            # What strikes after no bytes at all does not wait for the first.
            if talk.fault is not None and talk.fault.after == 0 and talk.fault.way is line.way and talk.fault.how is not How.FLIP:
                line._append(line._harmed(b""))
        self._lines += fresh

    def _forget(self) -> None:
        """Hang up where a conversation is over."""
        going = {line.talk for line in self._lines if not line.talk.over and (line.talk.silent or not line.closed)}
        for line in self._lines:
            if line.talk not in going:
                line.source.close()
        self._lines = [line for line in self._lines if line.talk in going]


@contextlib.contextmanager
def proxied(upstream: int, *, delay: float = 0.0, rate: float | None = None) -> Iterator[int]:
    """The port of a proxy that runs in a process of its own, so that it takes no time from whoever is measured here."""
    command = [sys.executable, "-P", __file__, str(upstream), "--delay", str(delay), *(["--rate", str(rate)] if rate else [])]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("upstream", type=int, help="the port to pass on to")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds each way")
    parser.add_argument("--rate", type=float, help="bytes a second each way")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with TcpProxy(wanted.upstream, delay=wanted.delay, rate=wanted.rate) as proxy:
        print(proxy.port, flush=True)
        signal.pause()
    return 0


@pytest.fixture
def tcp_proxy() -> Iterator[Callable[[int], TcpProxy]]:
    """Put such a proxy before a server's port."""
    with contextlib.ExitStack() as stack:
        yield lambda upstream: stack.enter_context(TcpProxy(upstream))


if __name__ == "__main__":
    sys.exit(main())
