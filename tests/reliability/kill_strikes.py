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
    again: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Sorts of worlds, and points and system calls: how often a recovery was killed there."""
    left: int = 0
    """Places for which there was no time."""
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
        self.again += other.again
        self.left += other.left
        self.missed += other.missed
        self.violations += other.violations


class Sweep:
    """Strikes many worlds, until a moment on the monotonic clock."""

    def __init__(self, chance: random.Random, tally: Tally, until: float = math.inf, once: frozenset[str] = frozenset()) -> None:
        """`once`: the points at which one kill is enough, in whatever sort of world."""
        self._chance, self._tally, self._until, self._once = chance, tally, until, once
        self._ways: dict[str, tuple[Rig, Strike]] = {}
        """A point by which a recovery comes, and where to kill so that it does."""

    def points(self, rig: Rig) -> None:
        """At each named point of the first run where no world of this sort was killed yet."""
        self._tally.reached |= rig.points.keys()
        for point in rig.points:
            done = point in self._tally.points if point in self._once else (rig.sort, point) in self._tally.places
            if not self._over and not done:
                self._at(rig, Strike("point", point, 1), again=False)

    def points_of_recovery(self) -> None:
        """At those points by which only an engine comes that takes over from a dead one."""
        for point, (rig, strike) in self._ways.items():
            if point in self._tally.points:
                continue
            with self._watching(rig, str(strike)):
                if self._first(rig, strike):
                    rig.keep_struck()
                    self._again(rig, strike, Strike("point", point, 1))

    def everywhere(self, strikes: Sequence[tuple[Rig, Strike]], *, again: float) -> None:
        """At each of these places. After a kill at a point, and in so many cases (0 to 1) after one at a system call, the recovery is
        killed as well.
        """
        for done, (rig, strike) in enumerate(strikes):
            if self._over:
                self._tally.left = len(strikes) - done
                return
            self._at(rig, strike, again=strike.who == "point" or self._chance.random() < again)
            if done % 200 == 199:
                print(f"{done + 1} of {len(strikes)} places, {sum(self._tally.kills.values())} kills", flush=True)

    @property
    def _over(self) -> bool:
        return time.monotonic() > self._until

    def _at(self, rig: Rig, strike: Strike, *, again: bool) -> None:
        with self._watching(rig, str(strike)):
            if not self._first(rig, strike):
                return
            if strike.who in {"server", "program"}:
                # The engine went on, and is done.
                rig.compare()
                return
            again = again and not rig.world.scenario.mourned
            if again:
                rig.keep_struck()
            places = self._look(rig, strike, calls=again and strike.who == "engine")
            if again:
                self._again(rig, strike, self._rarest(rig, places))

    def _look(self, rig: Rig, strike: Strike, *, calls: bool) -> list[Strike]:
        """A last engine makes all good; where it could be killed in its turn: at system calls, or at points."""
        if calls:
            return rig.check_calls()
        points = rig.check()
        for point in points:
            self._tally.reached.add(point)
            self._ways.setdefault(point, (rig, strike))
        return [Strike("point", point, points[: n + 1].count(point)) for n, point in enumerate(points)]

    def _rarest(self, rig: Rig, strikes: Sequence[Strike]) -> Strike:
        """One of those whose like was hit least often in a recovery so far."""
        times = {each.what: self._tally.again[rig.sort, each.what] for each in strikes}
        return self._chance.choice([each for each in strikes if times[each.what] == min(times.values())])

    def _again(self, rig: Rig, first: Strike, later: Strike) -> None:
        with self._watching(rig, f"{first}, then {later}"):
            rig.restore_struck()
            if self._kill(rig, later, "recovery"):
                self._tally.again[rig.sort, later.what] += 1
                self._tally.reached |= set(rig.check())

    def _first(self, rig: Rig, strike: Strike) -> bool:
        """The world as it was, and one kill; whether the place was reached."""
        rig.world.reset()
        return self._kill(rig, strike, "first run")

    def _kill(self, rig: Rig, strike: Strike, what: str) -> bool:
        if not rig.strike(strike):
            self._tally.missed += 1
            return False
        self._tally.note(strike, what, rig.sort)
        return True

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
