"""One change of one module in the ordered layout: stage, prepare, switch (steps 8 to 20 of the commit protocol)."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import TracebackType
from typing import Self

import structlog

from packageslip import Packageslip, Resource, View, is_page, on_target, write_slip
from targets.area import NOTE_BEING_WRITTEN, PUBLIC_SLIP, staged
from targets.contract import FilePut, Moved
from targets.disk import Answer, Call, Op, Write
from targets.errors import Fenced, TargetError, TargetUnreachable
from targets.ground import Ground, inside
from targets.hold import Hold
from targets.note import Drop, Note, Part, Put, write_note
from targets.protocol import SLIP_NAME, same_name
from targets.records import is_ours
from targets.replay import Replay
from targets.wanted import refuse_incomplete, shows_slip, the_listed

log = structlog.get_logger(__name__)

PUBLIC_NAME = "public"
"""The staged public copy's last part."""


def nothing(_: FilePut) -> None:
    """What `put` calls for each file when nobody wants to know."""


@dataclass(slots=True)
class OrderedRelease:
    """Implements `Release` over a Disk. `listed` has the wanted slip's files by path.

    `kept` and `adopted` are paths whose bytes are already right.
    `nested`: folders of the module in which other modules live; what lies there is theirs.
    """

    hold: Hold
    ground: Ground
    wanted: Packageslip | None
    listed: Mapping[str, Resource | View]
    previous: Packageslip | None
    kept: frozenset[str]
    adopted: frozenset[str]
    nested: frozenset[str]
    checked: frozenset[str]
    folders: tuple[str, ...]
    staged: dict[str, Put] = field(default_factory=dict)
    volume: int = 0
    counter: int = 0
    note: Note | None = None
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
        waiting: dict[str, tuple[FilePut, Put]] = {}

        def writes() -> Iterator[Write]:
            for given in files:
                put = self._line(given)
                write = self._write(given, put)
                waiting[write.path] = (given, put)
                yield write

        try:
            for write in self.hold.disk.write(writes()):
                given, put = waiting.pop(write.path)
                self.staged[given.path] = put
                self.volume += given.size
                done(given)
        except FileNotFoundError:
            self.hold.listing()  # Raises Fenced if our folder is gone; otherwise it was the file's own bytes that are missing.
            raise

    def _line(self, given: FilePut) -> Put:
        listed = the_listed(self.hold.names.url, given, self.listed)
        self.counter += 1
        return Put(str(self.counter), given.path, part_of(listed))

    def _write(self, given: FilePut, put: Put) -> Write:
        options = self.hold.options
        return Write(
            path=self._staged(put.name),
            open=given.open,
            size=given.size,
            digest=given.digest,
            mode=options.file_mode,
            modified=given.modified if options.times else None,
            sync=options.syncs,
            read_back=options.verify == "readback",
        )

    def _staged(self, name: str) -> str:
        return self.hold.names.inside(staged(self.hold.names.token, name))

    def prepare(self) -> None:
        """Steps 9 and 10. With nothing live and nothing wanted there is nothing to note."""
        self.hold.claim.check()
        if self.wanted is None and self.previous is None:
            return
        refuse_incomplete(self.hold.names.url, self.listed.keys(), self.staged.keys() | self.kept | self.adopted)
        slip = self._slip()
        note = self._note()
        self._write_small([*self._slips(slip), (self.hold.names.inside(NOTE_BEING_WRITTEN), write_note(note), None)])
        answer = self.hold.run([Call(Op.RENAME, self.hold.names.inside(NOTE_BEING_WRITTEN), self.hold.names.note)])[0]
        if answer is not Answer.OK:
            raise self.hold.fenced()
        self.note = note

    def _slip(self) -> bytes | None:
        if self.wanted is None:
            return None
        return write_slip(on_target(self.wanted, serial=self.hold.claim.serial, queue=self.hold.claim.queue))

    def _slips(self, slip: bytes | None) -> list[tuple[str, bytes, int | None]]:
        """The slip to stage, and its public copy: path, bytes, mode."""
        if slip is None:
            return []
        public = [(self._staged(PUBLIC_NAME), slip, self.hold.options.file_mode)] if self._shows_slip() else []
        return [(self._staged(SLIP_NAME), slip, None), *public]

    def _write_small(self, files: list[tuple[str, bytes, int | None]]) -> None:
        writes = [small_write(path, document, mode, sync=self.hold.options.syncs) for path, document, mode in files]
        try:
            for _ in self.hold.disk.write(writes):
                pass
        except FileNotFoundError as error:
            raise self.hold.fenced() from error

    def _note(self) -> Note:
        drops = self._drops()
        unchecked = self.staged.keys() - self.checked
        folders = self.ground.check_files(sorted(unchecked), [drop.path for drop in drops])
        public = (Put(PUBLIC_NAME, PUBLIC_SLIP, Part.PUBLIC),) if self._shows_slip() else ()
        return Note(
            url=self.hold.names.url,
            tag=self.hold.names.token,
            serial=self.hold.claim.serial,
            previous=self.previous.serial if self.previous else None,
            publish=self.wanted is not None,
            puts=(*self.staged.values(), *public),
            drops=drops,
            folders=(*self.folders, *folders),
            fold=self.ground.fold,
        )

    def _drops(self) -> tuple[Drop, ...]:
        """What the previous slip lists and the wanted one does not, but for other modules' files and twins of kept ones."""
        held = {same_name(path, self.ground.fold) for path in self.listed.keys() - self.staged.keys()}
        previous = [file for file in self.previous.files() if file.path not in self.listed] if self.previous else []
        drops = [
            Drop(file.path, part_of(file))
            for file in previous
            if same_name(file.path, self.ground.fold) not in held and not inside(file.path, self.nested)
        ]
        return tuple(drops + self._public_drop())

    def _shows_slip(self) -> bool:
        return shows_slip(self.wanted, public=self.hold.options.public_slip)

    def _public_drop(self) -> list[Drop]:
        names = self.hold.names
        if self._shows_slip() or self.previous is None or not is_ours(self.hold.disk, names.live(PUBLIC_SLIP), names.url):
            return []
        return [Drop(PUBLIC_SLIP, Part.ASSET)]

    def switch(self) -> Moved:
        """Steps 11 to 20."""
        if self.note is None:
            if self.wanted is None and self.previous is None:
                return Moved()
            raise ValueError(f"{self.hold.names.url}: switch needs a prepare before it")
        Replay(self.hold, self.note).finish()
        moved = Moved(files=len(self.staged), bytes=self.volume, dropped=len(self.note.drops))
        log.info("release switched", target=self.hold.target, url=self.note.url, files=moved.files, dropped=moved.dropped)
        return moved

    def withdraw(self) -> None:
        """Take the note back before anything was switched: another member of a group could not be prepared."""
        self.note = None
        self.hold.clean()


def part_of(file: Resource | View) -> Part:
    """Pages, and the views that are made with them, become visible after what they use."""
    return Part.PAGE if isinstance(file, View) or is_page(file) else Part.ASSET


def small_write(path: str, document: bytes, mode: int | None, *, sync: bool) -> Write:
    """A document that is in memory, to be written like any file."""
    return Write(path, lambda: io.BytesIO(document), len(document), sha256(document).digest(), mode=mode, sync=sync)
