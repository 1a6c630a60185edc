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

FIRST, CHANGED, NOTHING = 20, 17, 6
"""Of a first publish, of one changed file, of a module that is as it should be. The end of a listing may come on its own."""


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

    def flights(self, files: Mapping[str, bytes]) -> int:
        """Of a publish with all that a task asks a target."""
        before = sum(pipe.flights for pipe in self.pipes)
        present = self.target.present(URL, self.queue.claim())
        self.target.strangers(URL, files.keys() - {file.path for file in present.slip.ours()} if present.slip else files)
        with self.target.release(present, slip_of(URL, files)) as release:
            release.put(changed(present, files))
            release.prepare()
            release.switch()
        return sum(pipe.flights for pipe in self.pipes) - before


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    pipes: list[CountingPipe] = []

    def wrap(pipe: SocketPipe) -> CountingPipe:
        pipes.append(CountingPipe(pipe))
        return pipes[-1]

    disk = plain_disk(plain_settings(tmp_path, durability="none"), "t", wrap)
    target = OrderedTarget("t", disk, PlacedOptions(durability="none"))
    # The first module brings the connection and the area.
    publish(target, "/first", FILES, TestQueue().claim())
    yield Line(target, pipes)
    target.close()


def test_a_publish_waits_for_few_answers(line: Line, tmp_path: Path) -> None:
    assert line.flights(FILES) <= FIRST
    assert line.flights({**FILES, "index.htm": b"new"}) <= CHANGED
    before = sum(pipe.flights for pipe in line.pipes)
    assert line.target.present(URL, line.queue.claim()).slip
    assert sum(pipe.flights for pipe in line.pipes) - before <= NOTHING
    assert (tmp_path / URL.strip("/") / "index.htm").read_bytes() == b"new"
