"""What lies where a release wants to go, looked at before anything is staged.

A link on the way would carry the release out of its tree, and a folder, link or special file in a file's place would
stop it half-way; both are refused while nothing has happened yet.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
    seen: Mapping[str, Entry | None] = field(default_factory=dict)
    """What lies at names that were looked at a moment ago; others are asked for."""

    def check_folders(self, wanted: Collection[str], drops: Collection[str]) -> frozenset[str]:
        """Every folder on the way to these paths is a folder, or nothing, or a file that is among the drops.

        Returns those where nothing is. Raises PathBlocked.
        """
        needed = sorted(live_folders(self.names.url, wanted))
        others = sorted(live_folders(self.names.url, drops).difference(needed))
        live = self.stat([*needed, *others])
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
        looked_at = [place for place in self.names.all_live(puts) if place.rpartition("/")[0] not in absent]
        going = {same_name(self.names.live(path), self.fold) for path in drops}
        hollow: list[str] = []
        for path, entry in self.stat(looked_at).items():
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
        records = self.records(paths, going)
        there = self.stat(list(records.values()))
        return frozenset(folder for folder, record in records.items() if there[record] is not None)

    def afresh(self) -> "Ground":
        """The same, with nothing seen."""
        return replace(self, seen={}) if self.seen else self

    def records(self, paths: Iterable[str], going: Iterable[str]) -> dict[str, str]:
        """Where the commit record of a module would lie that lives in the way of these, by its folder."""
        folders = sorted(all_parents(paths) | (set(going) - {ITSELF}))
        return {folder: self.area.slip("/" + live_path(self.names.url, folder)) for folder in folders}

    def stat(self, paths: Sequence[str]) -> dict[str, Entry | None]:
        """What lies at each of these paths from the root."""
        unknown = [path for path in paths if path not in self.seen] if self.seen else paths
        found = dict(zip(unknown, self.disk.stat(unknown), strict=True)) if unknown else {}
        return {path: self.seen[path] if path in self.seen else found[path] for path in paths} if self.seen else found

    def _blocked(self, path: str, why: str) -> PathBlocked:
        return PathBlocked(
            f"{self.target}: {path} of {self.names.url}: {why}. Move it away or change the slip", target=self.target
        )


def inside(path: str, folders: Collection[str]) -> str | None:
    """The one of these folders in which a path lies, or that it is itself, if any."""
    return next((folder for folder in (*parents(path), path) if folder in folders), None)
