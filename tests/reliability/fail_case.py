"""One world of the fail sweep: let a call fail there, and see that nothing is lost."""

import errno
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from config import Secrets, Settings
from database import DatabaseError, Desk
from engines.workshop import Seams
from support.failing import (
    BROKEN,
    BUSY,
    DEADLOCK,
    GONE,
    LATER,
    READS,
    FailingPipe,
    FailingStore,
    failing_database,
    failing_files,
    noting_askers,
)
from support.http_cms import Cms, Fault
from support.injector import Injector, Lasting, Spot, call_of
from support.s3_memory import MemoryClient
from support.sftp_pipe import SocketPipe, plain
from support.straight_engine import Tooling
from support.stream_faults import FailingProgram, is_program
from support.sweep_places import BESIDE, BucketWorld
from support.sweep_world import Seen, World
from targets import Target, open_target

SHORT = 0.08
"""Seconds that an engine goes on while calls fail for good."""
LONG = 60.0
"""Seconds after which a run that nothing hinders any more counts as hanging."""
FILES = ("ENOSPC", "EIO", "EACCES")
KINDS: Mapping[str, Sequence[str]] = {
    "file": FILES,
    "group": FILES,
    "sftp": ("refuse", "cut before", "cut after"),
    "stream": ("refuse", "cut before", "cut after"),
    "s3": ("refuse", "cut before", "cut after"),
    "http": ("500", "reset", "cut"),
    "database": (BUSY, BROKEN, BROKEN + LATER),
    "mariadb": (DEADLOCK, GONE, GONE + LATER),
}
"""What fails, and how."""
FOR_A_PERSON = frozenset({"FAILED", "HELD"})


def fits(how: str, call: str) -> bool:
    """Whether a call can fail in this way: no read finds a disk full, and only a commit can be done and its answer lost."""
    return not (how == "ENOSPC" and call in READS) and (call == "commit" or not how.endswith(LATER))


@dataclass
class Tally:
    """What was done, and what came of it."""

    injected: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)
    """Sites of undisturbed runs."""
    hit: set[str] = field(default_factory=set)
    """Sites where a call failed."""
    met: set[str] = field(default_factory=set)
    """Sites that were come by at all, some of them only by the recovery from others."""
    violations: list[str] = field(default_factory=list)
    missed: int = 0
    """Calls that a run made no more, though it was to fail."""

    def add(self, other: "Tally") -> None:
        self.injected += other.injected
        self.outcomes += other.outcomes
        self.known |= other.known
        self.hit |= other.hit
        self.met |= other.met
        self.violations += other.violations
        self.missed += other.missed


@dataclass(frozen=True, slots=True)
class Strike:
    """What is to fail, how, and for how long. Of several spots each is one that those before it lead to."""

    spots: tuple[Spot, ...]
    how: str
    lasting: Lasting = Lasting.ONCE

    def __str__(self) -> str:
        return f"{' and then '.join(map(str, self.spots))}, {self.how}, {self.lasting.value}"


class Case:
    """One world, one kind of call."""

    def __init__(self, world: World, kind: str, tally: Tally) -> None:
        self.world, self.kind, self._tally = world, kind, tally
        self.how = KINDS[kind][-1]
        self._cms = Cms(world.live / "site") if kind == "http" else None
        if self._cms is not None:
            world.settings = _from_http(world.settings, self._cms.url)
        self.injector = Injector()
        self.expected = self._undisturbed()
        self.spots = self.injector.listed()
        """Every call of an undisturbed run."""
        self.came_by = self._named(self.injector.counts)
        """The sites that the last run came by, in which something failed."""

    def __str__(self) -> str:
        layout = self.world.settings.model_dump()["targets"]["origin"].get("layout", "")
        return f"{self.kind}, {layout}, {self.world.scenario.name}"

    def close(self) -> None:
        if self._cms is not None:
            self._cms.stop()

    def ways(self, spot: Spot) -> list[str]:
        """How this call can fail."""
        return [how for how in KINDS[self.kind] if fits(how, call_of(spot.site))]

    def fails_as(self, how: str, spot: Spot) -> str:
        """How this call fails after one that failed so: only of a commit the answer alone can be lost."""
        return how if how in self.ways(spot) else how.removesuffix(LATER)

    def was_hit(self, spot: Spot) -> bool:
        """Whether a call of this site has failed before, in whatever world."""
        return f"{self.kind}: {spot.site}" in self._tally.hit

    def _undisturbed(self) -> Seen:
        self.world.reset()
        with self._failing():
            self.world.run(self._tooling())
        self._tally.known |= self._named(self.injector.counts)
        self._tally.met |= self._named(self.injector.counts)
        return self.world.seen()

    def _named(self, sites: Mapping[str, int] | Sequence[str]) -> set[str]:
        return {f"{self.kind}: {site}" for site in sites}

    def strike(self, strike: Strike) -> bool:
        """One injection, and everything that must hold after it; whether every call was made again. Raises AssertionError."""
        self.world.reset()
        before = self.world.trees()
        self.how = strike.how
        after = len(strike.spots) > 1
        self.injector = Injector(
            strike.spots,
            strike.lasting,
            lambda call: fits(strike.how, call) or (after and fits(strike.how.removesuffix(LATER), call)),
        )
        with self._failing():
            gave_up = self._run()
        if gave_up:
            self.world.bury()
        self.came_by = self._named(self.injector.counts)
        if strike.lasting is Lasting.ONCE:
            self._tally.met |= self.came_by
        met = {spot.site for spot in strike.spots} <= set(self.injector.failed)
        if not self.injector.failed:
            return False
        self._tally.injected[strike.lasting.value if len(strike.spots) == 1 else f"{len(strike.spots)} in a run"] += met
        self._tally.hit |= self._named(self.injector.failed)
        # Lifted: what asks the injector later is told that nothing fails.
        self.injector.lift()
        self._check_between(before)
        self._converge()
        return met

    def _run(self) -> bool:
        """Whether the engine gave up, as it would if nothing got better; another one goes on."""
        injector = self.injector
        good = injector.lasting is not Lasting.ONCE
        with closing(self.world.database):
            try:
                self.world.run(self._tooling(lambda: good and injector.failing_for(SHORT)))
            except DatabaseError:
                return True
            except TimeoutError:
                if not good:
                    raise
                return True
        return False

    def _check_between(self, before: Mapping[str, Any]) -> None:
        """Nothing visible is anything but what it was, or what it shall be; whatever is not done has a sentence."""
        for target, tree in self.world.trees().items():
            for path, leaf in tree.items():
                if leaf[0] == "file" and not path.endswith(("packageslip.xml", "release.xml")):
                    whole = {
                        side.get(path.removesuffix(BESIDE), ("",) * 4)[3]
                        for side in (before[target], self.expected.trees[target])
                    }
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
            if name == "trees" and self._folder_stays():
                assert _files(seen) == _files(self.expected), "files are not as they should be"
            else:
                assert getattr(seen, name) == getattr(self.expected, name), f"{name} are not as they should be"
        if not self._folder_stays():
            _same_bytes(seen, self.expected)
        if not again:
            assert seen.tasks == self.expected.tasks, f"tasks ended as {seen.tasks}"

    def _folder_stays(self) -> bool:
        """Whether all that failed was to remove folders that the account may not remove: those stay, empty."""
        return self.how == "EACCES" and {call_of(site) for site in self.injector.failed} == {"rmdir"}

    @contextmanager
    def _failing(self) -> Iterator[None]:
        with ExitStack() as stack:
            match self.kind:
                case "file" | "group":
                    stack.enter_context(failing_files(self.injector, getattr(errno, self.how)))
                case "database" | "mariadb":
                    stack.enter_context(failing_database(self.world.database, self.injector, self.how))
                case "sftp":
                    stack.enter_context(noting_askers())
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
            if isinstance(self.world, BucketWorld):
                client = FailingStore(MemoryClient(self.world.service), self.injector, self.how)
                return self.world.opened(name, settings, secrets, client)
            target = open_target(name, settings, secrets=secrets)
            if settings.targets[name].kind == "sftp":
                target._disk._lanes.connecting = plain(wrap=self._between)  # type: ignore[attr-defined]
            return target

        return Tooling(Seams(opened), patience=LONG, enough=enough)

    def _between(self, pipe: SocketPipe) -> SocketPipe | FailingPipe | FailingProgram:
        """Where a stream fails, the SFTP beside it does not."""
        if self.kind != "stream":
            return FailingPipe(pipe, self.injector, self.how)
        return FailingProgram(pipe, self.injector, self.how) if is_program(pipe) else pipe


def _files(seen: Seen) -> Mapping[str, Mapping[str, Any]]:
    return {target: {path: leaf for path, leaf in tree.items() if leaf[0] != "folder"} for target, tree in seen.trees.items()}


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
