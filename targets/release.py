"""One change of one module in the ordered layout: stage, prepare, switch (steps 8 to 20 of the commit protocol)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import structlog

from packageslip import Packageslip, Resource, View, on_target, version_of
from targets import protocol
from targets.area import NOTE_BEING_WRITTEN, PUBLIC_SLIP, staged
from targets.contract import FilePut, Moved
from targets.departing import Departing, Grace, departing, part_of
from targets.disk import Entry, Write
from targets.errors import Fenced, TargetError, TargetUnreachable
from targets.ground import Ground, inside
from targets.hold import Hold
from targets.note import Drop, Note, Part, Put, Turn
from targets.protocol import SLIP_NAME, same_name
from targets.records import is_ours
from targets.replay import Prepared, Replay
from targets.small import Document, note_document, slip_document, small_write
from targets.wanted import refuse_incomplete, shows_slip, the_listed

log = structlog.get_logger(__name__)

PUBLIC_NAME = "public"
"""The staged public copy's last part."""


Staged = tuple[str, Document, int | None]
"""A document to stage: its path, its bytes, its mode."""


def nothing(_: FilePut) -> None:
    """What `put` calls for each file when nobody wants to know."""


@dataclass(slots=True)
class OrderedRelease:
    """Implements `Release` over a Disk. `listed` has the wanted slip's files by path.

    `kept` and `adopted` are paths whose bytes are already right.
    `nested`: folders of the module in which other modules live; what lies there is theirs.
    `unchecked`: listed paths that no ground was looked at for, because nothing was to be put there.
    """

    hold: Hold
    ground: Ground
    wanted: Packageslip | None
    listed: Mapping[str, Resource | View]
    previous: Packageslip | None
    kept: frozenset[str]
    adopted: frozenset[str]
    nested: frozenset[str]
    unchecked: frozenset[str]
    folders: tuple[str, ...]
    at_once: bool = False
    """Nothing stays for the grace."""
    expiring: bool = False
    """Nothing but stale files goes; the publication, with its serial, stays what it was."""
    turn: Turn | None = None
    """What becomes of releases of a time when the module was versioned."""
    room: int | None = None
    staged: dict[str, str] = field(default_factory=dict)
    """Where the bytes of each path were written to."""
    volume: int = 0
    counter: int = 0
    note: Note | None = None
    live: dict[str, Entry | None] = field(default_factory=dict)
    """What lay at the live folders that the files need, as the note was put in its place."""
    fresh: bool = True
    """Whether nothing was switched yet."""
    open: bool = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Discard what was staged, unless the note is there.

        Not after a cut connection, where calls may still be under way, and not when somebody else has taken over.
        """
        if self.note is None and self.open and not isinstance(error, TargetUnreachable | Fenced):
            self._discard()
        self.open = False

    def _discard(self) -> None:
        try:
            self.hold.clean()
        except TargetError as error:
            # The next holder removes it; the error that ended this release matters more.
            log.warning("staged files left", target=self.hold.target, url=self.hold.names.url, why=str(error))

    def put(self, files: Iterable[FilePut], done: Callable[[FilePut], None] = nothing) -> None:
        """Step 8. Raises ValueError for a file that the wanted slip does not list with this digest and size."""
        waiting: dict[str, FilePut] = {}
        staged = self.staged
        try:
            for write in self.hold.disk.write(map(self._writing(waiting), files)):
                given = waiting.pop(write.path)
                staged[given.path] = write.path
                self.volume += given.size
                done(given)
        except FileNotFoundError:
            self.hold.listing()  # Raises Fenced if our folder is gone; otherwise it was the file's own bytes that are missing.
            raise

    def _writing(self, waiting: dict[str, FilePut]) -> Callable[[FilePut], Write]:
        """What makes of a file the write that stages it, and notes that it is `waiting`."""
        # What all files have in common is looked up once.
        url, listed, options, place = self.hold.names.url, self.listed, self.hold.options, self._placing()
        mode, times, sync, read_back = options.file_mode, options.times, options.syncs, options.verify == "readback"

        def write(given: FilePut) -> Write:
            the_listed(url, given, listed)
            self.counter += 1
            to = place(given.path)
            waiting[to] = given
            modified = given.modified if times else None
            return Write(to, given.open, given.size, given.digest, mode, modified, sync, read_back, given.read)

        return write

    def _placing(self) -> Callable[[str], str]:
        """What says where the bytes of the next file are written to, by its path."""
        begin = self._staged("")
        return lambda _: f"{begin}{self.counter}"

    def _puts(self) -> list[Put]:
        """What was staged, as the note names it."""
        begin = len(self._staged(""))
        return [Put(place[begin:], path, part_of(self.listed[path])) for path, place in self.staged.items()]

    def _staged(self, name: str) -> str:
        return self.hold.names.inside(staged(self.hold.names.token, name))

    def prepare(self) -> None:
        """Steps 9 and 10. With nothing live and nothing wanted there is nothing to note."""
        self.hold.claim.check()
        if self._nothing():
            return
        refuse_incomplete(self.hold.names.url, self.listed.keys(), self._have())
        leaving = self._departing()
        note = self._note(leaving)
        being_written = self.hold.names.inside(NOTE_BEING_WRITTEN)
        documents = [*self._stage(leaving), (being_written, note_document(note), None)]
        # What the switch looks at first does not depend on the note: folders that come or go in between are met there.
        folders = protocol.needed_folders(note, self.hold.names, note.puts) if note.publish and note.turn is None else ()
        there = self.hold.write_and_rename(self._writes(documents), being_written, self.hold.names.note, folders)
        self.live = dict(zip(folders, there, strict=True))
        self.note = note

    def _have(self) -> set[str]:
        """The paths whose right bytes are there."""
        return self.staged.keys() | self.kept | self.adopted

    def _nothing(self) -> bool:
        return self.wanted is None and self.previous is None and self.turn is None

    def _stage(self, leaving: Departing) -> list[Staged]:
        """Stage what does not go right before the note; what does."""
        return self._slips(leaving)

    def _slips(self, leaving: Departing) -> list[Staged]:
        """The slip to stage, and its public copy, which tells nobody of stale files."""
        if self.wanted is None:
            return []
        claim = self.hold.claim
        slip = self.wanted if self.expiring else on_target(self.wanted, serial=claim.serial, queue=claim.queue)
        document = slip_document(replace(slip, stale=leaving.stale))
        record = (self._staged(SLIP_NAME), document, None)
        if not self._writes_public():
            return [record]
        public = slip_document(replace(slip, stale=())) if leaving.stale else document
        return [record, (self._public_place(), public, self.hold.options.file_mode)]

    def _public_place(self) -> str:
        """Where the public copy is staged."""
        return self._staged(PUBLIC_NAME)

    def _writes(self, files: Iterable[Staged]) -> list[Write]:
        return [small_write(path, document, mode, sync=self.hold.options.syncs) for path, document, mode in files]

    def _note(self, leaving: Departing) -> Note:
        return self._ordered_note(leaving, self._puts())

    def _ordered_note(self, leaving: Departing, puts: Iterable[Put]) -> Note:
        drops = (*leaving.drops, *self._public_drop())
        put_again = self.staged.keys() & self.unchecked
        folders = self.ground.check_files(sorted(put_again), [drop.path for drop in drops])
        public = (Put(PUBLIC_NAME, PUBLIC_SLIP, Part.PUBLIC),) if self._writes_public() else ()
        return Note(
            url=self.hold.names.url,
            tag=self.hold.names.token,
            serial=self.hold.claim.serial,
            previous=self.previous.serial if self.previous else None,
            publish=self.wanted is not None,
            puts=(*puts, *public),
            drops=drops,
            folders=(*self.folders, *folders),
            fold=self.ground.fold,
            since=leaving.since,
            turn=self.turn,
            version=version_of(self.wanted) if self.wanted else None,
        )

    def _departing(self) -> Departing:
        """What is ours and not wanted, but for other modules' files and twins of kept ones: what goes of it, and what stays."""
        held = {same_name(path, self.ground.fold) for path in self.listed.keys() - self.staged.keys()}
        leaving = [
            file
            for file in (self.previous.ours() if self.previous else ())
            if file.path not in self.listed
            and same_name(file.path, self.ground.fold) not in held
            and not inside(file.path, self.nested)
        ]
        return departing(leaving, self.listed, self._grace(leaving), fold=self.ground.fold)

    def _grace(self, leaving: Sequence[object]) -> Grace | None:
        """None: everything goes. Where nothing leaves, the queue need not be asked what time it is."""
        seconds = self.hold.options.delete_grace
        if not seconds or not leaving or self.wanted is None or self.at_once:
            return None
        return Grace(seconds, self.hold.claim.now())

    def _shows_slip(self) -> bool:
        return shows_slip(self.wanted, public=self.hold.options.public_slip)

    def _writes_public(self) -> bool:
        return self._shows_slip() and not self.expiring

    def _public_drop(self) -> list[Drop]:
        path = self.hold.names.live(PUBLIC_SLIP)
        if self.expiring or self._shows_slip() or self.previous is None or not is_ours(self.hold.disk, path, self.hold.names.url):
            return []
        return [Drop(PUBLIC_SLIP, Part.ASSET)]

    def switch(self) -> Moved:
        """Steps 11 to 20."""
        if self.note is None:
            if self._nothing():
                return Moved()
            raise ValueError(f"{self.hold.names.url}: switch needs a prepare before it")
        fresh, self.fresh = self.fresh, False
        clean = self.counter == len(self.staged)
        prepared = Prepared(self.live, clean, self._puts) if fresh else None
        Replay(self.hold, self.note, prepared).finish()
        moved = Moved(files=len(self.staged), bytes=self.volume, dropped=self._dropped(self.note))
        log.info("release switched", target=self.hold.target, url=self.note.url, files=moved.files, dropped=moved.dropped)
        return moved

    def _dropped(self, note: Note) -> int:
        """How many files are visible no more."""
        return len(note.drops)

    def withdraw(self) -> None:
        """Take the note back before anything was switched: another member of a group could not be prepared."""
        self.note = None
        self.hold.withdraw()
