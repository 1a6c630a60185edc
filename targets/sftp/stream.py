"""The receivers of one connection: files and calls spread over them, and what their refusals mean."""

import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

import structlog

from targets.disk import Answer, Write
from targets.errors import PathBlocked, TargetUnfit, TargetUnreachable
from targets.faults import ABSENT, DENIED, REFUSED, target_error
from targets.sftp.calls import Change
from targets.sftp.receiver import Receiver

log = structlog.get_logger(__name__)

LANES = 4
"""Receivers for synced files: each waits for the disk at every file, but they wait at the same time."""
MANY_SYNCS = 32
"""As many as make a further receiver worth the round trips that it costs."""


class Stream:
    """One receiver, or several where many files are synced. `target`: the name that errors carry."""

    def __init__(self, begin: Callable[[], Receiver], target: str) -> None:
        self._begin, self._target = begin, target
        self._lanes: list[_Lane] = []
        self._widened = False

    def write(self, writes: Iterable[tuple[Write, bytes]]) -> Iterator[Write]:
        """Put files at these paths; each is given back as soon as it is known to be there. Raises what `Disk.write` does."""
        synced = 0
        try:
            for write, path in writes:
                synced += write.sync
                lane = self._lane(synced)
                lane.receiver.write(write, path)
                lane.awaited.append((write, path))
                yield from self._arrived(lane)
            for lane in self._lanes:
                yield from self._arrived(lane, all_of_them=True)
        except BaseException:
            self.end()
            raise

    def change(self, changes: Sequence[Change]) -> Sequence[Answer]:
        """Make calls one after the other."""
        receiver = self._lane(0).receiver
        try:
            for change in changes:
                receiver.change(change)
            return [self._answer(*pair) for pair in zip(changes, receiver.answers(all_of_them=True), strict=True)]
        except BaseException:
            self.end()
            raise

    def tried(self) -> tuple[bool, str]:
        """Whether the program runs there, and what to do if not."""
        try:
            self._lane(0)
        except TargetUnfit as error:
            return False, str(error)
        return True, ""

    def end(self) -> None:
        """Let all of them end. The next call begins anew."""
        lanes, self._lanes, self._widened = self._lanes, [], False
        for lane in lanes:
            lane.receiver.end()

    def _lane(self, synced: int) -> "_Lane":
        """Who has least to do."""
        if not self._lanes:
            self._lanes.append(_Lane(self._begin()))
        if synced > MANY_SYNCS and not self._widened:
            self._widen()
        return min(self._lanes, key=lambda lane: len(lane.awaited)) if self._widened else self._lanes[0]

    def _widen(self) -> None:
        self._widened = True
        try:
            while len(self._lanes) < LANES:
                self._lanes.append(_Lane(self._begin()))
        except (TargetUnfit, TargetUnreachable) as error:
            # MaxSessions of the server, most likely: fewer lanes are slower, nothing else.
            log.info("server allows few channels", target=self._target, lanes=len(self._lanes), reason=str(error))

    def _arrived(self, lane: "_Lane", *, all_of_them: bool = False) -> Iterator[Write]:
        for said in lane.receiver.answers(all_of_them=all_of_them):
            write, path = lane.awaited.popleft()
            if said:
                raise self._error(said, path)
            yield write

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

    def _answer(self, change: Change, said: str) -> Answer:
        if not said:
            return Answer.OK
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
        self.awaited: deque[tuple[Write, bytes]] = deque()


def _parts(said: str) -> tuple[str, int, str]:
    """What was done, the error's number on this machine (names are the same everywhere, numbers are not), and its text."""
    doing, _, rest = said.partition(" ")
    name, _, text = rest.partition(" ")
    return doing.replace("-", " "), int(getattr(errno, name, errno.EIO)), text
