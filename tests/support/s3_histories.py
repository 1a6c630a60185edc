"""Engines that can be stopped before any request to a bucket, and what must hold after each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from config import S3Target
from support.claims import TestQueue, Ticket
from support.histories import GOALS, KNOWN, Goal, Killed, Stepper, do, slip_in
from support.s3_memory import Kept, Look, MemoryClient, MemoryService
from support.target_kinds import leftovers
from targets import Fenced, TargetError
from targets.s3 import BucketTarget
from targets.s3.bucket import Bucket

FOREIGN = {"m/foreign": b"theirs", "outside": b"theirs too"}
SETTINGS = S3Target(kind="s3", bucket="b", parallel=1)


@dataclass(frozen=True)
class BucketTree:
    """The service's objects, for the checks that all trees share."""

    service: MemoryService

    def files(self) -> dict[str, bytes]:
        return {key: kept.body for key, kept in self.service.objects.items() if not key.endswith("/")}

    def folders(self) -> set[str]:
        return {key[:at] for key in self.service.objects for at in range(len(key)) if key[at] == "/"}

    def links(self) -> dict[str, str]:
        return {}


def open_bucket(service: MemoryService, look: Look = lambda verb, key: None) -> BucketTarget:
    target = BucketTarget("t", SETTINGS)
    client = MemoryClient(service, look)
    target._connected = Bucket("t", client, "b", "", 1)  # type: ignore[arg-type]
    return target


@dataclass
class World:
    """One bucket, one queue at a time, engines, and the checks."""

    service: MemoryService = field(default_factory=MemoryService)
    queue: TestQueue = field(default_factory=TestQueue)
    engines: list["Engine"] = field(default_factory=list)
    serial: int = 0

    def __post_init__(self) -> None:
        self.service.objects |= {key: Kept(content, {}) for key, content in FOREIGN.items()}

    def start(self, goal: str) -> "Engine":
        """An engine claims a task: from now on no earlier engine has the lease."""
        for engine in self.engines:
            engine.claim.lost, engine.claim.aware = True, False
        self.engines.append(Engine(self, GOALS[goal], self.queue.claim()))
        return self.engines[-1]

    def adopter(self, queue: str) -> Stepper:
        """Somebody who adopts the bucket for another queue, one request at a time."""

        def adopt(stepper: Stepper) -> None:
            open_bucket(self.service, lambda verb, key: stepper.hook(verb, key, "")).adopt(queue)

        return Stepper(adopt)

    def files(self) -> dict[str, bytes]:
        return BucketTree(self.service).files()

    def ours(self) -> dict[str, bytes]:
        hidden = (".slipway/", *FOREIGN, "m/packageslip.xml")
        return {key: content for key, content in self.files().items() if not key.startswith(hidden)}

    def record(self) -> bytes | None:
        records = [content for path, content in self.files().items() if path.endswith("/slip.xml")]
        assert len(records) <= 1
        return records[0] if records else None

    def prepared(self) -> bool:
        return any(path.endswith("/holder") and b'"release": ""' not in content for path, content in self.files().items())

    def check(self) -> None:
        """What must hold at any moment, as long as no stale engine has written."""
        files, ours = self.files(), self.ours()
        assert {path: files.get(path) for path in FOREIGN} == FOREIGN, "something that no slip lists is gone"
        assert KNOWN.issuperset(ours.values()), f"a torn file: {ours}"
        document = self.record()
        slip = slip_in(document) if document else None
        assert document is None or slip, "a torn slip"
        if not self.prepared():
            listed = {f"m/{file.path}" for file in slip.files()} if slip else set()
            assert ours.keys() == listed, f"nothing is prepared, the slip lists {listed}, there are {set(ours)}"
        assert slip is None or (slip.serial or 0) >= self.serial, "the serial went back"
        self.serial = max(self.serial, (slip.serial or 0) if slip else 0)
        self._check_closure(ours)

    def _check_closure(self, ours: Mapping[str, bytes]) -> None:
        for goal in GOALS.values():
            if goal and ours.get("m/p.htm") == goal["p.htm"]:
                assert all(f"m/{path}" in ours for path in goal if not path.endswith(".htm")), "a page without what it uses"

    def finish_alone(self, goal: str) -> None:
        """With everybody else dead, one engine ends with exactly its own tree and no residue."""
        for engine in self.engines:
            engine.stepper.kill()
        engine = self.start(goal)
        engine.run()
        assert engine.stepper.error is None, repr(engine.stepper.error)
        wanted = GOALS[goal]
        assert self.ours() == {f"m/{path}": content for path, content in (wanted or {}).items()}
        assert (self.record() is None) == (wanted is None)
        assert ("m/packageslip.xml" in self.files()) == (wanted is not None)
        assert leftovers(BucketTree(self.service)) == []  # type: ignore[arg-type]


@dataclass
class Engine:
    """One engine with one task. `verb`, `key`: the request that waits for leave."""

    world: World
    goal: Goal
    claim: Ticket
    stepper: Stepper = field(init=False)
    verb: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        self.stepper = Stepper(self._work)

    def _work(self, stepper: Stepper) -> None:
        def look(verb: str, key: str) -> None:
            self.verb, self.key = verb, key
            stepper.hook(verb, key, "")

        do(open_bucket(self.world.service, look), self.goal, self.claim)

    def run(self, requests: int | None = None, *, check: bool = True) -> None:
        """So many requests, or to the end."""
        left = 10_000 if requests is None else requests
        changes = self._changes_next()
        while left and self.stepper.step():
            left -= 1
            if check and changes:
                self.world.check()
            changes = self._changes_next()
        if self.stepper.done and self.stepper.error is not None:
            assert isinstance(self.stepper.error, TargetError | Killed), repr(self.stepper.error)

    def _changes_next(self) -> bool:
        """Whether the request that waits can change anything."""
        return self.verb not in {"get_object", "head_object", "list_objects_v2"}

    def looks_next(self) -> bool:
        """Whether it will look at the holder before it does anything else."""
        return self.verb == "get_object" and self.key.endswith("/holder")

    def fenced(self) -> bool:
        return isinstance(self.stepper.error, Fenced)


def copy_of(world: World) -> World:
    """The same bucket and queue, without the engines."""
    copied = World(queue=TestQueue(world.queue.id, world.queue.counter), serial=world.serial)
    copied.service.objects = dict(world.service.objects)
    return copied


def world_with(goal: str | None) -> World:
    """A bucket on which this was published, or a brand-new one."""
    world = World()
    if goal is not None:
        engine = world.start(goal)
        engine.run()
        assert engine.stepper.error is None, repr(engine.stepper.error)
        world.engines.clear()
    return world


def requests_of(world: World, goal: str) -> int:
    """How many requests a task makes when nobody disturbs it."""
    engine = copy_of(world).start(goal)
    engine.run()
    return engine.stepper.calls
