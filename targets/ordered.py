"""A target with a file tree: the commit protocol over any Disk, in both layouts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import BinaryIO

from packageslip import CatalogueEntry, Digest, Packageslip, check_module_url, check_path
from targets.area import Area, Held, one_of_each_folder
from targets.catalogue import entries, unclaimed
from targets.contract import Check, Claim, Present, Release, Unfinished
from targets.departing import Grace
from targets.disk import Disk, Entry, EntryType
from targets.errors import AreaMissing
from targets.ground import Ground, inside
from targets.hold import Hold
from targets.layouts import Change
from targets.marks import highest_fence
from targets.options import PlacedOptions
from targets.probe import probe, reap
from targets.reading import Reading
from targets.records import read_record
from targets.release import OrderedRelease
from targets.takeover import Takeover
from targets.territory import adopt, queues, refuse_missing_root
from targets.wanted import listed_files, refuse_other_shape

HOLDS = 256
"""Modules in hand at once, more than any worker has; older ones are forgotten, so that a long life costs nothing."""


class OrderedTarget:
    """Implements `Target` over a Disk. One thread at a time."""

    def __init__(self, name: str, disk: Disk, options: PlacedOptions | None = None) -> None:
        self._name, self._disk, self._options = name, disk, options or PlacedOptions()
        self._holds: dict[str, Hold] = {}
        self._queue: str | None = None

    @property
    def name(self) -> str:
        return self._name

    def unfinished(self, url: str, claim: Claim) -> Unfinished | None:
        return self._takeover(url, claim).unfinished()

    def take_back(self, url: str, claim: Claim) -> None:
        self._takeover(url, claim).take_back()

    def _takeover(self, url: str, claim: Claim) -> Takeover:
        check_module_url(url)
        self._queue = claim.queue
        return Takeover(self._name, self._disk, self._options, Area(self._options.area, claim.queue), url, claim)

    def present(self, url: str, claim: Claim) -> Present:
        """Steps 1 to 7. The hold stays with this target until the module's next `present`."""
        hold, present = self._takeover(url, claim).present()
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
        files = listed_files(self._name, (self._options.area, self._options.releases), wanted, fold=ground.fold)
        refuse_other_shape(self._name, present.slip, wanted)
        listed = {file.path: file for file in files}
        leading = one_of_each_folder(listed)
        return Change(hold, ground, present, wanted, listed, leading, frozenset(adopted)).release(at_once=at_once)

    def mark(self, present: Present) -> str:
        """The queue's id, the holder's token, and what the commit record looks like from outside."""
        hold = self._held(present)
        [record] = hold.records or self._disk.stat([hold.names.slip])
        if record is None or record.type is not EntryType.FILE:
            return ""
        return f"{hold.claim.queue} {hold.names.token} {record.size} {record.modified}"

    def unbroken(self, url: str, mark: str, queue: str) -> bool:
        """A token is new at each takeover, so as long as its folder is there nobody has come after its holder."""
        check_module_url(url)
        match mark.split(" "):
            case [given, token, size, modified] if given == queue:
                names = Held(url, Area(self._options.area, queue).module(url), token)
                folder, record = self._disk.stat([names.folder, names.slip])
                is_there = folder is not None and folder.type is EntryType.FOLDER
                return is_there and record == Entry(EntryType.FILE, int(size), int(modified))
        return False

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
        nested = ground.nested([file.path for file in slip.ours()], over)
        ground.check_folders((), over)
        kept, none = frozenset(listed), frozenset[str]()
        with OrderedRelease(hold, ground, slip, listed, slip, kept, none, nested, kept, (), expiring=True) as release:
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

    def strangers(self, url: str, paths: Collection[str]) -> Mapping[str, Digest | None]:
        return self._reading(url).strangers(paths)

    def _reading(self, url: str) -> Reading:
        return Reading(self._name, self._disk, self._options.releases, url)

    def slip(self, url: str) -> Packageslip | None:
        area = self._area()
        return read_record(self._disk, area.slip(url), url, self._name) if area else None

    def highest_fence(self, queue: str) -> int:
        return highest_fence(self._disk, Area(self._options.area, queue))

    def modules(self) -> Iterator[CatalogueEntry]:
        area = self._area()
        return entries(self._disk, area, self._name) if area else iter(())

    def unclaimed(self) -> Iterator[str]:
        return unclaimed(self._disk, self._options, self._area(), self._name)

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
        return self._reading(url).open(path)

    def digests(self, url: str, paths: Sequence[str]) -> Iterator[tuple[str, int, Digest] | tuple[str, None, None]]:
        return self._reading(url).digests(paths)

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
