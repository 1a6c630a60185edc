"""One module in the hands of its holder: the calls made under its token, each batch after a look at the lease."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from targets.area import NOTE, Held
from targets.contract import Claim
from targets.disk import Answer, Call, Disk, Done, Entry, EntryType, Looks, Op, Readable, Script, Write
from targets.errors import Fenced, PermanentTargetError, PermissionRefused, TargetUnreachable, TransientTargetError
from targets.options import PlacedOptions

BATCH = 256
"""Calls between two looks at the lease: a second's worth on a slow link."""
SHORT = 1024 * 1024
"""Bytes of documents that come between two looks at the lease: a second's worth as well."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What it takes to work on one held module."""

    target: str
    disk: Disk
    options: PlacedOptions
    claim: Claim
    names: Held
    records: list[Entry | None] = field(default_factory=list, compare=False)
    """The commit record as it lay there after the last call of ours that changed something, if that was looked at."""

    def listing(self) -> Mapping[str, Entry]:
        """What lies in the holder's folder. Raises Fenced: the folder is gone once somebody took over; TargetUnreachable."""
        try:
            return self.disk.list(self.names.folder)
        except FileNotFoundError as error:
            raise self.fenced() from error

    def fenced(self) -> Fenced | TargetUnreachable:
        """The error of a holder whose folder is gone: a later holder has it, unless all that is ours is gone."""
        if self.disk.stat([self.options.area])[0] is None:
            return TargetUnreachable(
                f"{self.target}: {self.options.area} is not there any more, in which Slipway keeps its own files; is the file "
                "system mounted?",
                target=self.target,
            )
        return Fenced(f"{self.target}: {self.names.url} was taken over by a later holder; this one stops", target=self.target)

    def run(self, calls: Sequence[Call]) -> list[Answer]:
        """Make the calls while the lease is ours; every answer but DENIED is the caller's business.

        Raises PermissionRefused, except for folders: one that may not be removed may as well be one that is not empty.
        """
        answers = self.attempt(calls)
        self.refuse_denied(calls, answers)
        return answers

    def attempt(self, calls: Sequence[Call]) -> list[Answer]:
        """Make the calls while the lease is ours; every answer is the caller's business."""
        answers: list[Answer] = []
        for start in range(0, len(calls), BATCH):
            self.claim.check()
            answers += self.disk.run(calls[start : start + BATCH])
        return answers

    def ahead(self, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
        """`Disk.ahead` while the lease is ours. Whoever asks for the answers has to expect what `run` raises."""
        if len(folders) > BATCH:
            made = self.run(folders)
            return lambda: made
        self.claim.check()
        told = self.disk.ahead(folders)

        def answers() -> Sequence[Answer]:
            found = told()
            self.refuse_denied(folders, found)
            return found

        return answers

    def refuse_denied(self, calls: Sequence[Call], answers: Sequence[Answer]) -> None:
        """Raise PermissionRefused for what the account may not do, but remove a folder."""
        if Answer.DENIED not in answers:
            return
        for call, answer in zip(calls, answers, strict=True):
            if answer is Answer.DENIED and call.op is not Op.RMDIR:
                raise self._denied(call)

    def insist(self, calls: Sequence[Call]) -> None:
        """Make calls that nothing of ours hinders: what is refused would be left undone without a word.

        Raises TransientTargetError. Absent is as good as done; where we were fenced, the next listing says so.
        """
        for call, answer in zip(calls, self.run(calls), strict=True):
            if answer is Answer.REFUSED and call.op is not Op.RMDIR:
                raise self.refused(call)

    def tidy(self, folders: Sequence[Call]) -> None:
        """Remove folders that may be empty, contents first. One that is refused though nothing lies in it is asked for again.

        Raises TransientTargetError if that is refused too: a server says no word of why, and the folder would stay for ever.
        Where the account may not, it stays.
        """
        for call, answer in zip(folders, self.run(folders), strict=True):
            if answer in {Answer.REFUSED, Answer.DENIED}:
                empty = self.empty(call.path)
                if empty is not False and self.run([call])[0] is Answer.REFUSED and empty:
                    raise self.refused(call)

    def empty(self, folder: str) -> bool | None:
        """Whether it is a folder in which nothing lies; None: the account may not look."""
        try:
            return not self.disk.list(folder)
        except FileNotFoundError:
            return False
        except PermanentTargetError:
            return None

    def rename(self, path: str, to: str, stats: Sequence[str] = ()) -> Sequence[Entry | None]:
        """Rename what we put into our folder ourselves. Raises Fenced, TransientTargetError.

        `stats`: names to look at in the same flight; what lies there is given back.
        """
        call = Call(Op.RENAME, path, to)
        [answer], there = self.run_and_stat([call], stats)
        self.expect(call, answer)
        return there

    def write(self, writes: Sequence[Write]) -> None:
        """Write documents into our folder. Raises Fenced, and what `Disk.write` does."""
        try:
            for _ in self.disk.write(writes):
                """Each is there now."""
        except FileNotFoundError as error:
            raise self.fenced() from error

    def write_and_rename(self, writes: Sequence[Write], path: str, to: str, stats: Sequence[str]) -> Sequence[Entry | None]:
        """Write documents into our folder, then rename the last one. Raises and gives back like `rename`."""
        call = Call(Op.RENAME, path, to)
        try:
            done = self.carry_out(Script([call], writes=writes, stats=stats))
        except FileNotFoundError as error:
            raise self.fenced() from error
        if done is None:
            self.write(writes)
            return self.rename(path, to, stats)
        self.refuse_denied([call], done.calls)
        self.expect(call, done.calls[0])
        return done.stats

    def carry_out(self, script: Script) -> Done | None:
        """Carry out a short script while the lease is ours, on a disk that need not wait in between; None: nothing was done."""
        steps = len(script.first) + len(script.calls)
        if steps > BATCH or sum(write.size for write in script.writes) > SHORT:
            return None
        self.claim.check()
        return self.disk.carry_out(script)

    def expect(self, call: Call, answer: Answer) -> None:
        """Raise Fenced or TransientTargetError unless a call was made that nothing but a later holder hinders."""
        if answer is Answer.ABSENT:
            raise self.fenced()
        if answer is not Answer.OK:
            raise self.refused(call)

    def run_and_stat(self, calls: Sequence[Call], stats: Sequence[str]) -> tuple[Sequence[Answer], Sequence[Entry | None]]:
        """Make a few calls like `run`, and look at names right behind them, in one flight."""
        self.claim.check()
        answers, seen = self.disk.look(Looks(stats=stats), calls)
        self.refuse_denied(calls, answers)
        return answers, seen.stats

    def refused(self, call: Call) -> TransientTargetError:
        """The error that says so."""
        return TransientTargetError(
            f"{self.target}: the server refuses to {_words(call)} and gives no reason. A fault of its disk, or does something "
            "hold that name? Its own log may say more",
            target=self.target,
        )

    def _denied(self, call: Call) -> PermissionRefused:
        return PermissionRefused(
            f"{self.target}: the account may not {_words(call)}; give it the right to write there",
            target=self.target,
        )

    def withdraw(self) -> None:
        """Take a note back of which nothing was done yet.

        Its removal is safe on the disk before what it names goes: a note that a loss of power revived would find its files
        gone, and take them for renamed.
        """
        names = self.listing()
        if NOTE not in names:
            return
        self.insist([Call(Op.UNLINK, self.names.note)])
        if self.options.syncs:
            files = (name for name, entry in names.items() if name.startswith("s:") and entry.type is EntryType.FILE)
            left = next((self.names.inside(name) for name in files), self.names.slip)
            self.insist([Call(Op.SYNC, left)])
        self.clean()

    def clean(self, names: Mapping[str, Entry] | None = None) -> None:
        """Remove everything in the holder's folder, a note before all else: without its files it would lie.

        `names`: a listing that the caller has just made.
        """
        names = self.listing() if names is None else names
        if NOTE in names:
            self.insist([Call(Op.UNLINK, self.names.note)])
        rest = {name: entry for name, entry in names.items() if name != NOTE}
        self.insist(removals(self.disk, self.names.folder, rest))


def _words(call: Call) -> str:
    return f"{call.op} {call.path}" + (f" to {call.to}" if call.to else "")


def removals(disk: Disk, folder: str, entries: Mapping[str, Entry]) -> list[Call]:
    """The calls that remove these entries of a folder, contents before folders.

    All folders of a level are listed in one flight.
    """
    levels: list[list[Call]] = []
    level = {f"{folder}/{name}": entry for name, entry in entries.items()}
    while level:
        folders = [path for path, entry in level.items() if entry.type is EntryType.FOLDER]
        levels.append([Call(Op.RMDIR if entry.type is EntryType.FOLDER else Op.UNLINK, path) for path, entry in level.items()])
        found = disk.look(Looks(lists=folders))[1].lists if folders else ()
        level = {
            f"{path}/{name}": entry for path, inner in zip(folders, found, strict=True) for name, entry in (inner or {}).items()
        }
    return [call for calls in reversed(levels) for call in calls]


def names_in(disk: Readable, folder: str) -> Mapping[str, Entry]:
    """What lies in a folder; nothing if it is gone."""
    try:
        return disk.list(folder)
    except FileNotFoundError:
        return {}
