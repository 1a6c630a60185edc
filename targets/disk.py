"""The file-system calls that the commit protocol is made of, as every transport offers them.

A `Disk` is one connection to one server (or to a folder, or to a dict): it knows names and bytes, not modules. All
paths are relative to the target's root, parts joined by "/", already checked; "" is the root itself, and a path that
begins with "/" is the server's own (an area configured elsewhere on the same file system). It is bulk-first: `run`,
`write` and `digests` take many and may pipeline them, but what is observable is as if each call was made in the order
given. It connects at its first call; after TargetUnreachable the next call connects anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, NamedTuple, Protocol, TypeVar

from packageslip import Digest

T = TypeVar("T")


class Op(StrEnum):
    """The calls that change something. Each is one atomic step of the server."""

    MKDIR = "mkdir"
    RMDIR = "rmdir"
    """Only an empty folder."""
    RENAME = "rename"
    """Over a file that is there (POSIX rename). A folder replaces only an empty folder or nothing."""
    UNLINK = "unlink"
    LINK = "link"
    """A second name (`to`) for the file at `path`: refused if something is there."""
    SYMLINK = "symlink"
    """A symbolic link at `path` that leads to `to`, taken as it is: refused if something is there."""
    SYNC = "sync"
    """fsync of a file; a no-op where durability is `none`."""


class Call(NamedTuple):
    """One call; `to` only for RENAME, LINK and SYMLINK, `mode` only for MKDIR.

    `mode`: exactly these permission bits, whatever the umask, before MKDIR is answered; None: what the server chooses.
    """

    op: Op
    path: str
    to: str = ""
    mode: int | None = None


class Answer(StrEnum):
    """What the server said to one call. Faults that stop everything (a cut connection, no space) are raised instead."""

    OK = "ok"
    ABSENT = "absent"
    """No such file or folder (of the path, or of a folder on its way)."""
    REFUSED = "refused"
    """Exists already, not empty, is a folder, ...: SFTP has one word for all of them."""
    DENIED = "denied"


class EntryType(StrEnum):
    """What lies at a name, as a sentence calls it."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "symbolic link"
    OTHER = "special file"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name, as lstat sees it. `modified`: whole seconds since the epoch."""

    type: EntryType
    size: int
    modified: int


class Write(NamedTuple):
    """One file to create exclusively and fill; `digest` and `size` are checked while it is sent.

    `mode`: permission bits, `modified`: seconds since the epoch; None leaves what the server chooses. `read`, where it is given:
    the first bytes, so many at the most, by one call; it gives fewer only where there are no more.
    """

    path: str
    open: Callable[[], BinaryIO]
    size: int
    digest: Digest
    mode: int | None = None
    modified: int | None = None
    sync: bool = False
    read_back: bool = False
    read: Callable[[int], bytes] | None = None


class Looks(NamedTuple):
    """What to look at together, since none of it depends on the rest.

    `documents`: small files to read, each with the size of the regular file that a listing has just shown there, or None where
    nobody knows what it is.
    """

    lists: Sequence[str] = ()
    stats: Sequence[str] = ()
    documents: Sequence[tuple[str, int | None]] = ()
    space: bool = False


class Seen(NamedTuple):
    """What was found, in the order asked for; None for a folder or a file that is not there."""

    lists: Sequence[Mapping[str, Entry] | None]
    stats: Sequence[Entry | None]
    documents: Sequence[bytes | None]
    space: tuple[int, int] | None = None


class Script(NamedTuple):
    """What follows on each other, in this order. `first`: calls that are made whatever the answers.

    `writes`: files to create. `calls` (RENAME and UNLINK alone): each is made only if all writes and calls before it were.
    `stats`: names to look at when all that is done.
    """

    calls: Sequence[Call]
    first: Sequence[Call] = ()
    writes: Sequence[Write] = ()
    stats: Sequence[str] = ()


class Done(NamedTuple):
    """What became of a script: the answers to `first`, those to `calls` to the first refusal, and what lies at `stats`."""

    first: Sequence[Answer]
    calls: Sequence[Answer]
    stats: Sequence[Entry | None]


class Readable(Protocol):
    """Names and small documents: all that reading commit records takes. Every Disk is one, and a bucket too."""

    def list(self, folder: str) -> Mapping[str, Entry]:
        """Names in a folder, without "." and "..". Raises FileNotFoundError."""

    def read(self, path: str) -> bytes:
        """A whole small file (a slip, a note). Raises FileNotFoundError."""


class Disk(Readable, Protocol):
    """One server's file system.

    Raises TargetUnreachable, NoSpace, PermissionRefused and their kin; FileNotFoundError where said.
    """

    def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
        """lstat of each; None where nothing is."""

    def lead(self, path: str) -> str | None:
        """Where a symbolic link leads, as it was written; None where no link is."""

    def open(self, path: str) -> BinaryIO:
        """A stream for reading. Raises FileNotFoundError; follows no link at the last name."""

    def digests(self, paths: Sequence[str]) -> Iterator[tuple[int, Digest] | None]:
        """Size and SHA-256 of regular files, read in full, in the order asked for; None where no regular file is."""

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        """Make the calls in this order, each answered; a refused one does not stop the later ones."""

    def look(self, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()) -> tuple[Sequence[Answer], Seen]:
        """Make the calls like `run`, then look: whatever they came to, each look sees what all of them did.

        All of it may be on its way at once, so it takes as long as the slowest of it. `otherwise`, instead of `after`: calls
        that are made only if the first folder to list is not there and the others are, before the looks or after them.
        """

    def write(self, writes: Iterable[Write]) -> Iterator[Write]:
        """Create, fill, set mode and times, sync, verify; yields each as soon as every reply for it was good. Many in flight.

        Raises CorruptTransfer, PathBlocked (the name exists), FileNotFoundError (a folder on the way is gone), NoSpace.
        """

    def ahead(self, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
        """Put these MKDIRs on their way: what is written next finds them made.

        Gives what tells their answers, after that; no answers where a fault has left them unknown.
        """

    def carry_out(self, script: Script) -> Done | None:
        """Carry out a script without a wait in between; None, and nothing was done, if this disk has to wait in between.

        Raises like `write`: then none of its calls was made.
        """

    def space(self) -> tuple[int, int] | None:
        """Free bytes and free inodes; None where the server cannot say."""

    def probe(self, folder: str) -> Iterator[tuple[str, bool, str]]:
        """Abilities tried in this scratch folder: (what, works, remedy)."""

    def close(self) -> None:
        """Let go. Safe to call twice."""


def look_in_turn(
    disk: Disk, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()
) -> tuple[Sequence[Answer], Seen]:
    """`Disk.look`, where one call after the other takes no longer."""
    answers = disk.run(after) if after else ()
    lists = [_found(disk.list, folder) for folder in looks.lists]
    stats = disk.stat(looks.stats) if looks.stats else ()
    documents = [_found(disk.read, path) for path, _ in looks.documents]
    seen = Seen(lists, stats, documents, disk.space() if looks.space else None)
    return disk.run(otherwise) if otherwise and lacks_first(seen) else answers, seen


def lacks_first(seen: Seen) -> bool:
    """Whether the first folder that was listed is not there, and the others are."""
    first, *others = seen.lists
    return first is None and None not in others


def ahead_at_once(disk: Disk, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
    """`Disk.ahead`, where nothing is gained by going on."""
    answers = disk.run(folders)
    return lambda: answers


def _found(asking: Callable[[str], T], path: str) -> T | None:
    try:
        return asking(path)
    except FileNotFoundError:
        return None
