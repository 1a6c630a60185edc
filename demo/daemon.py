"""The real daemon, as a child process for as long as the demo lasts."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

TAIL = 2000
"""Bytes of the log's end that are looked at for the reason of a death."""
GRACE = 30.0
"""Seconds in which the daemon may drain before it is made to end."""


class DaemonDied(Exception):
    """The daemon ended before the demo did; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """`python -m scheduler`, under way."""

    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise DaemonDied if it has ended."""
        code = self.process.poll()
        if code is not None:
            raise DaemonDied(f"the daemon ended with {code}: {self._last_words()} (its log: {self.log})")

    def _last_words(self) -> str:
        lines = self.log.read_bytes()[-TAIL:].decode(errors="replace").splitlines()
        return lines[-1].strip() if lines else "it said nothing"

    def stop(self) -> None:
        """Let it drain, then make it end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running_daemon(config: Path, log: Path, environ: Mapping[str, str]) -> Iterator[Daemon]:
    """A daemon while the block lasts, in a session of its own: Ctrl-C reaches the demo alone, which then stops it."""
    command = [sys.executable, "-P", "-m", "scheduler", "--config", str(config)]
    daemon: Daemon | None = None
    try:
        with log.open("ab") as out, postponed(signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=environ
            )
            daemon = Daemon(process, log)
        yield daemon
    finally:
        if daemon is not None:
            daemon.stop()


@contextmanager
def postponed(*numbers: signal.Signals) -> Iterator[None]:
    """Deliver these signals after the block: one that came while a child is started would leave the child behind."""
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)
    for number in came:
        signal.raise_signal(number)
