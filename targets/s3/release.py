"""One change of one module in a bucket: stage, prepare, switch."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Self

import structlog

from packageslip import Packageslip, Resource, View, on_target, write_slip
from targets.area import PUBLIC_SLIP, staged
from targets.contract import FilePut, Moved
from targets.departing import part_of
from targets.errors import Fenced, TargetError, TargetUnreachable
from targets.ground import inside
from targets.note import Drop, Note, Part, Put, write_note
from targets.protocol import SLIP_NAME
from targets.records import is_ours
from targets.release import PUBLIC_NAME, nothing
from targets.s3.headers import headers_of
from targets.s3.hold import BucketHold
from targets.s3.replay import Replay
from targets.s3.spread import spread
from targets.wanted import refuse_incomplete, shows_slip, the_listed

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class BucketRelease:
    """Implements `Release`. `listed` has the wanted slip's files by path.

    `kept` and `adopted` are paths whose bytes are already right.
    `nested`: folders of the module in which other modules live; what lies there is theirs.
    """

    hold: BucketHold
    wanted: Packageslip | None
    listed: Mapping[str, Resource | View]
    previous: Packageslip | None
    kept: frozenset[str]
    adopted: frozenset[str]
    nested: frozenset[str]
    staged: dict[str, Put] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    volume: int = 0
    note: Note | None = None
    room: None = None
    """A bucket has no end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Discard what was staged, unless a release is prepared; not when nobody answers or somebody else has taken over."""
        if self.hold.holder.release or isinstance(error, TargetUnreachable | Fenced):
            return
        try:
            self.hold.clean()
        except TargetError as why:
            # The next holder removes it; the error that ended this release matters more.
            log.warning("staged files left", target=self.hold.bucket.target, url=self.hold.names.url, why=str(why))

    def put(self, files: Iterable[FilePut], done: Callable[[FilePut], None] = nothing) -> None:
        """Stage each file, several side by side. Raises ValueError for one that the slip does not list so."""
        for given, put in spread(self._stage, self._numbered(files), self.hold.bucket.threads):
            self.staged[given.path] = put
            self.volume += given.size
            done(given)

    def _numbered(self, files: Iterable[FilePut]) -> Iterator[tuple[FilePut, Put]]:
        for given in files:
            number = next(self.numbers)
            if number == 1:
                # Nothing staged can be seen by anybody; one look spares a stale engine the transfer.
                self.hold.check()
            yield given, Put(str(number), given.path, part_of(the_listed(self.hold.names.url, given, self.listed)))

    def _stage(self, one: tuple[FilePut, Put]) -> tuple[FilePut, Put]:
        given, put = one
        headers = headers_of(self.listed[given.path], given, self.hold.options.cache_control)
        self.hold.upload.stage(given, self._staged(put.name), headers)
        return one

    def _staged(self, name: str) -> str:
        return self.hold.names.inside(staged(self.hold.names.token, name))

    def prepare(self) -> None:
        """Write slip and note, then name them in the register: the moment from which a crash rolls forward.

        With nothing live and nothing wanted there is nothing to note.
        """
        self.hold.check()
        if self.wanted is None and self.previous is None:
            return
        refuse_incomplete(self.hold.names.url, self.listed.keys(), self.staged.keys() | self.kept | self.adopted)
        if self.wanted is not None:
            slip = write_slip(on_target(self.wanted, serial=self.hold.claim.serial, queue=self.hold.claim.queue))
            self.hold.bucket.write(self._staged(SLIP_NAME), slip)
        note = self._note()
        self.hold.bucket.write(self.hold.names.note, write_note(note))
        self.hold.note(self.hold.names.token)
        self.note = note

    def _note(self) -> Note:
        public = (Put(PUBLIC_NAME, PUBLIC_SLIP, Part.PUBLIC),) if self._shows_slip() else ()
        return Note(
            url=self.hold.names.url,
            tag=self.hold.names.token,
            serial=self.hold.claim.serial,
            previous=self.previous.serial if self.previous else None,
            publish=self.wanted is not None,
            puts=(*self.staged.values(), *public),
            drops=(*self._drops(), *self._public_drop()),
        )

    def _drops(self) -> Iterator[Drop]:
        """What the previous slip lists and the wanted one does not, but for other modules' files."""
        for file in self.previous.files() if self.previous else ():
            if file.path not in self.listed and not inside(file.path, self.nested):
                yield Drop(file.path, part_of(file))

    def _shows_slip(self) -> bool:
        return shows_slip(self.wanted, public=self.hold.options.public_slip)

    def _public_drop(self) -> Iterator[Drop]:
        names = self.hold.names
        if not self._shows_slip() and self.previous is not None and is_ours(self.hold.bucket, names.live(PUBLIC_SLIP), names.url):
            yield Drop(PUBLIC_SLIP, Part.ASSET)

    def switch(self) -> Moved:
        """Copy, slip last, then drop."""
        if self.note is None:
            if self.wanted is None and self.previous is None:
                return Moved()
            raise ValueError(f"{self.hold.names.url}: switch needs a prepare before it")
        Replay(self.hold, self.note).finish()
        moved = Moved(files=len(self.staged), bytes=self.volume, dropped=len(self.note.drops))
        log.info("release switched", target=self.hold.bucket.target, url=self.note.url, files=moved.files, dropped=moved.dropped)
        return moved

    def withdraw(self) -> None:
        """Take the release back before anything was switched: another member of a group could not be prepared."""
        self.note = None
        self.hold.note("")
        self.hold.clean()
