"""Let any call fail, and see that nothing is lost: `make fail-sweep`.

Each call of each call site, to a file, to an SFTP server, to the program that takes a stream, to the CMS over HTTP, to an object store or to the database, fails: once,
and from then on, there or everywhere. After one failure a task ends well by itself, or FAILED or HELD with a sentence where a
person must act; while calls go on failing, nothing is torn and no task is lost; and once they work again everything comes to be
as an undisturbed run leaves it. Then the calls fail that only the recovery from a failure makes.
"""

import argparse
import itertools
import logging
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from database import transactions
from reliability import fail_calls
from reliability.fail_case import KINDS, Case, Strike, Tally
from reliability.side_by_side import WHOLE, Share, add_arguments, in_jobs
from support import mariadb
from support.injector import Lasting, Spot
from support.kill_rig import folder_for_worlds
from support.sweep_places import BUCKET, BucketWorld, MariaWorld
from support.sweep_world import CHANGE, FIRST, WITHDRAW, Scenario, World

VERSIONED = {"layout": "versioned", "keep_releases": 1}
SFTP = {"kind": "sftp", "host": "127.0.0.1", "user": "anybody", "key": "/nonexistent", "transfer": "sftp"}
STREAM = SFTP | {"transfer": "stream"}
QUICK = {"durability": "none"}
"""Only then the whole switch goes in one flight."""
GROUP = {"kind": "group", "members": ["web1", "web2"]}
SCENARIOS = (FIRST, CHANGE, WITHDRAW)
PLACES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "file": ({}, VERSIONED),
    "sftp": (SFTP, SFTP | VERSIONED),
    "stream": (STREAM, STREAM | QUICK, STREAM | VERSIONED),
    "group": (GROUP,),
    "s3": (BUCKET,),
}
SAMPLED = frozenset({"mariadb"})
"""Kinds of which a walk takes the first call of each site alone: the same statements are walked along on SQLite."""
DELIVERED = frozenset({"file", "database"})
"""Kinds in whose worlds a holding area is served too. Elsewhere its tasks, on local files, would be swept once more."""
SYSTEM_CALLS = "syscall"
"""What strace lets fail, in the engine and in its SFTP server."""
TRIES = 3
"""For a call that is not made again; engines poll a little less or more often each time."""


@dataclass(frozen=True, slots=True)
class Part:
    """One world of the sweep, and what fails there."""

    kind: str
    scenario: Scenario
    place: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}, {self.place.get('layout', 'ordered')}, {self.scenario.name}"


def parts_of(kinds: Collection[str]) -> list[Part]:
    """Files, SFTP and streams in both layouts. An unpublish asks no CMS."""
    return [
        Part(kind, scenario, place)
        for kind in KINDS
        for scenario in SCENARIOS
        for place in PLACES.get(kind, ({},))
        if kind in kinds and (kind != "http" or scenario is not WITHDRAW)
    ]


@dataclass(frozen=True, slots=True)
class Wish:
    """How much is wanted: about so many calls (None: every one), until a moment on the monotonic clock."""

    calls: int | None
    until: float
    seed: int
    every_way: bool = False
    """Whether each call fails in each way; otherwise in one, in turn, and the first of each site in each."""
    sites: bool = False
    """Whether the first call of each site is enough, wherever that is come by first."""
    share: Share = WHOLE
    """Of the strikes of a walk."""


def sweep(folder: Path, parts: Sequence[Part], wish: Wish) -> Tally:
    """Every call of these parts, or about so many; then those that only recoveries make."""
    tally, chance = Tally(), random.Random(wish.seed)
    share = None if wish.calls is None else max(1, wish.calls // len(parts))
    with ExitStack() as stack:
        for part in parts:
            world = _world(folder, part, stack)
            with closing(Case(world, part.kind, tally)) as case:
                wanted = _chosen(case, wish, share, chance)
                before = tally.injected.total()
                _strike_all(case, wanted, wish, tally)
            print(f"{part}: {tally.injected.total() - before} failures at {len(case.spots)} calls", flush=True)
    return tally


def _world(folder: Path, part: Part, stack: ExitStack) -> World:
    below = Path(tempfile.mkdtemp(dir=folder))
    match part.kind:
        case "mariadb":
            return MariaWorld(below, part.scenario, part.place, stack.enter_context(_mariadb()))
        case "s3":
            return BucketWorld(below, part.scenario, part.place)
        case _:
            return World(below, part.scenario, part.place, delivers=part.kind in DELIVERED)


@contextmanager
def _mariadb() -> Iterator[mariadb.Server]:
    programs = [shutil.which(name, path=mariadb.PATH) for name in ("mariadbd", "mariadb-install-db")]
    if None in programs:
        mariadb.missing("mariadbd is not installed: apt-get install mariadb-server")
    with tempfile.TemporaryDirectory(prefix="slipway-mariadb-", ignore_cleanup_errors=True) as folder:
        yield from mariadb._serve(str(programs[0]), str(programs[1]), Path(folder))


def _chosen(case: Case, wish: Wish, share: int | None, chance: random.Random) -> list[Strike]:
    if wish.sites:
        return list(_new_sites(case))
    return wish.share.of(_walk(case, wish)) if share is None else _some(case, share, chance)


def _new_sites(case: Case) -> Iterator[Strike]:
    """The first call of each site at which nothing has failed yet, once and with everything after it."""
    fresh = [spot for spot in case.spots if spot.nth == 1 and not case.was_hit(spot)]
    for number, spot in enumerate(fresh):
        ways = case.ways(spot)
        yield Strike((spot,), ways[number % len(ways)])
        yield Strike((spot,), ways[(number + 1) % len(ways)], Lasting.ALL)


def _walk(case: Case, wish: Wish) -> Iterator[Strike]:
    """Every call, once and with everything after it; the first of each site in each way, and in each with all later ones there."""
    turn = itertools.count()
    for spot in case.spots:
        ways = case.ways(spot)
        if spot.nth > 1 and case.kind in SAMPLED:
            continue
        for how in ways if wish.every_way or spot.nth == 1 else [ways[next(turn) % len(ways)]]:
            yield Strike((spot,), how)
            yield Strike((spot,), how, Lasting.ALL)
            if spot.nth == 1:
                yield Strike((spot,), how, Lasting.HERE)


def _some(case: Case, count: int, chance: random.Random) -> list[Strike]:
    """So many, of as many sites as there can be."""
    sites = list(dict.fromkeys(spot.site for spot in case.spots))
    chosen = chance.sample(sites, min(count, len(sites)))
    spots = [chance.choice([spot for spot in case.spots if spot.site == site]) for site in chosen]
    spots += chance.sample(case.spots, min(len(case.spots), count - len(spots)))
    return [Strike((spot,), chance.choice(case.ways(spot)), chance.choice(list(Lasting))) for spot in spots]


def _strike_all(case: Case, wanted: Sequence[Strike], wish: Wish, tally: Tally) -> None:
    """Each of them, and after it each call that only recoveries make."""
    tried: Counter[str] = Counter()
    for strike in wanted:
        if time.monotonic() > wish.until:
            return
        _strike(case, strike, tally)
        if strike.lasting is Lasting.ONCE:
            _strike_recoveries(case, strike, tried, tally)


def _strike_recoveries(case: Case, strike: Strike, tried: Counter[str], tally: Tally) -> None:
    """Each call that the run came by after this failure, and no run before it; then those that both lead to, and so on."""
    for name in sorted(case.came_by - tally.known - tally.hit):
        later = Spot(name.removeprefix(f"{case.kind}: "))
        tried[name] += 1
        # What leads there may fail in a way that this call cannot: then in whichever they share.
        ways = [how for how in case.ways(later) if how in case.ways(strike.spots[0])]
        if tried[name] <= TRIES and ways:
            same = case.fails_as(strike.how, later) in ways
            further = Strike((*strike.spots, later), strike.how if same else ways[0])
            _strike(case, further, tally)
            _strike_recoveries(case, further, tried, tally)


def _strike(case: Case, strike: Strike, tally: Tally) -> None:
    try:
        if not any(case.strike(strike) for _ in range(TRIES)):
            tally.missed += 1
            # What leads to a call of recoveries does not always.
            if len(strike.spots) == 1:
                raise AssertionError("this call was not made again")
    except Exception as error:
        tally.violations.append(f"{case}: {strike}: {type(error).__name__}: {error}")
        print(f"VIOLATION {tally.violations[-1]}", flush=True)


def in_parts(folder: Path, parts: Sequence[Part], wish: Wish, jobs: int) -> Tally:
    """The parts dealt out to so many processes."""
    tally, calls = Tally(), None if wish.calls is None else wish.calls // jobs
    shares = [(share, replace(wish, seed=wish.seed + job, calls=calls)) for job in range(jobs) if (share := parts[job::jobs])]
    in_jobs(folder, [partial(sweep, folder, share, own) for share, own in shares], tally)
    return tally


@contextmanager
def impatient() -> Iterator[None]:
    """How long a verb of the queue tries again is another test's business."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with mock.patch.multiple(transactions, TRIES=3, PATIENCE=0.1, SHORTEST=0.001, LONGEST=0.005):
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, help="about so many, of all sites; default: every one")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=[*KINDS, SYSTEM_CALLS],
        default=[*KINDS, SYSTEM_CALLS],
        help="what fails; default: all of them",
    )
    parser.add_argument("--sites", action="store_true", help="the first call of each site alone")
    parser.add_argument("--every-way", action="store_true", help="let each call fail in each way, not only the first of a site")
    add_arguments(parser)
    wanted = parser.parse_args()
    if wanted.share != WHOLE and (wanted.calls is not None or wanted.sites):
        parser.error("--share is a share of the whole walk: it goes without --calls and --sites")
    print(f"seed {wanted.seed}", flush=True)
    began = time.monotonic()
    wish = Wish(wanted.calls, began + 60 * wanted.minutes, wanted.seed, wanted.every_way, wanted.sites, wanted.share)
    with tempfile.TemporaryDirectory(prefix="fail-sweep-", dir=folder_for_worlds()) as folder, impatient():
        tally = in_parts(Path(folder), parts_of(wanted.kinds), wish, wanted.jobs)
        if SYSTEM_CALLS in wanted.kinds:
            each = None if wanted.calls is None else max(1, wanted.calls // len(fail_calls.PLACES))
            fail_calls.sweep_calls(
                Path(folder), fail_calls.Wanted(each, wish.until, random.Random(wanted.seed), wanted.share), tally
            )
    if wanted.calls is None and wanted.share.count == 1:
        tally.violations += [f"no call failed at {site}" for site in sorted(tally.met - tally.hit)]
    print("\n".join(f"VIOLATION {line}" for line in tally.violations))
    print("\n".join(f"  {name}: {count}" for name, count in sorted(tally.outcomes.items())))
    print(
        f"{tally.injected.total()} failures ({', '.join(f'{count} {how}' for how, count in sorted(tally.injected.items()))}) at "
        f"{len(tally.hit & tally.known)} of {len(tally.known)} call sites and {len(tally.hit - tally.known)} of "
        f"{len(tally.met - tally.known)} that only recoveries have, {tally.missed} calls not made again, "
        f"{time.monotonic() - began:.0f} s, {len(tally.violations)} violations"
    )
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
