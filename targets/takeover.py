"""Becoming the only writer of a module: steps 1 to 7 of the commit protocol.

1  list the module's folder; a module without one is born with its token inside, by one rename
2  a token that is mine: go on; a fence that is not lower: take a new one, or stop
3  rename the token: from here every earlier holder fails at its next rename
4  end the births of this module that others began
5  a note is there: finish that release
6  remove what else was left
7  read the slip that is live
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from packageslip import Digest, Packageslip
from targets.area import NOTE, PRIVATE, SLIP, Area, Held, all_parents, fence_of, module_id, token_name
from targets.contract import Claim, Present, Recovered, Unfinished
from targets.disk import Answer, Call, Disk, Entry, EntryType, Looks, Op, Seen
from targets.errors import PermanentTargetError, PermissionRefused, TargetBusy, TargetError, TargetUnreachable
from targets.hold import Hold
from targets.note import BadNote, Note, UnknownNote, another_version, read_note
from targets.options import PlacedOptions
from targets.protocol import begun, unmake_folders
from targets.rank import outranked, renew
from targets.records import read_record, record_in
from targets.replay import Replay
from targets.shelf import Shelf, digests_of
from targets.territory import ensure, queues, refuse_missing_root, refuse_others, refuse_wrong_root

log = structlog.get_logger(__name__)

ATTEMPTS = 20
"""Looks at a module's folder before its other takers are left alone for now."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """One attempt to hold one module."""

    target: str
    disk: Disk
    options: PlacedOptions
    area: Area
    url: str
    claim: Claim

    def present(self) -> tuple[Hold, Present]:
        """Steps 1 to 7. Raises Fenced, SerialTooHigh, AreaMissing, TargetBusy and the disk's faults."""
        for _ in range(ATTEMPTS):
            self.claim.check()
            taken = self._take()
            if taken is None:
                continue
            hold = taken.hold
            recovered, slip = self._recover(taken)
            if outranked(self.target, self.url, self.claim, slip):
                continue
            held, token = self._held(hold), hold.names.token
            return hold, Present(self.url, self.target, slip, recovered, held, token=token, vacant=taken.vacant)
        raise self._busy()

    def unfinished(self) -> Unfinished | None:
        """Steps 1 to 4, and what step 5 would find."""
        taken = self._taken()
        names = taken.names
        if NOTE not in names:
            return None
        note = self._read_note(taken.hold)
        # A note of a program before this one does not say its version: it is finished, as that program would have done.
        known = note.version is not None or not note.publish
        return Unfinished(note.serial, note.version, not known or begun(note, names))

    def take_back(self) -> None:
        """What `unfinished` found goes, with the empty folders that it may have made."""
        taken = self._taken()
        hold = taken.hold
        if NOTE in taken.names:
            note = self._read_note(hold)
            log.info("prepared release taken back", target=self.target, url=self.url, serial=note.serial)
            hold.withdraw()
            hold.tidy(unmake_folders(note, hold.names))

    def _taken(self) -> "Taken":
        for _ in range(ATTEMPTS):
            self.claim.check()
            taken = self._take()
            if taken is not None:
                return taken
        raise self._busy()

    def _busy(self) -> TargetBusy:
        return TargetBusy(f"{self.target}: {self.url} keeps changing hands", target=self.target)

    def _held(self, hold: Hold) -> frozenset[Digest]:
        """The releases that stand there, of a module that is versioned."""
        shelf = Shelf(self.options.releases, self.url)
        if self.options.layout != "versioned" or shelf.linked(self.disk, self.disk.stat([hold.names.live("")])[0]) is None:
            return frozenset()
        return digests_of(shelf.names(self.disk), public=self.options.public_slip)

    def _take(self) -> "Taken | None":
        """Steps 1 to 4, with what step 5 lists and step 7 reads; None: look again."""
        mine = self._names()
        # Births are listed before the token is ours: whoever begins one later fails at its rename, over a folder that is not
        # empty by then, and removes it; what somebody leaves who dies at that goes with the next takeover.
        answers, seen = self._look(mine)
        names, births = (found or {} for found in seen.lists)
        if not names:
            there = None not in (seen.lists[1], seen.stats[0])
            # Absent, or all that a loss of power left of a birth: an empty folder, over which another birth can be renamed.
            if not (self._is_born(mine, answers) if answers and there else self._bear(mine, there=there)):
                return None
            calls = self._ends(mine, births)
            if calls:
                return self._enter(mine, calls, None)
            # What was born is empty: whoever takes over renames it, and our first call in it fails.
            return Taken(self._hold(mine), {}, None, _is_vacant(seen.stats[1:]))
        found = newest_token(names)
        ends = self._ends(mine, births)
        if found == mine.token:
            return self._enter(mine, ends, names.get(SLIP))
        call = self._token_call(mine, found)
        return self._enter(mine, [call, *ends], names.get(SLIP)) if call else None

    def _look(self, mine: Held) -> tuple[Sequence[Answer], Seen]:
        """The module's folder, the births, the folder of all modules, and the way to the module's own name, unless it has none.

        Where there is no such folder the module's birth is in the same flight.
        """
        home = mine.live("")
        lists, birth = (mine.module, self.area.new), self._birth(mine)
        try:
            way = [*sorted(all_parents([home])), home] if home else []
            return self.disk.look(Looks(lists, (self.area.modules, *way)), otherwise=birth)
        except TargetUnreachable:
            raise
        except TargetError:
            # Behind a link, or where the account has no right: whoever writes there will be told. If it was born, it is ours.
            return self.disk.look(Looks(lists, (self.area.modules,)), otherwise=birth)

    def _enter(self, mine: Held, calls: Sequence[Call], slip: Entry | None) -> "Taken | None":
        """Steps 3 and 4, and what lies there right after; None: somebody else has the token. `slip`: the record's entry before.

        If the first call fails, our folder is not there: so do the others, and nothing that was seen counts.
        """
        self.claim.check()
        size = slip.size if slip and slip.type is EntryType.FILE else None
        looks = Looks(lists=(mine.folder,), stats=(mine.slip,), documents=((mine.slip, size),))
        answers, seen = self.disk.look(looks, calls)
        hold = self._hold(mine)
        if calls and calls[0].to == mine.folder and answers[0] is not Answer.OK:
            if answers[0] is Answer.DENIED:
                raise PermissionRefused(f"{self.target}: the account may not rename {calls[0].path}", target=self.target)
            return None
        hold.refuse_denied(calls, answers)
        [names], [document] = seen.lists, seen.documents
        if names is None:
            raise hold.fenced()
        hold.records[:] = seen.stats
        return Taken(hold, names, document)

    def _hold(self, mine: Held) -> Hold:
        return Hold(self.target, self.disk, self.options, self.claim, mine)

    def _names(self) -> Held:
        return Held(self.url, self.area.module(self.url), token_name(self.claim.fence, self.claim.nonce))

    def _token_call(self, mine: Held, found: str | None) -> Call | None:
        """Steps 2 and 3: the call that makes the token mine; None: my fence is another one now."""
        if found is None:
            raise PermanentTargetError(
                f"{self.target}: {mine.module} has no holder's folder, which nothing of ours ever removes; move it away, "
                f"then what lies at {self.url} is treated as foreign",
                target=self.target,
            )
        fence = fence_of(found) or 0
        if fence >= self.claim.fence:
            live = read_record(self.disk, mine.slip, self.url, self.target)
            renew(self.target, self.url, self.claim, fence, live)
            return None
        return Call(Op.RENAME, f"{mine.module}/{found}", mine.folder)

    def _bear(self, mine: Held, *, there: bool) -> bool:
        """Step 1: a module's first folder comes with its token inside; whether it did. `there`: whether the area is."""
        if not there:
            if self.area.queue not in queues(self.disk, self.area.folder):
                refuse_others(self.disk, self.area, self.target)
                refuse_missing_root(self.disk, self.target)
                refuse_wrong_root(self.disk, self.area, self.target, self.claim)
            ensure(self.disk, self.area, self.target)
        return self._is_born(mine, self.disk.run(self._birth(mine)))

    def _birth(self, mine: Held) -> Sequence[Call]:
        birth = f"{self.area.new}/{module_id(self.url)}~{mine.token}"
        own = f"{birth}/{mine.token}"
        return [Call(Op.MKDIR, birth, mode=PRIVATE), Call(Op.MKDIR, own, mode=PRIVATE), Call(Op.RENAME, birth, mine.module)]

    def _is_born(self, mine: Held, answers: Sequence[Answer]) -> bool:
        """Whether it is there by these calls; what is left of them goes otherwise."""
        if any(answer is not Answer.OK for answer in answers):
            birth, own, _ = self._birth(mine)
            self.disk.run([Call(Op.RMDIR, own.path), Call(Op.RMDIR, birth.path)])
        if Answer.DENIED in answers:
            raise PermissionRefused(f"{self.target}: the account may not make folders in {self.area.root}", target=self.target)
        return set(answers) == {Answer.OK}

    def _ends(self, mine: Held, births: Iterable[str]) -> list[Call]:
        """Step 4: who has the token ends every other birth of this module, dead or not."""
        prefix = module_id(self.url) + "~"
        others = (name for name in births if name.startswith(prefix))
        return [Call(Op.RENAME, f"{self.area.new}/{name}", mine.inside(f"j:{name}")) for name in others]

    def _recover(self, taken: "Taken") -> tuple[Recovered | None, Packageslip | None]:
        """Steps 5 to 7: what was finished, and the slip that is live."""
        hold, names = taken.hold, taken.names
        if NOTE not in names:
            hold.clean(names)
            return None, record_in(taken.document, hold.names.slip, self.url, self.target)
        note = self._read_note(hold)
        log.info("unfinished release found", target=self.target, url=self.url, serial=note.serial, publish=note.publish)
        Replay(hold, note).finish()
        slip = read_record(self.disk, hold.names.slip, self.url, self.target)
        return Recovered(slip, note.serial), slip

    def _read_note(self, hold: Hold) -> Note:
        try:
            return read_note(self.disk.read(hold.names.note))
        except FileNotFoundError as error:
            raise hold.fenced() from error
        except UnknownNote as error:
            raise another_version(self.target, self.url, error) from error
        except BadNote as error:
            raise PermanentTargetError(
                f"{self.target}: the note of an unfinished release of {self.url} cannot be read ({error}). Remove "
                f"{hold.names.note}, then run 'slipway verify' with --repair for this module",
                target=self.target,
            ) from error


@dataclass(frozen=True, slots=True)
class Taken:
    """A module that is held now: the names in the holder's folder, and the commit record's document, right after."""

    hold: Hold
    names: Mapping[str, Entry]
    document: bytes | None
    vacant: bool = False
    """Whether nothing lies at the module's own name."""


def _is_vacant(way: Sequence[Entry | None]) -> bool:
    """Whether nothing lies at the module's own name, the last of these, and no link on the way to it."""
    return bool(way) and way[-1] is None and not any(entry and entry.type is EntryType.LINK for entry in way)


def newest_token(names: Mapping[str, Entry]) -> str | None:
    """The token among the names in a module's folder."""
    tokens = [name for name in names if fence_of(name) is not None]
    return max(tokens, default=None)
