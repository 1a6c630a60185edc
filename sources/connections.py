"""Connections to one origin, kept while nobody needs them. urllib3's pool does more for a request than a small file costs."""

import select
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Any

import urllib3

from sources.plain import Beginning, PlainReply
from sources.reply import DecodedReply, Reply
from sources.watchdog import WatchedHttp


class Connections:
    """The free connections to one origin, of which the one that was used last is used next. Safe for many threads.

    Who asks sees to it that there are not too many. `pool` knows how they are made; its own requests are not used.
    `made`: how many were made so far.
    """

    def __init__(self, pool: urllib3.HTTPConnectionPool, *, connect_timeout: float, read_timeout: float) -> None:
        self._pool = pool
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._free: list[WatchedHttp] = []
        self._closed = False
        self.made = 0

    def ask(self, method: str, address: str, headers: Mapping[str, str]) -> Reply:
        """The answer to one request without a body. Raises urllib3's errors, http.client's, and OSError."""
        connection = self._take()
        try:
            heard = connection.ask(method, address, headers)
            hang_up = connection.close
            # Of another answer than a GET's, nobody knows how far http.client has read beyond it.
            give_back = partial(self._keep, connection) if method == "GET" else hang_up
            if isinstance(heard, Beginning):
                return PlainReply(heard, connection.sock, give_back=give_back, hang_up=hang_up)
            return DecodedReply(heard, method, give_back=give_back, hang_up=hang_up)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close those that are free, and the others as soon as they are."""
        self._closed = True
        while connection := self._pop():
            connection.close()

    def _take(self) -> WatchedHttp:
        while connection := self._pop():
            if _is_open(connection):
                return connection
            connection.close()
        return self._connected()

    def _pop(self) -> WatchedHttp | None:
        try:
            return self._free.pop()
        except IndexError:
            return None

    def _connected(self) -> WatchedHttp:
        pool = self._pool
        made: Any = pool.ConnectionCls
        connection: WatchedHttp = made(host=pool.host, port=pool.port, timeout=self._connect_timeout, **pool.conn_kw)
        try:
            connection.connect()
            # Both: urllib3 sets the socket's again before it sends what is no GET.
            connection.timeout = self._read_timeout
            connection.sock.settimeout(self._read_timeout)
            self.made += 1
        except BaseException:
            connection.close()
            raise
        return connection

    def _keep(self, connection: WatchedHttp) -> None:
        if connection.sock is None:
            return
        self._free.append(connection)
        if self._closed:
            self.close()


def _is_open(connection: WatchedHttp) -> bool:
    """Whether the server has said nothing since the last answer: what it may have said is that it closes, or no answer to us."""
    # Of the bytes that TLS has opened already, the socket knows nothing.
    if isinstance(connection.sock, ssl.SSLSocket) and connection.sock.pending():
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)
