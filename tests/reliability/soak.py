"""Visitors read and judge while everything goes wrong: `make soak MINUTES=30`.

Eight visitors, half over HTTP and half by the file system, hash what they see on two sites, while modules change, are published,
promoted, republished and unpublished, and processes, servers and connections die. Where modules are versioned they are rolled back
too, and visitors resolve a module's link and judge the whole release behind it. At the end the faults stop, everything is
published once more, and the queue's history, the targets' own log and the trees are judged. Prints its counts last.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reliability.happenings import History, Seen, Sighting
from reliability.soak_faults import Agenda, Faults
from reliability.soak_operators import Operators
from reliability.soak_places import LAYOUTS, Places, places
from reliability.soak_verdict import Report, judge, records_now, sightings_of

VISITORS = 8


@dataclass(frozen=True)
class Pace:
    """How much happens. `reads`: a second, of all visitors; `deed` and `fault`: seconds between two, on average."""

    seconds: float
    reads: float = 800
    deed: float = 0.5
    fault: float = 6


def soak(seed: int, pace: Pace, layout: str = "ordered") -> Report:
    """Run one; the report says what happened."""
    chance = random.Random(seed)
    report = Report(seed)
    with places(chance, layout) as made:
        _run(made, chance, pace, report)
    return report


def _run(made: Places, chance: random.Random, pace: Pace, report: Report) -> None:
    """Begin quietly, then break things, then let everything come to rest and judge it."""
    agenda = Agenda()
    faults = Faults(made, agenda, chance)
    records: list[Seen] = []
    with closing(Operators(made, agenda, chance)) as operators:
        operators.begin()
        operators.rest()
        with _visitors(made, pace, report, chance) as seen:
            _disturb(made, pace, agenda, faults, operators, chance, records)
            agenda.run(all_of_it=True)
            faults.begin_daemon()
            operators.end()
            records += records_now(made)
        report.faults = faults.counts
        accepted, deferred = frozenset(operators.accepted), frozenset(operators.deferred)
    judge(made, report, History(accepted, records=records, sightings=seen, deferred=deferred))


def _disturb(
    made: Places, pace: Pace, agenda: Agenda, faults: Faults, operators: Operators, chance: random.Random, records: list[Seen]
) -> None:
    now = time.monotonic()
    ends, deed, fault = now + pace.seconds, now, now + pace.fault / 2
    while (now := time.monotonic()) < ends:
        agenda.run()
        if now >= deed:
            operators.act()
            records += records_now(made)
            deed = now + chance.expovariate(1 / pace.deed)
        if now >= fault:
            faults.strike()
            fault = now + chance.uniform(0.5, 1.5) * pace.fault
        time.sleep(0.05)


@contextmanager
def _visitors(made: Places, pace: Pace, report: Report, chance: random.Random) -> Iterator[list[Sighting]]:
    """Eight processes that read until the block ends; what they saw is in the list then."""
    program = Path(__file__).with_name("visitor.py")
    running = []
    for number in range(VISITORS):
        sites = [_site(made, target, over_http=number % 2 == 0) for target in made.roots]
        told = json.dumps({"seed": chance.random(), "rate": pace.reads / VISITORS, "sites": sites})
        command = [sys.executable, "-I", str(program), told]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    seen: list[Sighting] = []
    try:
        yield seen
    finally:
        for process in running:
            output, _ = process.communicate(timeout=60)
            if process.returncode != 0:
                report.violations.append(f"visitor: one ended with {process.returncode}")
                continue
            found = json.loads(output)
            report.reads += found["reads"]
            report.pages += found["pages"]
            report.resolved += found["resolved"]
            report.violations += [f"read: {what}" for what in found["told"]]
            seen += sightings_of(found["seen"])


def _site(made: Places, target: str, *, over_http: bool) -> dict[str, Any]:
    where = {"port": made.web_port, "prefix": f"/{target}"} if over_http else {"root": str(made.roots[target])}
    versioned = [] if over_http else sorted(made.versioned(target))
    return {"target": target, "modules": made.site.modules, "steady": made.site.steady, "versioned": versioned, **where}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--reads", type=float, default=800, help="reads a second, of all visitors together")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="ordered")
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}", flush=True)
    report = soak(chosen.seed, Pace(chosen.minutes * 60, chosen.reads), chosen.layout)
    print(report)
    return 1 if report.violations or not report.reads else 0


if __name__ == "__main__":
    sys.exit(main())
