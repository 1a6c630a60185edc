"""Real engine processes over a bench, each ended by its own id: started, or forked where only what they do counts (`nest.py`)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from config import snapshot
from support.bench import Bench, settings_of
from support.nest import Nest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""A bound for hangs, not a measure of speed."""


class Engines:
    """Engines of the bench's configuration. `log` is what the forked ones wrote."""

    def __init__(self, bench: Bench, nest: Nest) -> None:
        self.bench, self._nest = bench, nest
        self.log = bench.root / "engines.log"
        self.config = bench.root / "slipway.json"
        self.flag = bench.root / "reached"
        self._processes: list[subprocess.Popen[str]] = []
        self.configure()

    def configure(self, **engine: float) -> None:
        """Write the configuration, with these engine settings."""
        settings = self.bench.settings
        settings = settings.model_copy(update={"engine": settings.engine.model_copy(update=engine)})
        self.bench.settings = settings
        self.config.write_text(snapshot(settings))

    def start(self, *arguments: str, environment: str = "STAGING", pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[str]:
        return self._start(["-m", "engines", environment, "--config", str(self.config), *arguments], pass_fds)

    def start_at(
        self, what: str, point: str, *arguments: str, environment: str = "STAGING", host: str = ""
    ) -> subprocess.Popen[str]:
        """One that dies or waits at a point. `host`: where it says that it runs."""
        entry = str(ROOT / "tests/support/killable_engine.py")
        command = [entry, what, point, str(self.flag), environment, "--config", str(self.config), *arguments]
        return self._start(command, (), OTHER_HOST=host, PYTHONPATH=str(ROOT / "tests"))

    def _start(self, arguments: list[str], pass_fds: tuple[int, ...], **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-P", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=pass_fds,
            env=os.environ | {"PYTHONWARNINGS": "default"} | variables,
        )
        self._processes.append(process)
        return process

    @staticmethod
    def says(process: subprocess.Popen[str], event: str) -> None:
        """Wait until it writes this into its log; what it writes up to there is read, and not found later."""
        assert process.stdout
        written = []
        for line in process.stdout:
            written.append(line)
            if f'"event": "{event}"' in line:
                return
        pytest.fail(f"it ended without {event!r}:\n{''.join(written)}")

    def freeze(self, process: subprocess.Popen[str], *statements: str) -> None:
        """Stop it in its tracks, though not in the middle of a transaction: it would keep SQLite's write lock, and nobody else could
        do anything. Seen to be stopped, these are carried out.
        """

        def work(connection: Connection) -> None:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
            for statement in statements:
                connection.execute(text(statement))

        self.bench.database.change(work)

    def run(self, *arguments: str, environment: str = "STAGING") -> str:
        """One that works until it is idle; what it wrote. It must end well."""
        before = self.log.stat().st_size if self.log.exists() else 0
        code = self._nest.code([environment, "--config", str(self.config), "--until-idle", *arguments], self.log)
        output = self.log.read_bytes()[before:].decode()
        assert code == 0, output
        return output

    def kill_at(self, point: str, environment: str = "STAGING") -> None:
        """One that dies at a point."""
        arguments = [environment, "--config", str(self.config), "--until-idle"]
        code = self._nest.code(arguments, self.log, point=["kill", point, str(self.flag)])
        assert code == -signal.SIGKILL, f"it was to die at {point} and ended with {code}:\n{self.log.read_text()}"

    def stop(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            output, _ = process.communicate()
            # What it wrote and nobody read: shown beside a test that failed.
            print(f"engine {process.pid} ended with {process.returncode}:\n{output}")


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:.0f} s"
        time.sleep(0.02)


@pytest.fixture
def engines_of(nest: Nest) -> Iterator[Callable[[Bench], Engines]]:
    """`engines_of(bench)`: until the test ends."""
    made: list[Engines] = []

    def make(bench: Bench) -> Engines:
        made.append(Engines(bench, nest))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def engines(tmp_path: Path, engines_of: Callable[[Bench], Engines]) -> Iterator[Engines]:
    bench = Bench(tmp_path, settings_of(tmp_path))
    yield engines_of(bench)
    bench.close()
