"""A private nginx over a folder, with the include lines that the manual gives for the map of redirects."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
daemon off; pid {own}/pid; error_log stderr; worker_processes 1; user {user};
events {{}}
http {{
    access_log off;
    client_body_temp_path {own}/body; proxy_temp_path {own}/proxy; fastcgi_temp_path {own}/fastcgi;
    uwsgi_temp_path {own}/uwsgi; scgi_temp_path {own}/scgi;
{http}
    server {{
        listen 127.0.0.1:{port};
        root {root};
        index index.htm;
{server}
    }}
}}
"""


def manual_lines() -> tuple[str, str]:
    """What docs/schedules.md tells operators to write: in http, and in server."""
    first, second = (ROOT / "docs/schedules.md").read_text().split("```nginx")[1:3]
    return first.split("```")[0], second.split("```")[0]


@dataclass
class Nginx:
    """One running server."""

    port: int
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> tuple[int, str]:
        """The status of a path that is already quoted, and where it is redirected to."""
        address = f"http://127.0.0.1:{self.port}{path}"
        answer = urllib3.request("GET", address, redirect=False, retries=False, timeout=10)
        return answer.status, answer.headers.get("Location", "").removeprefix(f"http://127.0.0.1:{self.port}")


@contextmanager
def serving(own: Path, root: Path, *, http: str = "", server: str = "") -> Iterator[Nginx]:
    """An nginx over a folder, with lines for its http and its server block, after `nginx -t` accepted it. `own`: for its files."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("nginx is not installed")
    own.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = own / "nginx.conf"
    user = "root" if os.getuid() == 0 else "nobody"
    config.write_text(CONFIG.format(own=own, user=user, http=http, port=port, root=root, server=server))
    command = [program, "-p", str(own), "-e", "stderr", "-c", str(config)]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=30, check=False)
    assert tried.returncode == 0, tried.stderr
    with (own / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        _wait_for(port)
        yield Nginx(port, process)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Callable[[Path, Path], Nginx]]:
    """`nginx(root, map)`: serve a folder with a map of redirects."""
    with ExitStack() as stack:

        def serve(root: Path, redirects: Path) -> Nginx:
            http, server = (lines.replace("/var/www/site/redirects.map", str(redirects)) for lines in manual_lines())
            return stack.enter_context(serving(tmp_path / "nginx", root, http=http, server=server))

        yield serve


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("nginx did not start")
