"""Rollbacks of a large versioned module under load: `make rollback-bench`.

A module of many files is published twice; then it goes back and forth by ROLLBACK tasks of the real engine's code while readers
ask a real nginx for its files and resolve its link themselves. Timed from the moment at which the target is asked for to
the moment at which the link leads elsewhere, and as a whole task. Prints its counts last; an error or a mixed module fails.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import Secrets, Settings
from database import Published, Record, pack
from database.counters import next_fences
from packageslip import on_target, slip_pieces
from reliability.rollback_reader import name_of, text_of
from support.bench import Bench, settings_of
from support.claims import TestQueue
from support.nginx import serving
from support.releases import publish, slip_of
from targets import Claim, OrderedTarget, Present, Target, open_target

URL = "/big"
READER = Path(__file__).with_name("rollback_reader.py")


@dataclass
class Figures:
    """What came of a run. Seconds of each rollback: until it was visible, and in all."""

    files: int
    seed: int
    visible: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def sound(self) -> bool:
        """Whether somebody read, and nobody anything wrong."""
        return self.seen["reads"] > 0 and self.seen["resolved"] > 0 and not self.seen["errors"] and not self.seen["mixed"]

    def __str__(self) -> str:
        return (
            f"seed {self.seed}; {self.files} files, {len(self.whole)} rollbacks: visible after {spread(self.visible)} s, "
            f"whole task {spread(self.whole)} s; {self.seen['reads']} reads, {self.seen['resolved']} resolved releases, "
            f"{self.seen['errors']} errors, {self.seen['mixed']} mixed"
        )


def spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} (at most {max(values):.2f})"


@dataclass
class Clock:
    """Notes when the target was asked for, and when the link turned."""

    link: Path
    asked: float = 0
    turned: float = 0

    def wrap(self, target: Target) -> Target:
        """The same target, watched."""
        assert isinstance(target, OrderedTarget)
        ask, run = target.present, target._disk.run

        def present(url: str, claim: Claim) -> Present:
            self.asked = time.monotonic()
            return ask(url, claim)

        def watched(calls: Sequence[Any]) -> Sequence[Any]:
            answers = run(calls)
            if any(call.to == self.link.name for call in calls):
                self.turned = time.monotonic()
            return answers

        target.present = present  # type: ignore[method-assign]
        target._disk.run = watched  # type: ignore[method-assign]
        return target


def rollbacks(files: int, times: int, readers: int, seed: int) -> Figures:
    """Publish, go back and forth so often, and say what it came to."""
    figures = Figures(files, seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        clock = Clock(root / "targets/origin" / URL.strip("/"))
        # What is timed is durable; the publications before it need not be.
        _publish(root, files)
        with (
            closing(Bench(root, settings(root, "commit"), wrap=lambda _, target: clock.wrap(target))) as bench,
            _load(root, files, readers, seed, figures),
        ):
            for _ in range(times):
                began = time.monotonic()
                bench.well(URL, action="ROLLBACK")
                figures.whole.append(time.monotonic() - began)
                figures.visible.append(clock.turned - clock.asked)
    return figures


def settings(root: Path, durability: str) -> Settings:
    targets = settings_of(root).model_dump()["targets"]
    targets["origin"] |= {"layout": "versioned", "durability": durability}
    return settings_of(root, targets=targets)


def _publish(root: Path, files: int) -> None:
    """Both versions, straight onto the target and into the record: going back asks neither the source nor the store."""
    chosen = settings(root, "none")
    with (
        closing(Bench(root, chosen)) as bench,
        closing(open_target("origin", chosen, secrets=Secrets({}))) as target,
    ):
        for version in "ab":
            [fence] = bench.database.change(lambda connection: next_fences(connection, 1))
            claim = TestQueue(bench.database.queue_id, fence - 1).claim()
            wanted = {name_of(number): text_of(number, version).encode() for number in range(files)}
            publish(target, URL, wanted, claim)
            slip = on_target(slip_of(URL, wanted), serial=claim.serial, queue=claim.queue)
            Record(bench.database).adopt(
                "origin", [Published("origin", URL, claim.serial, slip.version, pack(slip_pieces(slip)))]
            )


@contextmanager
def _load(root: Path, files: int, readers: int, seed: int, figures: Figures) -> Iterator[None]:
    """Readers at work while the block lasts."""
    place = root / "targets/origin"
    with serving(root / "nginx", place) as web:
        command = [
            sys.executable,
            "-P",
            str(READER),
            str(place),
            str(web.port),
            URL.strip("/"),
            str(files),
        ]
        running = [
            subprocess.Popen([*command, str(seed + number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for number in range(readers)
        ]
        try:
            for reader in running:
                assert reader.stdout is not None
                reader.stdout.readline()
            yield
        finally:
            for reader in running:
                said, _ = reader.communicate()
                figures.seen += Counter(json.loads(said) if said else {"errors": 1})


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=10, help="rollbacks, back and forth")
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args(arguments)
    figures = rollbacks(chosen.files, chosen.times, chosen.readers, chosen.seed)
    print(figures)
    return 0 if figures.sound else 1


if __name__ == "__main__":
    sys.exit(main())
