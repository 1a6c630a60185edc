"""What wakes an engine's main loop: its own threads, and a pipe from the daemon that started it, if one did."""

import os
import select
from contextlib import suppress
from enum import IntEnum

NEWS = b"!"
"""What the daemon rings with when something came that was not due before; anything else: something is due still."""


class Ring(IntEnum):
    """What the daemon said while one waited: nothing, or that something is due: still, or anew."""

    NONE = 0
    STILL = 1
    NEWS = 2


class Bell:
    """Waits for its own rings and the daemon's. `daemon`: the reading end of the daemon's pipe."""

    def __init__(self, daemon: int | None = None) -> None:
        self._daemon = daemon
        self._reader, self._writer = os.pipe()
        for end in (self._reader, self._writer):
            os.set_blocking(end, False)
        if daemon is not None:
            os.set_blocking(daemon, False)

    @property
    def attended(self) -> bool:
        """Whether a daemon polls the queue for this engine. When it is gone, the engine looks for itself."""
        return self._daemon is not None

    def ring(self) -> None:
        """Wake the main loop; many rings are one. Safe in signal handlers, and too late, when nobody listens any more."""
        with suppress(OSError):
            os.write(self._writer, b"\0")

    def wait(self, seconds: float) -> Ring:
        """Returns at the next ring, at once if it was before, or after `seconds`; what the daemon said meanwhile."""
        ends = [self._reader] + ([self._daemon] if self._daemon is not None else [])
        ready, _, _ = select.select(ends, [], [], max(seconds, 0))
        if self._reader in ready:
            self._drain(self._reader)
        return self._answer(self._daemon) if self._daemon in ready else Ring.NONE

    def _answer(self, daemon: int | None) -> Ring:
        assert daemon is not None
        if said := self._drain(daemon):
            return Ring.NEWS if NEWS in said else Ring.STILL
        # End of file: nobody holds the other end any more.
        os.close(daemon)
        self._daemon = None
        return Ring.NONE

    @staticmethod
    def _drain(end: int) -> bytes:
        """What was there."""
        found = b""
        with suppress(BlockingIOError):
            while some := os.read(end, 4096):
                found += some
        return found

    def close(self) -> None:
        """Let go of every end."""
        ends = (self._reader, self._writer, self._daemon)
        # A worker that was left running may still ring: not into what gets the same number next.
        self._reader = self._writer = -1
        for end in ends:
            if end is not None:
                os.close(end)
