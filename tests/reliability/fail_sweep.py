"""Let any call fail, and see that nothing is lost: `make fail-sweep`.

The Nth call to a file, to an SFTP server, to the CMS over HTTP or to the database fails, for every N, once and from then on. After one
failure a task ends well by itself, or FAILED or HELD with a sentence where a person must act; while calls go on failing, nothing is
torn and no task is lost; and once they work again everything comes to be as an undisturbed run leaves it.
"""

import argparse
import errno
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from config import Secrets, Settings
from database import DatabaseError, Desk, transactions
from engines.workshop import Seams
from support.failing import BROKEN, BUSY, FailingPipe, Injector, failing_database, failing_files
from support.http_cms import Cms, Fault
from support.kill_rig import folder_for_worlds
from support.sftp_pipe import plain
from support.straight_engine import Tooling
from support.sweep_world import CHANGE, FIRST, WITHDRAW, Scenario, Seen, World
from targets import Target, open_target

SHORT = 0.08
"""Seconds that an engine goes on while every call fails."""
LONG = 60.0
"""Seconds after which a run that nothing hinders any more counts as hanging."""
KINDS: Mapping[str, Sequence[str]] = {
    "file": ("ENOSPC", "EIO", "EACCES"),
    "sftp": ("refuse", "cut before", "cut after"),
    "database": (BUSY, BROKEN, "after"),
    "http": ("500", "reset", "cut"),
}
FOR_A_PERSON = frozenset({"FAILED", "HELD"})


@dataclass
class Tally:
    """What was done, and what came of it."""

    injected: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)
    hit: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    missed: int = 0
    """Calls that the run made no more: it polls a little less or more often each time."""


class Case:
    """One world, one kind of call, one way to fail."""

    def __init__(self, world: World, kind: str, how: str, tally: Tally) -> None:
        self.world, self.kind, self.how, self._tally = world, kind, how, tally
        self._cms = Cms(world.live / "site") if kind == "http" else None
        if self._cms is not None:
            world.settings = _from_http(world.settings, self._cms.url)
        self.injector = Injector()
        self.expected = self._undisturbed()

    def __str__(self) -> str:
        layout = self.world.settings.model_dump()["targets"]["origin"]["layout"]
        return f"{self.kind}, {self.how}, {layout}, {self.world.scenario.name}"

    def close(self) -> None:
        if self._cms is not None:
            self._cms.stop()

    def _undisturbed(self) -> Seen:
        self.world.reset()
        with self._failing():
            self.world.run(self._tooling())
        self._tally.known |= {f"{self.kind}: {site}" for site in self.injector.sites}
        return self.world.seen()

    def strike(self, nth: int, *, forever: bool) -> bool:
        """One injection, and everything that must hold after it; whether the call was made again. Raises AssertionError."""
        self.world.reset()
        before = self.world.trees()
        self.injector = Injector(nth, forever)
        with self._failing():
            gave_up = self._run()
        if gave_up:
            self.world.bury()
        if not self.injector.failed:
            self._tally.missed += 1
            return False
        self._tally.injected["for good" if forever else "once"] += 1
        self._tally.hit |= {f"{self.kind}: {site}" for site in self.injector.failed}
        # Lifted: what asks the injector later is told that nothing fails.
        self.injector.nth = 0
        self._check_between(before)
        self._converge()
        return True

    def _run(self) -> bool:
        """Whether the engine gave up, as it would if nothing got better; another one goes on."""
        injector = self.injector
        with closing(self.world.database):
            try:
                self.world.run(self._tooling(lambda: injector.forever and injector.failing_for(SHORT)))
            except DatabaseError:
                return True
            except TimeoutError:
                if not injector.forever:
                    raise
                return True
        return False

    def _check_between(self, before: Mapping[str, Any]) -> None:
        """Nothing visible is anything but what it was, or what it shall be; whatever is not done has a sentence."""
        for target, tree in self.world.trees().items():
            for path, leaf in tree.items():
                if leaf[0] == "file" and not path.endswith(("packageslip.xml", "release.xml")):
                    whole = {side.get(path, ("",) * 4)[3] for side in (before[target], self.expected.trees[target])}
                    assert leaf[3] in whole, f"{target}: {path} is torn"
        for state, reason, error in self.world.ends():
            self._tally.outcomes[f"{self.kind} {error or ''}: {state}"] += 1
            assert "fault of Slipway itself" not in reason, reason
            assert state not in FOR_A_PERSON or len(reason) > 20, f"{state} says only {reason!r}"

    def _converge(self) -> None:
        """With nothing failing any more; a person does again what waits for one."""
        again = [task for task, state in self.world.states().items() if state in FOR_A_PERSON]
        if again:
            assert self.how == "EACCES", "a failure that may pass by itself ended a task for good"
            with closing(self.world.database) as database:
                for task in again:
                    Desk(database).retry(task)
        self.world.run(self._tooling())
        seen = self.world.seen()
        wanted = ("trees", "slips", "residue", "recorded") if not again else ("residue", "recorded")
        for name in wanted:
            assert getattr(seen, name) == getattr(self.expected, name), f"{name} are not as they should be"
        _same_bytes(seen, self.expected)
        if not again:
            assert seen.tasks == self.expected.tasks, f"tasks ended as {seen.tasks}"

    @contextmanager
    def _failing(self) -> Iterator[None]:
        with ExitStack() as stack:
            match self.kind:
                case "file":
                    stack.enter_context(failing_files(self.injector, getattr(errno, self.how)))
                case "database":
                    stack.enter_context(failing_database(self.world.database, self.injector, self.how))
                case "http":
                    assert self._cms is not None
                    self._cms.before = self._http
                    stack.callback(self._mend_http)
            yield

    def _http(self, path: str) -> None:
        assert self._cms is not None
        self._cms.faults.pop(path, None)
        if self.injector.strikes("GET", path.rpartition("/")[2] or path):
            faults = {"500": Fault(status=500, body=b""), "reset": Fault(cut=0), "cut": Fault(cut=1)}
            self._cms.faults[path] = faults[self.how]

    def _mend_http(self) -> None:
        assert self._cms is not None
        self._cms.before = lambda _: None
        self._cms.faults.clear()

    def _tooling(self, enough: Callable[[], bool] = lambda: False) -> Tooling:
        def opened(name: str, settings: Settings, secrets: Secrets) -> Target:
            target = open_target(name, settings, secrets=secrets)
            if settings.targets[name].kind == "sftp":
                wrapped = plain(wrap=lambda pipe: FailingPipe(pipe, self.injector, self.how))
                target._disk._connecting = wrapped  # type: ignore[attr-defined]
            return target

        return Tooling(Seams(opened), patience=LONG, enough=enough)


def _same_bytes(seen: Seen, expected: Seen) -> None:
    """Also where another row of the queue did it, whose serial is another."""
    slips = ("packageslip.xml", "release.xml")
    for target, tree in expected.trees.items():
        ours = {path: leaf for path, leaf in seen.trees[target].items() if not path.endswith(slips)}
        assert ours == {path: leaf for path, leaf in tree.items() if not path.endswith(slips)}, target


def _from_http(settings: Settings, url: str) -> Settings:
    table = settings.model_dump(mode="json")
    table["sources"] = {"cms": {"kind": "http", "url": url, "retries": 0, "connect_timeout": 5, "read_timeout": 5}}
    return Settings.model_validate(table)


@dataclass(frozen=True, slots=True)
class Part:
    """One world of the sweep, and the ways to fail that it is for."""

    kind: str
    scenario: Scenario
    place: Mapping[str, Any]
    ways: Sequence[str]

    def __str__(self) -> str:
        return f"{self.kind}, {self.place.get('layout', 'ordered')}, {self.scenario.name}"


VERSIONED = {"layout": "versioned", "keep_releases": 1}
SFTP = {"kind": "sftp", "host": "127.0.0.1", "user": "anybody", "key": "/nonexistent"}
SCENARIOS = (FIRST, CHANGE, WITHDRAW)


def parts_of(kinds: Collection[str]) -> list[Part]:
    """Files and SFTP in both layouts, the others in one. An unpublish asks no CMS."""
    places: Mapping[str, Sequence[Mapping[str, Any]]] = {"file": ({}, VERSIONED), "sftp": (SFTP, SFTP | VERSIONED)}
    return [
        Part(kind, scenario, place, ways)
        for kind, ways in KINDS.items()
        for scenario in SCENARIOS
        for place in places.get(kind, ({},))
        if kind in kinds and (kind != "http" or scenario is not WITHDRAW)
    ]


@dataclass(frozen=True, slots=True)
class Wish:
    """How much is wanted: about so many calls (None: every one), until a moment on the monotonic clock."""

    calls: int | None
    until: float
    chance: random.Random
    sites: bool = True
    """Whether each call site has its turn, however few calls are wanted."""


def sweep(folder: Path, parts: Sequence[Part], wish: Wish) -> Tally:
    """Every call, or about so many of them, each site among them."""
    tally = Tally()
    count = sum(len(part.ways) for part in parts)
    for part in parts:
        world = World(Path(tempfile.mkdtemp(dir=folder)), part.scenario, part.place)
        for how in part.ways:
            with closing(Case(world, part.kind, how, tally)) as case:
                for nth, forever in _chosen(case, wish, count, tally):
                    if time.monotonic() < wish.until:
                        _strike(case, nth, forever=forever, tally=tally)
        print(f"{part}: {tally.injected.total()} so far", flush=True)
    return tally


def _chosen(case: Case, wish: Wish, parts: int, tally: Tally) -> list[tuple[int, bool]]:
    """Numbers of calls, and whether all after them fail too."""
    sites, chance = list(case.injector.sites), wish.chance
    if wish.calls is None:
        return [(nth, forever) for nth in range(1, len(sites) + 1) for forever in (False, True)]
    fresh: dict[str, int] = {}
    for nth, site in enumerate(sites, 1):
        if wish.sites and f"{case.kind}: {site}" not in tally.hit:
            fresh.setdefault(site, nth)
    others = chance.sample(range(1, len(sites) + 1), min(len(sites), max(0, wish.calls // parts - len(fresh))))
    return [(nth, chance.random() < 0.5) for nth in sorted({*fresh.values(), *others})]


def _strike(case: Case, nth: int, *, forever: bool, tally: Tally) -> None:
    where = f"{case}, call {nth}{' and all after it' if forever else ''}"
    try:
        any(case.strike(nth, forever=forever) for _ in range(3))
    except Exception as error:
        site = case.injector.failed[:1]
        tally.violations.append(f"{where} {site}: {type(error).__name__}: {error}")
        print(f"VIOLATION {tally.violations[-1]}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, help="about so many, each site among them; default: every one")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="what fails; default: all of them")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin nothing new after so many")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="fail-sweep-", dir=folder_for_worlds()) as folder,
        # How long a verb tries again is another test's business.
        mock.patch.multiple(transactions, TRIES=3, PATIENCE=0.1),
    ):
        wish = Wish(wanted.calls, began + 60 * wanted.minutes, random.Random(wanted.seed))
        tally = sweep(Path(folder), parts_of(wanted.kinds), wish)
    tally.violations += [f"no call failed at {site}" for site in sorted(tally.known - tally.hit)]
    print("\n".join(f"VIOLATION {line}" for line in tally.violations if line.startswith("no call")))
    print("\n".join(f"  {name}: {count}" for name, count in sorted(tally.outcomes.items())))
    print(
        f"{tally.injected.total()} failures ({tally.injected['once']} once, {tally.injected['for good']} from then on) at "
        f"{len(tally.hit & tally.known)} of {len(tally.known)} call sites and {len(tally.hit - tally.known)} that only recoveries have, "
        f"{tally.missed} calls not made again, {time.monotonic() - began:.0f} s, {len(tally.violations)} violations"
    )
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
