"""The daemon's watch: a thread that looks at what happened and sends alerts. The daemon's own loop never waits for it."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Event, Thread
from typing import Protocol

import structlog

from notices.digest import Digest, Incident, Outage, summary

log = structlog.get_logger(__name__)

LOOK = 2.0
"""Seconds between two looks at the database."""
BETWEEN = 60.0
"""Seconds between two messages of one alert: what happens meanwhile is one message."""
CLAIM = 600.0
"""Seconds for which the sender of a message keeps other daemons from sending it: more than any mail server takes."""
AGAIN, AGAIN_MOST = 30.0, 900.0
"""Seconds before a message that could not be sent is tried again: doubles, up to the second."""


class Findings(Protocol):
    """What is to be told, and the last event that is in it."""

    @property
    def event(self) -> int: ...
    @property
    def incidents(self) -> Sequence[Incident]: ...
    @property
    def opened(self) -> Sequence[Outage]: ...
    @property
    def closed(self) -> Sequence[Outage]: ...


class Ledger(Protocol):
    """One alert's place in what happens, shared by all daemons; `scheduler` makes it of `database.Watching`."""

    def waits(self) -> bool: ...
    def look(self) -> Findings: ...
    def claim(self, seconds: float, /) -> bool: ...
    def told(self, event: int, opened: Collection[str] = (), closed: Collection[str] = (), *, wait: float = 0.0) -> bool: ...
    def put_off(self, seconds: float, /) -> bool: ...


Send = Callable[[str, Digest, str], None]


class Watch:
    """Alerts by name, each with its ledger; `send` sends one message."""

    def __init__(self, ledgers: Mapping[str, Ledger], send: Send, look: float = LOOK, between: float = BETWEEN) -> None:
        self._ledgers, self._send, self._look, self._between = ledgers, send, look, between
        self._failures: dict[str, int] = {}
        self._blind: set[str] = set()
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to watch, if there is any alert."""
        if self._ledgers:
            self._thread = Thread(target=self._run, name="alerts", daemon=True)
            self._thread.start()

    def stop(self, seconds: float) -> None:
        """Watch no more. A message under way is given so long; one that is cut off is sent again by the next daemon."""
        self._stop.set()
        if self._thread:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.wait(self._look):
            self.turn()

    def turn(self) -> None:
        """One look for each alert."""
        for name, ledger in self._ledgers.items():
            if self._stop.is_set():
                return
            try:
                self._serve(name, ledger)
                self._blind.discard(name)
            except Exception as error:  # noqa: BLE001 - the database is down, mostly; the thread must not end with it
                if name not in self._blind:
                    log.warning("alert cannot look", alert=name, error=type(error).__name__, reason=str(error))
                self._blind.add(name)

    def _serve(self, name: str, ledger: Ledger) -> None:
        if ledger.waits():
            return
        found = ledger.look()
        digest = Digest(found.incidents, found.opened, found.closed)
        if not digest:
            ledger.told(found.event)
        elif ledger.claim(CLAIM):
            self._tell(name, ledger, found, digest)
        # Else another daemon has found the same, and tells it.

    def _tell(self, name: str, ledger: Ledger, found: Findings, digest: Digest) -> None:
        try:
            self._send(name, digest, _id(name, found))
        except Exception as error:  # noqa: BLE001 - nothing is lost: the place has not moved
            self._fail(name, error)
            ledger.put_off(min(AGAIN * 2 ** (self._failures[name] - 1), AGAIN_MOST))
            return
        if self._failures.pop(name, 0):
            log.info("alerts are sent again", alert=name)
        opened, closed = [outage.name for outage in found.opened], [outage.name for outage in found.closed]
        ledger.told(found.event, opened, closed, wait=self._between)
        log.info("alert sent", alert=name, about=summary(digest))

    def _fail(self, name: str, error: Exception) -> None:
        """Once for each outage; a log that repeats itself is not read."""
        first = name not in self._failures
        self._failures[name] = min(self._failures.get(name, 0) + 1, 20)
        if first:
            log.warning("alert not sent, it is tried again", alert=name, error=type(error).__name__, reason=str(error))


def _id(name: str, found: Findings) -> str:
    """The same for the same incidents, so that a receiver can tell a message that it has had."""
    about = [name, str(found.event), *(outage.name for outage in (*found.opened, *found.closed))]
    return hashlib.sha256("\0".join(about).encode()).hexdigest()[:32]
