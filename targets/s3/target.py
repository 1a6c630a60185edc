"""A target in a bucket of an object store."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO

from botocore.client import BaseClient

from config import S3Target
from packageslip import ITSELF, CatalogueEntry, Digest, Packageslip, check_module_url, check_path
from targets.area import SLIP, Area, all_parents, live_path
from targets.catalogue import entry_of, public_paths, read_any
from targets.contract import Check, Claim, Present, Release, Unfinished
from targets.errors import AreaMissing
from targets.hold import names_in
from targets.ordered import HOLDS
from targets.records import read_record
from targets.s3.adoption import Adoption
from targets.s3.bucket import Bucket
from targets.s3.client import ReadsSecrets, connect
from targets.s3.hold import BucketHold
from targets.s3.options import BucketOptions
from targets.s3.probe import Probe, Reaping
from targets.s3.release import BucketRelease
from targets.s3.sizes import Sizes
from targets.s3.spread import spread
from targets.s3.takeover import Takeover
from targets.territory import queues
from targets.wanted import kept_paths, listed_files, refuse_nested, refuse_other_shape

FEW = 64
"""Objects that are looked at one by one; for more of one module its whole folder is listed."""


class BucketTarget:
    """Implements `Target` over one prefix of one bucket. One thread at a time; it uses a few of its own.

    As on every target each object is whole, nothing is visible before `switch`, pages come after what they use, the commit
    record is written last, and a crash anywhere is rolled forward from the note. Its layout is that of `targets.area`, but for
    the token: an object `holder` beside the commit record, changed by compare and swap, says who holds the module and which
    release is prepared.

    What an object store cannot keep, and other targets do:

    - There is no rename through a folder that fences a stale engine. It is refused at each look that it takes: at its lease
      before every copy and removal, at the holder before each 256 of them and before both slips; and the commit record itself
      is only replaced or removed in the state in which it was found. But an engine that is paused between such a look and the
      request after it, for longer than its lease, can still write or remove that one live object (of removals, that batch) for
      each of its threads. Lease and margin make that rare; nothing closes it.
    - Without conditional writes (`conditional_writes = false`) two engines can also both believe to have taken a module.
    - A release becomes visible object by object: a visitor can see some files of the new one and some of the old, as on an SFTP
      server, and for longer, because each copy is a request.
    - There are no folders: an object `a` and an object `a/b` can lie side by side, an empty folder is nothing, and what lies
      where a folder would have to be is in nobody's way. There are no links, no modes, no owners, and the time that the service
      shows is that of the copy; the one from the slip is in the metadata (`mtime`).
    - Where listings lag behind writes (not at Amazon's since 2020), `modules` and `unclaimed` may miss what is new.
    - Taking over the area of a lost queue copies it module by module; that is no single step.
    """

    def __init__(self, name: str, settings: S3Target, secrets: ReadsSecrets | None = None, sizes: Sizes | None = None) -> None:
        self._name, self._settings, self._secrets = name, settings, secrets
        self._options = BucketOptions(
            area=settings.area.strip("/"),
            public_slip=settings.public_slip,
            conditional=settings.conditional_writes,
            read_back=settings.verify == "readback",
            acl=settings.acl,
            cache_control=settings.cache_control,
            sizes=sizes or Sizes(),
        )
        self._connected: Bucket | None = None
        self._holds: dict[str, BucketHold] = {}
        self._queue: str | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def _bucket(self) -> Bucket:
        if self._connected is None:
            self._connected = self._over(connect(self._settings, self._secrets))
        return self._connected

    def _over(self, client: BaseClient) -> Bucket:
        return Bucket(self._name, client, self._settings.bucket, self._settings.prefix.strip("/"), self._settings.parallel)

    def present(self, url: str, claim: Claim) -> Present:
        check_module_url(url)
        self._queue = claim.queue
        area = Area(self._options.area, claim.queue)
        hold, present = Takeover(self._bucket, self._options, area, url, claim).present()
        self._holds.pop(url, None)
        self._holds[url] = hold
        if len(self._holds) > HOLDS:
            del self._holds[next(iter(self._holds))]
        return present

    def mark(self, present: Present) -> str:  # noqa: ARG002
        """Nothing: a bucket has no names that change hands by a rename."""
        return ""

    def unbroken(self, url: str, mark: str, queue: str) -> bool:  # noqa: ARG002
        return False

    def unfinished(self, url: str, claim: Claim) -> Unfinished | None:  # noqa: ARG002
        """Staged objects stay until a release is over, so nothing here tells whether it has begun: `present` finishes it."""
        return None

    def take_back(self, url: str, claim: Claim) -> None:
        """Nothing is ever found that could be taken back."""

    def release(
        self,
        present: Present,
        wanted: Packageslip | None,
        *,
        adopted: Collection[str] = (),
        at_once: bool = False,  # noqa: ARG002
    ) -> Release:
        """Raises PathBlocked, UnsafePath while nothing has been staged. Here everything goes at once."""
        hold = self._holds.get(present.url)
        if hold is None or hold.names.token != present.token:
            raise ValueError(f"{present.url} was not presented by this target, or again since")
        files = listed_files(self._name, (self._options.area,), wanted)
        refuse_other_shape(self._name, present.slip, wanted)
        held = {file.path: file.digest for file in present.slip.files()} if present.slip else {}
        listed = {file.path: file for file in files}
        nested = self._nested(hold, [*listed, *held], held.keys() - listed.keys())
        refuse_nested(self._name, present.url, listed, nested)
        kept = kept_paths(files, held)
        return BucketRelease(hold, wanted, listed, present.slip, kept, frozenset(adopted), nested)

    def expire(self, present: Present) -> Sequence[str]:  # noqa: ARG002
        """A bucket has no grace, so nothing is stale there."""
        return ()

    def _nested(self, hold: BucketHold, paths: Collection[str], going: Collection[str]) -> frozenset[str]:
        """Folders of the module (relative to it) in which another module lives, and those of `going` that are one."""
        area = Area(self._options.area, hold.claim.queue)
        folders = sorted(all_parents(paths) | (set(going) - {ITSELF}))
        records = spread(
            lambda folder: self._bucket.look(area.slip("/" + live_path(hold.names.url, folder))), folders, self._settings.parallel
        )
        return frozenset(folder for folder, record in zip(folders, records, strict=True) if record is not None)

    def strangers(self, url: str, paths: Collection[str]) -> Mapping[str, Digest | None]:
        there = self._lying(url, sorted(paths))
        return {path: digest for path, size, digest in self.digests(url, there) if size is not None}

    def _lying(self, url: str, paths: Sequence[str]) -> list[str]:
        """Those of the paths where something lies."""
        if len(paths) <= FEW:
            seen = spread(self._bucket.look, [live_path(url, path) for path in paths], self._settings.parallel)
            return [path for path, one in zip(paths, seen, strict=True) if one is not None]
        lying = {one.path for one in self._bucket.below(url.strip("/"))}
        return [path for path in paths if live_path(url, path) in lying]

    def slip(self, url: str) -> Packageslip | None:
        area = self._area()
        return read_record(self._bucket, area.slip(url), url, self._name) if area else None

    def highest_fence(self, queue: str) -> int:
        """0: each holder is an object that would have to be read. A module's own slip tells when it is taken over."""
        del queue
        return 0

    def modules(self) -> Iterator[CatalogueEntry]:
        yield from sorted(map(entry_of, self._slips()), key=lambda entry: entry.url)

    def _slips(self) -> Iterator[Packageslip]:
        area = self._area()
        if area is None:
            return
        paths = [f"{area.modules}/{name}/{SLIP}" for name in names_in(self._bucket, area.modules)]
        read = partial(read_any, self._bucket, target=self._name)
        yield from filter(None, spread(read, paths, self._settings.parallel))

    def unclaimed(self) -> Iterator[str]:
        listed = {live_path(slip.url, path) for slip in self._slips() for path in public_paths(slip)}
        own = f"{self._options.area}/"
        return (one.path for one in self._bucket.below("") if one.path not in listed and not one.path.startswith(own))

    def _area(self) -> Area | None:
        """The area that is there, whoever made it: reading needs no claim. Raises AreaMissing if there are several."""
        there = queues(self._bucket, self._options.area)
        if self._queue in there:
            there = [self._queue]
        if len(there) > 1:
            raise AreaMissing(
                f"{self._name} has the areas of several queues: {', '.join(there)}; if 'slipway target adopt' was interrupted, "
                "run it again, otherwise remove all but one",
                target=self._name,
            )
        return Area(self._options.area, there[0]) if there else None

    def open(self, url: str, path: str) -> BinaryIO:
        check_path(path)
        return self._bucket.open(live_path(url, path))

    def digests(self, url: str, paths: Sequence[str]) -> Iterator[tuple[str, int, Digest] | tuple[str, None, None]]:
        answers = spread(self._bucket.digest, [live_path(url, path) for path in paths], self._settings.parallel)
        for path, answer in zip(paths, answers, strict=True):
            yield (path, None, None) if answer is None else (path, *answer)

    def probe(self) -> Sequence[Check]:
        return Probe(self._bucket, self._options, lambda: self._over(connect(self._settings, None, anonymous=True))).checks()

    def adopt(self, queue: str) -> str | None:
        """Module by module; interrupted, it is run again."""
        return Adoption(self._bucket, self._options, Area(self._options.area, queue)).adopt()

    def reap(self, older_than: float) -> int:
        """Probes, staged files that no holder will use, uploads in parts that nobody completed."""
        return Reaping(self._bucket, self._options).reap(older_than)

    def close(self) -> None:
        self._holds.clear()
        if self._connected is not None:
            self._connected.client.close()
            self._connected = None
