"""Reading a module's live files: straight from its folder, or through its link where it is versioned.

A link of ours leads where its text says, and is read once for each question. Links of others are followed by nobody here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from packageslip import ITSELF, Digest
from targets.area import all_parents, live_folders, live_path
from targets.disk import Disk, Entry, EntryType
from targets.ground import refuse_links
from targets.shelf import Shelf, refuse_links_above

Folders = Mapping[str, Entry | None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a module's files lie now, and what lies at the folders on the way to those that were asked for."""

    root: str
    folders: Folders

    def at(self, path: str) -> str:
        return self.root if path == ITSELF else f"{self.root}/{path}".strip("/")

    def reachable(self, paths: Iterable[str]) -> list[str]:
        """Those of the paths to which only folders lead."""
        open_: set[str] = {""}
        for folder in sorted(self.folders):
            entry = self.folders[folder]
            if entry is not None and entry.type is EntryType.FOLDER and folder.rpartition("/")[0] in open_:
                open_.add(folder)
        if self.root not in open_:
            # Nothing is below it; only a module that is a file itself lies beside.
            paths = [path for path in paths if path == ITSELF]
        return [path for path in paths if self.at(path).rpartition("/")[0] in open_]


@dataclass(frozen=True, slots=True)
class Reading:
    """One module on one target. `releases`: the folder where releases of versioned modules lie."""

    target: str
    disk: Disk
    releases: str
    url: str

    def place(self, paths: Collection[str]) -> Place:
        """Where the module's files lie."""
        own = live_path(self.url, "")
        folders = self._stat(live_folders(self.url, paths))
        shelf = Shelf(self.releases, self.url)
        name = shelf.linked(self.disk, folders.get(own))
        if name is None:
            return Place(own, folders)
        above = {folder: entry for folder, entry in folders.items() if not f"{folder}/".startswith(f"{own}/")}
        tree = shelf.tree(name)
        return Place(tree, {**above, **self._stat(all_parents(f"{tree}/{path}" for path in paths))})

    def _stat(self, folders: Collection[str]) -> dict[str, Entry | None]:
        ordered = sorted(folders)
        return dict(zip(ordered, self.disk.stat(ordered), strict=True))

    def strangers(self, paths: Collection[str]) -> dict[str, Digest | None]:
        """Looks at folders first, so that an empty target costs next to nothing. Raises PathBlocked for a link on the way."""
        place = self.place(paths)
        refuse_links_above(self.target, self.disk, self.releases, place.folders)
        refuse_links(self.target, place.folders)
        wanted = sorted(place.reachable(paths))
        entries = self.disk.stat([place.at(path) for path in wanted])
        there = {path: entry for path, entry in zip(wanted, entries, strict=True) if entry is not None}
        files = [path for path, entry in there.items() if entry.type is EntryType.FILE]
        found: dict[str, Digest | None] = dict.fromkeys(there)
        for path, answer in zip(files, self.disk.digests([place.at(path) for path in files]), strict=True):
            found[path] = answer[1] if answer else None
        return found

    def open(self, path: str) -> BinaryIO:
        """A live file's bytes. Raises FileNotFoundError."""
        place = self.place([path])
        if not place.reachable([path]):
            raise FileNotFoundError(f"{self.target}: {live_path(self.url, path)} is not there")
        return self.disk.open(place.at(path))

    def digests(self, paths: Sequence[str]) -> Iterator[tuple[str, int, Digest] | tuple[str, None, None]]:
        """In the order asked for; None where no regular file is."""
        place = self.place(paths)
        reachable = place.reachable(paths)
        there = set(reachable)
        answers = iter(self.disk.digests([place.at(path) for path in reachable]))
        for path in paths:
            answer = next(answers) if path in there else None
            yield (path, None, None) if answer is None else (path, *answer)
