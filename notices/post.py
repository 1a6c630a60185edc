"""Sending a request: bounded in time and size, TLS verified, no redirects; every failure as one of our errors."""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time
from urllib.parse import urlsplit

from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from notices.cut import within
from notices.errors import NoticeBroken, NoticeBusy, NoticeError, NoticeRefused, NoticeUnreachable
from notices.letters import USER_AGENT, Letter

ANSWER = 64 * 1024
"""Bytes of an answer that are read, only to use the connection again: what it says can repeat a secret."""
LONGEST_WAIT = 3600.0
"""Seconds. Whoever asks for more waits no longer all the same: by then the pages that a cache holds are stale for too long."""
GATEWAY = frozenset({502, 503, 504})
"""What a server in front says when the one that should answer does not: never about one message alone."""
_FAULTS = (exceptions.HTTPError, http.client.HTTPException, OSError)


class Line:
    """A connection to one host, for several requests one after the other. `who`: "notice cdn", for messages."""

    def __init__(self, who: str, base: str, timeout: float, ca_file: Path | None = None) -> None:
        self._who, self._base, self._timeout = who, base, timeout
        self._connection = _connection(who, base, timeout, ca_file)
        self._used = False

    def send(self, letter: Letter) -> int:
        """Send one request; the answer's status. Takes at most twice `timeout`: to connect, and for all the rest.

        Raises NoticeError.
        """
        try:
            status, headers = self._exchange(letter)
        except _FAULTS as error:
            self.close()
            raise self._fault(error) from error
        self._used = True
        if status in {404, 410} and letter.missing_is_well:
            return status
        raise_for(f"{self._who}: {self._base} answered {status}", status, headers)
        return status

    def _exchange(self, letter: Letter) -> tuple[int, Mapping[str, str]]:
        try:
            return self._ask(letter)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # A server may close a connection that it has kept open, just when the next request goes out.
            if not self._used:
                raise
            self.close()
            return self._ask(letter)

    def _ask(self, letter: Letter) -> tuple[int, Mapping[str, str]]:
        if self._connection.sock is None:
            self._connection.connect()
        with within(self._timeout, lambda: self._connection.sock):
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **letter.headers}
            self._connection.request(letter.method, letter.path, letter.body or None, headers, preload_content=False)
            response = self._connection.getresponse()
            self._drain(response)
            return response.status, response.headers

    def _drain(self, response: BaseHTTPResponse) -> None:
        response.read(ANSWER, decode_content=False)
        if response.read(1, decode_content=False):
            self.close()

    def _fault(self, error: BaseException) -> NoticeError:
        root = list(_layers(error))[-1]
        if isinstance(root, ssl.SSLCertVerificationError):
            return NoticeRefused(
                f"{self._who}: the certificate of {self._base} is refused: {root.verify_message}; renew it, correct the URL, "
                "or set 'ca_file' to the authority that signed it"
            )
        return NoticeUnreachable(f"{self._who}: {self._base} does not answer: {reason_of(error)}")

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        self._connection.close()
        self._used = False


def _connection(who: str, base: str, timeout: float, ca_file: Path | None) -> HTTPConnection:
    parts = urlsplit(base)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port, timeout=timeout)
    return HTTPSConnection(host, parts.port, timeout=timeout, ssl_context=tls(who, ca_file))


def tls(who: str, ca_file: Path | None) -> ssl.SSLContext:
    """Certificates and host names are always verified."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise NoticeRefused(f"{who}: ca_file {ca_file} cannot be used: {error}; it must hold PEM certificates") from error


def raise_for(said: str, status: int, headers: Mapping[str, str]) -> None:
    """Nothing for 2xx, else the error that this status is. `said`: who answered what."""
    if 200 <= status < 300:
        return
    wait = retry_after(headers)
    if status == 429 or (status == 503 and wait is not None):
        after = "" if wait is None else f" and asks to wait {wait:.0f} s"
        raise NoticeBusy(f"{said}: it has too much to do{after}", retry_after=wait)
    if status >= 500 and status not in GATEWAY:
        raise NoticeBroken(f"{said}: an error of its own program; its log says more")
    if status >= 500 or status == 408:
        raise NoticeUnreachable(f"{said}: it is out of order")
    raise NoticeRefused(f"{said}: {_remedy(status)}")


def _remedy(status: int) -> str:
    if status in {301, 302, 303, 307, 308}:
        return "redirects are not followed, so that nobody else gets the secret; correct the URL"
    if status in {401, 403}:
        return "it does not let us in; check the token or secret, and what it is allowed to do"
    if status in {404, 405, 410}:
        return "there is nothing that takes this; check the URL and the service"
    return "it refuses this request; its log says more"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait (RFC 9110 10.2.3: a number or a date), an hour at most; None if it does not."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, moment - time()), LONGEST_WAIT)


def reason_of(error: BaseException) -> str:
    """The innermost words, without urllib3's object addresses."""
    layers = list(_layers(error))
    root = layers[-1]
    if any(isinstance(layer, (TimeoutError, exceptions.TimeoutError)) for layer in layers):
        return "no answer within the time-out"
    if isinstance(root, socket.gaierror):
        return f"the host's name cannot be resolved ({root.strerror})"
    if isinstance(root, OSError):
        return root.strerror or str(root) or type(root).__name__
    # What a library says of an answer that is no HTTP repeats it, and that may be our own request with its secrets.
    return f"what it sends is no HTTP ({type(root).__name__})"


def _layers(error: BaseException) -> Iterator[BaseException]:
    """An error, what it wraps, and so on to the bottom."""
    yield error
    inner = error.__cause__ or (error.args[-1] if error.args else None)
    if isinstance(inner, BaseException) and inner is not error:
        yield from _layers(inner)
