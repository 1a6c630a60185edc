"""Several daemons want the same modules while engines are stopped past their leases and the database dies: `make contention`.

Four daemons, each on a host of its own as far as it knows (two share one, so that there a stopped engine is killed), with clocks up
to an hour apart, work for two environments on one OpenSSH server. Their engines are stopped and woken after their leases, and
killed; the database is killed or restarted in the middle of whatever it does. At the end the queue's history, the server's own
log and the target are judged. Prints its counts last.
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
from reliability.rows import read_rows, slips_in
from reliability.sftp_log import moves_of
from reliability.soak_verdict import _SERIAL, public_files
from reliability.target_rules import unequal


@dataclass(frozen=True)
class Size:
    """How much. `claims`: contended claims to reach; `fault`: seconds between two, on average; `most`: seconds, a bound for hangs."""

    claims: int
    modules: int = 120
    daemons: int = 4
    engines: int = 2
    fault: float = 2.0
    most: float = 3600


@dataclass
class Report:
    """The counts."""

    seed: int
    claims: int = 0
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
            f"{self.claims} contended claims, {self.lost} of them lost by an engine that was stopped or killed, {self.moves} moves "
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
        while places.claims() < size.claims and time.monotonic() < until:
            asked.more(size.modules)
            trouble.turn()
            records += _records(places)
            time.sleep(0.2)
        trouble.end()
        report.faults = trouble.counts
    places.deployment.quiet(min(size.most, 600))
    records += _records(places)
    places.stop()
    return frozenset(asked.accepted), records


class Asking:
    """Operators who want everything again and again, in both environments."""

    def __init__(self, places: Contended, chance: random.Random) -> None:
        self._places, self._chance = places, chance
        self.accepted: set[int] = set()

    def more(self, most: int) -> None:
        """Enough rows that every engine has something to want."""
        if self._places.open_tasks() < most:
            wanted = [(self._chance.choice(self._places.modules), self._chance.choice(["ONE", "TWO"])) for _ in range(most)]
            self.accepted |= self._places.insert(wanted)


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
    report.claims, report.moves = len(history.attempts), len(moves)
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
    return 1 if report.violations or report.claims < chosen.claims else 0


if __name__ == "__main__":
    sys.exit(main())
