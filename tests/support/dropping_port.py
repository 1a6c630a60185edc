"""A port of this machine that can stop answering at all, as behind a firewall that drops packets, and start again.

It passes connections on to a server. While it drops, the kernel drops every attempt to connect: the listening socket takes a
backlog of none, and the one place that there is has been taken. Connections that were open fall silent.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

FILLERS = 6
TICK = 0.02


@dataclass
class DroppingPort:
    """The port. One thread accepts, two for each connection pass bytes on."""

    upstream: int
    listener: socket.socket = field(default_factory=socket.socket)
    flowing: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    fillers: list[socket.socket] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(100)
        self.listener.setblocking(False)
        self.flowing.set()
        self._begin(self._accept)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def drop(self) -> None:
        """From now on nobody gets an answer, not even that there is none. Fails if that is not so."""
        self.flowing.clear()
        # The accepting thread looks at the flag before each accept; it may be in one now.
        time.sleep(5 * TICK)
        self.listener.listen(0)
        for _ in range(FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            self.fillers.append(filler)
        assert self.drops(), "the port answers"

    def drops(self) -> bool:
        """Whether an attempt to connect is neither accepted nor refused."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=0.5).close()
        except TimeoutError:
            return True
        except OSError:
            return False
        return False

    def mend(self) -> None:
        """Answer again, also to what was held back."""
        for filler in self.fillers:
            filler.close()
        self.fillers.clear()
        self.listener.listen(100)
        self.flowing.set()

    def close(self) -> None:
        self.ended.set()
        self.flowing.set()
        for thread in self.threads:
            thread.join(10)
        for filler in self.fillers:
            filler.close()
        self.listener.close()

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.ended.is_set():
            if not self.flowing.is_set():
                time.sleep(TICK)
                continue
            try:
                client, _ = self.listener.accept()
            except BlockingIOError:
                time.sleep(TICK / 4)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream))
            except OSError:
                client.close()
                continue
            self._begin(self._pass, client, server)
            self._begin(self._pass, server, client)

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError), other:
            # Fails at once if the other way has ended already, as it has for whoever only knocked.
            one.settimeout(0.2)
            while not self.ended.is_set():
                try:
                    chunk = one.recv(65536)
                except TimeoutError:
                    continue
                self.flowing.wait()
                if not chunk:
                    return
                other.sendall(chunk)


@pytest.fixture
def dropping_port() -> Iterator[Callable[[int], DroppingPort]]:
    """Put such a port before a server's."""
    opened: list[DroppingPort] = []

    def before(upstream: int) -> DroppingPort:
        opened.append(DroppingPort(upstream))
        return opened[-1]

    yield before
    for port in opened:
        port.close()
