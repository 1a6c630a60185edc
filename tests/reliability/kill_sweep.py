"""Kill an engine everywhere, and see that the next one makes all good: `make kill-sweep`.

Every named point of the commit protocol, the queue and the content store; every system call of a publish that may change something,
in the engine and in OpenSSH's sftp-server; in the first run, and again in the run that recovers from a kill. Whatever was killed,
a last engine must leave exactly the tree, the modes, the times, the slip, the record and the queue of an undisturbed run.
"""

import argparse
import itertools
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from database import Claims, Intake, Lane, Leases
from support.kill_points import POINTS
from support.kill_rig import Rig, Strike, Violation, folder_for_worlds
from support.killing import may_trace
from support.sweep_world import CHANGE, FIRST, OTHER, WITHDRAW, Scenario, World
from targets.area import token_name

LAYOUTS = ("ordered",)
KINDS = ("local", "sftp")


def _dead_elsewhere(world: World) -> None:
    """An engine of another machine died with a task in hand, and its lease is over."""
    world.insert(OTHER, "PUBLISH")
    with closing(world.database) as database:
        leases = Leases(database)
        engine = leases.register("STAGING", "elsewhere", "boot", 1, 0.3, "test")
        Intake(database).accept(world.settings)
        claims = Claims(database)
        claims.start(engine, claims.claim(engine, [Lane("origin", 1)]))
        time.sleep(0.4)


def _later_fence(world: World) -> None:
    """The module's token is later than all that this queue has given out: its counter was put back."""
    for token in (world.live / "targets/origin/.slipway").glob("modules-*/modules/*/*.*"):
        if token.is_dir():
            token.rename(token.with_name(token_name(900, "deadbeef")))


SCENARIOS = (FIRST, CHANGE, WITHDRAW)
ODD = (
    Scenario("republish", CHANGE.before, CHANGE.after, "REPUBLISH", also=(OTHER,), url="/", counted=True),
    Scenario("rescue", CHANGE.before, CHANGE.after, also=(OTHER,), prepare=_dead_elsewhere),
    Scenario("later fence", CHANGE.before, CHANGE.after, prepare=_later_fence),
    Scenario("collection", CHANGE.before, CHANGE.after, collects=True),
)
"""What it takes to come by the other points."""


@dataclass
class Tally:
    """What was done, and what went wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    points: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    missed: int = 0
    violations: list[str] = field(default_factory=list)

    def note(self, strike: Strike, what: str) -> None:
        self.kills[what] += 1
        if strike.who == "point":
            self.points.add(strike.what)
        else:
            self.calls[f"{strike.who} {strike.what}"] += 1


class Sweep:
    """Strikes many worlds."""

    def __init__(self, folder: Path, chance: random.Random, tally: Tally) -> None:
        self._folder, self._chance, self._tally = folder, chance, tally
        self._ways: dict[str, tuple[Rig, Strike]] = {}
        """A point by which a recovery comes, and where to kill so that it does."""

    def rig(self, scenario: Scenario, kind: str, layout: str) -> Rig:
        place: dict[str, Any] = {"layout": layout}
        if kind == "sftp":
            place |= {"kind": "sftp", "host": "127.0.0.1", "user": "anybody", "key": "/nonexistent"}
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        return Rig(World(folder, scenario, place))

    def points(self, rig: Rig, *, thorough: bool) -> None:
        """At each named point of the first run; `thorough`: also where another world was killed there already, at the last time that
        it is reached too, and each time at some point of the recovery.
        """
        reached = rig.points()
        self._tally.reached |= reached.keys()
        for point, times in reached.items():
            if thorough or point not in self._tally.points:
                for nth in sorted({1, times} if thorough else {1}):
                    self._at_point(rig, Strike("point", point, nth), again=thorough)

    def _at_point(self, rig: Rig, strike: Strike, *, again: bool) -> None:
        points = self._strike(rig, strike)
        for point in points or ():
            self._tally.reached.add(point)
            self._ways.setdefault(point, (rig, strike))
        if points and again:
            point = self._chance.choice(points)
            rig.restore_struck()
            self._again(rig, strike, Strike("point", point, self._chance.randint(1, points.count(point))))

    def points_of_recovery(self) -> None:
        """At those points by which only an engine comes that takes over from a dead one."""
        for point, (rig, strike) in self._ways.items():
            if point not in self._tally.points and self._strike(rig, strike) is not None:
                rig.restore_struck()
                self._again(rig, strike, Strike("point", point, 1))

    def calls(self, rig: Rig, strikes: Sequence[Strike], *, again: float) -> None:
        """At each of these system calls; in so many cases (0 to 1) once more, somewhere in the recovery."""
        for strike in strikes:
            twice = self._chance.random() < again
            if self._strike(rig, strike) is not None and twice and strike.who == "engine":
                self._somewhere_again(rig, strike)

    def _somewhere_again(self, rig: Rig, strike: Strike) -> None:
        rig.restore_struck()
        with self._watching(rig, f"{strike}, counted"):
            later = self._chance.choice(rig.calls())
            rig.restore_struck()
            self._again(rig, strike, later)

    def _strike(self, rig: Rig, strike: Strike) -> list[str] | None:
        """One kill, then a last engine: the points that it came by; None if the place was not reached, or all went wrong."""
        with self._watching(rig, str(strike)):
            rig.world.reset()
            if not rig.strike(strike):
                self._tally.missed += 1
                return None
            self._tally.note(strike, "first run")
            rig.keep_struck()
            return rig.check()
        return None

    def _again(self, rig: Rig, first: Strike, later: Strike) -> None:
        with self._watching(rig, f"{first}, then {later}"):
            if not rig.strike(later):
                self._tally.missed += 1
                return
            self._tally.note(later, "recovery")
            self._tally.reached |= set(rig.check())

    def _watching(self, rig: Rig, where: str) -> "_Watching":
        return _Watching(self._tally, f"{rig.world.settings.targets['origin'].kind}, {rig.world.scenario.name}: {where}")


class _Watching:
    """Turns a violation into a line."""

    def __init__(self, tally: Tally, where: str) -> None:
        self._tally, self._where = tally, where

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, Violation):
            self._tally.violations.append(f"{self._where}: {error}")
            print(f"VIOLATION {self._where}: {error}", flush=True)
            return True
        return False


def sweep(folder: Path, chance: random.Random, *, kills: int | None, say: Callable[[str], None]) -> Tally:
    """The named points, then the system calls, so many kills in all. None: everywhere."""
    tally = Tally()
    work = Sweep(folder, chance, tally)
    rigs = [work.rig(scenario, kind, layout) for layout in LAYOUTS for kind in KINDS for scenario in SCENARIOS]
    odd = [work.rig(scenario, "local", layout) for layout in LAYOUTS for scenario in ODD]
    for rig in (*rigs, *odd):
        work.points(rig, thorough=kills is None)
    work.points_of_recovery()
    say(f"named points: {sum(tally.kills.values())} kills at {len(tally.points)} of {len(POINTS)} points")
    barred = may_trace(folder)
    if barred:
        say(f"SYSTEM CALLS NOT SWEPT: {barred}; the named points alone were")
        if os.environ.get("CI") == "true":
            tally.violations.append(f"system calls cannot be swept: {barred}")
    else:
        _sweep_calls(work, rigs, kills, say)
    _check_points(tally)
    return tally


def _sweep_calls(work: Sweep, rigs: Sequence[Rig], kills: int | None, say: Callable[[str], None]) -> None:
    left = None if kills is None else max(0, kills - sum(work._tally.kills.values()))
    for rig, share in _shares(rigs, left):
        rig.world.reset()
        strikes = rig.calls()
        rig.world.reset()
        strikes += rig.server_calls()
        if share is not None:
            strikes = _some(strikes, share, work._chance)
        work.calls(rig, strikes, again=0.25)
        kind, name = rig.world.settings.targets["origin"].kind, rig.world.scenario.name
        say(f"{kind}, {name}: {len(strikes)} system calls; {sum(work._tally.kills.values())} kills so far")


def _some(strikes: Sequence[Strike], count: int, chance: random.Random) -> list[Strike]:
    """So many at random, of each system call about as many."""
    kinds: dict[tuple[str, str], list[Strike]] = {}
    for strike in chance.sample(strikes, len(strikes)):
        kinds.setdefault((strike.who, strike.what), []).append(strike)
    in_turn = [strike for round_ in itertools.zip_longest(*kinds.values()) for strike in round_ if strike is not None]
    return sorted(in_turn[:count], key=strikes.index)


def _shares(rigs: Sequence[Rig], left: int | None) -> Iterator[tuple[Rig, int | None]]:
    for rig in rigs:
        # A quarter of them kill twice.
        yield rig, None if left is None else -(-left * 4 // (5 * len(rigs)))


def _check_points(tally: Tally) -> None:
    for point in sorted(POINTS - tally.points):
        tally.violations.append(
            f"no run was killed at the point {point!r}: " + ("missed" if point in tally.reached else "never reached")
        )
    tally.violations += [f"a point that is not in the list: {point!r}" for point in sorted(tally.reached - POINTS)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, help="about so many, chosen at random beyond the named points; default: everywhere")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kill-sweep-", dir=folder_for_worlds()) as folder:
        tally = sweep(Path(folder), random.Random(wanted.seed), kills=wanted.kills, say=lambda line: print(line, flush=True))
    for line in tally.violations:
        print(f"VIOLATION {line}")
    print("by call: " + ", ".join(f"{name} {count}" for name, count in sorted(tally.calls.items())))
    print(
        f"{sum(tally.kills.values())} kills ({tally.kills['first run']} in the first run, {tally.kills['recovery']} in the recovery), "
        f"{len(tally.points)} of {len(POINTS)} named points, {tally.missed} places not reached again, "
        f"{time.monotonic() - began:.0f} s, {len(tally.violations)} violations"
    )
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
