"""What this console has tried and checked since it started: kept here, for it is nobody else's business, and gone with it."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from answers import Trial
from database import Verdict


@dataclass(frozen=True, slots=True)
class Tried:
    """One test of a target."""

    at: datetime
    by: str
    trial: Trial


@dataclass(frozen=True, slots=True)
class Walked:
    """One walk along the audit log's chain. `verdict` None: under way, or ended by a `fault`."""

    at: datetime
    by: str
    verdict: Verdict | None = None
    fault: str | None = None

    @property
    def under_way(self) -> bool:
        return self.verdict is None and self.fault is None


class Memory:
    """For all threads of the console."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tried: dict[str, Tried] = {}
        self._walked: Walked | None = None

    def tried(self, target: str) -> Tried | None:
        """The last test of a target."""
        with self._lock:
            return self._tried.get(target)

    def keep_trial(self, target: str, by: str, trial: Trial) -> None:
        """Remember a test."""
        with self._lock:
            self._tried[target] = Tried(datetime.now(UTC), by, trial)

    @property
    def walked(self) -> Walked | None:
        """The last walk along the chain."""
        with self._lock:
            return self._walked

    def begin_walk(self, by: str) -> bool:
        """Whether nobody walks already: then this one does."""
        with self._lock:
            if self._walked is not None and self._walked.under_way:
                return False
            self._walked = Walked(datetime.now(UTC), by)
            return True

    def end_walk(self, verdict: Verdict | None, fault: str | None = None) -> None:
        """What the walk came to."""
        with self._lock:
            by = self._walked.by if self._walked else ""
            self._walked = Walked(datetime.now(UTC), by, verdict, fault)
