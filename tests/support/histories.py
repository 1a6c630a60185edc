"""Engines that can be stopped at any call to a server, and what must hold at each of them.

The server is a dict, the engines are the real code. Each engine runs in a thread of its own, one call at a time, only when it is told to.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from packageslip import Packageslip, SlipError, read_slip
from support.claims import TestQueue, Ticket
from support.releases import publish, unpublish
from support.target_kinds import AREA, MemoryTree, followed, leftovers, visible, without_ours
from targets import MemoryDisk, MemoryFiles, Moved, OrderedTarget, PlacedOptions, Target, TargetError
from targets.disk import EntryType
from targets.memory import Node

URL = "/m"
FOREIGN = {"m/foreign": b"theirs", "outside": b"theirs too"}

Goal = Mapping[str, bytes] | None
"""What a task wants of the module; None: nothing."""

# Between any two of these some file changes, stays, comes, goes, or becomes a folder; p.htm uses all the others.
GOALS: Mapping[str, Goal] = {
    "one": {"p.htm": b"one p", "a": b"one a", "b": b"shared b"},
    "two": {"p.htm": b"two p", "a/x": b"two x", "a/y/z": b"two z", "b": b"shared b"},
    "three": {"p.htm": b"three p", "b": b"three b", "q.htm": b"three q"},
    "none": None,
}
KNOWN = {content for goal in GOALS.values() if goal for content in goal.values()}


class Killed(BaseException):
    """The engine's process is gone: no call of it reaches the server any more."""


class Stepper:
    """One engine at work, in a thread; each call to its server waits for leave."""

    def __init__(self, work: Callable[["Stepper"], None]) -> None:
        self.calls = 0
        self.changing = False
        """Whether the call that waits can change anything that others see."""
        self.error: BaseException | None = None
        self.done = False
        self._killed = False
        self._leave, self._waiting = _taken(), _taken()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()
        self._waiting.acquire()

    def _run(self, work: Callable[["Stepper"], None]) -> None:
        try:
            work(self)
        except BaseException as error:
            self.error = error
        self.done = True
        self._waiting.release()

    def hook(self, verb: str, path: str, to: str) -> None:
        """Called by the disk before each call."""
        self.changing = verb in {"mkdir", "rmdir", "rename", "unlink", "link", "symlink", "write"}
        self._waiting.release()
        self._leave.acquire()
        if self._killed:
            raise Killed
        self.calls += 1

    def step(self) -> bool:
        """Let one call through; False if the engine had ended."""
        if self.done:
            return False
        self._leave.release()
        self._waiting.acquire()
        return True

    def kill(self) -> None:
        self._killed = True
        while self.step():
            pass
        self._thread.join()


def _taken() -> threading.Lock:
    """For one who waits and one who lets go: at hundreds of thousands of calls, a semaphore of three locks is felt."""
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass
class World:
    """One server, one queue at a time, engines, and the checks."""

    files: MemoryFiles = field(default_factory=MemoryFiles)
    queue: TestQueue = field(default_factory=TestQueue)
    options: PlacedOptions = field(default_factory=PlacedOptions)
    engines: list["Engine"] = field(default_factory=list)
    serial: int = 0
    foreign: Mapping[str, bytes] = field(default_factory=lambda: FOREIGN)
    disk: type[MemoryDisk] = MemoryDisk
    """What its engines see of the server."""

    def __post_init__(self) -> None:
        for path, content in self.foreign.items():
            MemoryTree(self.files).write(path, content)

    def start(self, goal: str, retry_of: "Engine | None" = None) -> "Engine":
        """An engine claims a task: from now on no earlier engine has the lease."""
        for engine in self.engines:
            engine.claim.lost, engine.claim.aware = True, False
        claim = self.queue.claim(retry_of.claim.serial if retry_of and retry_of.claim.queue == self.queue.id else None)
        self.engines.append(Engine(self, GOALS[goal], claim))
        return self.engines[-1]

    def lose_database(self) -> None:
        """A new queue, whose counter starts again, adopts the target. The engines of the old one do not know."""
        self.queue = TestQueue(f"{len(self.engines):032x}")
        OrderedTarget("t", MemoryDisk(self.files), self.options).adopt(self.queue.id)

    def close(self) -> None:
        for engine in self.engines:
            engine.stepper.kill()

    def live(self) -> dict[str, bytes]:
        return visible(MemoryTree(self.files))

    def slip(self) -> Packageslip | None:
        records = self._named("slip.xml")
        assert len(records) <= 1
        return slip_in(records[0]) if records else None

    def noted(self) -> bool:
        return bool(self._named("next.xml"))

    def _named(self, name: str) -> list[bytes]:
        found = (node for path, node in self.files.nodes.items() if path.endswith(f"/{name}"))
        return [node.content for node in found if node.type is EntryType.FILE]

    def check(self) -> None:
        """What must hold at any moment."""
        seen = followed(MemoryTree(self.files))
        live = without_ours(seen)
        noted, slip = self.noted(), self.slip()
        ours = {path: content for path, content in live.items() if path not in self.foreign}
        assert {path: live.get(path) for path in self.foreign} == self.foreign, "I6: something that no slip lists is gone"
        assert KNOWN.issuperset(ours.values()), f"I1: a torn file: {ours}"
        public = seen.get("m/packageslip.xml")
        assert public is None or slip_in(public), "I1: a torn public slip"
        if not noted:
            listed = {f"m/{file.path}" for file in slip.files()} if slip else set()
            assert ours.keys() == listed, f"I2: no release is noted, the slip lists {listed}, there are {set(ours)}"
        assert slip is None or (slip.serial or 0) >= self.serial, "I5: the serial went back"
        self.serial = max(self.serial, (slip.serial or 0) if slip else 0)
        self._check_closure(ours)
        self.check_releases(ours)

    def check_releases(self, ours: Mapping[str, bytes]) -> None:
        """What must hold of releases: a folder has none."""

    def _check_closure(self, ours: Mapping[str, bytes]) -> None:
        page = ours.get("m/p.htm")
        for goal in GOALS.values():
            if goal and page == goal["p.htm"]:
                missing = {path for path in goal if not path.endswith(".htm") and f"m/{path}" not in ours}
                # A path that changes between file and folder is absent for a moment: unavoidable.
                assert all(self.noted() and path.split("/")[0] == "a" for path in missing), (
                    f"I7: {page!r} is visible without {missing}"
                )

    def finish_alone(self, goal: str) -> None:
        """I3: with everybody else dead, one engine ends with exactly its own tree and no residue."""
        self.close()
        engine = self.start(goal)
        engine.run()
        assert engine.stepper.error is None, repr(engine.stepper.error)
        self.check_end(goal)

    def check_end(self, goal: str) -> None:
        """Exactly this goal's tree is there, and nothing else is left."""
        wanted = GOALS[goal]
        assert self.live() == {**self.foreign, **{f"m/{path}": content for path, content in (wanted or {}).items()}}
        slip = self.slip()
        assert (slip is None) == (wanted is None)
        assert ("m/packageslip.xml" in followed(MemoryTree(self.files))) == (wanted is not None)
        assert leftovers(MemoryTree(self.files)) == []
        assert {folder for folder in MemoryTree(self.files).folders() if not folder.startswith(AREA)} == self.folders_of(wanted)

    def folders_of(self, wanted: Goal) -> set[str]:
        """The folders outside of Slipway's own that there are for these files, and for those of others."""
        paths = [*self.foreign, *(f"m/{path}" for path in wanted or {})]
        return {path[:at] for path in paths for at in range(len(path)) if path[at] == "/"}


@dataclass
class Engine:
    """One engine with one task."""

    world: World
    goal: Goal
    claim: Ticket
    stepper: Stepper = field(init=False)

    def __post_init__(self) -> None:
        self.stepper = Stepper(self._work)

    def _work(self, stepper: Stepper) -> None:
        target = OrderedTarget("t", self.world.disk(self.world.files, stepper.hook), self.world.options)
        do(target, self.goal, self.claim)

    def step(self) -> bool:
        """One call, then the checks; once somebody else has the token, nothing live may change by it."""
        if not self.stepper.changing:
            return self.stepper.step()
        before = self.world.live() if self._overtaken() else None
        went = self.stepper.step()
        if before is not None:
            assert self.world.live() == before, "I4: a stale engine changed a live file after another took over"
        self.world.check()
        return went

    def _overtaken(self) -> bool:
        # Whoever is newer holds the token once it carries his nonce.
        newer = [engine.claim.nonce for engine in self.world.engines[self.world.engines.index(self) + 1 :]]
        return any(path.rpartition(".")[2] in newer and path.count("/") == 4 for path in self._tokens())

    def _tokens(self) -> list[str]:
        return [path for path in self.world.files.nodes if "/modules/" in path]

    def run(self, calls: int | None = None) -> None:
        """So many calls, or to the end."""
        left = 10_000 if calls is None else calls
        while left and self.step():
            left -= 1
        if self.stepper.done and self.stepper.error is not None:
            assert isinstance(self.stepper.error, TargetError | Killed), repr(self.stepper.error)

    def committed(self) -> bool:
        """Whether its slip, or its slip's removal, has happened."""
        slip = self.world.slip()
        return slip is None if self.goal is None else slip is not None and slip.serial == self.claim.serial

    def kill(self) -> None:
        self.stepper.kill()


def do(target: Target, goal: Goal, claim: Ticket) -> Moved:
    """One task."""
    return unpublish(target, URL, claim) if goal is None else publish(target, URL, goal, claim, back=True)


@lru_cache(maxsize=10_000)
def slip_in(document: bytes) -> Packageslip | None:
    """The slip in a document, None if it is torn; the same few documents are looked at after every call."""
    try:
        return read_slip(document, "a slip", url=URL)
    except SlipError:
        return None


def snapshot(files: MemoryFiles) -> dict[str, Node]:
    """A copy of all that is there."""
    return {path: Node(node.type, node.name, node.content, node.mode, node.modified) for path, node in files.nodes.items()}


def copy_of(world: World) -> World:
    """The same server and queue, without the engines."""
    return replace(
        world,
        files=MemoryFiles(nodes=snapshot(world.files)),
        queue=TestQueue(world.queue.id, world.queue.counter),
        engines=[],
    )


def world_with(goal: str | None, options: PlacedOptions | None = None) -> World:
    """A server on which this was published, or a brand-new one."""
    return world_after([] if goal is None else [goal], World(options=options or PlacedOptions()))


def world_after(goals: Sequence[str], world: World) -> World:
    """The same server after these publications."""
    for goal in goals:
        engine = world.start(goal)
        engine.run()
        assert engine.stepper.error is None, repr(engine.stepper.error)
    world.engines.clear()
    return world


def calls_of(world: World, goal: str) -> int:
    """How many calls a task makes when nobody disturbs it."""
    trial = copy_of(world)
    engine = trial.start(goal)
    engine.run()
    return engine.stepper.calls
