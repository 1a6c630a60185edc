"""What others put into a versioned module's live release: most likely through its link, as if it was a folder.

It would be gone from the site when the link turns, so it is looked for before anything is staged. A release's folders do not
change once it stands: only those whose time says otherwise are listed, and the others cost one question for all.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packageslip import Packageslip, SlipError, UnsafePath, check_path, files_digest, paths_of, read_slip
from targets.area import PUBLIC_SLIP, all_parents
from targets.clearing import foreign
from targets.disk import Disk, EntryType
from targets.errors import PathBlocked
from targets.ground import Ground
from targets.hold import names_in
from targets.protocol import HasPath, in_the_way, same_name
from targets.records import OWN
from targets.shelf import Shelf, digests_of

Guests = Mapping[str, EntryType]
"""What no slip of ours lists, by its path in the module."""


@dataclass(frozen=True, slots=True)
class StandingRelease:
    """One release that stands: its name, and the names of what is ours in it, equal for one file on the target (`fold`)."""

    disk: Disk
    shelf: Shelf
    name: str
    fold: bool

    def guests(self, slip: Packageslip | None) -> Guests:
        """What is not ours in it. `slip`: this release's."""
        paths = {*paths_of(slip), *(file.path for file in slip.stale)} if slip else set[str]()
        folders = all_parents(paths)
        changed = self._changed(["", *sorted(folders)])
        return dict(self._found(changed, {*map(self._key, paths), PUBLIC_SLIP}, folders)) if changed else {}

    def slip(self) -> Packageslip | None:
        """The slip that it was published with; None where it cannot be read."""
        try:
            return read_slip(self.disk.read(self.shelf.slip(self.name)), self.name, OWN, url=self.shelf.url)
        except (FileNotFoundError, SlipError):
            return None

    def _key(self, path: str) -> str:
        return same_name(path, self.fold)

    def _found(self, changed: Iterable[str], ours: set[str], folders: set[str]) -> Iterator[tuple[str, EntryType]]:
        known = {self._key(folder) for folder in folders}
        rest = list(changed)
        while rest:
            folder = rest.pop()
            for name, entry in sorted(names_in(self.disk, self._at(folder)).items()):
                path = f"{folder}/{name}" if folder else name
                if entry.type is not EntryType.FOLDER:
                    if self._key(path) not in ours:
                        yield path, entry.type
                elif self._key(path) not in known:
                    rest.append(path)

    def _changed(self, folders: list[str]) -> list[str]:
        """Those in which names changed since the release stood, or in the very second."""
        stood, *entries = self.disk.stat([self.shelf.release(self.name), *map(self._at, folders)])
        since = stood.modified if stood else 0
        pairs = zip(folders, entries, strict=True)
        return [folder for folder, entry in pairs if entry and entry.type is EntryType.FOLDER and entry.modified >= since]

    def _at(self, folder: str) -> str:
        return f"{self.shelf.tree(self.name)}/{folder}".rstrip("/")


def holds(name: str, slip: Packageslip) -> bool:
    """Whether the release of this name has exactly the files of this slip."""
    return files_digest(slip) in {each for public in (False, True) for each in digests_of([name], public=public)}


def refuse_guests(ground: Ground, guests: Guests) -> None:
    """Raise PathBlocked if there are any: the next release is what its slip lists."""
    for path, kind in guests.items():
        raise _blocked(ground, path, kind, "would be gone with the next release. Move it away, or list it in the slip")


def refuse_immovable(ground: Ground, guests: Guests, wanted: Iterable[HasPath]) -> None:
    """Raise PathBlocked for what cannot stay where visitors see it when the link becomes a folder."""
    way = {file.path for file in in_the_way(map(_Guest, guests), {file.path for file in wanted}, fold=ground.fold)}
    for path, kind in guests.items():
        if kind is not EntryType.FILE or not _is_safe(path) or path in way:
            raise _blocked(ground, path, kind, "cannot stay when its link goes. Move it away")


@dataclass(frozen=True, slots=True)
class _Guest:
    path: str


def _is_safe(path: str) -> bool:
    try:
        check_path(path)
    except UnsafePath:
        return False
    return True


def _blocked(ground: Ground, path: str, kind: EntryType, why: str) -> PathBlocked:
    return PathBlocked(
        f"{ground.target}: {ground.names.live(path)}, {foreign(kind)}, lies in the live release of the versioned module "
        f"{ground.names.url}, and {why}",
        target=ground.target,
    )
