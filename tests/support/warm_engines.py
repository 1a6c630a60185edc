"""Engines that are forked from a process that has read all the code already: each kill costs a moment, not a start.

The process itself has one thread and no connection, so that a fork of it is a fresh engine in all but its imports.
`python -P warm_engines.py` reads lines of JSON, the arguments of `killable_engine.run`, and answers with exit codes.
"""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.bench import Bench
from support.engine_process import Engines
from support.killable_engine import run

ROOT = Path(__file__).resolve().parents[2]


class WarmEngines(Engines):
    """Engines of one bench, forked. `log` is what they wrote."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.log = bench.root / "engines.log"
        with self.log.open("wb") as log:
            self._nest = subprocess.Popen(
                [sys.executable, "-P", __file__],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            )

    def code(self, what: str, point: str, environment: str) -> int:
        """Run one until it is idle, or dies at the point; its exit code, negative for a signal."""
        arguments = [what, point, str(self.flag), environment, "--config", str(self.config), "--until-idle"]
        assert self._nest.stdin
        assert self._nest.stdout
        self._nest.stdin.write(json.dumps(arguments) + "\n")
        self._nest.stdin.flush()
        answer = self._nest.stdout.readline()
        assert answer, f"the engines' parent ended:\n{self.log.read_text()}"
        return int(answer)

    def stop(self) -> None:
        super().stop()
        if self._nest.poll() is None:
            self._nest.kill()
        self._nest.communicate()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be_an_engine(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _be_an_engine(arguments: list[str]) -> None:
    code = 70
    try:
        # Nothing of the parent's talk may reach the engine, nor the other way round.
        os.dup2(2, 1)
        code = run(*arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


@pytest.fixture
def warm_engines() -> Iterator[Callable[[Bench], WarmEngines]]:
    """`warm_engines(bench)`: engines of this bench, until the test ends."""
    made: list[WarmEngines] = []

    def make(bench: Bench) -> WarmEngines:
        made.append(WarmEngines(bench))
        return made[-1]

    yield make
    for each in made:
        each.stop()


if __name__ == "__main__":
    main()
