"""A target in the ordered layout: the commit protocol over any Disk."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import BinaryIO

from packageslip import CatalogueEntry, Digest, Packageslip, Resource, View, check_module_url, check_path
from targets.area import Area, all_parents, live_path, parents
from targets.catalogue import entries, unclaimed
from targets.contract import Check, Claim, Present, Release
from targets.departing import Grace
from targets.disk import Disk, Entry, EntryType
from targets.errors import AreaMissing, NoSpace
from targets.ground import Ground, inside, refuse_links
from targets.hold import Hold
from targets.options import PlacedOptions
from targets.probe import probe, reap
from targets.records import read_record
from targets.release import OrderedRelease
from targets.takeover import Takeover
from targets.territory import adopt, queues, refuse_missing_root
from targets.wanted import kept_paths, listed_files, refuse_nested, refuse_other_shape

HOLDS = 256
"""Modules in hand at once, more than any worker has; older ones are forgotten, so that a long life costs nothing."""

SPARE = 1.1
"""Room asked for beyond the bytes themselves: blocks are not filled, and the slip and the note come on top."""


class OrderedTarget:
    """Implements `Target` over a Disk. One thread at a time."""

    def __init__(self, name: str, disk: Disk, options: PlacedOptions | None = None) -> None:
        self._name, self._disk, self._options = name, disk, options or PlacedOptions()
        self._holds: dict[str, Hold] = {}
        self._queue: str | None = None

    @property
    def name(self) -> str:
        return self._name

    def present(self, url: str, claim: Claim) -> Present:
        """Steps 1 to 7. The hold stays with this target until the module's next `present`."""
        check_module_url(url)
        self._queue = claim.queue
        area = Area(self._options.area, claim.queue)
        hold, present = Takeover(self._name, self._disk, self._options, area, url, claim).present()
        self._holds.pop(url, None)
        self._holds[url] = hold
        if len(self._holds) > HOLDS:
            del self._holds[next(iter(self._holds))]
        return present

    def release(
        self, present: Present, wanted: Packageslip | None, *, adopted: Collection[str] = (), at_once: bool = False
    ) -> Release:
        """Looks at the ground first: raises PathBlocked, NoSpace, UnsafePath while nothing has been staged."""
        hold = self._held(present)
        ground = self._ground(hold)
        files = listed_files(self._name, self._options.area, wanted)
        refuse_other_shape(self._name, present.slip, wanted)
        held = {file.path: file.digest for file in present.slip.ours()} if present.slip else {}
        kept = kept_paths(files, held)
        coming = [file for file in files if file.path not in kept and file.path not in adopted]
        nested = self._nested(ground, [file.path for file in files], held)
        drops = [path for path in sorted(held.keys() - {file.path for file in files}) if not inside(path, nested)]
        ground.check_folders([file.path for file in files], drops)
        folders = ground.check_files([file.path for file in coming], drops)
        self._check_space(coming)
        checked = frozenset(file.path for file in coming)
        listed = {file.path: file for file in files}
        return OrderedRelease(
            hold, ground, wanted, listed, present.slip, kept, frozenset(adopted), nested, checked, folders, at_once
        )

    def expire(self, present: Present) -> Sequence[str]:
        """A release of the very slip that is live, which takes what is over from among its stale files."""
        hold, slip, seconds = self._held(present), present.slip, self._options.delete_grace
        if slip is None or not slip.stale:
            return ()
        grace = Grace(seconds, hold.claim.now())
        over = [file.path for file in slip.stale if not seconds or grace.over(file)]
        if not over:
            return ()
        ground = self._ground(hold)
        listed = {file.path: file for file in slip.files()}
        nested = ground.nested([file.path for file in slip.ours()])
        ground.check_folders((), over)
        kept, none = frozenset(listed), frozenset[str]()
        with OrderedRelease(hold, ground, slip, listed, slip, kept, none, nested, none, (), expiring=True) as release:
            release.prepare()
            release.switch()
        return [path for path in over if not inside(path, nested)]

    def _held(self, present: Present) -> Hold:
        hold = self._holds.get(present.url)
        if hold is None or hold.names.token != present.token:
            raise ValueError(f"{present.url} was not presented by this target, or again since")
        return hold

    def _ground(self, hold: Hold) -> Ground:
        area = Area(self._options.area, hold.claim.queue)
        return Ground(self._name, self._disk, area, hold.names, fold=not self._options.case_sensitive)

    def _nested(self, ground: Ground, paths: Sequence[str], held: Collection[str]) -> frozenset[str]:
        """Folders with other modules in them. Raises PathBlocked if the slip lists anything there."""
        nested = ground.nested([*paths, *held])
        refuse_nested(self._name, ground.names.url, paths, nested)
        return nested

    def _check_space(self, coming: Collection[Resource | View]) -> None:
        room = self._disk.space()
        if room is None:
            return
        need = int(sum(file.size or 0 for file in coming) * SPARE)
        if need > room[0] or len(coming) > room[1]:
            raise NoSpace(
                f"{self._name}: {need} bytes and {len(coming)} files are needed (10 % spare), {room[0]} bytes and {room[1]} "
                "files are free; make room there",
                target=self._name,
            )

    def strangers(self, url: str, paths: Collection[str]) -> Mapping[str, Digest | None]:
        """Looks at folders first, so that an empty target costs next to nothing. Raises PathBlocked for a link on the way."""
        live = self._folders(url, paths)
        refuse_links(self._name, live)
        wanted = self._reachable(url, sorted(paths), live)
        entries = self._disk.stat([live_path(url, path) for path in wanted])
        there = {path: entry for path, entry in zip(wanted, entries, strict=True) if entry is not None}
        files = [path for path, entry in there.items() if entry.type is EntryType.FILE]
        found: dict[str, Digest | None] = dict.fromkeys(there)
        for path, answer in zip(files, self._disk.digests([live_path(url, path) for path in files]), strict=True):
            found[path] = answer[1] if answer else None
        return found

    def _folders(self, url: str, paths: Collection[str]) -> dict[str, Entry | None]:
        """The folders on the way to these paths."""
        folders = sorted(all_parents(live_path(url, path) for path in paths))
        return dict(zip(folders, self._disk.stat(folders), strict=True))

    def _reachable(self, url: str, paths: Sequence[str], live: Mapping[str, Entry | None]) -> list[str]:
        """Those of the paths to which only folders lead."""
        missing = {folder for folder, entry in live.items() if entry is None or entry.type is not EntryType.FOLDER}
        return [path for path in paths if missing.isdisjoint(parents(live_path(url, path)))]

    def slip(self, url: str) -> Packageslip | None:
        area = self._area()
        return read_record(self._disk, area.slip(url), url, self._name) if area else None

    def modules(self) -> Iterator[CatalogueEntry]:
        area = self._area()
        return entries(self._disk, area, self._name) if area else iter(())

    def unclaimed(self) -> Iterator[str]:
        return unclaimed(self._disk, self._options.area.strip("/"), self._area(), self._name)

    def _area(self) -> Area | None:
        """The area that is there, whoever made it: reading needs no claim.

        Raises AreaMissing if there are several, TargetUnreachable if there is none because the root is missing.
        """
        there = queues(self._disk, self._options.area)
        if self._queue in there:
            there = [self._queue]
        if len(there) > 1:
            raise AreaMissing(
                f"{self._name} has the areas of several queues: {', '.join(there)}; remove all but one", target=self._name
            )
        if not there:
            refuse_missing_root(self._disk, self._name)
            return None
        return Area(self._options.area, there[0])

    def open(self, url: str, path: str) -> BinaryIO:
        check_path(path)
        if not self._reachable(url, [path], self._folders(url, [path])):
            raise FileNotFoundError(f"{self._name}: {live_path(url, path)} is not there")
        return self._disk.open(live_path(url, path))

    def digests(self, url: str, paths: Sequence[str]) -> Iterator[tuple[str, int, Digest] | tuple[str, None, None]]:
        reachable = self._reachable(url, paths, self._folders(url, paths))
        there = set(reachable)
        answers = iter(self._disk.digests([live_path(url, path) for path in reachable]))
        for path in paths:
            answer = next(answers) if path in there else None
            yield (path, None, None) if answer is None else (path, *answer)

    def probe(self) -> Sequence[Check]:
        return probe(self._name, self._disk, self._options)

    def adopt(self, queue: str) -> str | None:
        return adopt(self._disk, Area(self._options.area, queue), self._name)

    def reap(self, older_than: float) -> int:
        areas = [Area(self._options.area, queue) for queue in queues(self._disk, self._options.area)]
        return reap(self._disk, self._options, areas, older_than)

    def close(self) -> None:
        self._holds.clear()
        self._disk.close()
