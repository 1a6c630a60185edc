"""What sweeps have in common as commands: for how long, in how many processes, by which seed; and those processes."""

import argparse
import math
import os
import pickle
import random
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol, Self, TypeVar


class Tally(Protocol):
    """What was done, and what went wrong; it goes from one process to another."""

    @property
    def violations(self) -> list[str]: ...

    def add(self, other: Self) -> None: ...


T = TypeVar("T", bound=Tally)
_Place = TypeVar("_Place")


@dataclass(frozen=True, slots=True)
class Share:
    """Every so many-th place of a walk: one that takes hours can be made in several goes."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "2/5". Raises ValueError."""
        number, count = map(int, text.split("/"))
        if not 1 <= number <= count:
            raise ValueError(text)
        return cls(number, count)

    def of(self, places: Iterable[_Place]) -> list[_Place]:
        """Its own."""
        return list(islice(places, self.number - 1, None, self.count))


WHOLE = Share()
"""The walk in one go."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every sweep."""
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin nothing new after so many")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument(
        "--share",
        type=Share.parse,
        default=WHOLE,
        metavar="N/M",
        help="the Nth of M shares of the whole walk; the same --jobs in each",
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))


def in_jobs(folder: Path, works: Sequence[Callable[[], T]], tally: T) -> None:
    """Each of these works in a process of its own, all at once; what they come to is added to the tally."""
    children = []
    for job, work in enumerate(works):
        pid = os.fork()
        if pid == 0:
            _be_a_job(work, folder / f"job-{job}")
        children.append(pid)
    for job, pid in enumerate(children):
        os.waitpid(pid, 0)
        result = folder / f"job-{job}"
        if result.exists():
            tally.add(pickle.loads(result.read_bytes()))
        else:
            tally.violations.append(f"process {job} of the sweep died")


def _be_a_job(work: Callable[[], object], result: Path) -> None:
    code = 1
    try:
        result.write_bytes(pickle.dumps(work()))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)
