"""What happens to those who contend: stopped past their leases, killed, and without a database in the middle of a commit."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress

from reliability.contention_places import LEASE, Contended

DATABASE_EVERY = 10
"""Of so many faults, one is the database's."""


class Trouble:
    """One fault at a time begins, after so many claims on average; who was stopped is woken later."""

    def __init__(self, places: Contended, chance: random.Random, pause: float) -> None:
        self._places, self._chance, self._pause = places, chance, pause
        self._next = pause / 2
        self._asleep: dict[int, float] = {}
        self._number = 0
        self.counts: Counter[str] = Counter()

    def turn(self, claims: int) -> None:
        """What is due now, after so many claims."""
        now = time.monotonic()
        for pid in [pid for pid, moment in self._asleep.items() if moment <= now]:
            self._wake(pid)
        if claims >= self._next:
            self._next = claims + self._chance.uniform(0.5, 1.5) * self._pause
            self._number += 1
            self._strike()

    def _strike(self) -> None:
        if self._number % DATABASE_EVERY == DATABASE_EVERY // 2:
            how = self._chance.choice([signal.SIGKILL, signal.SIGTERM])
            self._places.restart_database(how)
            self.counts[f"database ended by {how.name}"] += 1
            return
        awake = [pid for pid in self._places.engines() if pid not in self._asleep]
        if not awake:
            return
        pid = self._chance.choice(awake)
        if self._chance.random() < 0.2:
            _send(pid, signal.SIGKILL)
            self.counts["engine killed"] += 1
        else:
            _send(pid, signal.SIGSTOP)
            self._asleep[pid] = time.monotonic() + LEASE * self._chance.uniform(0.8, 2.5)
            self.counts["engine stopped past its lease"] += 1

    def _wake(self, pid: int) -> None:
        del self._asleep[pid]
        _send(pid, signal.SIGCONT)

    def end(self) -> None:
        """Everybody wakes."""
        for pid in list(self._asleep):
            self._wake(pid)

    def close(self) -> None:
        self.end()


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
