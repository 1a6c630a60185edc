"""The demo's daemon: a child that may die, and that must never be left behind."""

import os
import time
from pathlib import Path

import pytest

from demo import DaemonDied, prepare, running_daemon


def test_the_last_words_of_a_daemon_that_died_are_passed_on(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("nonsense = 1\n")
    with running_daemon(config, tmp_path / "daemon.log", os.environ) as daemon:
        daemon.process.wait(30)
        with pytest.raises(DaemonDied, match=r"ended with 4.*nonsense"):
            daemon.check()


def test_a_daemon_is_stopped_whatever_ends_the_block(tmp_path: Path) -> None:
    place = prepare(tmp_path / "play")
    block = running_daemon(place.config, place.log, os.environ)
    daemon = block.__enter__()
    until = time.monotonic() + 20
    while not place.log.read_bytes() and time.monotonic() < until:
        time.sleep(0.05)
    daemon.check()
    error = ZeroDivisionError()
    assert block.__exit__(type(error), error, None) is False
    assert daemon.process.returncode is not None
