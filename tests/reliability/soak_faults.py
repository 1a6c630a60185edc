"""What goes wrong during a soak: processes killed and paused, and each thing that Slipway talks to away for a while."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count

from reliability.soak_places import LEASE, Places

Deed = Callable[[], None]


class Agenda:
    """What is to be done when; run by one thread that asks."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Deed]] = []
        self._numbers = count()

    def later(self, seconds: float, deed: Deed) -> None:
        """Do this so many seconds from now."""
        heappush(self._waiting, (time.monotonic() + seconds, next(self._numbers), deed))

    def run(self, *, all_of_it: bool = False) -> None:
        """Do what is due, or whatever still waits."""
        while self._waiting and (all_of_it or self._waiting[0][0] <= time.monotonic()):
            heappop(self._waiting)[2]()


class Faults:
    """One fault at a time begins; those that last end by themselves."""

    def __init__(self, places: Places, agenda: Agenda, chance: random.Random) -> None:
        self._places, self._agenda, self._chance = places, agenda, chance
        self.counts: Counter[str] = Counter()
        self._down: set[str] = set()
        self._daemon = places.daemon()
        self._bag: list[Deed] = []

    def strike(self) -> None:
        """Let one thing go wrong. Every kind comes once before any comes again, so that a short soak has them all."""
        if not self._bag:
            self._bag = [
                self._kill_engine,
                self._pause_engine,
                self._kill_daemon,
                self._drop_port,
                self._cut_connections,
                self._restart_database,
                self._stop_cms,
            ]
            self._chance.shuffle(self._bag)
        self._bag.pop()()

    def _engine(self) -> int | None:
        found = self._places.engines()
        return self._chance.choice(found) if found else None

    def _kill_engine(self) -> None:
        if (pid := self._engine()) is not None:
            _send(pid, signal.SIGKILL)
            self.counts["engine killed"] += 1

    def _pause_engine(self) -> None:
        """Past its lease, so that it wakes up with tasks that are somebody else's."""
        if (pid := self._engine()) is not None:
            _send(pid, signal.SIGSTOP)
            self._agenda.later(LEASE * self._chance.uniform(0.5, 2), lambda: _send(pid, signal.SIGCONT))
            self.counts["engine paused"] += 1

    def _kill_daemon(self) -> None:
        if self._daemon.poll() is None:
            self._daemon.kill()
            self._daemon.wait()
            self._agenda.later(self._chance.uniform(0, 2), self.begin_daemon)
            self.counts["daemon killed"] += 1

    def begin_daemon(self) -> None:
        """If none runs."""
        if self._daemon.poll() is not None:
            self._daemon = self._places.daemon()

    def _drop_port(self) -> None:
        """The targets' port falls silent, like behind a firewall."""
        if "port" not in self._down:
            self._down.add("port")
            self._places.proxy.drop()
            self._agenda.later(self._chance.uniform(1, 6), self._mend_port)
            self.counts["target silent"] += 1

    def _mend_port(self) -> None:
        self._places.proxy.mend()
        self._down.discard("port")

    def _cut_connections(self) -> None:
        self._places.server.cut()
        self.counts["connections cut"] += 1

    def _restart_database(self) -> None:
        how = self._chance.choice([signal.SIGKILL, signal.SIGTERM])
        self._places.restart_database(how)
        self.counts["database restarted"] += 1

    def _stop_cms(self) -> None:
        """It hangs up on everybody."""
        self._places.cms.before = _hang_up
        self._agenda.later(self._chance.uniform(0.5, 4), self._begin_cms)
        self.counts["cms down"] += 1

    def _begin_cms(self) -> None:
        self._places.cms.before = lambda _path: None


def _hang_up(_path: str) -> None:
    raise ConnectionAbortedError


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
