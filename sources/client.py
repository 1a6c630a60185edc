"""One origin over HTTP: connections, time-outs, redirects and credentials, with every failure as one of our errors."""

import ssl
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

import urllib3
from urllib3.response import BaseHTTPResponse

from config import HttpSource as HttpSettings
from sources.addresses import Addresses, addresses
from sources.answers import REDIRECTS, fault
from sources.connections import Connections
from sources.errors import AccessRefused, PermanentSourceError, SourceError, SourceSlow, TransientSourceError
from sources.gate import Gate
from sources.http_faults import http_faults
from sources.reply import Reply
from sources.watchdog import Watchdog, Watched, WatchedHttp, WatchedHttps

_MAX_REDIRECTS = 3
_CHUNK = 128 * 1024
"""Bytes read at once, at most: large enough to be fast, small enough to notice a limit soon."""
_SMALL = 16 * 1024
"""Bytes of an error's or a redirect's body that are read to keep the connection; a longer one is cut off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of status 200 or 304, or 206 where a range was asked for; valid inside the `with` block that gave it.

    Its body has not been read yet.
    """

    source: str
    where: str
    """The whole address it came from, after redirects."""
    status: int
    headers: Mapping[str, str]
    response: Reply | BaseHTTPResponse

    def chunks(self) -> Iterator[bytes]:
        """The decoded body, as it arrives. One that is shorter than its Content-Length is SourceUnreachable."""
        while chunk := self._chunk():
            yield chunk

    def _chunk(self) -> bytes:
        with http_faults(self.source, self.where):
            # read1, not read: a read that waits for a full buffer would not notice for hours that bytes only drip.
            return self.response.read1(_CHUNK, decode_content=True)


class Client:
    """Makes GET requests to one origin. Safe for many threads; never has more than `parallel` requests under way."""

    def __init__(self, source: str, options: HttpSettings, password: str | None = None) -> None:
        self._source = source
        self.addresses: Addresses = addresses(source, options.url)
        self._origin = str(self.addresses.origin)
        self._total = options.total_timeout
        self._watchdog = Watchdog()
        self._gate = Gate(source, options.parallel, options.max_retry_after)
        self._connections = Connections(
            _pool(self.addresses, options, self._watchdog),
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
        )
        self._headers = {"User-Agent": "slipway", "Accept-Encoding": "identity"} | _authorization(options.username, password)

    @contextmanager
    def get(
        self, address: str, headers: Mapping[str, str], stop: Event, *, method: str = "GET", any_success: bool = False
    ) -> Iterator[Answer]:
        """One GET with its redirects. Every status that is no answer to it is raised as its SourceError.

        It ends with an error soon after `stop` is set, and with SourceSlow when its time is over. A body that was not read
        to its end is thrown away with its connection. Another `method` follows no redirect. `any_success`: every 2xx is an
        answer.
        """
        where = self.whole(address)
        with self._gate.request(stop), self._watchdog.over(self._total, stop) as watched:
            try:
                with self._answer(method, address, headers, any_success=any_success) as answer:
                    yield answer
            except SourceError as error:
                raise_if_cut(watched, self._source, where, error)
                if isinstance(error, SourceSlow) and error.retry_after is not None:
                    self._gate.hush(error.retry_after)
                raise
            # A body without a length just ends where it is cut.
            raise_if_cut(watched, self._source, where)

    @contextmanager
    def _answer(self, method: str, address: str, headers: Mapping[str, str], *, any_success: bool) -> Iterator[Answer]:
        address, response = self._follow(method, address, {**self._headers, **headers})
        where = self.whole(address)
        try:
            error = fault(self._source, where, response.status, response.headers, time.time())
            part = response.status == 206 and "Range" in headers
            if error and not part and not (any_success and 200 <= response.status < 300):
                drain(response)
                raise error
            yield Answer(self._source, where, response.status, response.headers, response)
            if response.status == 304:
                drain(response)
        finally:
            let_go(response)

    def whole(self, address: str) -> str:
        """The address with its origin, for people."""
        return f"{self._origin}{address}"

    def close(self) -> None:
        """Close the idle connections. Safe to call twice."""
        self._connections.close()

    def _follow(self, method: str, address: str, headers: Mapping[str, str]) -> tuple[str, Reply]:
        first = address
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._ask(method, address, headers)
            if response.status not in REDIRECTS or method != "GET":
                return address, response
            location = response.headers.get("Location", "")
            drain(response)
            let_go(response)
            address = self.addresses.redirect(address, location)
        raise AccessRefused(
            f"{self._source}: {self.whole(first)} is redirected more than {_MAX_REDIRECTS} times, perhaps to a login page; "
            "correct the address or the account",
            source=self._source,
        )

    def _ask(self, method: str, address: str, headers: Mapping[str, str]) -> Reply:
        with http_faults(self._source, self.whole(address)):
            return self._connections.ask(method, address, headers)


def _pool(where: Addresses, options: HttpSettings, watchdog: Watchdog) -> urllib3.HTTPConnectionPool:
    """As many connections as there may be requests; each is made when it is first needed."""
    origin = where.origin
    shared: dict[str, Any] = {"maxsize": options.parallel, "watchdog": watchdog}
    if origin.scheme == "http":
        return _HttpPool(origin.host, origin.port, **shared)
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        raise PermanentSourceError(
            f"{where.source}: ca_file {options.ca_file} cannot be used: {error}; it must hold PEM certificates",
            source=where.source,
        ) from error
    return _HttpsPool(origin.host, origin.port, ssl_context=context, **shared)


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = WatchedHttp


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = WatchedHttps


def _authorization(username: str | None, password: str | None) -> dict[str, str]:
    if username is None:
        return {}
    return {"Authorization": "Basic " + b64encode(f"{username}:{password or ''}".encode()).decode()}


def raise_if_cut(watched: Watched, source: str, where: str, error: SourceError | None = None) -> None:
    """Raise what it means that the watchdog cut this request's connection, if it did."""
    if watched.cut and watched.stop.is_set():
        raise TransientSourceError(f"{source}: {where} was given up with its task", source=source) from error
    if watched.cut:
        raise SourceSlow(f"{source}: {where} took more than {watched.seconds:g} s (total_timeout)", source=source) from error


def drain(response: Reply | BaseHTTPResponse) -> None:
    """Read the rest of a small body, so that the connection can be used again."""
    if response.length_remaining is not None and response.length_remaining <= _SMALL:
        response.drain_conn()


def let_go(response: Reply | BaseHTTPResponse) -> None:
    """Give the connection back: to be used again if the body was read to its end, closed otherwise."""
    if not response.closed:
        response.close()
    response.release_conn()
