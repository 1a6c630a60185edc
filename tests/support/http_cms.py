"""A CMS for tests: a real threaded HTTP server over a folder, with an access log and faults on demand.

It answers GET and HEAD with ETag, Last-Modified, conditional requests and ranges, asks for basic authentication if told
to, and serves the catalogue at /packageslips.xml where the folder has one or `catalogue` is given.
"""

import base64
import email.utils
import gzip
import hashlib
import mimetypes
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from config import HttpSource as HttpSettings
from sources.http import HttpSource
from sources.patience import Patience


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one path. `times`: for how many requests (None: for all)."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Sent in place of the file."""
    delay: float = 0
    """Seconds before the first byte of the answer."""
    cut: int | None = None
    """The connection is closed after so many bytes of the body."""
    length: int | None = None
    """A Content-Length that is not true; -1: none at all, the end is the end of the connection."""
    chunked: bool = False
    gzip: bool = False
    """Compressed although nobody asked."""
    endless: bool = False
    drip: tuple[int, float] | None = None
    """So many bytes, then so many seconds, until the end."""
    drip_headers: float | None = None
    """Seconds between two header lines, for ever."""
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One line of the access log."""

    method: str
    path: str
    status: int
    sent: int
    headers: dict[str, str]
    began: float
    """On the monotonic clock."""


class Cms:
    """One running server. `log` and `faults` may be read and changed at any time."""

    def __init__(
        self,
        folder: Path,
        *,
        account: tuple[str, str] | None = None,
        catalogue: bytes | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.folder, self.account, self.catalogue = folder, account, catalogue
        self._log: list[Access] = []
        self.faults: dict[str, Fault] = {}
        self.before: Callable[[str], None] = lambda _path: None
        """Called with each path before it is answered, for changes in the middle."""
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        cms = self

        class Answerer(_Answerer):
            server_cms = cms

        self._server = _Server(("127.0.0.1", 0), Answerer)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections from now on. Safe to call twice."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    @property
    def log(self) -> list[Access]:
        """Every request so far. A client may have its answer a moment before the line is written, so that is waited for."""
        deadline = time.monotonic() + 0.5
        while self._at_once and time.monotonic() < deadline:
            time.sleep(0.001)
        return self._log

    def requests(self, path: str) -> list[Access]:
        """The requests of one (unquoted) path, as they began: what is answered may be written down later than what came next."""
        return sorted((access for access in self.log if access.path == path), key=lambda access: access.began)

    def fetched(self) -> list[str]:
        """The paths whose bytes were sent in full or in part, in order."""
        return [access.path for access in self.log if access.status in (200, 206)]

    def take_fault(self, path: str) -> Fault | None:
        with self._lock:
            fault = self.faults.get(path)
            if fault and fault.times is not None:
                if fault.times <= 1:
                    del self.faults[path]
                else:
                    self.faults[path] = replace(fault, times=fault.times - 1)
            return fault

    def enter(self) -> None:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def leave(self, access: Access) -> None:
        with self._lock:
            self._at_once -= 1
            self._log.append(access)

    def pause(self, seconds: float) -> None:
        """Sleep, but not longer than the server lives."""
        if self._stopping.wait(seconds):
            raise ConnectionAbortedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of the tests."""


class _Answerer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_cms: Cms

    def do_GET(self) -> None:
        cms = self.server_cms
        path = unquote(urlsplit(self.path).path)
        self.code = self.sent = 0
        began = time.monotonic()
        cms.enter()
        try:
            cms.before(path)
            self._answer(path, cms.take_fault(path) or Fault())
        except (ConnectionError, TimeoutError, ssl.SSLError):
            self.close_connection = True
        finally:
            cms.leave(Access(self.command, path, self.code, self.sent, dict(self.headers.items()), began))

    do_HEAD = do_POST = do_GET  # noqa: N815 - http.server's names

    def _answer(self, path: str, fault: Fault) -> None:
        self.server_cms.pause(fault.delay)
        if fault.drip_headers is not None:
            self._drip_headers(fault.drip_headers)
        if not self._let_in():
            self._send(401, {"WWW-Authenticate": 'Basic realm="cms"'}, b"who are you?", Fault())
            return
        if fault.status is not None or fault.endless:
            self._send(fault.status or 200, {}, fault.body or b"", fault)
            return
        status, headers, body = self._file(path)
        self._send(status, headers, body if fault.body is None else fault.body, fault)

    def _let_in(self) -> bool:
        account = self.server_cms.account
        if account is None:
            return True
        token = base64.b64encode(":".join(account).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {token}"

    def _file(self, path: str) -> tuple[int, dict[str, str], bytes]:
        cms = self.server_cms
        if path == "/packageslips.xml" and cms.catalogue is not None:
            return 200, {"Content-Type": "application/xml"}, cms.catalogue
        file = cms.folder / path.lstrip("/")
        if ".." in path.split("/") or not file.is_file():
            return 404, {"Content-Type": "text/html"}, b"<html>not found</html>"
        body, modified = file.read_bytes(), int(file.stat().st_mtime)
        headers = {
            "ETag": f'"{hashlib.md5(body).hexdigest()}"',
            "Last-Modified": email.utils.formatdate(modified, usegmt=True),
            "Content-Type": mimetypes.guess_type(path)[0] or "application/octet-stream",
            "Accept-Ranges": "bytes",
        }
        if self._unchanged(headers["ETag"], modified):
            return 304, headers, b""
        return self._ranged(headers, body)

    def _unchanged(self, etag: str, modified: int) -> bool:
        if asked := self.headers.get("If-None-Match"):
            return etag in asked
        since = email.utils.parsedate_to_datetime(asked).timestamp() if (asked := self.headers.get("If-Modified-Since")) else None
        return since is not None and modified <= since

    def _ranged(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        wanted = self.headers.get("Range", "")
        if not wanted.startswith("bytes=") or self.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
            return 200, headers, body
        start = int(wanted.removeprefix("bytes=").split("-")[0])
        if start >= len(body):
            return 416, {"Content-Range": f"bytes */{len(body)}"}, b""
        return 206, headers | {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}, body[start:]

    def _send(self, status: int, headers: dict[str, str], body: bytes, fault: Fault) -> None:
        if fault.gzip:
            body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
        length = len(body) if fault.length is None else fault.length
        framing = {"Transfer-Encoding": "chunked"} if fault.chunked else {"Content-Length": str(length)}
        if length < 0 or fault.endless:
            framing, self.close_connection = {"Connection": "close"}, True
        self.code = status
        self.send_response_only(status)
        framing.setdefault("Date", self.date_time_string())
        for name, value in (headers | framing | fault.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD" or status == 304:
            return
        for chunk in self._pieces(body, fault):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if fault.chunked else chunk)
            self.sent += len(chunk)
        if fault.cut is not None or (fault.length or 0) > len(body):
            self.close_connection = True
        elif fault.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _pieces(self, body: bytes, fault: Fault) -> Iterator[bytes]:
        while fault.endless:
            yield b"x" * 65536
        body = body if fault.cut is None else body[: fault.cut]
        size, wait = fault.drip or (65536, 0)
        for start in range(0, len(body), size):
            yield body[start : start + size]
            if wait:
                self.server_cms.pause(wait)

    def _drip_headers(self, wait: float) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            self.server_cms.pause(wait)
            self.wfile.write(b"X-Drip-%d: 1\r\n" % number)

    def log_message(self, *_args: object) -> None:
        """The access log is a list."""


def touch(file: Path, when: float) -> None:
    """Set a file's time."""
    os.utime(file, (when, when))


@pytest.fixture
def cms() -> Iterator[Callable[..., Cms]]:
    """`cms(folder, account=..., catalogue=..., tls=...)` serves a folder until the test ends."""
    running: list[Cms] = []

    def serve(folder: Path, **options: object) -> Cms:
        running.append(Cms(folder, **options))  # type: ignore[arg-type]
        return running[-1]

    yield serve
    for server in running:
        server.stop()


@pytest.fixture
def open_http() -> Iterator[Callable[..., HttpSource]]:
    """`open_http(server, password=..., retries=...)`: an http source with short pauses, closed when the test ends."""
    opened: list[HttpSource] = []

    def open_one(server: Cms | None = None, password: str | None = None, window: float = 0.3, **options: object) -> HttpSource:
        settings = HttpSettings.model_validate(
            {"kind": "http", "url": server.url if server else "", "connect_timeout": 2, "read_timeout": 2} | options
        )
        patience = Patience(settings.retries, settings.max_retry_after, pause=0.01)
        opened.append(HttpSource("cms", settings, password=password, patience=patience, window=window))
        return opened[-1]

    yield open_one
    for source in opened:
        source.close()


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
