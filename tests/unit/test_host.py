"""One process of a host, told from all others; ended without hitting another."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from config import Ended, began_at, end_process, host, is_running

NOBODY = 2**22 + 1
"""Above the highest pid that Linux gives out."""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    one = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield one
    one.kill()
    one.wait()


def test_a_process_is_known_by_the_moment_it_began(process: subprocess.Popen[bytes]) -> None:
    began = began_at(process.pid) or 0
    assert began >= (began_at(os.getpid()) or 0) > 0
    assert is_running(process.pid, began)
    assert is_running(process.pid, 0)
    assert not is_running(process.pid, began + 1), "another one with the same number"
    assert not is_running(NOBODY, began)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_process_is_ended_and_seen_to_be_gone(process: subprocess.Popen[bytes], stopped: bool) -> None:
    began = began_at(process.pid) or 0
    if stopped:
        process.send_signal(signal.SIGSTOP)
    assert end_process(process.pid, began) is Ended.KILLED
    assert not is_running(process.pid, began), "what waits to be reaped runs no more"
    assert end_process(process.pid, began) is Ended.GONE
    assert process.wait(10) == -signal.SIGKILL
    assert end_process(process.pid, began) is Ended.GONE


def test_a_process_that_only_has_the_number_is_not_touched(process: subprocess.Popen[bytes]) -> None:
    began = began_at(process.pid) or 0
    assert end_process(process.pid, began - 1) is Ended.GONE
    assert end_process(process.pid, 0) is Ended.SPARED, "nobody noted when it began"
    assert process.poll() is None


def test_a_process_that_may_not_be_killed_is_spared(process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(signal, "pidfd_send_signal", denied)
    assert end_process(process.pid, began_at(process.pid) or 0) is Ended.SPARED
    # Of another account's process nothing at all may be visible.
    monkeypatch.setattr(os, "kill", denied)
    monkeypatch.setattr(host, "began_at", lambda _pid: None)
    assert is_running(process.pid, 4711)


def test_without_a_handle_nothing_is_killed(process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_pid: int) -> int:
        raise OSError

    began = began_at(process.pid) or 0
    monkeypatch.setattr(os, "pidfd_open", missing)
    assert end_process(process.pid, began) is Ended.SPARED
    assert end_process(process.pid, began + 1) is Ended.GONE
    assert process.poll() is None
