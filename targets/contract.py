"""The contract of a target: a place where published files live.

Every kind passes `tests/contract/test_targets.py`. It is bulk-first: a driver gets many files at once and answers for
each, so that it can pipeline. One Target object is used by one thread at a time; an engine opens one per worker.

How a caller uses it::

    present = target.present(url, claim)                          # takes over, recovers; the slip that is live
    with target.release(present, wanted, adopted=paths) as release:
        release.put(files)                                        # eager; staged invisibly, verified, answered for
        release.prepare()                                         # the note is there; from here a crash rolls forward
        release.switch()                                          # visible; the slip last; then the stale files go
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, NamedTuple, Protocol, Self

from packageslip import CatalogueEntry, Digest, Packageslip


class Claim(Protocol):
    """What a task may show to a target. Made by the engine from the queue's answer; the queue renews it."""

    @property
    def queue(self) -> str:
        """The id of the queue (a UUID's hex); the target's area carries it in its name."""

    @property
    def fence(self) -> int:
        """Unique and rising over the whole database."""

    @property
    def serial(self) -> int:
        """The fence of the task's first claim: what the slip on the target will carry."""

    @property
    def nonce(self) -> str:
        """8 hex digits, new for each claim and each renewal, so that two equal fences differ."""

    def renew(self, above: int) -> None:
        """Take a new fence, serial and nonce above `above`, in one transaction, if the lease is still ours.

        Raises Fenced if the lease is lost.
        """

    def check(self) -> None:
        """Raise Fenced if the engine may no longer trust its lease. Called before every step that others can see."""

    def begins(self, target: str) -> None:
        """Called before a target gets its first area of this queue.

        Raises AreaMissing if the queue knows of modules that are live there: then it is not the target that it was.
        """

    def now(self) -> int:
        """Seconds since the epoch by the queue's clock, the only one whose moments are compared with each other."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """An unfinished release of a dead engine that `present` rolled forward: a publication of its own."""

    slip: Packageslip | None
    """What is live since; None if it was an unpublish."""
    serial: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A release that a dead engine prepared. `version` None: of an unpublish."""

    serial: int
    version: Digest | None
    begun: bool
    """Whether anything of it may be visible: then it can only be finished."""


@dataclass(frozen=True, slots=True)
class Present:
    """What is live for one module on one target, after takeover and recovery.

    A group has one member for each of its targets; every other kind has itself as the only member.
    """

    url: str
    target: str
    slip: Packageslip | None
    recovered: Recovered | None = None
    held: frozenset[Digest] = frozenset()
    """The releases that the target still has complete (`files_digest` of their slips): to go back to one, nothing is put.

    Of a group: those that every member has.
    """
    members: tuple["Present", ...] = ()
    token: str = ""
    """The driver's own: names the holder's folder."""
    vacant: bool = False
    """Whether nothing lay at the module's own name when it was taken over: no stranger can be there."""

    def each(self) -> tuple["Present", ...]:
        """The members, or this one."""
        return self.members or (self,)


class FilePut(NamedTuple):
    """One file to stage: its path in the module, what it must be, and where its bytes are.

    `open` may be called more than once (one call for each member of a group) and gives a stream at its start. `read`, where it is
    given, gives the first bytes, so many at the most, by one call: a stream costs more than the bytes of a small file.
    """

    path: str
    digest: Digest
    size: int
    open: Callable[[], BinaryIO]
    modified: int | None = None
    read: Callable[[int], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a release did, for logs and the record."""

    files: int = 0
    bytes: int = 0
    dropped: int = 0
    lagging: tuple[str, ...] = ()
    """The members of a group that were left behind: they have an older version, or a note that says what is to be done."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a probe: `ok`, `warning` or `failure`, what was looked at, and the remedy."""

    outcome: str
    what: str
    remedy: str = ""
    free: int | None = None
    """Bytes that are free there, on the line that is about room."""


class Release(Protocol):
    """One change of one module on one target.

    Leaving the `with` block before `prepare` succeeded discards what was staged.

    After `prepare` nothing is discarded: an error leaves the note, and the next holder rolls it forward.
    """

    @property
    def room(self) -> int | None:
        """Bytes that were free there when it began; of a group, on the fullest member. None: the place does not say."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def put(self, files: Iterable[FilePut], done: Callable[[FilePut], None] = ...) -> None:
        """Stage every file, invisibly, and verify it. Eager. May be called several times; `done` is called for each file.

        A file whose bytes do not have the digest and size it claims is an error (CorruptTransfer), never staged.
        A group writes each file to the members that need it.
        """

    def prepare(self) -> None:
        """Write the note.

        Refuses (ValueError) unless what was put, kept (same digest in the present slip) and adopted is the slip, or nothing was
        put and the present holds the slip's files complete.
        """

    def switch(self) -> Moved:
        """Make it visible: stale names in the way, folders, assets, pages, slip, then the other stale files; clean up."""


class Target(Protocol):
    """A place where published files live. Every method may raise TargetError's kinds, nothing else for the target's faults."""

    @property
    def name(self) -> str:
        """The name in the configuration."""

    def present(self, url: str, claim: Claim) -> Present:
        """Become the module's only writer, finish or discard what a dead engine left, and say what is live then.

        Raises Fenced, SerialTooHigh (live slip's serial above the claim's, written by this very queue), AreaMissing.
        """

    def mark(self, present: Present) -> str:
        """Names what lies there now, for `unbroken`; empty: this kind of target cannot tell.

        Asked by the holder, once it has made its last call that changes something.
        """

    def unbroken(self, url: str, mark: str, queue: str) -> bool:
        """Whether nobody has taken the module over since that mark was given, and its record is what it was. Only looks.

        A mark that a holder of another queue was given, or another kind of target of this name, is broken.
        """

    def unfinished(self, url: str, claim: Claim) -> Unfinished | None:
        """Become the module's only writer, and say what is prepared there, without finishing it yet. For groups."""

    def take_back(self, url: str, claim: Claim) -> None:
        """Undo what is prepared and has not begun: the module stays what it is. After `unfinished` by the same claim."""

    def release(
        self, present: Present, wanted: Packageslip | None, *, adopted: Collection[str] = (), at_once: bool = False
    ) -> Release:
        """Begin to make the module hold exactly `wanted` (None: unpublish); each of its files has size and digest.

        `adopted`: paths whose right bytes already lie there although no slip of ours lists them. The slip written is `wanted`
        sorted by path with the claim's serial, queue and the version. Files of ours that `wanted` does not list go, or stay
        for the target's grace, listed in that slip as stale. `at_once`: they go, and so does what is stale; an unpublish
        always takes everything.
        """

    def expire(self, present: Present) -> Sequence[str]:
        """Drop the stale files whose grace is over, and nothing else: the publication stays what it was. Their paths."""

    def strangers(self, url: str, paths: Collection[str]) -> Mapping[str, Digest | None]:
        """Of these paths of the module, those where something already lies, with its digest (None: not a regular file)."""

    def slip(self, url: str) -> Packageslip | None:
        """The live slip, without taking anything over; None if the module is not published here."""

    def highest_fence(self, queue: str) -> int:
        """The highest fence with which this queue took a module over lately, as far as the target tells; 0: it does not."""

    def modules(self) -> Iterator[CatalogueEntry]:
        """Every module that has a commit record here, by URL."""

    def unclaimed(self) -> Iterator[str]:
        """Every public file that no commit record lists, as a path in the root: somebody else's, or an old engine's."""

    def open(self, url: str, path: str) -> BinaryIO:
        """A live file's bytes. Raises FileNotFoundError."""

    def digests(self, url: str, paths: Sequence[str]) -> Iterator[tuple[str, int, Digest] | tuple[str, None, None]]:
        """Size and digest of live files, read in full, in the order asked for; None where there is no regular file."""

    def probe(self) -> Sequence[Check]:
        """Try what the protocol needs, leaving nothing behind: connect, write, fsync, rename, space. Never raises TargetError."""

    def adopt(self, queue: str) -> str | None:
        """Take over the area of a lost or restored queue, by one rename, or make a first one.

        The id it had before; None: there was none.
        """

    def reap(self, older_than: float) -> int:
        """Remove what was abandoned (births, probes) and is older than so many seconds; how many."""

    def close(self) -> None:
        """Let go of connections. Safe to call twice."""
