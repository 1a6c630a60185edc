"""The console as a child of the daemon: kept running while the configuration asks for it."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from config import Settings
from daemon.child import Child, meaning

log = structlog.get_logger(__name__)

CONSOLE = (sys.executable, "-P", "-m", "console")
STEADY = 60.0
"""A console that ran this many seconds was no failed start: its end begins a new count."""


@dataclass(slots=True)
class Companion:
    """Starts, stops and reaps the console. For the main thread only."""

    settings: Settings
    variables: Mapping[str, str]
    command: tuple[str, ...] = CONSOLE
    clock: Callable[[], float] = time.monotonic
    child: Child | None = None
    _started: float = 0.0
    _failures: int = 0
    _rest_until: float = float("-inf")

    def tend(self) -> None:
        """Reap it if it ended, and start it if it is wanted and has rested."""
        self.reap()
        if self.child is None and self.settings.console.start and self.clock() >= self._rest_until:
            self._start()

    def reap(self) -> None:
        code = self.child.reap() if self.child is not None else None
        if self.child is None or code is None:
            return
        asked, lived = self.child.asked_to_stop, self.clock() - self._started
        write = log.info if asked else log.error
        write("console process ended", pid=self.child.pid, result=meaning(code))
        self.child = None
        self._failures = 0 if asked else 1 if lived >= STEADY else self._failures + 1
        self._rest()

    def dismiss(self) -> None:
        """Ask it to end; after a reload `tend` starts it again, with the new settings."""
        if self.child is not None and not self.child.asked_to_stop:
            self.child.ask_to_stop()

    def kill(self) -> None:
        if self.child is not None:
            log.warning("console killed", pid=self.child.pid)
            self.child.kill()

    def _start(self) -> None:
        self._started = self.clock()
        try:
            self.child = Child.start(self.command, self.settings, self.variables)
        except OSError as error:
            self._failures += 1
            self._rest()
            log.exception("console not started", reason=str(error))
            return
        log.info("console process started", pid=self.child.pid)

    def _rest(self) -> None:
        """After a failed start the next waits longer each time."""
        engine = self.settings.engine
        if self._failures:
            rest = min(engine.restart_cap, engine.restart_base * 2.0 ** min(self._failures - 1, 30))
            self._rest_until = self.clock() + rest
