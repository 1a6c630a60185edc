"""The real daemon, as a child process for as long as the demo lasts."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

TAIL = 2000
"""Bytes of the log's end that are looked at for the reason of a death."""


class DaemonDied(Exception):
    """The daemon ended before the demo did; the message has its last words."""


class Daemon:
    """`python -m scheduler`, started in a session of its own so that Ctrl-C reaches the demo alone, which then stops it."""

    def __init__(self, config: Path, log: Path, environ: Mapping[str, str], *, grace: float = 30) -> None:
        self._config, self._log, self._environ, self._grace = config, log, environ, grace
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-P", "-m", "scheduler", "--config", str(self._config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=self._environ
            )
        return self

    def check(self) -> None:
        """Raise DaemonDied if it has ended."""
        assert self._process is not None
        code = self._process.poll()
        if code is not None:
            raise DaemonDied(f"the daemon ended with {code}: {self._last_words()} (its log: {self._log})")

    def _last_words(self) -> str:
        lines = self._log.read_bytes()[-TAIL:].decode(errors="replace").splitlines()
        return lines[-1].strip() if lines else "it said nothing"

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let it drain, then make it."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(self._grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
