"""A server's file system over SFTP, as the commit protocol wants it: bulk calls, pipelined, each one answered."""

import io
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, groupby, islice
from typing import BinaryIO, TypeVar

import structlog

from config import SftpTarget
from packageslip import Digest
from targets.disk import Answer, Call, Done, Entry, Looks, Op, Script, Seen, Write, ahead_at_once, lacks_first
from targets.errors import CorruptTransfer, PathBlocked, TargetError, TargetUnreachable
from targets.sftp import abilities, calls, download, looking
from targets.sftp.choice import Choice
from targets.sftp.connection import ReadsSecrets, connect
from targets.sftp.crew import Begin, drive
from targets.sftp.lanes import Lanes, Link
from targets.sftp.names import Names
from targets.sftp.probe import probe
from targets.sftp.receiver import OPS
from targets.sftp.session import Session
from targets.sftp.small import IN_STEP, in_step, is_small, upload_in_step
from targets.sftp.steps import Steps
from targets.sftp.stream import Stream
from targets.sftp.tickets import Work
from targets.sftp.upload import compare, upload
from targets.verdicts import Verdicts

log = structlog.get_logger(__name__)

T = TypeVar("T")

FILES_AT_ONCE = 128
"""Files under way at once on one channel: at 20 ms of distance that is 3,200 a second. The server holds a handle for each, and
the engine one too for large ones: four workers must stay well below the 1,024 that a process may have. With twice as many
OpenSSH's processes took a third more for each."""
_SPARE_HANDLES = 8
MANY = 32
"""Files that are worth a stream: fewer are on their way before its program has begun. And calls, where it runs."""
LARGEST_DOCUMENT = 256 * 1024 * 1024
"""Bytes of a slip or a note, which is read into memory: what a reader of slips takes."""


class SftpDisk:
    """`Disk` over one SSH connection, made at the first call and made anew after it was cut.

    Used by one thread at a time; another thread needs a disk of its own.
    """

    def __init__(
        self,
        settings: SftpTarget,
        *,
        target: str,
        secrets: ReadsSecrets | None = None,
        connecting: Callable[..., Link] = connect,
        verdicts: Verdicts | None = None,
    ) -> None:
        """`verdicts`: what other connections found out about the targets of this process."""
        self._name, self._durable = target, settings.durability != "none"
        self._path = Names(settings.root).path
        self._changes = Names(settings.root).changes
        self._lanes = Lanes(settings, target, secrets, connecting)
        self._stream = Stream(self._lanes.receiver, target)
        self._choice = Choice(self._stream, settings.transfer, target, verdicts or Verdicts())

    def list(self, folder: str) -> Mapping[str, Entry]:
        with self._named():
            session = self._connected()
            return session.finish(looking.names(session, self._path(folder)))

    def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
        with self._named():
            session = self._connected()
            return session.finish(looking.entries(session, [self._path(path) for path in paths]))

    def lead(self, path: str) -> str | None:
        with self._named():
            session = self._connected()
            return session.finish(calls.lead(session, self._path(path)))

    def read(self, path: str) -> bytes:
        with self._named(), self.open(path) as stream:
            document = stream.read(LARGEST_DOCUMENT + 1)
            if len(document) > LARGEST_DOCUMENT:
                raise looking.too_long(path, LARGEST_DOCUMENT)
            return document

    def open(self, path: str) -> BinaryIO:
        with self._named():
            session = self._connected()
            ahead = session.finish(download.open_regular(session, self._path(path)))
            if ahead is None:
                raise FileNotFoundError(f"no regular file {path!r} on target {self._name}")
            return io.BufferedReader(download.Reader(session, ahead, self._name), session.read_size)

    def digests(self, paths: Sequence[str]) -> Iterator[tuple[int, Digest] | None]:
        with self._named():
            session = self._connected()
            early: dict[int, tuple[int, Digest] | None] = {}
            turn = 0
            for number, found in drive([session], self._each(download.digest, map(self._path, paths)), self._at_once(session)):
                early[number] = found
                while turn in early:
                    yield early.pop(turn)
                    turn += 1

    def run(self, calls_: Sequence[Call]) -> Sequence[Answer]:
        with self._named():
            session = self._connected()
            self._require(session, calls_)
            answers: list[Answer] = []
            for together, group in groupby(self._changes(calls_), self._lanes.modes.batches()):
                batch = list(group)
                if together is Op.SYNC:
                    answers += self._sync(session, [change.path for change in batch])
                elif together is Op.MKDIR:
                    made, right = session.finish(calls.make_folders(session, batch))
                    answers += made
                    self._lanes.modes.note(right)
                else:
                    answers += self._change(session, batch)
            return answers

    def look(self, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()) -> tuple[Sequence[Answer], Seen]:
        with self._named():
            session = self._connected()
            # Folders are looked at for their modes, syncs have sessions of their own, and many calls go by the stream.
            plain = len(after) < MANY and not any(call.op in {Op.MKDIR, Op.SYNC} for call in after)
            answers = () if session.in_order and plain else self.run(after)
            changes = [] if answers else self._changes(after)
            self._require(session, after)
            unless = self._changes(otherwise)
            if unless and session.in_order and not any(map(self._lanes.modes.batches(), unless)):
                return looking.together(session, looks, unless, self._path, LARGEST_DOCUMENT, otherwise=True)
            # The calls may have gone by another connection than was there.
            session = self._connected()
            said, seen = looking.together(session, looks, changes, self._path, LARGEST_DOCUMENT)
            return self.run(otherwise) if otherwise and lacks_first(seen) else answers or said, seen

    def write(self, writes: Iterable[Write]) -> Iterator[Write]:
        with self._named():
            session = self._connected()
            fresh = iter(writes)
            few = list(islice(fresh, MANY)) if self._choice.may_begin else []
            if len(few) == MANY:
                self._choice.begin(session, self._path(few[0].path))
                # A server may have ended the connection over what it was asked for.
                session = self._connected()
            if self._stream.begun:
                pairs = ((write, self._path(write.path)) for write in chain(few, fresh))
                yield from self._read_again(session, self._stream.write(pairs))
            else:
                hands = self._at_once(session)
                in_step = min(IN_STEP, max(1, hands // 4))
                begins = self._uploads(session, chain(few, fresh), in_step)
                for written in drive(self._lanes.sessions, begins, hands - in_step + 1):
                    yield from written

    def ahead(self, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
        with self._named():
            session = self._connected()
            answers = self._ahead(session, self._changes(folders))

        if answers is None:
            return ahead_at_once(self, folders)

        def named() -> Sequence[Answer]:
            with self._named():
                return answers()

        return named

    def carry_out(self, script: Script) -> Done | None:
        """By the stream's program, once it runs: SFTP has no order that depends on answers."""
        with self._named():
            self._connected()
            if not self._stream.begun:
                return None
            writes = [(write, self._path(write.path)) for write in script.writes]
            first, calls_, stats = self._changes(script.first), self._changes(script.calls), map(self._path, script.stats)
            return self._stream.carry_out(Steps(first, writes, calls_, list(stats)))

    def space(self) -> tuple[int, int] | None:
        with self._named():
            session = self._connected()
            return session.finish(looking.space(session, self._path("")))

    def probe(self, folder: str) -> Iterator[tuple[str, bool, str]]:
        with self._named():
            yield from probe(self, self._connected().extensions, folder, durable=self._durable)
            yield from self._choice.checks(self._connected(), self._path(folder))

    def close(self) -> None:
        self._stream.end()
        self._lanes.close()

    def _connected(self) -> Session:
        """The session for everything but streams and many syncs."""
        if not self._lanes.serve:
            # Its programs ran on a connection that is gone.
            self._stream.end()
        return self._lanes.connected()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors carry the target's name; a connection that broke is closed at once, a stream in trouble given up for a while."""
        self._stream.failed = False
        try:
            yield
        except TargetError as error:
            error.name(self._name)
            if self._stream.failed and not isinstance(error, PathBlocked | CorruptTransfer):
                self._choice.give_up(error)
            if isinstance(error, TargetUnreachable):
                self.close()
            raise

    def _ahead(self, session: Session, folders: Sequence[calls.Change]) -> Callable[[], Sequence[Answer]] | None:
        """Only what goes the way of the files arrives before them: by the stream, once it has begun, or by a single session."""
        if self._stream.begun:
            return self._stream.ahead(folders) if self._stream.alone else None
        alone = session.in_order and not self._durable
        if not alone or not folders or 2 * len(folders) > session.room:
            return None
        making = calls.make_folders(session, folders)
        ticket = next(making)

        def answers() -> Sequence[Answer]:
            if ticket:
                session.wait(ticket)
            made, right = session.finish(making)
            self._lanes.modes.note(right)
            return made

        return answers

    def _at_once(self, session: Session) -> int:
        return max(1, min(FILES_AT_ONCE, session.handles - _SPARE_HANDLES))

    def _sync(self, session: Session, paths: Sequence[bytes]) -> Sequence[Answer]:
        if not self._durable:
            return [Answer.OK] * len(paths)
        self._lanes.widen(len(paths))
        return [
            answer for _, answer in sorted(drive(self._lanes.sessions, self._each(calls.sync, paths), self._at_once(session)))
        ]

    def _require(self, session: Session, wanted: Sequence[Call]) -> None:
        abilities.require(session, wanted, self._name, durable=self._durable)

    def _change(self, session: Session, batch: Sequence[calls.Change]) -> Sequence[Answer]:
        if self._stream.begun and len(batch) >= MANY and all(change.op in OPS for change in batch):
            return self._stream.change(batch)
        return session.finish(calls.change(session, batch))

    def _read_again(self, session: Session, written: Generator[Sequence[Write], None, None]) -> Iterator[Write]:
        """What a stream brought, once it was compared where that is wanted."""
        with closing(written):
            files = chain.from_iterable(written)
            while together := list(islice(files, FILES_AT_ONCE)):
                again = [write for write in together if write.read_back]
                begins = (Begin(partial(compare, write=write, path=self._path(write.path))) for write in again)
                for _ in drive([session], begins, self._at_once(session)) if again else ():
                    pass
                yield from together

    def _each(self, work: Callable[[Session, bytes], Work[T]], paths: Iterable[bytes]) -> Iterator[Begin[tuple[int, T]]]:
        for number, path in enumerate(paths):
            yield Begin(partial(calls.numbered, number=number, work=work, path=path))

    def _uploads(self, session: Session, writes: Iterable[Write], most: int) -> Iterator[Begin[Sequence[Write]]]:
        """`most`: files that go in step."""
        synced = 0
        # Who waits for the disk, or reads a file again, does it alone.
        alone = lambda write: write.sync or write.read_back or not is_small(write, session)  # noqa: E731
        for files in in_step(((write, self._path(write.path)) for write in writes), alone, most):
            write, path = files[0]
            if write.sync:
                abilities.require_sync(session, self._name)
                synced += 1
                self._lanes.widen(synced)
            if is_small(write, session):
                yield Begin(partial(upload_in_step, files=files), len(files))
            else:
                yield Begin(partial(upload, write=write, path=path))
