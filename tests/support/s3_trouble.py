"""A service that is in trouble: a small HTTP server in front of the emulator, and a fault between them.

Everything that is not faulty is the emulator's behaviour.
"""

import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.s3_server import S3Server


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to requests with this method whose path ends so, from the nth (from 1) on, `times` of them.

    `code`, `status`: answered so. `way`: "before" (cut without reaching the service), "after" (done, and the answer lost),
    "short" (an answer that ends in its middle), "silence" (no answer at all).
    """

    method: str = ""
    ending: str = ""
    status: int = 0
    code: str = ""
    way: str = ""
    nth: int = 1
    times: int = 10**9


@dataclass
class TroubledService:
    """The front. `troubles`: what is wrong at the moment; `log`: method and path of every request."""

    upstream: int
    port: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    met: dict[Trouble, int] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def trouble_of(self, method: str, path: str) -> Trouble | None:
        with self.lock:
            self.log.append((method, path))
            for trouble in self.troubles:
                if trouble.method in {"", method} and path.partition("?")[0].endswith(trouble.ending):
                    self.met[trouble] = self.met.get(trouble, 0) + 1
                    if trouble.nth <= self.met[trouble] < trouble.nth + trouble.times:
                        return trouble
        return None


def handler_of(service: TroubledService) -> type[BaseHTTPRequestHandler]:
    class Front(BaseHTTPRequestHandler):
        # Clients ask for leave before they send a body, and without it they wait a second for each.
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            trouble = service.trouble_of(self.command, self.path)
            self.close_connection = True
            if trouble is None:
                self.answer(*self.forward(body))
            elif trouble.status:
                self.answer(trouble.status, {}, b"" if self.command == "HEAD" else error_document(trouble.code))
            elif trouble.way == "silence":
                service.ended.wait(30)
            elif trouble.way == "after":
                self.forward(body)
            elif trouble.way == "short":
                status, headers, content = self.forward(body)
                self.answer(status, headers, content, content[: len(content) // 2])

        def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            upstream = http.client.HTTPConnection("127.0.0.1", service.upstream, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            upstream.request(self.command, self.path, body, headers)
            response = upstream.getresponse()
            content = response.read()
            upstream.close()
            return response.status, dict(response.getheaders()), content

        def answer(self, status: int, headers: dict[str, str], content: bytes, sent: bytes | None = None) -> None:
            self.send_response_only(status)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            for name, value in headers.items():
                if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content if sent is None else sent)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:
            """Not on a terminal."""

    return Front


def error_document(code: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>in trouble</Message></Error>'.encode()


class Quiet(ThreadingHTTPServer):
    """Clients that go away in the middle are what the tests are about."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing to say."""


@pytest.fixture
def troubled(s3_server: S3Server) -> Iterator[TroubledService]:
    """The emulator behind a front that does as a test says."""
    service = TroubledService(s3_server.port)
    server = Quiet(("127.0.0.1", 0), handler_of(service))
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield service
    service.ended.set()
    server.shutdown()
    server.server_close()
    thread.join()
