"""One world under the hammer: run it quietly, kill it somewhere, look at what a last engine makes of it."""

import os
import shutil
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from config import Secrets, Settings
from engines.workshop import Seams
from store import Store
from support.kill_points import WatchedDisk, WatchedStore
from support.killing import CALLS, HANGS, STRACE, Ending, injection, numbered_calls, run_child, run_traced
from support.sftp_pipe import by_shell, plain
from support.sshd import SFTP_SERVER
from support.straight_engine import Tooling
from support.sweep_world import Seen, World
from targets import Target, open_target

NEVER = 60_000
"""A count that no run reaches; strace takes no larger ones."""
KILL = "signal=SIGKILL"


@dataclass(frozen=True, slots=True)
class Strike:
    """Where to kill: at a named point, or at the Nth system call of a name; the engine, its SFTP server, or its program there."""

    who: str
    """Any of "point", "engine", "server", "program"."""
    what: str
    nth: int

    def __str__(self) -> str:
        return f"{self.who} {self.what} {self.nth}"


class Violation(Exception):
    """A promise was broken."""


class Rig:
    """One world. Its files other than the world's lie beside it.

    An engine that is to be killed is a process of its own; one that nobody kills works in this process, which has done it so often
    that it takes half the time.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.sort = ""
        """What sort of world it is, for whoever counts."""
        self._errors, self._trace, self._served = (world.folder / name for name in ("errors", "trace", "served"))
        self._struck = world.folder / "struck"
        origin = world.settings.targets["origin"]
        self._servers = ("server",) * (origin.kind == "sftp") + ("program",) * (getattr(origin, "transfer", "") == "stream")
        """What runs for the engine on the other side."""
        world.reset()
        self.points = Counter(self.quiet())
        """The points of the task when nobody disturbs it, and how often each is reached."""
        self.expected = world.seen()

    def quiet(self) -> list[str]:
        """Run an engine to its end; the points that it came by. Raises Violation if it does not end well."""
        noted: list[str] = []
        with _ending_well():
            self._work(self._tooling(noted.append, watched=True))
        return noted

    def calls(self) -> list[Strike]:
        """The system calls of the task, as the world is now; it is done then."""
        self._must_end_well(run_traced(self._plainly, self._errors, f"{KILL}:when={NEVER}", self._trace))
        return [Strike("engine", *call) for call in numbered_calls(self._trace)]

    def server_calls(self) -> list[Strike]:
        """Those of the SFTP server, and of the program that takes a stream; each as the world is now."""
        found = []
        for who in self._servers:
            self.world.reset()
            self.with_server(who, CALLS, f"{KILL}:when={NEVER}")
            found += [Strike(who, *call) for call in numbered_calls(self._served)]
        return found

    def strike(self, strike: Strike) -> bool:
        """Carry the task out with a kill there; whether it was reached. Where only the server is killed, the engine goes on, to its end."""
        match strike.who:
            case "point":
                ending = run_child(lambda: self._until(strike), self._errors)
            case "engine":
                inject = f"{KILL}:when={strike.nth}"
                ending = run_traced(self._plainly, self._errors, inject, self._trace, strike.what)
            case _:
                self.with_server(strike.who, strike.what, f"{KILL}:when={strike.nth}")
                return "killed by SIGKILL" in self._served.read_text(errors="replace")
        if not ending.killed:
            self._must_end_well(ending)
        return ending.killed

    def check(self) -> list[str]:
        """A last engine, undisturbed; then everything must be as if there had been no other. The points that it came by."""
        points = self.quiet()
        self.compare()
        return points

    def check_calls(self) -> list[Strike]:
        """The same, but its system calls."""
        calls = self.calls()
        self.compare()
        return calls

    def compare(self) -> None:
        """Raise Violation unless all is as an undisturbed run leaves it."""
        try:
            seen = self.world.seen()
        except AssertionError as error:
            raise Violation(str(error)) from error
        for name in Seen.__slots__:
            is_, should = getattr(seen, name), getattr(self.expected, name)
            if is_ != should:
                raise Violation(f"{name}: {_difference(is_, should)}")

    def keep_struck(self) -> None:
        """Remember the world as the first kill left it."""
        shutil.rmtree(self._struck, ignore_errors=True)
        shutil.copytree(self.world.live, self._struck, symlinks=True)

    def restore_struck(self) -> None:
        shutil.rmtree(self.world.live)
        shutil.copytree(self._struck, self.world.live, symlinks=True)

    def _must_end_well(self, ending: Ending) -> None:
        if ending.code != 0:
            said = self._errors.read_text() if self._errors.exists() else ""
            raise Violation(f"an engine that nobody killed ended with {ending.code}: {said}")

    def _plainly(self) -> None:
        self._work(self._tooling(lambda _: None, watched=False))

    def _until(self, strike: Strike) -> None:
        seen: Counter[str] = Counter()

        def reached(point: str) -> None:
            seen[point] += 1
            if point == strike.what and seen[point] == strike.nth:
                os.kill(os.getpid(), signal.SIGKILL)

        self._work(self._tooling(reached, watched=True))

    def with_server(self, who: str, call: str, inject: str) -> None:
        """The task, where strace does this to a call of the first server of a kind. Raises Violation if it does not end well."""
        traced = [str(STRACE), "-qq", "-s", "80", *injection(inject, self._served, call)]
        with _ending_well():
            self._work(self._tooling(lambda _: None, watched=False, traced={who: traced}))

    def _work(self, tooling: Tooling) -> None:
        if self.world.scenario.collects:
            store = tooling.store(Store(self.world.live / "state" / "store"))
            store.collect(lambda _: False, older_than=0, now=time.time() + 60)
        self.world.run(tooling)

    def _tooling(
        self, reached: Callable[[str], None], *, watched: bool, traced: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> Tooling:
        """`traced`: under what the first server, or the first program, is started."""
        left = dict(traced)

        def command() -> list[str]:
            return [*left.pop("server", ()), str(SFTP_SERVER)]

        def program(line: str) -> list[str]:
            return [*left.pop("program", ()), *by_shell(line)]

        def opened(name: str, settings: Settings, secrets: Secrets) -> Target:
            target = open_target(name, settings, secrets=secrets)
            if settings.targets[name].kind == "sftp":
                target._disk._lanes.connecting = plain(command, program=program)  # type: ignore[attr-defined]
            if watched:
                target._disk = WatchedDisk(target._disk, reached)  # type: ignore[attr-defined]
            return target

        self.world.database.reached = reached
        if watched:
            return Tooling(Seams(opened, reached), store=lambda store: WatchedStore(store, reached))
        return Tooling(Seams(opened))


@contextmanager
def _ending_well() -> Iterator[None]:
    """Raise Violation for any error of an engine in this process, and where it hangs."""

    def hangs(_number: int, _frame: object) -> None:
        raise TimeoutError(f"it did not end within {HANGS:g} s")

    before = signal.signal(signal.SIGALRM, hangs)
    others = signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        yield
    except Exception as error:
        raise Violation(f"an engine that nobody killed failed: {traceback.format_exc()}") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        # That of a whole test.
        signal.setitimer(signal.ITIMER_REAL, *others)


def _difference(is_: object, should: object) -> str:
    if isinstance(is_, dict) and isinstance(should, dict):
        wrong = {key: (is_.get(key), should.get(key)) for key in is_.keys() | should.keys() if is_.get(key) != should.get(key)}
        if len(wrong) == 1 and all(isinstance(side, dict) for side in next(iter(wrong.values()))):
            return _difference(*next(iter(wrong.values())))
        return f"is and should be {wrong}"
    return f"is {is_}, should be {should}"


def folder_for_worlds() -> Path | None:
    """Memory, where there is some: a killed process loses nothing that the kernel has, and a disk would only be slow."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else None
