"""Becoming the only writer of a module: steps 1 to 7 of the commit protocol.

1  list the module's folder; a module without one is born with its token inside, by one rename
2  a token that is mine: go on; a fence that is not lower: take a new one, or stop
3  rename the token: from here every earlier holder fails at its next rename
4  end the births of this module that others began
5  a note is there: finish that release
6  remove what else was left
7  read the slip that is live
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from packageslip import Digest
from targets.area import NOTE, PRIVATE, Area, Held, fence_of, module_id, token_name
from targets.contract import Claim, Present, Recovered, Unfinished
from targets.disk import Answer, Call, Disk, Entry, Op
from targets.errors import PermanentTargetError, PermissionRefused, TargetBusy
from targets.hold import Hold, names_in
from targets.note import BadNote, Note, UnknownNote, another_version, read_note
from targets.options import PlacedOptions
from targets.protocol import begun, unmake_folders
from targets.rank import outranked, renew
from targets.records import read_record
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
            hold = self._take()
            if hold is None:
                continue
            recovered = self._recover(hold)
            slip = read_record(self.disk, hold.names.slip, self.url, self.target)
            if outranked(self.target, self.url, self.claim, slip):
                continue
            return hold, Present(self.url, self.target, slip, recovered, self._held(hold), token=hold.names.token)
        raise self._busy()

    def unfinished(self) -> Unfinished | None:
        """Steps 1 to 4, and what step 5 would find."""
        hold = self._hold()
        names = hold.listing()
        if NOTE not in names:
            return None
        note = self._read_note(hold)
        # A note of a program before this one does not say its version: it is finished, as that program would have done.
        known = note.version is not None or not note.publish
        return Unfinished(note.serial, note.version, not known or begun(note, names))

    def take_back(self) -> None:
        """What `unfinished` found goes, with the empty folders that it may have made."""
        hold = self._hold()
        if NOTE in hold.listing():
            note = self._read_note(hold)
            log.info("prepared release taken back", target=self.target, url=self.url, serial=note.serial)
            hold.withdraw()
            hold.tidy(unmake_folders(note, hold.names))

    def _hold(self) -> Hold:
        for _ in range(ATTEMPTS):
            self.claim.check()
            hold = self._take()
            if hold is not None:
                return hold
        raise self._busy()

    def _busy(self) -> TargetBusy:
        return TargetBusy(f"{self.target}: {self.url} keeps changing hands", target=self.target)

    def _held(self, hold: Hold) -> frozenset[Digest]:
        """The releases that stand there, of a module that is versioned."""
        shelf = Shelf(self.options.releases, self.url)
        if self.options.layout != "versioned" or shelf.linked(self.disk, self.disk.stat([hold.names.live("")])[0]) is None:
            return frozenset()
        return digests_of(shelf.names(self.disk), public=self.options.public_slip)

    def _take(self) -> Hold | None:
        """Steps 1 to 4; None: look again."""
        mine = self._names()
        names = names_in(self.disk, mine.module)
        if not names:
            # Absent, or all that a loss of power left of a birth: an empty folder, over which another birth can be renamed.
            self._bear(mine)
            return None
        found = newest_token(names)
        if found != mine.token and not self._rename_token(mine, found):
            return None
        hold = Hold(self.target, self.disk, self.options, self.claim, mine)
        self._end_births(hold)
        return hold

    def _names(self) -> Held:
        return Held(self.url, self.area.module(self.url), token_name(self.claim.fence, self.claim.nonce))

    def _rename_token(self, mine: Held, found: str | None) -> bool:
        """Steps 2 and 3; whether the token is mine now."""
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
            return False
        answer = self.disk.run([Call(Op.RENAME, f"{mine.module}/{found}", mine.folder)])[0]
        if answer is Answer.DENIED:
            raise PermissionRefused(f"{self.target}: the account may not rename {mine.module}/{found}", target=self.target)
        return answer is Answer.OK

    def _bear(self, mine: Held) -> None:
        """Step 1: a module's first folder comes with its token inside."""
        if None in self.disk.stat([self.area.modules, self.area.new]):
            if self.area.queue not in queues(self.disk, self.area.folder):
                refuse_others(self.disk, self.area, self.target)
                refuse_missing_root(self.disk, self.target)
                refuse_wrong_root(self.disk, self.area, self.target, self.claim)
            ensure(self.disk, self.area, self.target)
        birth = f"{self.area.new}/{module_id(self.url)}~{mine.token}"
        own = f"{birth}/{mine.token}"
        calls = [Call(Op.MKDIR, birth, mode=PRIVATE), Call(Op.MKDIR, own, mode=PRIVATE), Call(Op.RENAME, birth, mine.module)]
        answers = self.disk.run(calls)
        if any(answer is not Answer.OK for answer in answers):
            self.disk.run([Call(Op.RMDIR, own), Call(Op.RMDIR, birth)])
        if Answer.DENIED in answers:
            raise PermissionRefused(f"{self.target}: the account may not make folders in {self.area.root}", target=self.target)

    def _end_births(self, hold: Hold) -> None:
        """Step 4: who has the token ends every other birth of this module, dead or not."""
        prefix = module_id(self.url) + "~"
        births = [name for name in names_in(self.disk, self.area.new) if name.startswith(prefix)]
        hold.run([Call(Op.RENAME, f"{self.area.new}/{name}", hold.names.inside(f"j:{name}")) for name in births])

    def _recover(self, hold: Hold) -> Recovered | None:
        """Steps 5 and 6."""
        names = hold.listing()
        if NOTE not in names:
            hold.clean(names)
            return None
        note = self._read_note(hold)
        log.info("unfinished release found", target=self.target, url=self.url, serial=note.serial, publish=note.publish)
        Replay(hold, note).finish()
        return Recovered(read_record(self.disk, hold.names.slip, self.url, self.target), note.serial)

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


def newest_token(names: Mapping[str, Entry]) -> str | None:
    """The token among the names in a module's folder."""
    tokens = [name for name in names if fence_of(name) is not None]
    return max(tokens, default=None)
