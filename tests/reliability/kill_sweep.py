"""Kill an engine everywhere, and see that the next one makes all good: `make kill-sweep`.

Every named point of the commit protocol, the queue and the content store; every system call of a publish that may change something,
in the engine, in OpenSSH's sftp-server and in the program that takes a stream; in the first run, and again in the run that recovers from a kill. Whatever was killed,
a last engine must leave exactly the tree, the modes, the times, the slip, the record and the queue of an undisturbed run.
"""

import argparse
import itertools
import logging
import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import text

from config import Secrets
from database import Claims, Intake, Lane, Leases, renew_queue_id
from reliability.kill_strikes import Sweep, Tally
from reliability.side_by_side import WHOLE, Share, add_arguments, in_jobs
from support.compiled import compiled_once
from support.kill_points import ANYWHERE, POINTS
from support.kill_rig import Rig, Strike, folder_for_worlds
from support.killing import may_trace
from support.sweep_world import AFTER, BEFORE, CHANGE, FIRST, OTHER, URL, WITHDRAW, Scenario, World
from targets import open_target

LAYOUTS = ("ordered", "versioned")
KINDS = ("local", "sftp", "stream")
AGAIN = 0.25
"""How many of the kills at a system call are followed by one in the recovery."""
MANY = 1000
"""Kills from which on each named point has its turn in each kind of target, not only in each layout; and those of the queue, the
store and a task in each layout too, not only in one.
"""


def _dead_elsewhere(world: World) -> None:
    """An engine of another machine died with a task in hand, and its lease is over."""
    world.insert(OTHER, "PUBLISH")
    with closing(world.database) as database:
        leases = Leases(database)
        engine = leases.register("STAGING", "elsewhere", "boot", 1, 3600, "test")
        Intake(database).accept(world.settings)
        claims = Claims(database)
        claims.start(engine, claims.claim(engine, [Lane("origin", 1)]))
        over = text("UPDATE engine SET lease_until = '2000-01-01 00:00:00.000000' WHERE start = :start")
        database.change(lambda connection: connection.execute(over, {"start": engine.start}))


def _another_queue(world: World) -> None:
    """The database was lost: a new queue, whose counter begins low, adopted targets whose tokens are later."""
    with closing(world.database) as database:
        queue = renew_queue_id(database)
        database._queue_id = None
        database.change(lambda connection: connection.execute(text("UPDATE counter SET value = 0 WHERE name = 'fence'")))
    for name in ("origin", "area"):
        open_target(name, world.settings, secrets=Secrets({})).adopt(queue)


def _and_back(world: World) -> None:
    """A release later, the module at the source is again as it was."""
    world.write(URL, AFTER)
    world.insert(URL, "PUBLISH")
    world.run()
    world.write(URL, BEFORE)


SCENARIOS = (FIRST, CHANGE, WITHDRAW)
ODD = (
    Scenario("republish", CHANGE.before, CHANGE.after, "REPUBLISH", also=(OTHER,), url="/", counted=True),
    Scenario("rescue", CHANGE.before, CHANGE.after, also=(OTHER,), prepare=_dead_elsewhere, counted=True, mourned=True),
    Scenario("another queue", CHANGE.before, CHANGE.after, prepare=_another_queue, counted=True),
    Scenario("collection", CHANGE.before, CHANGE.after, collects=True),
)
"""What it takes to come by the other points."""
BACK = Scenario(
    "back to a release that stands", BEFORE, None, prepare=_and_back, more={"layout": "versioned", "keep_releases": 2}
)


@dataclass(frozen=True, slots=True)
class Part:
    """One world of the sweep."""

    scenario: Scenario
    kind: str
    layout: str
    calls: bool
    """Whether the system calls are swept too, or the named points alone."""

    def rig(self, folder: Path) -> Rig:
        place: dict[str, Any] = {"layout": self.layout}
        if self.layout == "versioned":
            # So that the release before expires.
            place["keep_releases"] = 1
        if self.kind != "local":
            place |= {"kind": "sftp", "host": "127.0.0.1", "user": "anybody", "key": "/nonexistent", "transfer": self.kind}
        if (self.kind, self.layout) == ("stream", "ordered"):
            # So that the switch goes in one flight.
            place["durability"] = "none"
        # What a holding area is given does not depend on how the origin is reached; its tasks are swept where that is a folder.
        return Rig(World(Path(tempfile.mkdtemp(dir=folder)), self.scenario, place, delivers=self.kind == "local"))

    def __str__(self) -> str:
        return f"{self.kind}, {self.layout}, {self.scenario.name}"


PARTS = (
    *(Part(scenario, kind, layout, calls=True) for scenario in SCENARIOS for kind in KINDS for layout in LAYOUTS),
    *(Part(BACK, kind, "versioned", calls=True) for kind in KINDS),
    *(Part(scenario, "local", "ordered", calls=False) for scenario in ODD),
)


SMALL = tuple(part for part in PARTS if part.kind != "stream" or (part.scenario, part.layout) == (CHANGE, "ordered"))
"""Where few kills are wanted: a stream differs from SFTP in its server alone."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How much is wanted: so many kills (None: everywhere), until a moment on the monotonic clock.

    `share`: of the places; the first one has the named points as well.
    """

    kills: int | None
    until: float
    seed: int
    share: Share = WHOLE

    @property
    def thorough(self) -> bool:
        return self.kills is None


def sweep(folder: Path, parts: Sequence[Part], wish: Wish) -> Tally:
    """The named points of these parts, then the system calls."""
    tally, chance = Tally(), random.Random(wish.seed)
    few = wish.kills is not None and wish.kills < MANY
    work = Sweep(chance, tally, wish.until, once=ANYWHERE if few else frozenset())
    rigs = [(part, part.rig(folder)) for part in parts]
    for part, rig in rigs:
        rig.sort = part.layout if few else f"{part.kind}, {part.layout}"
        if wish.share.number == 1:
            work.points(rig)
    work.points_of_recovery()
    print(f"named points: {sum(tally.kills.values())} kills at {len(tally.points)} of {len(POINTS)}", flush=True)
    places = [place for part, rig in rigs for place in _points(rig)] if wish.kills is None else []
    if barred := may_trace(folder):
        print(f"SYSTEM CALLS NOT SWEPT: {barred}; the named points alone were", flush=True)
        if os.environ.get("CI") == "true":
            tally.violations.append(f"system calls cannot be swept: {barred}")
    else:
        places += _calls([(part, rig) for part, rig in rigs if part.calls], wish.kills, tally, chance)
    places = wish.share.of(places)
    # So that one that has no time for all sees something of each.
    chance.shuffle(places)
    work.everywhere(places, again=AGAIN)
    return tally


def _points(rig: Rig) -> list[tuple[Rig, Strike]]:
    """Each named point, the first and the last time that it is reached."""
    return [(rig, Strike("point", point, nth)) for point, times in rig.points.items() for nth in sorted({1, times})]


def _calls(rigs: Sequence[tuple[Part, Rig]], kills: int | None, tally: Tally, chance: random.Random) -> list[tuple[Rig, Strike]]:
    """Every system call of each; where only so many kills are wanted, so many that they come to about that."""
    found = []
    left = None if kills is None else max(0, kills - sum(tally.kills.values()))
    for part, rig in rigs:
        rig.world.reset()
        strikes = [*rig.calls(), *rig.server_calls()]
        some = strikes if left is None else _some(strikes, math.ceil(left / len(rigs) / (1 + AGAIN)), chance)
        print(f"{part}: {len(some)} of {len(strikes)} system calls", flush=True)
        found += [(rig, strike) for strike in some]
    return found


def _some(strikes: Sequence[Strike], count: int, chance: random.Random) -> list[Strike]:
    """So many at random, of each system call about as many."""
    kinds: dict[tuple[str, str], list[Strike]] = {}
    for strike in chance.sample(strikes, len(strikes)):
        kinds.setdefault((strike.who, strike.what), []).append(strike)
    in_turn = [strike for round_ in itertools.zip_longest(*kinds.values()) for strike in round_ if strike is not None]
    return sorted(in_turn[:count], key=strikes.index)


def in_parts(folder: Path, wish: Wish, jobs: int) -> Tally:
    """The parts dealt out to so many processes."""
    tally, kills = Tally(), None if wish.kills is None else wish.kills // jobs
    wishes = [replace(wish, seed=wish.seed + job, kills=kills) for job in range(jobs)]
    parts = _by_layout(SMALL) if wish.kills is not None and wish.kills < MANY else PARTS
    shares = [[part for part in parts[job::jobs] if part] for job in range(jobs)]
    in_jobs(folder, [partial(sweep, folder, share, own) for share, own in zip(shares, wishes, strict=True)], tally)
    return tally


def _by_layout(parts: Sequence[Part]) -> Sequence[Part | None]:
    """Layouts in turn, so that of two processes each has one of them: both would kill at each of its points."""
    alike = ([part for part in parts if part.layout == layout] for layout in LAYOUTS)
    return [part for one_of_each in itertools.zip_longest(*alike) for part in one_of_each]


def _check_points(tally: Tally) -> None:
    for point in sorted(POINTS - tally.points):
        tally.violations.append(
            f"no run was killed at the point {point!r}: " + ("missed" if point in tally.reached else "never reached")
        )
    tally.violations += [f"a point that is not in the list: {point!r}" for point in sorted(tally.reached - POINTS)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, help="about so many, chosen at random beyond the named points; default: everywhere")
    add_arguments(parser)
    wanted = parser.parse_args()
    if wanted.share != WHOLE and wanted.kills is not None:
        parser.error("--share is a share of the whole walk: it goes without --kills")
    print(f"seed {wanted.seed}", flush=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.monotonic()
    wish = Wish(wanted.kills, began + 60 * wanted.minutes, wanted.seed, wanted.share)
    with compiled_once(), tempfile.TemporaryDirectory(prefix="kill-sweep-", dir=folder_for_worlds()) as folder:
        tally = in_parts(Path(folder), wish, wanted.jobs)
    if wanted.share.number == 1:
        _check_points(tally)
    for line in tally.violations:
        print(f"VIOLATION {line}")
    print("by call: " + ", ".join(f"{name} {count}" for name, count in sorted(tally.calls.items())))
    print(
        f"{sum(tally.kills.values())} kills ({tally.kills['first run']} in the first run, {tally.kills['recovery']} in the recovery), "
        f"{len(tally.points)} of {len(POINTS)} named points, no time for {tally.left} places, {tally.missed} places not reached again, "
        f"{time.monotonic() - began:.0f} s, {len(tally.violations)} violations"
    )
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
