"""A small form of `make kill-sweep`: every named point, and some of the system calls."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(1200)
def test_an_engine_that_is_killed_anywhere_leaves_nothing_that_the_next_one_does_not_make_good() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "reliability.kill_sweep", "--kills", "140"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = re.search(r"^(\d+) kills .* (\d+) of (\d+) named points, .* 0 violations$", done.stdout, re.MULTILINE)
    assert figures, done.stdout
    assert figures[2] == figures[3], "a point was left out"
    assert "no time for 0 places" in done.stdout
    if "SYSTEM CALLS NOT SWEPT" not in done.stdout:
        assert int(figures[1]) >= 140
        assert at_system_calls(done.stdout) >= 20


def at_system_calls(said: str) -> int:
    """How many of the kills were at a system call."""
    counts = re.search(r"^by call: (.*)$", said, re.MULTILINE)
    assert counts, said
    return sum(int(count.split()[-1]) for count in counts[1].split(", "))
