"""Finishing a prepared release in a bucket, from its note: one's own or a dead engine's.

1  copy the staged assets to their live names, then the pages
2  the public copy of the slip, then the slip itself, the commit record, in place of the one that was there
3  remove what the slip no longer lists: pages, then assets; an unpublish ends with the slip
4  say in the register that nothing is prepared any more; remove what was staged

Whatever was done is done again; a copy of the same bytes changes nothing. What is staged stays until step 4, so a staged
object that is gone was moved by somebody: that is right only if the live one has its digest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from packageslip import read_slip
from targets.area import PUBLIC_SLIP, Held, staged
from targets.errors import PermanentTargetError
from targets.note import Note, Part, Put
from targets.protocol import SLIP_NAME
from targets.records import OWN
from targets.s3.faults import Conflict
from targets.s3.headers import slip_headers
from targets.s3.hold import BucketHold


@dataclass(frozen=True, slots=True)
class Replay:
    """One release being finished."""

    hold: BucketHold
    note: Note

    def finish(self) -> None:
        """Steps 1 to 4. Raises Fenced, PermanentTargetError and the service's faults; then the note stays for the next holder."""
        if self.note.publish:
            slip = self._read(SLIP_NAME)
            self._copy(slip)
            self._write_slips(slip)
        self._drop()
        self.hold.note("")
        self.hold.clean()

    def _read(self, name: str) -> bytes:
        try:
            return self.hold.bucket.read(self._staged(name))
        except FileNotFoundError as error:
            raise self._gone(self._staged(name)) from error

    def _staged(self, name: str) -> str:
        """Where the release staged something: in the folder of the token that it was made under."""
        return Held(self.note.url, self.hold.names.module, self.note.tag).inside(staged(self.note.tag, name))

    def _copy(self, slip: bytes) -> None:
        """Step 1."""
        folder = Held(self.note.url, self.hold.names.module, self.note.tag).folder
        sizes = {one.path: one.size for one in self.hold.bucket.below(folder)}
        for part in (Part.ASSET, Part.PAGE):
            puts = [put for put in self.note.puts if put.part is part]
            self.hold.run(partial(self._copy_one, sizes, slip), puts)

    def _copy_one(self, sizes: Mapping[str, int], slip: bytes, put: Put) -> None:
        path, live = self._staged(put.name), self.hold.names.live(put.path)
        try:
            self.hold.copying.copy(path, live, sizes[path] if path in sizes else self._size(path))
        except FileNotFoundError as error:
            wanted = next(file.digest for file in read_slip(slip, path, OWN, url=self.note.url).files() if file.path == put.path)
            seen = self.hold.bucket.look(live)
            if seen is None or seen.digest != wanted:
                raise self._gone(path) from error

    def _size(self, path: str) -> int:
        """Of an object that no listing showed: there are services whose listings lag."""
        seen = self.hold.bucket.look(path)
        if seen is None:
            raise FileNotFoundError(f"{self.hold.bucket.target}: {path} is not there")
        return seen.size

    def _gone(self, path: str) -> PermanentTargetError:
        self.hold.check()
        bucket = self.hold.bucket
        return PermanentTargetError(
            f"{bucket.target}: {bucket.key(path)}, staged for an unfinished release of {self.note.url}, is gone: no rule of the "
            f"bucket may remove what lies there. Remove {bucket.key(self.hold.register.path)}, then run 'slipway verify' with "
            "--repair for this module",
            target=bucket.target,
        )

    def _write_slips(self, slip: bytes) -> None:
        """Step 2."""
        bucket, options = self.hold.bucket, self.hold.options
        if any(put.part is Part.PUBLIC for put in self.note.puts):
            self.hold.check()
            bucket.write(self.hold.names.live(PUBLIC_SLIP), slip, slip_headers(slip, options, public=True))
        seen = bucket.look(self.hold.names.slip)
        self.hold.check()
        condition = {"IfMatch": seen.etag} if seen else {"IfNoneMatch": "*"}
        try:
            bucket.write(self.hold.names.slip, slip, slip_headers(slip, options), **(condition if options.conditional else {}))
        except (Conflict, FileNotFoundError) as error:
            self._refuse_other(slip, error)

    def _refuse_other(self, slip: bytes, error: Exception) -> None:
        """The commit record was written by somebody meanwhile: by ourselves, where an answer was lost, or by a later holder."""
        seen = self.hold.bucket.look(self.hold.names.slip)
        if seen is None or seen.digest != hashlib.sha256(slip).digest():
            raise self.hold.fenced() from error

    def _drop(self) -> None:
        """Step 3."""
        names = self.hold.names
        for part in (Part.PAGE, Part.ASSET):
            self.hold.remove([names.live(drop.path) for drop in self.note.drops if drop.part is part])
        if not self.note.publish:
            self._withdraw_slip()

    def _withdraw_slip(self) -> None:
        """The end of an unpublish: the commit record goes, unless a later holder has written another since we looked."""
        path, bucket = self.hold.names.slip, self.hold.bucket
        seen = bucket.look(path)
        self.hold.check()
        if seen is None:
            return
        try:
            bucket.delete(path, **({"IfMatch": seen.etag} if self.hold.options.conditional else {}))
        except Conflict as error:
            raise self.hold.fenced() from error
