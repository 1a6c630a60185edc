"""Several daemons want the same modules while engines are stopped past their leases and the database dies: `make contention`.

Four daemons, each on a host of its own as far as it knows (two share one, so that there a stopped engine is killed), with clocks up
to an hour apart, work for two environments on one OpenSSH server, where both want every module all the time. Their engines are
stopped and woken after their leases, and killed; the database is killed or restarted in the middle of whatever it does. At the end
the queue's history, the server's own log and the target are judged. Prints its counts last.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from reliability.contention_places import Contended, contended
from reliability.contention_trouble import Trouble
from reliability.happenings import Seen, TaskRow, Violation
from reliability.history import check
from reliability.rivalry import Rivalry
from reliability.rows import read_rows, slips_in
from reliability.sftp_log import moves_of
from reliability.soak_verdict import _SERIAL, public_files
from reliability.target_rules import unequal


@dataclass(frozen=True)
class Size:
    """How much. `claims`: contended ones to reach; `fault`: claims between two, on average; `most`: seconds, a bound for hangs.

    Faults come by claims and not by time: an engine that is started anew costs as much as fifty claims, and a slow machine would
    do nothing else.
    """

    claims: int
    modules: int = 60
    daemons: int = 4
    engines: int = 1
    fault: float = 50
    most: float = 3600


@dataclass
class Report:
    """The counts."""

    seed: int
    claims: int = 0
    contended: int = 0
    lost: int = 0
    moves: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        faults = ", ".join(f"{number} x {kind}" for kind, number in sorted(self.faults.items()))
        tasks = ", ".join(f"{number} {state}" for state, number in sorted(self.tasks.items()))
        stale = sum(told.startswith("switch") for told in self.violations)
        counts = (
            f"{self.contended} contended claims of {self.claims}, {self.lost} of all lost by an engine that was stopped or killed, {self.moves} moves "
            f"on the target, {sum(self.faults.values())} faults, {stale} stale switches, {len(self.violations)} violations"
        )
        return "\n".join([*self.violations[:50], f"faults: {faults}", f"tasks: {tasks}", f"seed {self.seed}", counts])


def contention(seed: int, size: Size) -> Report:
    """Run one; the report says what happened."""
    chance, report = random.Random(seed), Report(seed)
    with contended(size.daemons, size.engines, size.modules) as places:
        accepted, records = _struggle(places, chance, size, report)
        _judge(places, report, accepted, records)
    return report


def _struggle(places: Contended, chance: random.Random, size: Size, report: Report) -> tuple[frozenset[int], list[Seen]]:
    records: list[Seen] = []
    until = time.monotonic() + size.most
    asked = Asking(places, chance)
    with closing(Trouble(places, chance, size.fault)) as trouble:
        while (seen := places.claims()).contended < size.claims and time.monotonic() < until:
            asked.more()
            trouble.turn(seen.claims)
            records += _records(places)
            time.sleep(0.3)
        trouble.end()
        report.faults = trouble.counts
    places.deployment.quiet(min(size.most, 600))
    records += _records(places)
    places.stop()
    return frozenset(asked.accepted), records


class Asking:
    """Operators who want everything all the time, in both environments."""

    def __init__(self, places: Contended, chance: random.Random) -> None:
        self._places, self._chance = places, chance
        self.accepted: set[int] = set()

    def more(self) -> None:
        """A row for whatever waits in one environment no more, once that is a fifth of all."""
        everything = [(url, environment) for url in self._places.modules for environment in ("ONE", "TWO")]
        waiting = self._places.waiting()
        missing = [one for one in everything if one not in waiting]
        if len(missing) * 5 >= len(everything):
            self._chance.shuffle(missing)
            self.accepted |= self._places.insert(missing)


def _records(places: Contended) -> Iterator[Seen]:
    """The serials of the commit records, as they lie on the target."""
    for module in places.root.glob(".slipway/modules-*/modules/*"):
        try:
            match = _SERIAL.search((module / "slip.xml").read_bytes()[:4096])
        except FileNotFoundError:
            match = None
        yield Seen("origin", module.parents[1].name, module.name, int(match[1]) if match else None)


def _judge(places: Contended, report: Report, accepted: frozenset[int], records: list[Seen]) -> None:
    history = read_rows(places.deployment.url, accepted=accepted, settled=True)
    moves = list(moves_of(places.server.log.splitlines(), "origin"))
    history = replace(history, records=records, moves=moves)
    rivalry = Rivalry()
    rivalry.see((event.task, *_place(history.tasks_by_id[event.task]), event.state) for event in history.events)
    report.claims, report.contended, report.moves = rivalry.claims, rivalry.contended, len(moves)
    report.lost = sum(attempt.outcome in {"LOST", "RETURNED"} for attempt in history.attempts)
    report.tasks = Counter(task.status for task in history.tasks)
    # Nothing here can see what visitors saw, or what was listed: the soak looks at that.
    broken: list[Violation] = [one for one in check(history) if one.rule != "unlisted"]
    slips = slips_in(path.read_bytes() for path in places.root.glob(".slipway/modules-*/modules/*/slip.xml"))
    broken += unequal("origin", slips, public_files(places.root))
    report.violations += [str(violation) for violation in broken]
    report.violations += [f"task: {task.id} failed: {task.reason}" for task in history.tasks if _failed_for_nothing(task)]
    if not report.moves:
        report.violations.append("log: the server logged no move at all")


def _place(task: TaskRow) -> tuple[str, str]:
    return task.url, task.environment


def _failed_for_nothing(task: TaskRow) -> bool:
    """Whoever was alone with its engine when that was stopped or killed, three times, counts as poison: so it should."""
    return task.status == "FAILED" and not (task.reason or "").startswith("Its engine died")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--most", type=float, default=3600, help="seconds after which it ends, whatever was reached")
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}", flush=True)
    report = contention(chosen.seed, Size(chosen.claims, most=chosen.most))
    print(report)
    return 1 if report.violations or report.contended < chosen.claims else 0


if __name__ == "__main__":
    sys.exit(main())
