"""Kills in many worlds, one after the other, and the count of them."""

import math
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from support.kill_rig import Rig, Strike, Violation


@dataclass
class Tally:
    """What was done, and what went wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    points: set[str] = field(default_factory=set)
    places: set[tuple[str, str]] = field(default_factory=set)
    """Sorts of worlds, and the points at which one of them was killed."""
    reached: set[str] = field(default_factory=set)
    missed: int = 0
    """Places that the same task did not come by again."""
    violations: list[str] = field(default_factory=list)

    def note(self, strike: Strike, what: str, sort: str) -> None:
        self.kills[what] += 1
        if strike.who == "point":
            self.points.add(strike.what)
            self.places.add((sort, strike.what))
        else:
            self.calls[f"{strike.who} {strike.what}"] += 1

    def add(self, other: "Tally") -> None:
        self.kills += other.kills
        self.calls += other.calls
        self.points |= other.points
        self.places |= other.places
        self.reached |= other.reached
        self.missed += other.missed
        self.violations += other.violations


class Sweep:
    """Strikes many worlds, until a moment on the monotonic clock."""

    def __init__(self, chance: random.Random, tally: Tally, until: float = math.inf) -> None:
        self._chance, self._tally, self._until = chance, tally, until
        self._ways: dict[str, tuple[Rig, Strike]] = {}
        """A point by which a recovery comes, and where to kill so that it does."""

    def points(self, rig: Rig, sort: str, *, thorough: bool) -> None:
        """At each named point of the first run where no world of this sort was killed yet; `thorough`: in each world, also at the last
        time that the point is reached, and each time at some point of the recovery.
        """
        rig.sort = sort
        reached = rig.points()
        self._tally.reached |= reached.keys()
        for point, times in reached.items():
            if self._over or not (thorough or (sort, point) not in self._tally.places):
                continue
            for nth in sorted({1, times} if thorough else {1}):
                self._at_point(rig, Strike("point", point, nth), again=thorough)

    @property
    def _over(self) -> bool:
        return time.monotonic() > self._until

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
            if self._over:
                return
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
            self._tally.note(strike, "first run", rig.sort)
            rig.keep_struck()
            return rig.check()
        return None

    def _again(self, rig: Rig, first: Strike, later: Strike) -> None:
        with self._watching(rig, f"{first}, then {later}"):
            if not rig.strike(later):
                self._tally.missed += 1
                return
            self._tally.note(later, "recovery", rig.sort)
            self._tally.reached |= set(rig.check())

    def _watching(self, rig: Rig, where: str) -> "_Watching":
        return _Watching(self._tally, f"{rig.sort}, {rig.world.scenario.name}: {where}")


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
