"""How fast a task goes and how long it still takes, by what was seen of it lately. Pure: whoever looks hands in the time."""

from dataclasses import dataclass
from itertools import dropwhile

from database import Progress

WINDOW = 15.0
"""Seconds that a rate looks back: long enough for an engine that reports once a second, short enough to show a line that died."""
FIRST = 0.2
"""Seconds of a step before which its mean says nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was done at one moment, in seconds of any clock that only goes forward."""

    at: float
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Speed:
    """One step of one task as it was seen, the oldest first."""

    step: str = ""
    samples: tuple[Sample, ...] = ()

    def seen(self, progress: Progress, at: float) -> "Speed":
        """The speed with one look more; another step begins anew, as long ago as it says."""
        now = Sample(at, progress.files_done, progress.bytes_done)
        if progress.step != self.step:
            began = (Sample(at - progress.seconds, 0, 0),) if progress.seconds >= FIRST else ()
            return Speed(progress.step, (*began, now))
        return Speed(self.step, (*dropwhile(lambda sample: sample.at < at - WINDOW, self.samples), now))

    @property
    def bytes_per_second(self) -> float | None:
        """None: too little was seen."""
        return None if (seconds := self._seconds) is None else (self.samples[-1].bytes - self.samples[0].bytes) / seconds

    @property
    def files_per_second(self) -> float | None:
        """None: too little was seen."""
        return None if (seconds := self._seconds) is None else (self.samples[-1].files - self.samples[0].files) / seconds

    def seconds_left(self, progress: Progress) -> float | None:
        """Of this step: by its bytes, or by its files where it counts none. None: nothing moves, or nothing is counted."""
        if progress.bytes_total:
            return _left(progress.bytes_total - progress.bytes_done, self.bytes_per_second)
        return _left(progress.files_total - progress.files_done, self.files_per_second) if progress.files_total else None

    @property
    def _seconds(self) -> float | None:
        span = self.samples[-1].at - self.samples[0].at if self.samples else 0.0
        return span or None


def _left(amount: int, rate: float | None) -> float | None:
    return max(0, amount) / rate if rate else None
