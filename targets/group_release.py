"""One change of one module on every member of a group: a barrier between prepare and switch."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Protocol, Self, cast

import structlog

from targets.contract import FilePut, Moved, Present, Release, Target
from targets.errors import Fenced, TargetError, TransientTargetError
from targets.release import nothing

log = structlog.get_logger(__name__)


class Withdrawable(Release, Protocol):
    """A member's release, whose note can be taken back while nothing was switched."""

    def withdraw(self) -> None:
        """Remove the note, then what was staged."""


@dataclass(frozen=True, slots=True)
class Member:
    """One target of a group with its own present and, later, its own release."""

    target: Target
    present: Present
    release: Release | None = None

    @property
    def name(self) -> str:
        return self.target.name


@dataclass(slots=True)
class GroupRelease:
    """Implements `Release`. `fills`: files that a member gets from another one, by the member's name."""

    group: str
    url: str
    members: tuple[Member, ...]
    quorum: int
    fills: dict[str, list[FilePut]] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)
    prepared: list[Member] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """The members that were left behind."""

    def __enter__(self) -> Self:
        for member in self.members:
            self.stack.enter_context(_of(member))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stack.__exit__(kind, error, trace)

    @property
    def room(self) -> int | None:
        return min((room for member in self.members if (room := _of(member).room) is not None), default=None)

    def put(self, files: Iterable[FilePut], done: Callable[[FilePut], None] = nothing) -> None:
        """Each file to the members whose slip lacks it; one that no slip lacks goes to all: it is being repaired."""
        every = list(files)
        needs = {member.name: self._needed(member, every) for member in self.members}
        left = {file.path: sum(file.path in need for need in needs.values()) for file in every}
        repaired = {path for path, count in left.items() if count == 0}

        def arrived(file: FilePut) -> None:
            left[file.path] -= 1
            if left[file.path] == 0:
                done(file)

        left |= dict.fromkeys(repaired, len(self.members))
        for member in list(self.members):
            chosen = [file for file in every if file.path in needs[member.name] or file.path in repaired]
            self._attempt(member, partial(_put, files=chosen, done=arrived))

    @staticmethod
    def _needed(member: Member, files: Iterable[FilePut]) -> set[str]:
        held = {(one.path, one.digest) for one in member.present.slip.ours()} if member.present.slip else set()
        return {file.path for file in files if (file.path, file.digest) not in held}

    def _attempt(self, member: Member, do: Callable[[Withdrawable], None]) -> None:
        """Do it on one member; one that cannot be reached is left behind while a quorum is left."""
        try:
            do(_of(member))
        except TransientTargetError as error:
            if len(self.members) - 1 < self.quorum:
                raise
            log.warning("member lags", group=self.group, member=member.name, url=self.url, why=str(error))
            self.members = tuple(one for one in self.members if one is not member)
            self.left.append(member.name)
            # It ends here for this member, by this error: nothing is tidied up behind a connection that was cut.
            _of(member).__exit__(type(error), error, error.__traceback__)

    def prepare(self) -> None:
        """All prepare. If one cannot, the others take their notes back: nothing has happened anywhere."""
        try:
            for member in list(self.members):
                self._attempt(member, partial(self._prepare, member))
        except BaseException:
            self._withdraw()
            raise

    def _prepare(self, member: Member, release: Withdrawable) -> None:
        release.put(self.fills.get(member.name, ()))
        release.prepare()
        self.prepared.append(member)

    def _withdraw(self) -> None:
        for member in self.prepared:
            try:
                _of(member).withdraw()
            except TargetError as error:
                log.warning("note left", group=self.group, member=member.name, url=self.url, why=str(error))
        self.prepared.clear()

    def switch(self) -> Moved:
        """All switch, whatever happens on one: its note stays, and its next holder finishes. The first error is raised then.

        But a member that a later holder has taken over ends it at once: that one finishes the others too.
        """
        failures: list[TargetError] = []
        done: list[tuple[str, Moved]] = []
        for member in self.members:
            try:
                done.append((member.name, _of(member).switch()))
            except Fenced:
                raise
            except TargetError as error:
                log.warning("member not switched", group=self.group, member=member.name, url=self.url, why=str(error))
                failures.append(error)
                self.left.append(member.name)
        lagging = all(isinstance(error, TransientTargetError) for error in failures)
        if failures and not (lagging and len(done) >= self.quorum):
            raise self._split(failures[0], [name for name, _ in done])
        moved = [one for _, one in done]
        return Moved(
            sum(one.files for one in moved),
            sum(one.bytes for one in moved),
            sum(one.dropped for one in moved),
            tuple(sorted(self.left)),
        )

    def _split(self, error: TargetError, done: list[str]) -> TargetError:
        """The error, which says too on which members the release is visible already."""
        if done:
            log.error("group is split", group=self.group, url=self.url, switched=done, not_switched=sorted(self.left))
            until = f"{self.group} is split until the next task of {self.url} finishes there"
            error.args = (f"{str(error).rstrip('. ')}; {until}: {', '.join(done)} switched already", *error.args[1:])
        return error


def _put(release: Release, files: Iterable[FilePut], done: Callable[[FilePut], None]) -> None:
    release.put(files, done)


def _of(member: Member) -> Withdrawable:
    assert member.release is not None
    return cast(Withdrawable, member.release)
