"""Which call fails: the k-th of a named site, once, or for good.

A call is known by its site: what is called, and the innermost function of the project that asked for it. Counting by site and
not over the whole run, a call is met again however often something else polls.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TESTS = str(ROOT / "tests")
PLUMBING = (
    "targets/sftp/session.py",
    "targets/sftp/asking.py",
    "targets/sftp/crew.py",
    "targets/sftp/disk.py",
    "targets/sftp/lanes.py",
    "targets/sftp/calls.py",
    "targets/sftp/upload.py",
    "targets/sftp/stream.py",
    "targets/sftp/receiver.py",
    "targets/sftp/download.py",
    "targets/local/disk.py",
    "targets/hold.py",
    "targets/s3/spread.py",
    "targets/s3/bucket.py",
    "database/transactions.py",
    "database/connection.py",
)
"""What only passes calls on: who asked for one is further out."""


class Lasting(Enum):
    """For how long calls fail."""

    ONCE = "once"
    HERE = "there from then on"
    """Each later call of that site."""
    ALL = "everywhere from then on"
    """Each later call of any site."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The `nth` call of a site."""

    site: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.site}, call {self.nth}"


@dataclass
class Injector:
    """Counts calls by their sites, and says which of them fails."""

    spots: Sequence[Spot] = ()
    lasting: Lasting = Lasting.ONCE
    fits: Callable[[str], bool] = lambda call: True
    """Whether what is called can fail in this way at all."""
    counts: Counter[str] = field(default_factory=Counter)
    """Of each site, in the order of their first calls."""
    failed: list[str] = field(default_factory=list)
    since: float | None = None
    """When the first call failed, on the monotonic clock."""

    def failing_for(self, seconds: float) -> bool:
        """Whether calls have gone on failing for so long."""
        return self.since is not None and time.monotonic() - self.since > seconds

    def lift(self) -> None:
        """Nothing fails any more."""
        self.spots, self.lasting = (), Lasting.ONCE

    def strikes(self, call: str, site: str | None = None) -> bool:
        """Whether this call fails; only calls that the project makes count."""
        site = site or site_of()
        if site is None:
            return False
        name = f"{call} in {site}"
        self.counts[name] += 1
        if self._meant(name) and self.fits(call):
            self.failed.append(name)
            self.since = self.since or time.monotonic()
            return True
        return False

    def _meant(self, name: str) -> bool:
        if Spot(name, self.counts[name]) in self.spots:
            return True
        later = self.since is not None and bool(self.spots)
        return later and (self.lasting is Lasting.ALL or (self.lasting is Lasting.HERE and name == self.spots[0].site))

    def listed(self) -> list[Spot]:
        """Every call so far, site by site."""
        return [Spot(site, nth) for site, count in self.counts.items() for nth in range(1, count + 1)]


def call_of(site: str) -> str:
    """What is called at a site."""
    return site.partition(" in ")[0]


def site_of(within: tuple[str, ...] = ()) -> str | None:
    """The innermost function of the project on the stack; None if there is none, or if it is not below one of these folders."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(str(ROOT)) and not name.startswith(TESTS) and "/.venv/" not in name:
            relative = name[len(str(ROOT)) + 1 :]
            if relative not in PLUMBING:
                return f"{relative}:{frame.f_code.co_qualname}" if not within or relative.startswith(within) else None
        frame = frame.f_back
    return None
