"""Named points at which an engine may be killed: before each kind of call of the commit protocol, around each transaction of the
queue, and around each step of the content store.

`POINTS` is the whole list. A sweep that reaches one of them never, or one that is not in the list, has found a fault: of the
list, or of the code that the list describes.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from database import Database
from store import Incoming, Store
from support.stepping import goes_on, step_by_step
from targets.disk import Answer, Call, Disk, Done, Looks, Op, Script, Seen, Write, ahead_at_once, lacks_first

T = TypeVar("T")
Reached = Callable[[str], None]

_TOKEN = re.compile(r"\d{19}\.[0-9a-f]{8}")
_VERBS = ("register", "accept", "claim", "start", "finish", "expand", "leave", "bury", "rescue", "raise_fence")

PROTOCOL = (
    "area made", "birth made", "birth renamed", "birth ended", "token renamed",
    "file staged", "slip staged", "public slip staged", "note written", "note renamed", "note synced",
    "folder made", "folder renamed", "asset renamed", "page renamed", "public slip renamed",
    "slip renamed", "slip synced", "live file synced", "page dropped", "asset dropped", "public slip dropped", "trash synced",
    "whole folder made", "whole renamed",
    "tree folder made", "kept file linked", "slip linked", "link made", "release renamed", "release slip renamed", "link turned",
    "release synced", "link withdrawn", "release expired", "shelf removed",
    "folder removed", "slip withdrawn", "note removed", "staged file removed", "trash removed", "junk removed",
)  # fmt: skip
"""Each of them: just before that call."""
QUEUE = tuple(f"{verb} {moment}" for verb in _VERBS for moment in ("begun", "written", "committed"))
STORE = ("blob opened", "blob written", "blob to be kept", "blob kept", "blob read", "collecting", "collected")
TASK = ("loading", "staging", "prepared", "switched", "finishing")
POINTS = frozenset((*PROTOCOL, *QUEUE, *STORE, *TASK))
ANYWHERE = POINTS - {*PROTOCOL}
"""Those that are the same whatever the layout of the target."""


def _verb(frame: FrameType) -> str:
    """Which verb of the queue's a transaction is: several may write by the same function."""
    callers = (frame, frame.f_back) if frame.f_back else (frame,)
    return next((name for name in (each.f_code.co_name.lstrip("_") for each in callers) if name in _VERBS), "")


class WatchedDatabase(Database):
    """A queue each of whose transactions is three points: begun, all written, committed."""

    reached: Reached = staticmethod(lambda point: None)

    def change(self, work: Callable[[Connection], T]) -> T:
        verb = _verb(sys._getframe(1))

        def watched(connection: Connection) -> T:
            self._reach(verb, "begun")
            result = work(connection)
            self._reach(verb, "written")
            return result

        result = super().change(watched)
        self._reach(verb, "committed")
        return result

    def _reach(self, verb: str, moment: str) -> None:
        if verb in _VERBS:
            self.reached(f"{verb} {moment}")


def watch_database(reached: Reached) -> Callable[[str], Database]:
    """What connects to a queue and tells."""

    def connect(url: str) -> Database:
        database = WatchedDatabase.connect(url)
        database.reached = reached
        return database

    return connect


class WatchedStore(Store):
    """A store that tells before and after each step."""

    def __init__(self, store: Store, reached: Reached) -> None:
        super().__init__(store.root)
        self._reached = reached

    def incoming(self) -> Incoming:
        incoming = super().incoming()
        return _WatchedIncoming(incoming, self._reached)  # type: ignore[return-value]

    def open(self, digest: bytes, *, buffered: bool = True) -> Any:
        self._reached("blob read")
        return super().open(digest, buffered=buffered)

    def read(self, digest: bytes, most: int) -> bytes:
        self._reached("blob read")
        return super().read(digest, most)

    def collect(self, keep: Callable[[bytes], bool], older_than: float, now: float) -> Any:
        def asked(digest: bytes) -> bool:
            self._reached("collecting")
            return keep(digest)

        collected = super().collect(asked, older_than, now)
        self._reached("collected")
        return collected


class _WatchedIncoming:
    def __init__(self, incoming: Incoming, reached: Reached) -> None:
        self._incoming, self._reached = incoming, reached

    def __enter__(self) -> Self:
        self._incoming.__enter__()
        self._reached("blob opened")
        return self

    def __exit__(self, *exc: object) -> None:
        self._incoming.__exit__(*exc)

    def write(self, chunk: bytes) -> None:
        self._incoming.write(chunk)
        self._reached("blob written")

    def commit(self) -> tuple[bytes, int]:
        self._reached("blob to be kept")
        kept = self._incoming.commit()
        self._reached("blob kept")
        return kept


class WatchedDisk:
    """A Disk whose calls are made one by one, each announced by its name."""

    def __init__(self, disk: Disk, reached: Reached) -> None:
        self._disk, self._reached = disk, reached

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk, name)

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        answers: list[Answer] = []
        for call in calls:
            self._reached(name_of(call))
            answers += self._disk.run([call])
        return answers

    def look(self, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()) -> tuple[Sequence[Answer], Seen]:
        answers = self.run(after)
        seen = self._disk.look(looks)[1]
        return self.run(otherwise) if otherwise and lacks_first(seen) else answers, seen

    def ahead(self, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
        return ahead_at_once(self, folders)

    def carry_out(self, script: Script) -> Done | None:
        return step_by_step(self, script) if goes_on(self._disk) else None

    def write(self, writes: Iterable[Write]) -> Iterator[Write]:
        for write in writes:
            self._reached(_WRITTEN.get(write.path.rpartition("/")[2].rpartition(":")[2], "file staged"))
            yield from self._disk.write([write])


_WRITTEN = {
    "note.tmp": "note written",
    "slip": "slip staged",
    "public": "public slip staged",
    "packageslip.xml": "public slip staged",
}


def name_of(call: Call) -> str:
    """The name of a call of the commit protocol: which step it belongs to."""
    source, goal = call.path.rpartition("/")[2], call.to.rpartition("/")[2]
    match call.op:
        case Op.RENAME:
            return _rename(call, source, goal)
        case Op.LINK:
            return "slip linked" if source.endswith(":slip") else "kept file linked"
        case Op.SYMLINK:
            return "link made"
        case Op.MKDIR:
            return _made(call.path, source)
        case Op.RMDIR | Op.UNLINK:
            return _removed(call.path, source)
        case _:
            kinds = {"next.xml": "note synced", "slip.xml": "slip synced", "release.xml": "release synced", "t:": "trash synced"}
            return _by_prefix(source, kinds, "live file synced")


def _made(path: str, name: str) -> str:
    if name.startswith("d:"):
        return "folder made"
    if ":whole" in path:
        return "whole folder made"
    return "tree folder made" if ":tree" in path else "birth made" if "/new/" in path else "area made"


def _removed(path: str, name: str) -> str:
    if name == "next.xml":
        return "note removed"
    if "/s:" in path or "/t:" in path:
        return "staged file removed" if "/s:" in path else "trash removed"
    if path.startswith(".slipway-releases"):
        return "shelf removed"
    return "junk removed" if path.startswith(".slipway") else "folder removed"


def _rename(call: Call, source: str, goal: str) -> str:
    if _TOKEN.fullmatch(source):
        return "token renamed"
    if goal.startswith("t:"):
        return _dropped(call.path, goal)
    if "/new/" in call.path:
        return "birth ended" if goal.startswith("j:") else "birth renamed"
    ends = {
        "tree": "release renamed",
        "own": "release slip renamed",
        "link": "link turned",
        "slip": "slip renamed",
        "whole": "whole renamed",
    }
    if source.startswith("s:") and source.rpartition(":")[2] in ends:
        return ends[source.rpartition(":")[2]]
    kinds = {"note.tmp": "note renamed", "d:": "folder renamed"}
    page = goal.endswith(".htm")
    return _by_prefix(
        source, kinds, "public slip renamed" if goal == "packageslip.xml" else "page renamed" if page else "asset renamed"
    )


def _dropped(path: str, goal: str) -> str:
    if goal == "t:link" or goal.startswith("t:r"):
        return "link withdrawn" if goal == "t:link" else "release expired"
    name = path.rpartition("/")[2]
    if name == "slip.xml":
        return "slip withdrawn"
    if name == "packageslip.xml":
        return "public slip dropped"
    return "page dropped" if name.endswith(".htm") else "asset dropped"


def _by_prefix(name: str, kinds: Mapping[str, str], otherwise: str) -> str:
    return next((kind for prefix, kind in kinds.items() if name.startswith(prefix)), otherwise)
