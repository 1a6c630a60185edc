"""Cuts connections whose time is over, or whose result nobody wants any more.

A socket's own time-out starts anew with each byte, so a server that drips headers would hold a thread for ever. One
thread looks at all requests under way and shuts the socket of an overdue one down; whoever reads from it sees the end.
"""

import http.client
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from threading import Event, Lock, Thread, local
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from sources.heard import HeardResponse
from sources.plain import Again, Beginning, get_request, hear

_TICK = 0.2
"""Seconds between two looks: soon enough for a person who waits, rare enough to cost nothing."""


@dataclass(slots=True, eq=False)
class Watched:
    """One request under way."""

    seconds: float
    """What it may take, from the moment it has a connection."""
    stop: Event
    deadline: float = inf
    """On the monotonic clock."""
    connection: socket.socket | None = None
    cut: bool = False

    def look(self, now: float) -> None:
        """Cut the connection if it is time: at each look, for a redirect may have gone on to another one meanwhile."""
        if self.connection is None or (now < self.deadline and not self.stop.is_set()):
            return
        self.cut = True
        # It may have been closed a moment ago.
        with suppress(OSError):
            # Not SSLSocket's own shutdown: it takes the TLS state away from under the thread that reads.
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)


class Watchdog:
    """Watches the requests of one source. Its thread lives while there are any."""

    def __init__(self) -> None:
        self._watched: set[Watched] = set()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._mine = local()

    @contextmanager
    def over(self, seconds: float, stop: Event) -> Iterator[Watched]:
        """Watch this thread's request for the length of the block."""
        watched = self._mine.watched = Watched(seconds, stop)
        with self._lock:
            self._watched.add(watched)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="http-watchdog", daemon=True)
                self._thread.start()
        try:
            yield watched
        finally:
            with self._lock:
                self._watched.discard(watched)

    def sees(self, connection: socket.socket | None) -> None:
        """Tell which socket this thread's request uses."""
        watched: Watched = self._mine.watched
        # A redirect begins no new time.
        watched.deadline = min(watched.deadline, time.monotonic() + watched.seconds)
        watched.connection = connection

    def _run(self) -> None:
        while True:
            time.sleep(_TICK)
            with self._lock:
                if not self._watched:
                    self._thread = None
                    return
                for watched in self._watched:
                    watched.look(time.monotonic())


class _Watched(HTTPConnection):
    """What both kinds of connection do: tell the watchdog, and leave no refused answer behind."""

    def __init__(self, *args: Any, watchdog: Watchdog, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        super().__init__(*args, **options)
        self._watchdog = watchdog
        self._heard: HeardResponse | None = None

    def response_class(  # type: ignore[override]
        self,
        *args: Any,  # noqa: ANN401 - http.client's own
        **options: Any,  # noqa: ANN401 - as above
    ) -> HeardResponse:
        """The standard library's answer, which alone holds the socket while it is read."""
        self._heard = HeardResponse(*args, **options)
        return self._heard

    def ask(self, method: str, address: str, headers: Mapping[str, str]) -> Beginning | HeardResponse:
        """Send a request without a body and wait for status and headers: plain ones, or as the standard library has them."""
        request = get_request(self._host_and_port, address, headers) if method == "GET" else None
        if request:
            answer: Beginning | HeardResponse = self._heard_by(lambda _: self._exchanged(request))
            return answer
        # As below.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.request(method, address, headers=headers)
        heard: HeardResponse = self._heard_by(http.client.HTTPConnection.getresponse)
        return heard

    @property
    def _host_and_port(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == self.default_port else f"{host}:{self.port}"

    def _exchanged(self, request: bytes) -> Beginning | HeardResponse:
        # A server may have answered before it closed: what it said is read all the same, as by urllib3.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(request)
        heard = hear(self.sock)
        if isinstance(heard, Beginning):
            return heard
        answer = self.response_class(Again(heard, self.sock, self.close), method="GET")
        answer.begin()
        if answer.will_close:
            # The answer holds the socket until it is read.
            self.close()
        return answer

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        """Tell the watchdog the socket, then wait for status and headers."""
        response: HTTPResponse = self._heard_by(HTTPConnection.getresponse)
        return response

    def _heard_by(self, getresponse: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - either kind of answer
        self._watchdog.sees(self.sock)
        try:
            return getresponse(self)
        except BaseException:
            # An answer that urllib3 refuses after the standard library took it is known to nobody else: its socket would stay
            # open until the garbage collector comes by.
            if self._heard is not None:
                self._heard.close()
            raise
        finally:
            self._heard = None


class WatchedHttp(_Watched):
    """A connection that is cut when its time is over."""


class WatchedHttps(_Watched, HTTPSConnection):
    """The same over TLS."""
