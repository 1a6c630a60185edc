"""Asking for pages of the web: `Web` reads this with its first page, since HTTP and TLS are a large part of an engine's start."""

import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from functools import partial
from threading import Event, Lock
from typing import Any
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import LocationValueError
from urllib3.response import BaseHTTPResponse

from config import WebSettings
from sources.addresses import origin_of
from sources.answers import REDIRECTS, fault, parse_date
from sources.client import Answer, drain, let_go, raise_if_cut
from sources.contract import Sink
from sources.errors import AccessRefused, PermanentSourceError, ResourceMissing, SourceError, WrongBytes
from sources.gate import Gate
from sources.http_faults import http_faults
from sources.pace import Pace
from sources.public import PublicHttp, PublicHttps
from sources.transfer import pour
from sources.watchdog import Watchdog, WatchedHttp, WatchedHttps
from sources.web import WEB, Page

_MAX_REDIRECTS = 5
_ACCOUNT = re.compile(r"^([a-z0-9+.-]*:?/*)[^/?#]*@", re.IGNORECASE)
_REFUSED_TO_HEAD = frozenset({404, 410})
"""Statuses that a HEAD may be believed about; for any other failure the page itself is asked for."""


class Surfing:
    """What `Web` does, once somebody asks for a page. `closed`: set when nobody may wait for an answer any more."""

    def __init__(self, options: WebSettings, closed: Event) -> None:
        self._options = options
        self._gate = Gate(WEB, options.parallel, 0)
        self._watchdog = Watchdog()
        self._timeout = urllib3.Timeout(connect=options.connect_timeout, read=options.read_timeout)
        self._lock, self._closed = Lock(), closed
        self._pools: dict[bool, urllib3.PoolManager] = {}

    def fetch(
        self,
        url: str,
        sink: Sink,
        *,
        etag: str | None = None,
        modified: int | None = None,
        stop: Event | None = None,
        trusted: bool = False,
        limit: int | None = None,
    ) -> Page:
        validators = _validators(etag, modified)
        most = min(limit or self._options.max_file_bytes, self._options.max_file_bytes)
        with self._answer("GET", url, validators, stop, trusted=trusted) as answer:
            _check(answer, conditional=bool(validators))
            if answer.status == 304:
                return Page(answer.where, etag=etag, modified=modified, unchanged=True)
            with sink.incoming() as incoming:
                if pour(answer, incoming.write, most=most, pace=Pace(0)) > most:
                    raise WrongBytes(f"{WEB}: {answer.where} has more than {most} bytes, the most that is taken", source=WEB)
                digest, size = incoming.commit()
            headers = answer.headers
            changed = parse_date(headers.get("Last-Modified", ""))
            return Page(answer.where, digest, size, headers.get("Content-Type", ""), headers.get("ETag"), changed)

    def head(self, url: str, *, stop: Event | None = None, trusted: bool = False) -> int:
        status = self._status("HEAD", url, stop, trusted=trusted)
        if status < 400 or status in _REFUSED_TO_HEAD:
            return status
        return self._status("GET", url, stop, trusted=trusted)

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.clear()

    def _status(self, method: str, url: str, stop: Event | None, *, trusted: bool) -> int:
        with self._answer(method, url, {}, stop, trusted=trusted) as answer:
            return answer.status

    @contextmanager
    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], stop: Event | None, *, trusted: bool
    ) -> Iterator[Answer]:
        stop = stop or self._closed
        with self._gate.request(stop), self._watchdog.over(self._options.total_timeout, stop) as watched:
            try:
                where, response = self._follow(method, url, {**self._headers(), **headers}, trusted=trusted)
                try:
                    yield Answer(WEB, where, response.status, response.headers, response)
                finally:
                    let_go(response)
            except SourceError as error:
                raise_if_cut(watched, WEB, url, error)
                raise
            raise_if_cut(watched, WEB, url)

    def _headers(self) -> dict[str, str]:
        return {"User-Agent": self._options.user_agent, "Accept-Encoding": "identity"}

    def _follow(self, method: str, url: str, headers: Mapping[str, str], *, trusted: bool) -> tuple[str, BaseHTTPResponse]:
        first, host = url, _host(url)
        for _ in range(_MAX_REDIRECTS + 1):
            same = _host(url) == host
            response = self._ask(method, url, headers, trusted=trusted and same)
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or location is None:
                return url, response
            drain(response)
            let_go(response)
            url = _redirected(url, location)
        raise AccessRefused(f"{WEB}: {first} is redirected more than {_MAX_REDIRECTS} times; correct the address", source=WEB)

    def _ask(self, method: str, url: str, headers: Mapping[str, str], *, trusted: bool) -> BaseHTTPResponse:
        pool = self._pool(guarded=not (trusted or self._options.allow_private))
        with http_faults(WEB, url), _bad_addresses(url):
            return pool.urlopen(
                method,
                url,
                redirect=False,
                headers=headers,
                timeout=self._timeout,
                retries=False,
                preload_content=False,
            )

    def _pool(self, *, guarded: bool) -> urllib3.PoolManager:
        with self._lock:
            if guarded not in self._pools:
                self._pools[guarded] = _pools(self._options, self._watchdog, guarded=guarded)
            return self._pools[guarded]


def _host(url: str) -> str:
    origin = origin_of(url)
    if origin is None:
        raise PermanentSourceError(
            f"{WEB}: {_without_account(url)!r} is no http:// or https:// address without an account in it; correct it",
            source=WEB,
        )
    return origin.host


def _without_account(url: str) -> str:
    """The address without what may be a password, for messages."""
    return _ACCOUNT.sub(r"\1...@", url)


@contextmanager
def _bad_addresses(url: str) -> Iterator[None]:
    try:
        yield
    except LocationValueError as error:
        raise PermanentSourceError(f"{WEB}: {url!r} is no address that can be asked: {error}", source=WEB) from error


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads. From http to https is a step up that half of the web asks for; the other way is refused."""
    try:
        there = urljoin(url, location)
    except ValueError:
        there = location
    if url.startswith("https:") and not there.startswith("https:"):
        raise AccessRefused(f"{WEB}: {url} is redirected to {there!r}, which is not https any more", source=WEB)
    return there


def _validators(etag: str | None, modified: int | None) -> dict[str, str]:
    if etag:
        return {"If-None-Match": etag}
    return {} if modified is None else {"If-Modified-Since": formatdate(modified, usegmt=True)}


def _check(answer: Answer, *, conditional: bool) -> None:
    """Raise what the status means if it is no answer."""
    said = f"{WEB}: {answer.where} answered {answer.status}"
    if answer.status in (401, 403, 407):
        raise AccessRefused(f"{said}: it is not open to everybody", source=WEB)
    if answer.status in (404, 410):
        raise ResourceMissing(f"{said}: there is nothing at this address; correct it", source=WEB)
    if answer.status == 304 and not conditional:
        raise WrongBytes(f"{said}, which nobody asked for; is it a cache?", source=WEB)
    error = fault(WEB, answer.where, answer.status, answer.headers, time.time())
    if error:
        raise error


def _pools(options: WebSettings, watchdog: Watchdog, *, guarded: bool) -> urllib3.PoolManager:
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        raise PermanentSourceError(
            f"{WEB}: web.ca_file {options.ca_file} cannot be used: {error}; it must hold PEM certificates", source=WEB
        ) from error
    pools = urllib3.PoolManager(maxsize=options.parallel, ssl_context=context)
    http, https = (_PublicHttpPool, _PublicHttpsPool) if guarded else (_HttpPool, _HttpsPool)
    classes: dict[str, Any] = {"http": partial(http, watchdog=watchdog), "https": partial(https, watchdog=watchdog)}
    pools.pool_classes_by_scheme = classes
    return pools


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls: Any = WatchedHttp


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls: Any = WatchedHttps


class _PublicHttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls: Any = PublicHttp


class _PublicHttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls: Any = PublicHttps
