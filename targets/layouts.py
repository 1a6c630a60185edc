"""Which layout a change of a module is made in, and what has to be looked at first."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from packageslip import Packageslip, Resource, View, files_digest
from targets.area import all_parents
from targets.clearing import Clearing, clearing
from targets.contract import Present
from targets.disk import Disk, EntryType
from targets.errors import NoSpace, PathBlocked, TargetBusy
from targets.ground import Ground, refuse_links
from targets.hold import Hold
from targets.release import OrderedRelease
from targets.shelf import Shelf, refuse_links_above, same_tree
from targets.versioned import ReturningRelease, Standing, VersionedRelease
from targets.wanted import kept_paths, shows_slip

SPARE = 1.1
"""Room asked for beyond the bytes themselves: blocks are not filled, and the slip and the note come on top."""


@dataclass(frozen=True, slots=True)
class Change:
    """One module's change on one target, before anything is staged."""

    hold: Hold
    ground: Ground
    present: Present
    wanted: Packageslip | None
    files: list[Resource | View]
    adopted: frozenset[str]

    def turned(self) -> OrderedRelease | None:
        """The release, where the module is or will be versioned; None: the ordered layout has nothing to do with trees."""
        try:
            return self._turned()
        except PathBlocked:
            # What stands in the way may be a later holder's.
            self.hold.listing()
            raise

    def _turned(self) -> OrderedRelease | None:
        versioned = self.wanted is not None and self.hold.options.versions(self.wanted)
        standing = self._standing(versioned)
        if versioned or (self.wanted is None and (standing.live or standing.names)):
            return self._versioned(standing)
        return self._returning(standing) if standing.live else None

    def _standing(self, versioned: bool) -> Standing:
        options, disk = self.hold.options, self.hold.disk
        shelf = Shelf(options.releases, self.present.url)
        live = shelf.linked(disk, disk.stat([self.hold.names.live("")])[0])
        if live is None and not versioned and not (self.wanted is None and options.layout == "versioned"):
            return Standing(shelf)
        names = shelf.names(disk)
        public = shows_slip(self.wanted, public=options.public_slip)
        same = same_tree(names, self.wanted, public=public) if self.wanted else None
        if same is None and self.wanted and files_digest(self.wanted) in self.present.held:
            self.hold.listing()
            raise TargetBusy(
                f"{self.hold.target}: a kept release of {shelf.url} went while it was wanted", target=self.hold.target
            )
        return Standing(shelf, tuple(names), live, same)

    def _versioned(self, standing: Standing) -> VersionedRelease:
        way = Clearing()
        if self.wanted is not None:
            self.check_above()
            way = self._clearing(standing, self.wanted)
        return VersionedRelease(**self._given(standing), clearing=way)

    def check_above(self) -> None:
        """Only folders lead to the module. Raises PathBlocked."""
        hold = self.hold
        folders = sorted(all_parents([hold.names.live("")]))
        entries = dict(zip(folders, hold.disk.stat(folders), strict=True))
        refuse_links_above(hold.target, hold.disk, hold.options.releases, entries)
        self.ground.check_folders([""], [])

    def _clearing(self, standing: Standing, wanted: Packageslip) -> Clearing:
        """What lies where the link goes. Raises PathBlocked for what is neither a folder nor a link of ours."""
        live = self.hold.names.live("")
        entry = None if standing.live else self.hold.disk.stat([live])[0]
        if entry is None:
            return Clearing()
        refuse_links(self.hold.target, {live: entry})
        if entry.type is not EntryType.FOLDER:
            raise PathBlocked(
                f"{self.hold.target}: a {entry.type} lies at {live}, where the link of a versioned module must go; move it away",
                target=self.hold.target,
            )
        going = self.present.slip.ours() if self.present.slip else ()
        self.ground.check_folders([file.path for file in self.files], [file.path for file in going])
        public = shows_slip(wanted, public=self.hold.options.public_slip)
        return clearing(self.ground, self.present.slip, wanted, public=public)

    def _returning(self, standing: Standing) -> ReturningRelease:
        return ReturningRelease(**self._given(standing))

    def _given(self, standing: Standing) -> dict[str, Any]:
        """What both ways take. Raises NoSpace. No ground is looked at: what lies in a tree is ours alone."""
        previous = self.present.slip.files() if self.present.slip else ()
        kept = kept_paths(self.files, {file.path: file.digest for file in previous})
        coming = [file for file in self.files if file.path not in kept and file.path not in self.adopted]
        check_space(self.hold.target, self.hold.disk, [] if standing.same else coming)
        return {
            "hold": self.hold,
            "ground": self.ground,
            "wanted": self.wanted,
            "listed": {file.path: file for file in self.files},
            "previous": self.present.slip,
            "kept": kept,
            "adopted": self.adopted,
            "nested": frozenset(),
            "checked": frozenset(file.path for file in self.files),
            "folders": (),
            "standing": standing,
        }


def check_space(target: str, disk: Disk, coming: Collection[Resource | View]) -> None:
    """Raise NoSpace if these files have no room there."""
    room = disk.space()
    if room is None:
        return
    need = int(sum(file.size or 0 for file in coming) * SPARE)
    if need > room[0] or len(coming) > room[1]:
        raise NoSpace(
            f"{target}: {need} bytes and {len(coming)} files are needed (10 % spare), {room[0]} bytes and {room[1]} "
            "files are free; make room there",
            target=target,
        )
