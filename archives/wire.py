"""One request to an archive at a time, with every failure sorted by the only question that counts: was anything sent?

Connecting is a step of its own. What fails there has left nothing at the archive; what fails once the body has begun may
have left a whole deposit. Redirects are never followed, certificates always checked.
"""

import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import BinaryIO, TypeAlias, cast
from urllib.parse import SplitResult, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError
from urllib3.response import HTTPResponse

from archives.errors import AnswerLost, ArchiveBusy, ArchiveUnreachable, PackageError
from config import ArchiveSettings

Connection: TypeAlias = HTTPConnection

_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer that are read: far more than a receipt or a page of a feed has."""
_CHUNK = 128 * 1024
_FAULTS = (OSError, HTTPError, HTTPException)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with its headers, and as much of the body as came."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: str = ""
    """Why the body has no end; empty if it is whole."""


@dataclass(slots=True)
class Body:
    """A file on its way out, of exactly `size` bytes; knows whether any of it was asked for."""

    stream: BinaryIO
    size: int
    began: bool = field(default=False, init=False)
    _left: int = field(default=0, init=False)

    def read(self, size: int) -> bytes:
        """The next bytes, for the connection. Raises PackageError if the file is too short: half a package is not sent."""
        if not self.began:
            self.began, self._left = True, self.size
        chunk = self.stream.read(min(size, self._left))
        if not chunk and self._left:
            raise PackageError(f"the package lacks {self._left} of its {self.size} bytes; build it again")
        self._left -= len(chunk)
        return chunk


class Wire:
    """Requests to the servers of one archive. `clock`: monotonic seconds."""

    def __init__(
        self, archive: str, settings: ArchiveSettings, password: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._archive = archive
        self._settings = settings
        self._account = None if settings.username is None else f"{settings.username}:{password or ''}"
        self._clock = clock
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, *, trusted: bool = True) -> Answer:
        """One GET. `trusted`: whether this address gets the account. Nothing can be lost by it, so a failure is transient."""
        headers = {"Accept": "application/atom+xml, application/xml;q=0.9"}
        with self._connected(url) as connection:
            try:
                answer = self._exchange(connection, "GET", url, headers | self._headers(trusted=trusted), None)
            except _FAULTS as error:
                message = f"{self._archive}: {url} did not answer ({_reason(error)}); it is asked again later"
                raise ArchiveUnreachable(message, archive=self._archive) from error
        if answer.cut:
            raise ArchiveBusy(f"{self._archive}: the answer of {url} was cut off ({answer.cut})", archive=self._archive)
        return answer

    def post(self, url: str, headers: Mapping[str, str], body: Body) -> Answer:
        """One POST. Raises ArchiveUnreachable if nothing of the body was sent, AnswerLost if nobody knows what became of it.

        An answer with a status counts even if its body was cut off: the status says what became of the deposit.
        """
        length = {"Content-Length": str(body.size)}
        with self._connected(url) as connection:
            try:
                return self._exchange(connection, "POST", url, {**headers, **length, **self._headers(trusted=True)}, body)
            except _FAULTS as error:
                if not body.began:
                    message = f"{self._archive}: {url} was lost before anything was deposited ({_reason(error)})"
                    raise ArchiveUnreachable(message, archive=self._archive) from error
                message = (
                    f"{self._archive}: the answer of {url} was lost ({_reason(error)}); nobody knows whether the deposit was "
                    "taken, so it is looked up before it is sent again"
                )
                raise AnswerLost(message, archive=self._archive) from error

    def _headers(self, *, trusted: bool) -> dict[str, str]:
        headers = {"User-Agent": "slipway", "Accept-Encoding": "identity", "Connection": "close"}
        if trusted and self._account is not None:
            headers["Authorization"] = f"Basic {b64encode(self._account.encode()).decode()}"
        return headers

    @contextmanager
    def _connected(self, url: str) -> Iterator[Connection]:
        try:
            connection = self._connection(urlsplit(url))
            connection.connect()
        except (*_FAULTS, ValueError) as error:
            message = f"{self._archive}: there is no connection to {_origin(url)} ({_reason(error)})"
            raise ArchiveUnreachable(message, archive=self._archive) from error
        try:
            yield connection
        finally:
            connection.close()

    def _connection(self, parts: SplitResult) -> Connection:
        host, timeout = parts.hostname or "", self._settings.connect_timeout
        if parts.scheme == "http":
            return HTTPConnection(host, parts.port, timeout=timeout)
        return HTTPSConnection(host, parts.port, timeout=timeout, ssl_context=self._trust())

    def _trust(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._settings.ca_file)
        return self._context

    def _exchange(self, connection: Connection, method: str, url: str, headers: Mapping[str, str], body: Body | None) -> Answer:
        # From here on it is the archive that takes its time, in receiving and in answering.
        connection.timeout = self._settings.read_timeout
        if isinstance(connection.sock, socket.socket):
            connection.sock.settimeout(self._settings.read_timeout)
        # A server that refuses need not read the body: it answers and closes, and the answer is still there to be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            content = cast(BinaryIO | None, body)
            connection.request(method, _target(url), body=content, headers=headers, preload_content=False, decode_content=False)
        return self._answer(url, connection.getresponse())

    def _answer(self, url: str, response: HTTPResponse) -> Answer:
        until = self._clock() + self._settings.read_timeout
        received = bytearray()
        cut = ""
        try:
            while not cut and (chunk := response.read1(_CHUNK)):
                received += chunk
                if len(received) > _LIMIT:
                    cut = f"it is longer than {_LIMIT} bytes"
                elif self._clock() > until:
                    cut = f"it took longer than {self._settings.read_timeout:g} s"
        except _FAULTS as error:
            cut = _reason(error)
        return Answer(url, response.status, response.headers, bytes(received), cut)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _reason(error: Exception) -> str:
    """What went wrong, in words without addresses of objects."""
    if isinstance(error, NameResolutionError):
        return "its name is unknown"
    if isinstance(error, TimeoutError | ConnectTimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    cause = error.__cause__ or error
    return str(getattr(cause, "strerror", None) or cause or type(cause).__name__)
