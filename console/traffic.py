"""What this console was asked since it started: how often each address, with which answer, and how long that took."""

import threading
from collections import Counter


class Traffic:
    """For all threads. Addresses are those of the table of routes, so there are not more of them than lines in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()

    def note(self, method: str, path: str, status: int, seconds: float) -> None:
        """One answer."""
        with self._lock:
            self._answers[method, path, status] += 1
            # Counter adds any numbers.
            self._seconds[method, path] += seconds  # type: ignore[assignment]

    def answers(self) -> dict[tuple[str, str, int], int]:
        """How many, by method, address and status."""
        with self._lock:
            return dict(self._answers)

    def seconds(self) -> dict[tuple[str, str], float]:
        """How long all of them took, by method and address."""
        with self._lock:
            return dict(self._seconds)
