"""A process that has read all the code already, and forks engines: each run and each kill costs a moment, not a start.

It has one thread and no connection, so that a fork of it is a fresh engine in all but its imports. `python -P nest.py` reads lines
of JSON, a `Call` each, and answers with exit codes. That an engine starts by itself is for other tests to see: test_engine_process.
"""

import importlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from engines.__main__ import main
from support.killable_engine import run

ROOT = Path(__file__).resolve().parents[2]
LATER = (
    "lxml.etree",
    "pymysql",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.sqlite",
    "sources.http",
    "targets.sftp",
    "archives",
)
"""What engines read with the first task that needs it."""


class Nest:
    """One for all tests of a worker. Its engines run one after the other."""

    def __init__(self, log: Path) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONWARNINGS": "default"},
            )

    def code(self, arguments: Sequence[str], log: Path, *, point: Sequence[str] = ()) -> int:
        """Run an engine to its end; its exit code, negative for a signal. `point`: the first arguments of `killable_engine.run`.

        What it writes is added to `log`.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([[*point], [*arguments], str(log)]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the engines' parent ended:\n{self._log.read_text()}"
        return int(answer)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def serve() -> None:
    for name in LATER:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be_an_engine(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _be_an_engine(point: list[str], arguments: list[str], log: str) -> None:
    code = 70
    try:
        # Nothing of the parent's talk may reach the engine, nor the other way round.
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(written, 1)
        os.dup2(written, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = run(*point, *arguments) if point else main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


@pytest.fixture(scope="session")
def nest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nest]:
    made = Nest(tmp_path_factory.mktemp("nest") / "log")
    yield made
    made.stop()


if __name__ == "__main__":
    serve()
