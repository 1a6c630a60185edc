"""Explore the models of the commit protocol and of groups in configurations that are too large for every run of the tests.

Prints how many states each has, the sum last; a promise that does not hold is told with the shortest history that leads to
what breaks it, and ends with 1.
"""

import sys
import time
from collections.abc import Callable, Mapping

from support import grace_model, group_exploration, newborn_exploration, protocol_exploration, versioned_exploration
from support.group_exploration import GroupExploration
from support.newborn_exploration import Newborns
from support.protocol_exploration import Broken, Exploration
from support.versioned_exploration import VersionedExploration

RUNS: Mapping[str, Callable[[], int]] = {
    "one member: two engines, two claims, three goals, a lost database": lambda: Exploration(2, (0, 2, 3)).run(
        protocol_exploration.begin(claims=2, losses=1, published=1)
    ),
    "one member: one engine after another, three claims, a lost database": lambda: Exploration(1, (0, 2)).run(
        protocol_exploration.begin(claims=3, losses=1, published=1)
    ),
    "first publication: two engines, two claims, somebody who makes the folder": lambda: Newborns(
        2, (1, 2), intruders=("L/foreign",)
    ).run(newborn_exploration.begin(claims=2)),
    "first publication: one engine after another, three claims, a lost database": lambda: Newborns(1, (1, 2)).run(
        newborn_exploration.begin(claims=3, losses=1)
    ),
    "group, all of three: two engines, two claims, one answer missing": lambda: GroupExploration(3).run(
        group_exploration.begin(members=3, claims=2, downs=1)
    ),
    "group, two of three: two engines, two claims": lambda: GroupExploration(2).run(
        group_exploration.begin(members=3, claims=2, downs=0)
    ),
    "group, two of three: one engine after another, two claims, one answer missing": lambda: GroupExploration(2, slots=1).run(
        group_exploration.begin(members=3, claims=2, downs=1)
    ),
    "group, all of two: one engine after another, three claims, one answer missing": lambda: GroupExploration(
        2, slots=1, goals=(2,)
    ).run(group_exploration.begin(members=2, claims=3, downs=1)),
    "versioned: two engines, two claims, any task": lambda: VersionedExploration(2, (0, 1, 2, 3)).run(
        versioned_exploration.begin(claims=2, losses=0, published=(2, 1))
    ),
    "versioned: one engine after another, three claims, a lost database": lambda: VersionedExploration(1, (0, 2)).run(
        versioned_exploration.begin(claims=3, losses=1, published=(3, 1))
    ),
    "grace: one engine after another, three claims": lambda: grace_model.Exploration().run(grace_model.begin(claims=3, ticks=4)),
}


def main() -> int:
    total = 0
    for name, run in RUNS.items():
        started = time.monotonic()
        try:
            states = run()
        except Broken as broken:
            print(f"{name}: {broken}")
            return 1
        total += states
        print(f"{name}: {states} states, {time.monotonic() - started:.0f} s", flush=True)
    print(f"{total} states, 0 violations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
