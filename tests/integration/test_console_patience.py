"""Visitors who take their time, on a real socket: nobody holds a connection by sending next to nothing."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from config import Secrets
from console import open_console
from support.console import settings_with
from support.queue import Queue
from support.served_console import served

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
FORM = (
    b"POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 500\r\n\r\n"
)
PATIENCE = 60
"""Seconds after which a test gives up."""


@pytest.fixture
def port(sqlite_queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr("console.patience.REQUEST_SECONDS", 0.5)
    with served(open_console(settings_with(tmp_path), Secrets({}), sqlite_queue.db)) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as found:
        yield found


def is_closed(line: socket.socket) -> bool:
    """Waits for the end; anything that comes instead is none."""
    try:
        return line.recv(4096) == b""
    except ConnectionResetError:
        return True


def drip(line: socket.socket, stop: threading.Event) -> None:
    with suppress(OSError):
        while not stop.wait(0.05):
            line.sendall(b"x")


@pytest.mark.parametrize("said", [b"", b"G", HEAD, HEAD + b"X-Slow: ", FORM, FORM + b"name=ann"])
@pytest.mark.parametrize("dripping", [False, True])
def test_a_request_that_does_not_come_to_its_end_is_not_waited_for(line: socket.socket, said: bytes, dripping: bool) -> None:
    stop = threading.Event()
    dripper = threading.Thread(target=drip, args=(line, stop))
    if said:
        line.sendall(said)
    if dripping:
        dripper.start()
    try:
        assert is_closed(line)
    finally:
        stop.set()
        if dripping:
            dripper.join()


def test_the_second_request_of_a_connection_has_no_more_time(line: socket.socket) -> None:
    line.sendall(HEAD + b"\r\n")
    answer = http.client.HTTPResponse(line)
    answer.begin()
    assert (answer.status, answer.read()) == (200, b"alive\n")
    line.sendall(HEAD)
    assert is_closed(line)


def test_what_is_answered_for_long_is_not_cut(line: socket.socket) -> None:
    who = b"X-Remote-User: ann\r\nX-Remote-Role: viewer\r\n"
    line.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n" + who + b"\r\n")
    assert b"200 OK" in line.recv(4096)
    line.settimeout(1.5)
    # Three times as long as a request may take.
    with suppress(TimeoutError):
        while True:
            assert line.recv(4096) != b"", "the stream was cut"
