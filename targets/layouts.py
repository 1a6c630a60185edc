"""Which layout a change of a module is made in, and what has to be looked at first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from packageslip import Packageslip, Resource, View, files_digest
from targets.area import all_parents, live_folders
from targets.clearing import Clearing, clearing
from targets.contract import Present
from targets.disk import Entry, EntryType, Looks
from targets.errors import NoSpace, PathBlocked, TargetBusy, TargetError, TargetUnreachable
from targets.ground import Ground, inside, refuse_links
from targets.guests import Guests, StandingRelease, holds, refuse_guests, refuse_immovable
from targets.hold import Hold
from targets.newborn import WholeRelease
from targets.note import Turn
from targets.protocol import same_name
from targets.reading import Reading
from targets.release import OrderedRelease
from targets.shelf import Shelf, refuse_links_above, same_tree
from targets.versioned import ReturningRelease, Standing, VersionedRelease
from targets.wanted import kept_paths, refuse_nested, shows_slip

SPARE = 1.1
"""Room asked for beyond the bytes themselves: blocks are not filled, and the slip and the note come on top."""

FEW = 64
"""Files that come: as many are looked at together with the folders, also where those are not there."""


@dataclass(frozen=True, slots=True)
class Change:
    """One module's change on one target, before anything is staged."""

    hold: Hold
    ground: Ground
    present: Present
    wanted: Packageslip | None
    listed: Mapping[str, Resource | View]
    """The wanted files by path."""
    leading: Sequence[str]
    """Those of their paths that are enough to know every folder on the way to them."""
    adopted: frozenset[str]
    space: tuple[int, int] | None = None
    """Free bytes and files, once that was looked at."""

    def release(self, *, at_once: bool) -> OrderedRelease:
        """The release. Raises PathBlocked, NoSpace, TargetBusy while nothing has been staged."""
        try:
            looked = self._looked()
            looked.refuse_newcomers()
            return looked.made(at_once=at_once)
        except PathBlocked:
            # What stands in the way may be a later holder's.
            self.hold.listing()
            raise

    def _looked(self) -> "Change":
        """The same, with all that can be named beforehand looked at in one flight. The rest is asked for when it is wanted."""
        places = self._places()
        try:
            _, seen = self.hold.disk.look(Looks(stats=places, space=True))
        except TargetUnreachable:
            raise
        except TargetError:
            # Behind a link, or where the account has no right. Each check looks by itself then, and the first one says why.
            return replace(self, space=self.hold.disk.space())
        ground = replace(self.ground, seen=dict(zip(places, seen.stats, strict=True)))
        return replace(self, ground=ground, space=seen.space)

    def _places(self) -> list[str]:
        """The module's own name, the folders on the way to what it has and gets, modules there; what comes, if it is little."""
        url, here, held = self.present.url, self.hold.names.live(""), self._held()
        going = held.keys() - self.listed.keys()
        places = {here, *all_parents([here]), *self.ground.records([*self.leading, *held], going).values()}
        places |= live_folders(url, self.leading) | live_folders(url, going)
        if self.hold.options.layout == "versioned":
            shelf = Shelf(self.hold.options.releases, url)
            places |= {*all_parents([shelf.root]), shelf.root}
        # Where nothing is live yet, there are no folders to look in for files, as a rule.
        coming = [path for path, file in self.listed.items() if held.get(path) != file.digest] if held else []
        return sorted(places.union(self.hold.names.all_live(coming) if len(coming) <= FEW else ()))

    def refuse_newcomers(self) -> None:
        """Raise TargetBusy for files that lie in our files' places since the takeover found nothing: no plan knows of them."""
        if not self.present.vacant or self._at_home() is None:
            return
        reading = Reading(self.hold.target, self.hold.disk, self.hold.options.releases, self.present.url)
        found = reading.strangers(self.listed.keys() - self.adopted)
        if found:
            # They may be a later holder's.
            self.hold.listing()
            raise TargetBusy(
                f"{self.hold.target}: {self.hold.names.live(min(found))} has come to lie there since {self.present.url} was "
                "taken over; the next attempt takes it into account",
                target=self.hold.target,
            )

    def made(self, *, at_once: bool) -> OrderedRelease:
        """The release, by what was seen."""
        versioned = self.wanted is not None and self.hold.options.versions(self.wanted)
        standing = self._standing(versioned)
        if versioned:
            return self._versioned(standing)
        return self._returning(standing) if standing.live else self._ordered(standing, at_once=at_once)

    def _standing(self, versioned: bool) -> Standing:
        options, disk = self.hold.options, self.hold.disk
        shelf = Shelf(options.releases, self.present.url)
        live = shelf.linked(disk, self._at_home())
        if live is None and not versioned and not (self.wanted is None and options.layout == "versioned"):
            return Standing(shelf)
        folders = sorted({*all_parents([shelf.root]), shelf.root})
        refuse_links(self.hold.target, self.ground.stat(folders))
        names = shelf.names(disk)
        public = shows_slip(self.wanted, public=options.public_slip)
        same = same_tree(names, self.wanted, public=public) if self.wanted else None
        if same is None and self.wanted and files_digest(self.wanted) in self.present.held:
            self.hold.listing()
            raise TargetBusy(
                f"{self.hold.target}: a kept release of {shelf.url} went while it was wanted", target=self.hold.target
            )
        return Standing(shelf, tuple(names), live, same)

    def _ordered(self, standing: Standing, *, at_once: bool) -> OrderedRelease:
        self._check_above()
        held, listed = self._held(), self.listed
        kept = kept_paths(listed.values(), held)
        coming = [path for path in listed if path not in kept and path not in self.adopted]
        nested = self.ground.nested([*self.leading, *held], held.keys() - listed.keys())
        refuse_nested(self.hold.target, self.present.url, listed, nested)
        drops = [path for path in sorted(held.keys() - listed.keys()) if not inside(path, nested)]
        absent = self.ground.check_folders(self.leading, drops)
        folders = self.ground.check_files(coming, drops, absent)
        room = check_space(self.hold.target, self.space, [listed[path] for path in coming])
        turn = Turn(standing.shelf.folder, None, expired=standing.names) if standing.names else None
        kind = WholeRelease if self._is_new() and not turn else OrderedRelease
        return kind(
            self.hold,
            self.ground.afresh(),
            self.wanted,
            listed,
            self.present.slip,
            kept,
            self.adopted,
            nested,
            frozenset(kept | self.adopted),
            folders,
            at_once,
            turn=turn,
            room=room,
        )

    def _is_new(self) -> bool:
        """Whether nothing of the module is there, not even its folder, and all of it can come at once."""
        given = self.wanted is not None and self.listed and not self.wanted.is_file and not self.adopted
        return bool(given) and self.present.slip is None and self.present.url != "/" and self._at_home() is None

    def _at_home(self) -> Entry | None:
        """What lies at the module's own name."""
        live = self.hold.names.live("")
        return self.ground.stat([live])[live]

    def _held(self) -> dict[str, bytes]:
        """The digests of what is ours there, by path."""
        return {file.path: file.digest or b"" for file in self.present.slip.ours()} if self.present.slip else {}

    def _versioned(self, standing: Standing) -> VersionedRelease:
        self._check_above()
        self._check_place(standing.shelf)
        way = self._clearing(standing)
        refuse_guests(self.ground, self._guests(standing))
        return VersionedRelease(**self._given(standing), clearing=way)

    def _check_place(self, shelf: Shelf) -> None:
        """Raise PathBlocked if the module's own folder would have to hold its releases."""
        if f"{shelf.root}/".startswith(f"{self.hold.names.live('')}/"):
            raise PathBlocked(
                f"{self.hold.target} keeps releases in {shelf.folder}, in which {shelf.url} itself would have to lie: no link "
                "leads into itself. Configure another folder for releases, or leave the module out of versioned_modules",
                target=self.hold.target,
            )

    def _check_above(self) -> None:
        """Only folders lead to the module. Raises PathBlocked."""
        hold = self.hold
        folders = sorted(all_parents([hold.names.live("")]))
        refuse_links_above(hold.target, hold.disk, hold.options.releases, self.ground.stat(folders))
        self.ground.check_folders([""], [])

    def _clearing(self, standing: Standing) -> Clearing:
        """What lies where the link goes. Raises PathBlocked for what is neither a folder nor a link of ours."""
        live = self.hold.names.live("")
        entry = None if standing.live else self._at_home()
        if entry is None or self.wanted is None:
            return Clearing()
        refuse_links(self.hold.target, {live: entry})
        if entry.type is not EntryType.FOLDER:
            raise PathBlocked(
                f"{self.hold.target}: a {entry.type} lies at {live}, where the link of a versioned module must go; move it away",
                target=self.hold.target,
            )
        self.ground.check_folders(self.leading, self._held())
        public = shows_slip(self.wanted, public=self.hold.options.public_slip)
        return clearing(self.ground, self.present.slip, self.wanted, public=public)

    def _returning(self, standing: Standing) -> ReturningRelease:
        guests = self._guests(standing)
        refuse_immovable(self.ground, guests, self.listed.values())
        return ReturningRelease(**self._given(standing), guests=tuple(sorted(guests)))

    def _guests(self, standing: Standing) -> Guests:
        """What others put into the live release, but for files in whose place something wanted goes: those were judged before."""
        if standing.live is None:
            return {}
        live, fold = self._stands(standing, standing.live), self.ground.fold
        found = live.guests(self.present.slip if self._is_live(live.name) else live.slip())
        wanted = {same_name(path, fold) for path in self.listed} if found else set[str]()
        return {path: kind for path, kind in found.items() if kind is not EntryType.FILE or same_name(path, fold) not in wanted}

    def _stands(self, standing: Standing, name: str) -> StandingRelease:
        return StandingRelease(self.hold.disk, standing.shelf, name, self.ground.fold)

    def _is_live(self, name: str) -> bool:
        """Whether this release has the very files of the slip that is live."""
        return self.present.slip is not None and holds(name, self.present.slip)

    def _base(self, standing: Standing, kept: Collection[str]) -> str | None:
        """The release that has what is kept: the live one, unless somebody turned the link by hand. Raises PathBlocked."""
        if standing.live is None or not kept or self._is_live(standing.live):
            return standing.live
        needed = {(path, file.digest) for path, file in self.listed.items() if path in kept}
        for name in (standing.live, *standing.names):
            slip = self._stands(standing, name).slip()
            if slip and needed <= {(file.path, file.digest) for file in slip.files()}:
                return name
        raise PathBlocked(
            f"{self.hold.target}: the link {self.hold.names.live('')} leads to another release than the one that was published "
            f"last, and that one is gone; unpublish {self.present.url}, then publish it again",
            target=self.hold.target,
        )

    def _given(self, standing: Standing) -> dict[str, Any]:
        """What both ways take. Raises NoSpace. No ground is looked at: what lies in a tree is ours alone."""
        previous = self.present.slip.files() if self.present.slip else ()
        kept = kept_paths(self.listed.values(), {file.path: file.digest for file in previous})
        coming = [file for path, file in self.listed.items() if path not in kept and path not in self.adopted]
        return {
            "room": check_space(self.hold.target, self.space, [] if standing.same else coming),
            "hold": self.hold,
            "ground": self.ground.afresh(),
            "wanted": self.wanted,
            "listed": self.listed,
            "previous": self.present.slip,
            "kept": kept,
            "adopted": self.adopted,
            "nested": frozenset(),
            "unchecked": frozenset(),
            "folders": (),
            "standing": replace(standing, base=self._base(standing, kept)),
        }


def check_space(target: str, room: tuple[int, int] | None, coming: Collection[Resource | View]) -> int | None:
    """Bytes that are free there; None where nobody can say. Raises NoSpace if these files have no room."""
    if room is None:
        return None
    need = int(sum(file.size or 0 for file in coming) * SPARE)
    if need > room[0] or len(coming) > room[1]:
        raise NoSpace(
            f"{target}: {need} bytes and {len(coming)} files are needed (10 % spare), {room[0]} bytes and {room[1]} "
            "files are free; make room there",
            target=target,
        )
    return room[0]
