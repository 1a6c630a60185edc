"""A web server that is not ours: a few files with validators, and a log of what was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Outside:
    """A running server. Change `files` (path to type and bytes) and `modified` at will; `log` has method, path and status."""

    url: str
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    modified: int = 1_300_000_000
    log: list[tuple[str, str, int]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Paths that are answered with an error of the server."""
    silent: set[str] = field(default_factory=set)
    """Paths that are answered only once `go` is set, or after a minute."""
    go: threading.Event = field(default_factory=threading.Event)

    def asked(self) -> list[str]:
        return sorted(path for _, path, _ in self.log)


@contextmanager
def outside_server() -> Iterator[Outside]:
    """A server on a free port of this machine, for the length of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    outside = Outside(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = _handler(outside)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield outside
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(outside: Outside) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = outside.files.get(self.path, ("", b""))
            etag = f'"{sha256(content).hexdigest()[:16]}"'
            status = 404 if not kind else 304 if self.headers.get("If-None-Match") == etag else 200
            status = 500 if self.path in outside.broken else status
            outside.log.append((self.command, self.path, status))
            if self.path in outside.silent:
                outside.go.wait(60)
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Last-Modified", formatdate(outside.modified, usegmt=True))
            self.send_header("Content-Length", str(len(content) if status == 200 else 0))
            self.send_header("Content-Type", kind or "text/plain")
            self.end_headers()
            if status == 200:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The list is the log."""

    return Handler
