"""A cache, a CDN's API and a webhook's receiver in one: records every request, and misbehaves when it is told to."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class PurgeServer:
    """`seen`: all that came; `asked`: what got a good answer.

    `status`: what is answered, also by a function of the request; 0: the connection is cut. `drip`: seconds for each byte of
    the answer. `hang`: seconds before the answer begins.
    """

    tls: ssl.SSLContext | None = None
    seen: list[Asked] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    status: int | Callable[[Asked], int] = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"{}"
    drip: float = 0
    hang: float = 0

    def __post_init__(self) -> None:
        self._server: ThreadingHTTPServer | None = None
        self._stopped = threading.Event()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, always on the same port."""
        self._stopped.clear()
        self._server = _Server(("127.0.0.1", self.port), self._handler())
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Connections are refused from now on."""
        self._stopped.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def purged_keys(self) -> list[str]:
        """Every surrogate key that was purged with a good answer, in order."""
        return [key for asked in self.asked if asked.path.endswith("/purge") for key in asked.json["surrogate_keys"]]

    def urls(self) -> list[str]:
        """Every path that was purged, sorted."""
        return sorted(asked.path for asked in self.asked if asked.method == "PURGE")

    def events(self) -> list[Any]:
        """The bodies of the webhooks."""
        return [asked.json for asked in self.asked if "Slipway-Event" in asked.headers]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError, ssl.SSLError):
                    self.close_connection = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, self.path, dict(self.headers.items()), body)
                owner.seen.append(asked)
                status = owner.status(asked) if callable(owner.status) else owner.status
                if owner.hang:
                    owner._stopped.wait(owner.hang)
                if status == 0:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if 200 <= status < 300 or status == 404:
                    owner.asked.append(asked)
                self._answer(status)

            do_PURGE = do_POST  # noqa: N815 - http.server looks for the name

            def _answer(self, status: int) -> None:
                self.send_response(status)
                for name, value in owner.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(owner.answer)))
                self.end_headers()
                if not owner.drip:
                    self.wfile.write(owner.answer)
                for byte in owner.answer if owner.drip else b"":
                    if owner._stopped.wait(owner.drip):
                        return
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        """A client that went away is no fault of the test."""


@pytest.fixture
def purge_server() -> Iterator[PurgeServer]:
    server = PurgeServer()
    yield server
    server.stop()


@pytest.fixture
def second_server() -> Iterator[PurgeServer]:
    server = PurgeServer()
    yield server
    server.stop()
