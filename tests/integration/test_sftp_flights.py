"""How often a task waits for a server over SFTP: what does not depend on an answer is sent before that comes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, changed, publish, slip_of
from support.sftp_pipe import SocketPipe, plain_disk, plain_settings
from targets import OrderedTarget, PlacedOptions

FLIGHTS = {"sftp": (12 + 2, 14 + 4, 4 + 4), "stream": (6 + 2, 8 + 4, 4 + 4)}
"""Of a first publish, of one changed file, of a module that is as it should be; and what listings add whose ends come late."""
TIMES = 5
"""Each is done so often, and the best counts: where the server is slow, what is sent together is answered in parts."""


class CountingPipe:
    """Counts how often something was sent and then waited for: over a line, each takes a round trip at most."""

    def __init__(self, pipe: SocketPipe) -> None:
        self._pipe, self._sent = pipe, False
        self.flights = 0

    def send(self, data: bytes, /) -> int:
        self._sent = True
        return self._pipe.send(data)

    def recv(self, count: int, /) -> bytes:
        self.flights += self._sent
        self._sent = False
        return self._pipe.recv(count)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


@dataclass(frozen=True, slots=True)
class Line:
    """A target over SFTP, and how often it was waited for."""

    target: OrderedTarget
    pipes: list[CountingPipe]
    queue: TestQueue = field(default_factory=TestQueue)

    def flights(self, url: str, files: Mapping[str, bytes]) -> int:
        """Of a publish with all that a task asks a target."""
        before = self.waits()
        present = self.target.present(url, self.queue.claim())
        if not present.vacant:
            self.target.strangers(url, files.keys() - {file.path for file in present.slip.ours()} if present.slip else files)
        with self.target.release(present, slip_of(url, files)) as release:
            release.put(changed(present, files))
            release.prepare()
            release.switch()
        return self.waits() - before

    def waits(self) -> int:
        return sum(pipe.flights for pipe in self.pipes)

    def looks(self, url: str) -> int:
        """Of a takeover alone."""
        before = self.waits()
        assert self.target.present(url, self.queue.claim()).slip
        return self.waits() - before


@pytest.fixture(params=["sftp", "stream"])
def line(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    if request.param == "stream":
        # However little it is here, the first module's files begin the program.
        monkeypatch.setattr("targets.sftp.disk.MANY", 2)
    pipes: list[CountingPipe] = []

    def wrap(pipe: SocketPipe) -> CountingPipe:
        pipes.append(CountingPipe(pipe))
        return pipes[-1]

    disk = plain_disk(plain_settings(tmp_path, durability="none", transfer=request.param), "t", wrap)
    target = OrderedTarget("t", disk, PlacedOptions(durability="none"))
    # The first module brings the connection and the area.
    publish(target, "/first", FILES, TestQueue().claim())
    yield Line(target, pipes)
    target.close()


def test_a_publish_waits_for_few_answers(line: Line, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    urls = [f"{URL}-{number}" for number in range(TIMES)]
    first = min(line.flights(url, FILES) for url in urls)
    change = min(line.flights(url, {**FILES, "index.htm": b"new"}) for url in urls)
    nothing = min(line.looks(url) for url in urls)
    wanted = FLIGHTS[request.node.callspec.params["line"]]
    assert all(found <= most for found, most in zip((first, change, nothing), wanted, strict=True)), (first, change, nothing)
    assert (tmp_path / urls[0].strip("/") / "index.htm").read_bytes() == b"new"
