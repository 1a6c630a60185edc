"""The defences of one fault of the catalogue are switched off on every change, others on the next one: `make defences` tries them all."""

import os
import subprocess
import sys

from support.catalogue import ROOT

COUNT = 1


def commit() -> str:
    """What decides which ones: the commit, so that a failure can be seen again; nothing outside of a repository."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def test_some_defences_are_missed_when_they_are_off() -> None:
    command = [sys.executable, "-P", "-m", "reliability.defences", "--jobs", "1", "--sample", str(COUNT), "--seed", commit()]
    paths = f"{ROOT}:{ROOT / 'tests'}"
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{COUNT} faults: ")
