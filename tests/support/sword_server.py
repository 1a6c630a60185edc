"""The fake SWORD archive (`sword_http.py`) for tests: in this process or in one of its own, ended and started at will."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from support import sword_http
from support.sword_archive import Archive, Fault, Item
from support.sword_http import ACCOUNT, ArchiveServer, Rules

__all__ = ["ACCOUNT", "Rules", "SwordServer"]


class SwordServer:
    """The archive in this process, or in one of its own (`process=True`), on a port of its own that it keeps."""

    def __init__(self, folder: Path, *, rules: Rules | None = None, process: bool = False, port: int = 0) -> None:
        self.archive = Archive(folder)
        self.rules = rules or Rules()
        self._process: subprocess.Popen[bytes] | None = None
        self._server: ArchiveServer | None = None
        self._own = process
        self.port = port
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def collection(self, version: str = "v2", name: str = "courses") -> str:
        """The URL to deposit at."""
        return f"{self.url}/v1/deposit/{name}" if version == "v1" else f"{self.url}/v2/collection/{name}"

    def start(self) -> None:
        """Start, or start again, on the same port with the same items."""
        if self._own:
            self._start_process()
        else:
            self._server = ArchiveServer(("127.0.0.1", self.port), self.archive, self.rules)
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self) -> None:
        """End it with no regard for what it is doing. Safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._server is not None:
            self._server.end()
            self._server = None

    def break_with(self, what: str, **how: object) -> None:
        """What goes wrong from now on: see `Fault`."""
        self.archive.break_with(Fault(what, **how))  # type: ignore[arg-type]

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self.archive.break_with(None)

    @property
    def items(self) -> list[Item]:
        return self.archive.items()

    def _start_process(self) -> None:
        ready = self.archive.folder / "port"
        ready.unlink(missing_ok=True)
        rules = json.dumps(asdict(self.rules))
        command = [
            sys.executable,
            str(Path(sword_http.__file__)),
            str(self.archive.folder),
            "--port",
            str(self.port),
            "--rules",
            rules,
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self._process.poll() is None, "the SWORD server did not start"
            assert time.monotonic() < deadline, "the SWORD server did not start within 60 s"
            time.sleep(0.02)
        self.port = int(ready.read_text())


@pytest.fixture
def sword_server(tmp_path: Path) -> Iterator[Callable[..., SwordServer]]:
    """`sword_server(folder=..., rules=Rules(...), process=True)`: a fake archive until the test ends."""
    running: list[SwordServer] = []

    def serve(folder: Path | None = None, **options: object) -> SwordServer:
        running.append(SwordServer(folder or tmp_path / f"archive-{len(running)}", **options))  # type: ignore[arg-type]
        return running[-1]

    yield serve
    for server in running:
        server.kill()
