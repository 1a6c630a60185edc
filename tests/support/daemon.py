"""The real scheduler in a folder of its own, with engines that only tell what is done to them (`stand_in_engine.py`)."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from database import Database, Desk, NewTask
from support.deployment import eventually
from support.schema import fresh

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = ROOT / "tests/support/elsewhere"
LONGEST = 120.0
"""Seconds before a wait counts as a hang."""

CONFIG = """
state_dir = "state"
log = { format = "console" }
queue = { poll = 0.05 }
engine = { restart_base = 0.2, restart_cap = 0.8, workers = 4, stop_grace = 0 }
sources.cms = { kind = "directory", path = "site" }
targets.staging = { kind = "local", root = "www" }
environments.STAGING = { source = "cms", origin = "staging" }
"""


class Daemon:
    """A scheduler process in a folder of its own."""

    def __init__(self, folder: Path, mode: str = "stay", url: str | None = None) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.url = url or f"sqlite:///{folder}/state/queue.db"
        if not self.config.exists():
            self.config.write_text(CONFIG)
        (folder / "engines").mkdir(exist_ok=True)
        (folder / "engines" / "__init__.py").touch()
        (folder / "engines" / "__main__.py").write_text((ROOT / "tests/support/stand_in_engine.py").read_text())
        self.mode(mode)
        # The engines of this folder come first; all else is that of this tree, also where another one is installed.
        self.variables = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "STAND_IN": str(folder)}
        self.process: subprocess.Popen[bytes] | None = None

    def mode(self, mode: str) -> None:
        (self.folder / "mode").write_text(mode)

    def count_waits_alone(self) -> None:
        """Let the daemon's clocks go on only while it waits, so that a busy machine changes nothing in what its log says."""
        self.variables |= {"PYTHONPATH": f"{ELSEWHERE}:{self.folder}:{ROOT}", "CLOCK_OF_WAITS": "1"}

    def start(self) -> "Daemon":
        with (self.folder / "stderr").open("ab") as stderr:
            command = [sys.executable, "-P", str(ROOT / "scheduler.py"), "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr, env=self.variables)
        return self

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ends(self) -> int:
        assert self.process is not None
        return self.process.wait(LONGEST)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in {int(words[0]) for _, *words in self.told()}:
            kill(pid)

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    def moments(self, event: str) -> list[float]:
        """When this happened, by the daemon's log."""
        lines = [line.split() for line in self.stderr.splitlines() if f"] {event} " in line]
        return [datetime.fromisoformat(first).timestamp() for first, *_ in lines]

    def told(self, *words: str) -> list[list[str]]:
        """What the engines told: moment, pid, word, more."""
        if not (self.folder / "log").exists():
            return []
        lines = [line.split() for line in (self.folder / "log").read_text().splitlines()]
        return [line for line in lines if not words or line[2] in words]

    def waits_for(self, word: str, count: int = 1) -> list[list[str]]:
        def found() -> list[list[str]]:
            told = self.told(word)
            return told if len(told) >= count else []

        try:
            return eventually(found, LONGEST, f"{count} x {word}")  # type: ignore[no-any-return]
        except AssertionError:
            pytest.fail(f"no {count} x {word} in {self.told()}\n{self.stderr}")

    def says(self, text: str) -> None:
        eventually(lambda: text in self.stderr, LONGEST, f"{text!r} in the daemon's log")

    def insert(self, environment: str = "STAGING") -> int:
        fresh(self.url)
        task: int = self.on_database(lambda db: Desk(db).insert(NewTask("/courses/a", environment)))
        return task

    def on_database(self, work: Callable[[Database], Any]) -> Any:
        db = Database.connect(self.url)
        try:
            return work(db)
        finally:
            db.close()


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
