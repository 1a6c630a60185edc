"""A child process that is handed the configuration and can be rung."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Self

from config import Settings, snapshot


class Child:
    """A running process. Start it from the main thread only: threads and new processes do not mix.

    It gets `--config PATH --bell FD` after its own arguments. The path has the settings that its parent works with, not what
    the file says by now: that may be half edited, or faulty. A byte in the pipe rings; end-of-file says the parent is gone.
    """

    def __init__(self, process: subprocess.Popen[bytes], bell: int) -> None:
        self._process, self._bell = process, bell
        self.asked_to_stop = False

    @classmethod
    def start(cls, command: Sequence[str], settings: Settings, variables: Mapping[str, str]) -> Self:
        """Raises OSError when there is no room for another process."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            # Closed here at the end of the block; the child has its own.
            with os.fdopen(reader, "rb"), os.fdopen(os.memfd_create("slipway-settings"), "wb") as configuration:
                configuration.write(snapshot(settings).encode())
                configuration.flush()
                process = subprocess.Popen(
                    [*command, "--config", f"/dev/fd/{configuration.fileno()}", "--bell", str(reader)],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(reader, configuration.fileno()),
                    start_new_session=True,
                    env=variables,
                )
        except OSError:
            os.close(writer)
            raise
        return cls(process, writer)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ring(self, *, news: bool = True) -> None:
        """`news`: there is something that was not there at the last ring."""
        # A full pipe has rung already; a closed one belongs to a process that is about to be reaped.
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._bell, b"!\n" if news else b"\n")

    def ask_to_stop(self) -> None:
        """SIGTERM: finish, and end. The second time: give back and end."""
        self.asked_to_stop = True
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL, also for whatever it started: its session is its own."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self) -> int | None:
        """Its exit code, or less than none for a signal; None while it runs."""
        code = self._process.poll()
        if code is not None and self._bell >= 0:
            os.close(self._bell)
            self._bell = -1
        return code


def meaning(code: int) -> str:
    """An exit code for people."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
