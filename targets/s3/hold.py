"""One module of a bucket in the hands of its holder."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from targets.area import Held, fence_of
from targets.contract import Claim
from targets.errors import Fenced
from targets.s3.bucket import Bucket, Listed
from targets.s3.copying import Copying
from targets.s3.holder import Holder, Register
from targets.s3.options import BucketOptions
from targets.s3.spread import each
from targets.s3.upload import Upload

Item = TypeVar("Item")

COLLISIONS = 3
"""Tries at one change of the register; takers are few, so that two writes meet at all is rare."""
BATCH = 256
"""Requests between two looks at the lease and at the holder: some seconds' worth."""


@dataclass(slots=True)
class BucketHold:
    """What it takes to work on one held module. `holder` and `etag`: what its register must say for us to go on."""

    bucket: Bucket
    options: BucketOptions
    claim: Claim
    names: Held
    register: Register
    holder: Holder
    etag: str

    @property
    def upload(self) -> Upload:
        return Upload(self.bucket, self.options.sizes, self.options.read_back)

    @property
    def copying(self) -> Copying:
        return Copying(self.bucket, self.options.sizes, self.options.acl, self.claim.check)

    def check(self) -> None:
        """Raise Fenced unless the lease is ours and nobody has taken over. The last look before each batch of writes."""
        self.claim.check()
        found = self.register.read()
        if found is None or found[0] != self.holder:
            raise self.fenced()

    def fenced(self) -> Fenced:
        target = self.bucket.target
        return Fenced(f"{target}: {self.names.url} was taken over by a later holder; this one stops", target=target)

    def note(self, release: str) -> None:
        """Say which release is prepared; "": none any more. Raises Fenced."""
        holder = replace(self.holder, release=release)
        for _ in range(COLLISIONS):
            # A service may also refuse because two writes met, of which neither happened; then nobody has taken over.
            self.check()
            etag = self.register.change(self.etag, holder)
            if etag is not None:
                self.holder, self.etag = holder, etag
                return
        raise self.fenced()

    def run(self, do: Callable[[Item], object], items: Sequence[Item]) -> None:
        """Do it for each, side by side. A look at the lease before each, which costs nothing; at the hold before each batch."""

        def leased(item: Item) -> None:
            self.claim.check()
            do(item)

        for start in range(0, len(items), BATCH):
            self.check()
            each(leased, items[start : start + BATCH], self.bucket.threads)

    def remove(self, paths: Sequence[str]) -> None:
        """Remove objects, with a look at the hold before each batch."""
        for start in range(0, len(paths), BATCH):
            self.check()
            self.bucket.remove(paths[start : start + BATCH])

    def clean(self) -> None:
        """Remove what this holder and those before it staged. A later holder's is left alone, should there be one by now."""
        self.remove(staged_until(self.bucket.below(self.names.module), self.names))


def staged_until(lying: Iterable[Listed], names: Held) -> list[str]:
    """Paths in the folders of this token and of those before it: tokens sort by their fences."""
    start = len(names.module) + 1
    return [one.path for one in lying if is_token(one.path[start:]) and one.path[start:].partition("/")[0] <= names.token]


def is_token(path: str) -> bool:
    """Whether a path in a module's folder lies in a token's folder."""
    name, below, _ = path.partition("/")
    return bool(below) and fence_of(name) is not None


def others(tokens: Iterable[str], holder: Holder | None) -> Collection[str]:
    """Tokens that neither hold the module nor have a release that somebody will finish."""
    kept = {holder.token, holder.release} if holder else set()
    return set(tokens) - kept
