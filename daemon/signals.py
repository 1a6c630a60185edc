"""What a daemon is told from outside: signals, and a bell that wakes its main loop."""

import os
import select
import signal
from contextlib import suppress
from types import FrameType


class Bell:
    """Wakes a main loop, from signal handlers and from other threads; many rings are one."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def ring(self) -> None:
        # A pipe, not an Event: setting one in a signal handler can wait for a lock that the interrupted code holds.
        with suppress(BlockingIOError):
            os.write(self._writer, b"\0")

    def wait(self, seconds: float) -> bool:
        """Returns at the next ring, at once if it was before, or after `seconds`; whether it rang."""
        select.select([self._reader], [], [], seconds)
        rung = False
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                rung = True
        return rung


class Signals:
    """What a daemon was asked for. The handlers only note it and ring."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self.stops = 0
        """How often SIGTERM or SIGINT came."""
        self.reload = False
        """SIGHUP came; whoever acts on it clears this."""

    def install(self) -> None:
        """Takes over the signals of this process; for the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        # So that a dead child is noticed at once; which one it was, its own process object tells.
        signal.signal(signal.SIGCHLD, self._child)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stops += 1
        self._bell.ring()

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        self.reload = True
        self._bell.ring()

    def _child(self, _number: int, _frame: FrameType | None) -> None:
        self._bell.ring()
