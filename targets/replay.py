"""Finishing a release from its note: steps 11 to 19 of the commit protocol, for one's own note and a dead engine's.

11  list the holder's folder, unless the holder has filled it a moment ago; gone: somebody took over, stop
12  sync the note: a predecessor may have died before it did
13  names in the way of a put go to the trash
14  folders that are needed: all are made, then all are moved to their places, with the first files right behind
    a module of which nothing is there yet comes whole, by one rename; if that is refused, file by file like any other
15  assets, then pages, then the public copy of the slip; whatever fails: look again
16  the slip
17  drops: pages, then assets, then folders that became empty
18  an unpublish ends with the slip's own removal; where files became stale and all this took long, their grace counts anew
19  the note goes, then all else in the holder's folder
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from targets import arrival, flight, protocol, turn, whole
from targets.area import all_parents, staged
from targets.blocked import blocked
from targets.disk import Answer, Call, Entry, EntryType, Op
from targets.errors import TargetError
from targets.ground import refuse_links
from targets.hold import Hold
from targets.late import count_anew
from targets.note import Drop, Note, Part, Put

log = structlog.get_logger(__name__)

MANY = 4096
"""Renames whose calls are made together."""
PASSES = 5
"""Looks at the folder before a put that fails each time counts as blocked. One is usual; a folder that another
module's clean-up removed as empty just before a put costs another."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the holder knows that has just prepared a release: everything lies in its folder still.

    Or the folder is somebody else's by now, and the first rename out of it fails, as it would right after a listing.
    """

    live: Mapping[str, Entry | None]
    """What lies at the live folders that its files need."""
    clean: bool
    """Whether nothing but what the note names lies in the folder."""
    files: Callable[[], Sequence[Put]]
    """Says which were put."""


@dataclass(slots=True)
class Replay:
    """One release being finished. `prepared`: by its own holder, a moment ago."""

    hold: Hold
    note: Note
    prepared: Prepared | None = None
    bare: bool = False
    """Whether the holder's folder is known to have nothing in it but the note, once all is in its place."""
    records: Sequence[Entry | None] | None = None
    """The commit record, if the note went in the flight that brought it."""

    def finish(self) -> None:
        """Steps 11 to 19. Raises Fenced, PathBlocked, PermissionRefused, TransientTargetError.

        Then the note stays for the next holder.
        """
        self.hold.records.clear()
        self._put()
        self._drop()
        count_anew(self.hold, self.note)
        self._clean_up()

    def _put(self) -> None:
        """Steps 11 to 16, until a look at the folder finds nothing that fails."""
        # A listing costs the server a look at each staged file.
        known = self.prepared if self.note.publish and self.note.turn is None else None
        self.bare = known is not None and known.clean and not self.note.drops
        failed = self._switch_prepared(known.live) if known else self._switch(self._listing())
        looks = 1
        while failed is not None:
            self.bare = False
            if looks == PASSES:
                raise self._blocked(failed)
            log.info("put refused, looking again", target=self.hold.target, url=self.note.url, path=failed.to)
            failed = self._switch(self._listing())
            looks += 1

    def _switch_prepared(self, live: protocol.Lives) -> Call | None:
        """The first attempt of one's own release: in one flight, if the disk can."""
        flown = flight.fly(self.hold, self.note, live, bare=self.bare)
        if flown is None:
            return self._switch(None, live)
        self.bare = self.bare and flown.moved
        self.records = flown.records
        return flown.failed

    def _listing(self) -> Collection[str]:
        """The names in the holder's folder, and those in `parts` that the note names, which says then what they are."""
        names = self.hold.listing()
        if staged(self.note.tag, whole.PARTS_NAME) not in names:
            return names
        if self.note.whole:
            self.note = whole.in_parts(self.note, self._files())
        return arrival.left_in_parts(self.hold, self.note).union(names)

    def _files(self) -> Iterable[Put]:
        """The files of a whole module: of one's own release as they were put, of a dead engine's as its staged slip says."""
        if self.prepared:
            return self.prepared.files()
        return arrival.files_of(self.hold, self.note)

    def _switch(self, listed: Collection[str] | None, live: protocol.Lives | None = None) -> Call | None:
        """Steps 12 to 16; the first call that failed, or None. `listed`: the names in the holder's folder; None: all is there.

        `live`: what lies at the live folders that are needed, where that is known.
        """
        todo, there = protocol.remaining(self.note, listed), listed or ()
        names = self.hold.names
        self._sync([names.note])
        self._leave_link()
        self._clear_way(todo, there)
        moves = self._make_folders(self._needed(todo) if live is None else live)
        if self.note.turn:
            self._moved(self.hold.run(moves))
            moves = ()
        failed = self._turn(there) or self._stand(todo, listed, moves)
        if failed:
            return failed
        for part in (Part.ASSET, Part.PAGE, Part.PUBLIC):
            puts = [put for put in todo.puts if put.part is part]
            failed = self._rename_part(puts, moves)
            if failed:
                return failed
            moves = () if puts else moves
        return self._rename((protocol.slip_call(self.note, names),)) if todo.slip else None

    def _rename_part(self, puts: Sequence[Put], moves: Sequence[Call]) -> Call | None:
        """Many at a time: the calls of a large slip take more memory than the slip. The last one's sync commits them all.

        `moves`: of the folders that these are the first to need. A file whose folder is not there is refused, so nothing waits.
        """
        for start in range(0, len(puts), MANY):
            calls = protocol.put_calls(self.note, self.hold.names, puts[start : start + MANY])
            failed = self._rename(calls, synced=self.hold.options.syncs_each or start + MANY >= len(puts), moves=moves)
            moves = ()
            if failed:
                return failed
        return None

    def _rename(self, calls: Sequence[Call], *, synced: bool = True, moves: Sequence[Call] = ()) -> Call | None:
        answers = self.hold.run([*moves, *calls])
        self._moved(answers[: len(moves)])
        answers = answers[len(moves) :]
        every, ok = self.hold.options.syncs_each, Answer.OK
        failed = next((call for call, answer in zip(calls, answers, strict=True) if answer is not ok), None)
        if synced and (every or failed is None):
            moved = [call for call, answer in zip(calls, answers, strict=True) if answer is ok] if failed else calls
            self._sync([call.path for call in protocol.sync_after(moved, every=every)])
        return failed

    def _leave_link(self) -> None:
        """The link of a module that will be versioned no more, while it is ours."""
        note, names = self.note, self.hold.names
        if note.turn is None or not note.turn.leave:
            return
        live = names.live("")
        if turn.shelf_of(note, note.turn).linked(self.hold.disk, self.hold.disk.stat([live])[0]):
            self.hold.insist([turn.leave_call(names)])

    def _turn(self, there: Collection[str]) -> Call | None:
        """The release stands complete, durably; then the link leads to it. The first call that failed, or None."""
        note, names = self.note, self.hold.names
        if note.turn is None:
            return None
        failed = self._rename(turn.stand_calls(note, note.turn, names, there), synced=False)
        if failed is None and turn.turns(note, there):
            # Also where a predecessor made the renames: it may have died before it synced them.
            self._sync(turn.moved_last(note, note.turn))
            failed = self._rename((turn.link_call(note, names),), synced=False)
        return failed

    def _stand(self, todo: protocol.Remaining, listed: Collection[str] | None, moves: Sequence[Call]) -> Call | None:
        """A whole module at its place, durably; the call, if it was refused."""
        note = self.note
        if not note.whole:
            return None
        if listed is None or staged(note.tag, whole.WHOLE_NAME) in listed:
            moved, refused = arrival.stand(self.hold, note, moves)
            self._moved(moved)
            if refused:
                return refused
        if todo.slip and self.hold.options.syncs:
            # Also where a predecessor made the rename: it may have died before it synced it.
            arrival.sync(self.hold, [put.path for put in self._files()])
        return None

    def _clear_way(self, todo: protocol.Remaining, there: Collection[str]) -> None:
        if self.note.turn and self.note.turn.to:
            if turn.turns(self.note, there):
                self._clear_folder()
            return
        self.hold.run(self._in_the_way(todo))

    def _in_the_way(self, todo: protocol.Remaining) -> Sequence[Call]:
        drops = protocol.way_drops(self.note, todo.puts)
        return protocol.clear_way(self.note, self.hold.names, todo, self._live(drops))

    def _clear_folder(self) -> None:
        """A folder where the link goes: pages, assets, then the folders that this emptied."""
        self._trash(self.note.drops, self._live(self.note.drops))
        emptied = protocol.emptied_folders(self.note) | {"", *self.note.folders}
        self.hold.tidy(protocol.remove_folders(self.hold.names, emptied))

    def _needed(self, todo: protocol.Remaining) -> protocol.Lives:
        """What lies at the live folders that are needed, outermost first."""
        names, note = self.hold.names, self.note
        turned = turn.folders(note, note.turn, names) if note.turn and note.turn.to else None
        folders = protocol.needed_folders(note, names, todo.puts) if turned is None else turned
        return dict(zip(folders, self.hold.disk.stat(folders), strict=True))

    def _make_folders(self, live: protocol.Lives) -> Sequence[Call]:
        """Make those that are not there; the calls that are left to move them to their places."""
        refuse_links(self.hold.target, live)
        made, moves = protocol.make_folders(self.hold.names, live, live, self.hold.options.folder_mode)
        self.hold.run(made)
        return moves

    def _moved(self, answers: Sequence[Answer]) -> None:
        """What became of folders: one whose place is taken by now lies in the holder's folder still."""
        if any(answer is not Answer.OK for answer in answers):
            self.bare = False

    def _drop(self) -> None:
        """Steps 17 and 18. In the versioned layout all drops stood in the link's way."""
        if self.note.turn is None or self.note.turn.to is None:
            stale = protocol.stale_drops(self.note)
            self._trash(stale, self._live(stale))
            self.hold.tidy(protocol.remove_folders(self.hold.names, protocol.emptied_folders(self.note)))
        if not self.note.publish:
            withdrawn = protocol.withdraw_slip(self.hold.names)
            self.hold.insist([withdrawn])
            if self.note.turn:
                # A link that a loss of power brought back must still lead somewhere.
                self._sync([withdrawn.to])
        if self.note.turn:
            self.hold.insist(turn.expire_calls(self.note, self.note.turn, self.hold.names))
            self.hold.tidy(turn.empty_calls(self.note, self.note.turn))

    def _trash(self, drops: Sequence[Drop], live: Mapping[str, Entry | None]) -> None:
        for part in (Part.PAGE, Part.ASSET):
            calls = protocol.trash(self.note, self.hold.names, [drop for drop in drops if drop.part is part], live)
            self.hold.insist(calls)
            self._sync([call.path for call in protocol.sync_after(calls, every=False)])

    def _live(self, drops: Sequence[Drop]) -> dict[str, Entry | None]:
        """What lies at these names, links on the way refused: behind one lies somebody else's tree."""
        names, disk = self.hold.names, self.hold.disk
        folders = sorted(all_parents(names.live(drop.path) for drop in drops))
        refuse_links(self.hold.target, dict(zip(folders, disk.stat(folders), strict=True)))
        return dict(zip((drop.path for drop in drops), disk.stat([names.live(drop.path) for drop in drops]), strict=True))

    def _clean_up(self) -> None:
        """Step 19. What was moved last may lie in the trash; one sync commits the moves of whoever made them."""
        if self.bare:
            if self.records is None:
                self._remove_note()
            else:
                self.hold.records[:] = self.records
            return
        names = self.hold.listing()
        trashed = [name for name, entry in names.items() if name.startswith("t:") and entry.type is EntryType.FILE]
        self._sync([self.hold.names.inside(trashed[-1]) if trashed else self.hold.names.slip])
        self.hold.clean(names)

    def _remove_note(self) -> None:
        """All that is left in a folder of which we know each name. Its absence tells what a listing would: somebody took over."""
        if self.note.since is not None:
            # The slip was put anew after its sync, perhaps; otherwise it was moved last, and synced then.
            self._sync([self.hold.names.slip])
        call = Call(Op.UNLINK, self.hold.names.note)
        [answer], records = self.hold.run_and_stat([call], [self.hold.names.slip])
        self.hold.expect(call, answer)
        self.hold.records[:] = records

    def _sync(self, paths: Sequence[str]) -> None:
        if self.hold.options.syncs:
            self.hold.insist([Call(Op.SYNC, path) for path in paths])

    def _blocked(self, call: Call) -> TargetError:
        """Why a put failed at each look: what is not ours in its way; or else the server refuses, perhaps for a while."""
        todo = protocol.remaining(self.note, self._listing())
        ours = next((each for each in self._in_the_way(todo) if each.op is Op.RENAME or self.hold.empty(each.path)), None)
        return (None if ours else blocked(self.hold, call)) or self.hold.refused(ours or call)
