"""What lies where a release wants to go, looked at before anything is staged.

A link on the way would carry the release out of its tree, and a folder, link or special file in a file's place would
stop it half-way; both are refused while nothing has happened yet.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from packageslip import ITSELF
from targets.area import Area, Held, all_parents, live_folders, live_path, parents
from targets.disk import Disk, Entry, EntryType
from targets.errors import PathBlocked
from targets.hold import names_in
from targets.protocol import same_name


def refuse_links(target: str, live: Mapping[str, Entry | None]) -> None:
    """Raise PathBlocked if one of these folders is a link."""
    for path, entry in live.items():
        if entry is not None and entry.type is EntryType.LINK:
            raise PathBlocked(
                f"{target}: the folder {path} is a symbolic link, through which nothing is written or removed. Make it a folder",
                target=target,
            )


@dataclass(frozen=True, slots=True)
class Ground:
    """The live tree around one module."""

    target: str
    disk: Disk
    area: Area
    names: Held
    fold: bool

    def check_folders(self, wanted: Collection[str], drops: Collection[str]) -> frozenset[str]:
        """Every folder on the way to these paths is a folder, or nothing, or a file that is among the drops.

        Returns those where nothing is. Raises PathBlocked.
        """
        needed = sorted(live_folders(self.names.url, wanted))
        others = sorted(live_folders(self.names.url, drops).difference(needed))
        live = self._stat([*needed, *others])
        refuse_links(self.target, live)
        going = {same_name(self.names.live(path), self.fold) for path in drops}
        for folder in needed:
            entry = live[folder]
            if entry is not None and entry.type is not EntryType.FOLDER and same_name(folder, self.fold) not in going:
                raise self._blocked(folder, f"a {entry.type} stands where a folder must be")
        return frozenset(folder for folder, entry in live.items() if entry is None)

    def check_files(
        self, puts: Collection[str], drops: Collection[str], absent: Collection[str] = frozenset()
    ) -> tuple[str, ...]:
        """Nothing but a regular file stands where these go, or a folder that holds nothing but drops.

        `absent`: folders that are not there, in which nothing has to be looked for. Returns the folders that have to go,
        relative to the module, outermost first. Raises PathBlocked.
        """
        places = map(self.names.live, puts)
        looked_at = [place for place in places if place.rpartition("/")[0] not in absent]
        going = {same_name(self.names.live(path), self.fold) for path in drops}
        hollow: list[str] = []
        for path, entry in self._stat(looked_at).items():
            if entry is None or entry.type is EntryType.FILE:
                continue
            if entry.type is not EntryType.FOLDER:
                raise self._blocked(path, f"a {entry.type} stands where a file must go")
            hollow += self._hollow(path, going)
        start = len(self.names.live("")) + 1 if self.names.url != "/" else 0
        return tuple(folder[start:] for folder in hollow)

    def _hollow(self, folder: str, going: set[str]) -> list[str]:
        """A folder and those in it, if every file in them is among those that are going."""
        found = [folder]
        for name, entry in sorted(names_in(self.disk, folder).items()):
            path = f"{folder}/{name}"
            if entry.type is EntryType.FOLDER:
                found += self._hollow(path, going)
            elif same_name(path, self.fold) not in going:
                raise self._blocked(folder, f"a folder with {name} in it, which no slip lists, stands where a file must go")
        return found

    def nested(self, paths: Iterable[str], going: Iterable[str]) -> frozenset[str]:
        """Those folders of the module (relative to it) in which another module lives, and those of `going` that are one.

        A module that is one file lies where a file of this one may have been: it is not this one's to drop.
        """
        folders = sorted(all_parents(paths) | (set(going) - {ITSELF}))
        records = self.disk.stat([self.area.slip("/" + live_path(self.names.url, folder)) for folder in folders])
        return frozenset(folder for folder, record in zip(folders, records, strict=True) if record is not None)

    def _stat(self, paths: Sequence[str]) -> dict[str, Entry | None]:
        return dict(zip(paths, self.disk.stat(paths), strict=True))

    def _blocked(self, path: str, why: str) -> PathBlocked:
        return PathBlocked(
            f"{self.target}: {path} of {self.names.url}: {why}. Move it away or change the slip", target=self.target
        )


def inside(path: str, folders: Collection[str]) -> str | None:
    """The one of these folders in which a path lies, or that it is itself, if any."""
    return next((folder for folder in (*parents(path), path) if folder in folders), None)
