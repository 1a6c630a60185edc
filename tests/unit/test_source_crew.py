"""How many threads fetch: all of them from a server that nobody knows or that is waited for, one from a near one."""

import threading
from collections.abc import Sequence
from threading import Event

import pytest

from packageslip import Resource
from sources import Want
from sources.contract import Fetched
from sources.crew import Crew

FILES = [Want(Resource(f"{number}.htm", size=4096)) for number in range(200)]
LARGE = [Want(Resource(f"{number}.mp4", size=50_000_000)) for number in range(20)]


class Server:
    """Answers after so many seconds of a clock that goes only then, and `pauses` by the number of the request.

    `threads`: who asked, since it was looked at last.
    """

    def __init__(self) -> None:
        self.seconds, self.busy = 0.0005, 0.0
        self.pauses: dict[int, float] = {}
        self.threads: list[str] = []
        self.now = self.used = 0.0
        self._lock = threading.Lock()
        self.crew = Crew(8, clock=lambda: self.now, processor=lambda: self.used)

    def answer(self, want: Want, _stop: Event) -> Fetched:
        with self._lock:
            self.threads.append(threading.current_thread().name)
            self.now += self.seconds + self.pauses.get(len(self.threads), 0)
            self.used += self.seconds * self.busy
        return Fetched(want.file.path, b"", 0)

    def alone(self, wants: Sequence[Want] = FILES) -> int:
        """Fetch; how many of the files were fetched by who asked for them."""
        self.threads.clear()
        assert sorted(each.path for each in self.crew.each(self.answer, wants)) == sorted(want.file.path for want in wants)
        return self.threads.count(threading.current_thread().name)


@pytest.fixture
def server() -> Server:
    return Server()


def test_a_server_that_nobody_knows_gets_all_threads(server: Server) -> None:
    assert server.alone() == 0


def test_a_near_server_is_asked_by_one_thread(server: Server) -> None:
    server.alone()
    assert server.alone() == len(FILES)


def test_a_server_that_takes_its_time_keeps_all_threads(server: Server) -> None:
    server.seconds = 0.02
    server.alone()
    assert server.alone() == 0


def test_one_that_becomes_slow_gets_all_threads_after_a_few_files(server: Server) -> None:
    server.alone()
    server.seconds = 0.02
    assert 0 < server.alone() <= 10
    assert server.alone() == 0


def test_one_slow_file_of_a_near_server_is_no_reason_for_threads(server: Server) -> None:
    server.alone()
    server.pauses = {17: 0.1}
    assert server.alone() == len(FILES)


def test_files_that_take_long_are_one_though_others_come_fast(server: Server) -> None:
    server.alone()
    server.pauses = dict.fromkeys(range(0, 200, 2), 0.2)
    assert 0 < server.alone() <= 10


def test_a_server_that_makes_most_files_anew_gets_all_threads_though_some_are_there_at_once(server: Server) -> None:
    server.alone()
    server.pauses = {number: 0.03 for number in range(1, 201) if number % 8}
    assert 0 < server.alone() <= 10


def test_a_busy_machine_makes_a_near_server_not_a_far_one(server: Server) -> None:
    server.alone()
    server.pauses = {number: 0.006 for number in range(1, 201) if number % 8}
    assert server.alone() == len(FILES)


def test_threads_do_not_help_a_process_that_is_busy(server: Server) -> None:
    server.alone()
    server.seconds, server.busy = 0.02, 0.9
    assert server.alone() == len(FILES)


def test_large_files_are_fetched_side_by_side_however_near_the_server(server: Server) -> None:
    server.alone()
    assert server.alone(LARGE) == 0


def test_several_modules_at_once_need_no_threads_each(server: Server) -> None:
    server.seconds = 0.02
    others = [server.crew.each(server.answer, FILES) for _ in range(4)]
    for other in others:
        next(other)
    assert server.alone() == len(FILES)
    for other in others:
        other.close()  # type: ignore[attr-defined]
    assert server.alone() == 0
