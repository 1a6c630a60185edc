"""Trying what publishing needs of a bucket, and removing what nobody will come back for."""

import secrets
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

from targets.area import PROBE_PREFIX
from targets.contract import Check
from targets.errors import TargetError
from targets.s3.bucket import DIGEST, Bucket, Listed
from targets.s3.copying import Copying
from targets.s3.faults import Conflict
from targets.s3.hold import is_token, others
from targets.s3.holder import HOLDER, Register
from targets.s3.options import BucketOptions
from targets.s3.parts import Parts
from targets.s3.spread import each
from targets.territory import queues

Tries = Generator[tuple[str, bool, str], None, None]

UNCONDITIONAL = "set conditional_writes = false, and read in the manual how the fence is weaker then"
OTHER_ETAG = '"0123456789abcdef0123456789abcdef"'


@dataclass(frozen=True, slots=True)
class Probe:
    """Real tries in a scratch folder of the area. `anonymous`: the same bucket as a visitor sees it."""

    bucket: Bucket
    options: BucketOptions
    anonymous: Callable[[], Bucket]

    def checks(self) -> list[Check]:
        """Each try answered; the first failure ends them. Leaves nothing behind."""
        found: list[Check] = []
        scratch = f"{self.options.area}/{PROBE_PREFIX}{secrets.token_hex(4)}"
        try:
            try:
                with closing(self._tries(scratch)) as tries:
                    for what, ok, remedy in tries:
                        found.append(Check("ok" if ok else "failure", what, "" if ok else remedy))
                        if not ok:
                            return found
                found += [*self._privacy(scratch), *self._area()]
            finally:
                each(self.bucket.delete, [one.path for one in self.bucket.below(scratch)], 1)
        except TargetError as error:
            found.append(Check("failure", "using the target", str(error)))
        return found

    def _tries(self, scratch: str) -> Tries:
        one, two = f"{scratch}/one", f"{scratch}/two"
        queues(self.bucket, self.options.area)
        yield "the bucket answers and can be listed", True, ""
        headers = {"ContentType": "text/x-probe", "Metadata": {DIGEST: "ab" * 32}}
        self.bucket.write(one, b"one", headers)
        yield "objects can be written and read", self.bucket.read(one) == b"one", "look at the service's log"
        Copying(self.bucket, self.options.sizes, self.options.acl).copy(one, two, 3)
        seen = self.bucket.look(two)
        kept = seen is not None and seen.digest == b"\xab" * 32 and seen.headers.get("ContentType") == "text/x-probe"
        yield (
            "an object is copied on the server with its type and metadata",
            kept,
            "the service does not do what publishing needs",
        )
        if self.options.conditional:
            yield "conditional writes are honoured", self._conditional(one), UNCONDITIONAL
        with Parts(self.bucket, two, {}):
            # Left without completing it, which cancels it.
            pass
        yield "uploads in parts can be begun and cancelled", True, ""
        if self.options.conditional:
            yield "conditional removals are honoured", self._kept_from_removal(two), UNCONDITIONAL
        self.bucket.delete(two)
        yield "objects can be removed", self.bucket.look(two) is None, "let the account remove objects"

    def _conditional(self, path: str) -> bool:
        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": OTHER_ETAG}):
            try:
                self.bucket.write(path, b"two", None, **condition)
            except Conflict:
                continue
            return False
        return True

    def _kept_from_removal(self, path: str) -> bool:
        try:
            self.bucket.delete(path, IfMatch=OTHER_ETAG)
        except Conflict:
            return True
        return False

    def _privacy(self, scratch: str) -> Iterator[Check]:
        """A warning if anybody may read the area: what is staged there would be public before its time."""
        try:
            self.anonymous().read(f"{scratch}/one")
        except (TargetError, FileNotFoundError):
            yield Check("ok", "the area cannot be read by everybody")
        else:
            yield Check(
                "warning", f"everybody can read {self.bucket.key(self.options.area)}", "leave it out of the public policy"
            )

    def _area(self) -> Iterator[Check]:
        if not self.options.conditional:
            yield Check("warning", "conditional writes are off", "two engines may take one module at the same moment")
        there = queues(self.bucket, self.options.area)
        if len(there) == 1:
            yield Check("ok", f"managed by the queue {there[0]}")
        elif there:
            yield Check("failure", f"the areas of several queues are there: {', '.join(there)}", "remove all but the right one")
        else:
            remedy = f"the first publish makes its area, or 'slipway target adopt {self.bucket.target}'"
            yield Check("warning", "no queue manages it yet", remedy)


@dataclass(frozen=True, slots=True)
class Reaping:
    """Removing abandoned probes, staged files and uploads in parts that are older than so many seconds by the service's clock."""

    bucket: Bucket
    options: BucketOptions

    def reap(self, older_than: float) -> int:
        """How many probes, releases and uploads went."""
        before = self.bucket.clock() - older_than
        left: dict[str, list[Listed]] = {}
        for one in self.bucket.below(self.options.area):
            folder = self._abandonable(one.path)
            if folder:
                left.setdefault(folder, []).append(one)
        old = [folder for folder, lying in left.items() if all(one.modified <= before for one in lying)]
        gone = [folder for folder in old if not self._needed(folder)]
        each(self.bucket.delete, [one.path for folder in gone for one in left[folder]], self.bucket.threads)
        return len(gone) + self._cancel(before)

    def _abandonable(self, path: str) -> str | None:
        """The probe's or token's folder in which this lies; None for everything else."""
        parts = path[len(self.options.area) + 1 :].split("/")
        if parts[0].startswith(PROBE_PREFIX) and parts[1:]:
            return f"{self.options.area}/{parts[0]}"
        if parts[1:2] == ["modules"] and is_token("/".join(parts[3:])):
            return "/".join([self.options.area, *parts[:4]])
        return None

    def _needed(self, folder: str) -> bool:
        """Whether somebody may still come back for it: the holder, or who finishes the release that his register names."""
        module, _, token = folder.rpartition("/")
        if token.startswith(PROBE_PREFIX):
            return False
        found = Register(self.bucket, f"{module}/{HOLDER}", self.options.conditional).read()
        return token not in others([token], found[0] if found else None)

    def _cancel(self, before: float) -> int:
        """Uploads in parts that nobody completed: unseen, and paid for."""
        old = [(path, upload) for path, upload, begun in self.bucket.uploads(self.options.area) if begun <= before]
        for path, upload in old:
            self.bucket.call("abort_multipart_upload", path, UploadId=upload)
        return len(old)
