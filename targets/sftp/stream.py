"""The receivers of one connection: files and calls spread over them, and what their refusals mean."""

import errno
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import structlog

from targets.disk import Answer, Done, Entry, Write
from targets.errors import PathBlocked, TargetUnfit, TargetUnreachable
from targets.faults import ABSENT, DENIED, REFUSED, target_error
from targets.sftp.calls import Change
from targets.sftp.receiver import Receiver
from targets.sftp.small import SMALL, File, in_step
from targets.sftp.steps import Steps, entry, send, sorted_out

log = structlog.get_logger(__name__)

LANES = 4
"""Receivers for synced files: each waits for the disk at every file, but they wait at the same time."""
TOGETHER = 16
"""Small files that are put on their way at once: with twice as many, eight workers held some 5 MB more."""
SYNCED_TOGETHER = 32
"""Files that a receiver is sent at once where it syncs them: as many as it has open before it does."""
MANY_SYNCS = 32
"""As many as make a further receiver worth the round trips that it costs."""


class Stream:
    """One receiver, or several where many files are synced. `target`: the name that errors carry."""

    def __init__(self, begin: Callable[[], Receiver], target: str) -> None:
        self._begin, self._target = begin, target
        self._free: list[_Lane] = []
        """Lanes with which nobody works. Whoever does has taken them, so that every answer comes to whom it belongs."""
        self._narrow = False
        """Whether the server allows no further ones."""
        self.busy = False
        """Whether somebody works with it at this moment."""
        self.failed = False
        """Whether somebody met anything but success; for whoever asks to forget."""

    @property
    def begun(self) -> bool:
        """Whether its program runs already: then even one file is written in one round trip less than by SFTP."""
        # One that ended while nothing was under way is begun anew, where it is worth that, and nobody notices.
        self._free[:] = [lane for lane in self._free if lane.receiver.runs]
        return bool(self._free)

    def write(self, files: Iterable[File]) -> Generator[Sequence[Write], None, None]:
        """Put files at these paths; they are given back as soon as they are known to be there. Raises what `Disk.write` does."""
        synced = 0
        with self._lanes() as lanes:
            for some in in_step(files, _alone, TOGETHER):
                synced += some[0][0].sync
                if synced > MANY_SYNCS:
                    if lanes[0].ahead:
                        # Folders that went ahead are there before another program writes into them.
                        yield from self._arrived(lanes[0], all_of_them=True)
                    self._widen(lanes)
                lane = lanes[0] if len(lanes) == 1 else _least_busy(lanes)
                lane.awaited += some
                receiver = lane.receiver
                for _ in receiver.write(some):
                    yield from self._arrived(lane)
                if some[0][0].sync and receiver.unsent >= SYNCED_TOGETHER:
                    receiver.push()
                if receiver.sent:
                    yield from self._arrived(lane)
            for lane in lanes:
                lane.receiver.push()
            for lane in lanes:
                yield from self._arrived(lane, all_of_them=True)

    def change(self, changes: Sequence[Change]) -> Sequence[Answer]:
        """Make calls one after the other."""
        answers: list[Sequence[str]] = []
        with self._lanes() as lanes:
            lane = lanes[0]
            for change in changes:
                lane.receiver.change(change)
                if lane.receiver.sent:
                    answers += lane.answers()
            answers += lane.answers(all_of_them=True)
            return self._answers(changes, list(chain.from_iterable(answers)))

    def ahead(self, folders: Sequence[Change]) -> Callable[[], Sequence[Answer]]:
        """Put folders on their way before whatever is written next. Gives what tells their answers then, if all came."""
        said: list[str] = []
        with self._lanes() as lanes:
            for folder in folders:
                lanes[0].receiver.change(folder)
                lanes[0].ahead.append(said)

        def answers() -> Sequence[Answer]:
            if len(said) < len(folders) and self._free:
                with self._lanes() as lanes:
                    for _ in lanes[0].answers(all_of_them=True):
                        """Nothing else is under way."""
            return self._answers(folders, said) if len(said) == len(folders) else ()

        return answers

    def carry_out(self, steps: Steps) -> Done:
        """Carry out a script. Raises what `Disk.carry_out` does."""
        with self._lanes() as lanes:
            send(lanes[0].receiver, steps)
            said = sorted_out(steps, list(chain.from_iterable(lanes[0].answers(all_of_them=True))))
        first = self._answers(steps.first, said.first)
        for (_, path), answer in zip(steps.writes, said.writes, strict=True):
            if answer:
                raise self._error(answer, path)
        calls = self._answers(steps.calls[: len(said.calls)], said.calls)
        return Done(first, calls, [self._found(answer, path) for answer, path in zip(said.stats, steps.stats, strict=True)])

    @property
    def alone(self) -> bool:
        """Whether one program runs, which does everything in order."""
        return len(self._free) == 1

    def begin(self) -> None:
        """Let its program run. Raises TargetUnfit where none can, and TargetUnreachable."""
        with self._lanes():
            """That is all."""

    def end(self) -> None:
        """Let all of them end. The next call begins anew."""
        free, self._free, self._narrow = self._free, [], False
        _end(free)

    @contextmanager
    def _lanes(self) -> Iterator[list["_Lane"]]:
        """At least one; after any error they are ended."""
        free, was_busy = self._free, self.busy
        lanes = [*free] or [_Lane(self._begin())]
        free.clear()
        self.busy = True
        try:
            yield lanes
        except BaseException:
            self.failed = True
            _end(lanes)
            raise
        finally:
            self.busy = was_busy
        # After `end` nobody looks there any more.
        free += lanes

    def _widen(self, lanes: list["_Lane"]) -> None:
        try:
            while len(lanes) < LANES and not self._narrow:
                lanes.append(_Lane(self._begin()))
        except (TargetUnfit, TargetUnreachable) as error:
            # MaxSessions of the server, most likely: fewer lanes are slower, nothing else.
            self._narrow = True
            log.info("server allows few channels", target=self._target, lanes=len(lanes), reason=str(error))

    def _arrived(self, lane: "_Lane", *, all_of_them: bool = False) -> Iterator[Sequence[Write]]:
        for answers in lane.answers(all_of_them=all_of_them):
            if answers[0]:
                raise self._error(answers[0], lane.awaited[0][1])
            yield [lane.awaited.popleft()[0] for _ in answers]

    def _error(self, said: str, path: bytes) -> Exception:
        """What a refusal means for the task."""
        doing, code, text = _parts(said)
        name = path.decode("utf-8", "replace")
        if doing == "create" and code == errno.EEXIST:
            return PathBlocked(f"could not create {name!r}: something of that name is there already.", target=self._target)
        if code in ABSENT:
            return FileNotFoundError(
                f"could not {doing} {name!r} on {self._target}: the file, or a folder on the way, is not there"
            )
        return target_error(OSError(code, f"could not {doing} it: {text}", name), self._target)

    def _found(self, said: str, path: bytes) -> Entry | None:
        """What lies at a name."""
        found = entry(said)
        if found is None and _parts(said)[1] not in ABSENT:
            raise self._error(said, path)
        return found

    def _answers(self, changes: Sequence[Change], said: Sequence[str]) -> Sequence[Answer]:
        return [self._answer(change, answer) if answer else Answer.OK for change, answer in zip(changes, said, strict=True)]

    def _answer(self, change: Change, said: str) -> Answer:
        """What a refusal of a call is."""
        _, code, text = _parts(said)
        if code in ABSENT:
            return Answer.ABSENT
        if code in DENIED:
            return Answer.DENIED
        if code in REFUSED:
            return Answer.REFUSED
        name = (change.to or change.path).decode("utf-8", "replace")
        raise target_error(OSError(code, f"could not {change.op}: {text}", name), self._target)


class _Lane:
    """A receiver, and the files for which its answers are awaited."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.awaited: deque[File] = deque()
        self.ahead: deque[list[str]] = deque()
        """Where the answers to the folders go that were asked for before everything else."""

    def answers(self, *, all_of_them: bool = False) -> Iterator[Sequence[str]]:
        """Those to everything else."""
        for said in self.receiver.answers(all_of_them=all_of_them):
            folders = min(len(self.ahead), len(said))
            for answer in said[:folders]:
                self.ahead.popleft().append(answer)
            if rest := said[folders:]:
                yield rest


def _alone(write: Write) -> bool:
    """Who waits for the disk does it beside others; what is large goes in pieces."""
    return write.sync or write.size > SMALL


def _least_busy(lanes: Sequence[_Lane]) -> _Lane:
    return min(lanes, key=lambda lane: len(lane.awaited))


def _end(lanes: Sequence[_Lane]) -> None:
    """All of them. Where one does not answer in time, none is waited for any more."""
    lost = any(lane.receiver.lost for lane in lanes)
    for lane in lanes:
        lane.receiver.end(wait=not lost)
        lost = lost or lane.receiver.lost


def _parts(said: str) -> tuple[str, int, str]:
    """What was done, the error's number on this machine (names are the same everywhere, numbers are not), and its text."""
    doing, _, rest = said.partition(" ")
    name, _, text = rest.partition(" ")
    return doing.replace("-", " "), int(getattr(errno, name, errno.EIO)), text
