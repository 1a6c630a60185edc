"""Becoming the only writer of a module in a bucket, and finishing what a dead engine had prepared."""

from dataclasses import dataclass

import structlog

from targets.area import Area, Held, fence_of, token_name
from targets.contract import Claim, Present, Recovered
from targets.errors import AreaMissing, PermanentTargetError, TargetBusy
from targets.note import BadNote, Note, UnknownNote, another_version, read_note
from targets.rank import outranked, renew
from targets.records import read_record
from targets.s3.bucket import Bucket
from targets.s3.hold import BucketHold
from targets.s3.holder import HOLDER, Holder, Register
from targets.s3.options import BucketOptions
from targets.s3.replay import Replay
from targets.territory import queues, refuse_others, refuse_wrong_root

log = structlog.get_logger(__name__)

ATTEMPTS = 20
"""Tries to become the holder before the module's other takers are left alone for now."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """One attempt to hold one module."""

    bucket: Bucket
    options: BucketOptions
    area: Area
    url: str
    claim: Claim

    @property
    def target(self) -> str:
        return self.bucket.target

    def present(self) -> tuple[BucketHold, Present]:
        """Take the module, finish or discard what is there, read the live slip.

        Raises Fenced, SerialTooHigh, AreaMissing, TargetBusy and the service's faults.
        """
        for _ in range(ATTEMPTS):
            self.claim.check()
            hold = self._take()
            if hold is None:
                continue
            recovered = self._recover(hold)
            slip = read_record(self.bucket, hold.names.slip, self.url, self.target)
            if outranked(self.target, self.url, self.claim, slip):
                continue
            return hold, Present(self.url, self.target, slip, recovered, token=hold.names.token)
        raise TargetBusy(f"{self.target}: {self.url} keeps changing hands", target=self.target)

    def _take(self) -> BucketHold | None:
        """Write ourselves into the register in place of whom we found there; None: somebody was first, look again."""
        names = Held(self.url, self.area.module(self.url), token_name(self.claim.fence, self.claim.nonce))
        register = Register(self.bucket, f"{names.module}/{HOLDER}", self.options.conditional)
        found = register.read()
        if found is None:
            return self._first(names, register)
        holder, etag = found
        mine = Holder(names.token, holder.release)
        if holder.moved:
            raise AreaMissing(
                f"{self.target} is being adopted by the queue {holder.moved}, which shuts this one out", target=self.target
            )
        if holder.token != mine.token:
            if self._outdone(holder, names):
                return None
            changed = register.change(etag, mine)
            if changed is None:
                return None
            etag = changed
        return BucketHold(self.bucket, self.options, self.claim, names, register, mine, etag)

    def _outdone(self, holder: Holder, names: Held) -> bool:
        """Whether the found fence is not lower than ours, so that we need a new one."""
        fence = fence_of(holder.token)
        if fence is None:
            raise PermanentTargetError(
                f"{self.target}: {self.bucket.key(names.module)}/{HOLDER} names no token; remove it, then run 'slipway verify' "
                "with --repair for this module",
                target=self.target,
            )
        if fence < self.claim.fence:
            return False
        renew(self.target, self.url, self.claim, fence, read_record(self.bucket, names.slip, self.url, self.target))
        return True

    def _first(self, names: Held, register: Register) -> BucketHold | None:
        """The module has no holder yet. Another queue's area is looked for before and after: of two, neither gets the target."""
        refuse_others(self.bucket, self.area, self.target)
        if self.area.queue not in queues(self.bucket, self.area.folder):
            refuse_wrong_root(self.bucket, self.area, self.target, self.claim)
            mark(self.bucket, self.area)
        mine = Holder(names.token)
        etag = register.change(None, mine)
        if etag is None:
            return None
        try:
            refuse_others(self.bucket, self.area, self.target)
        except AreaMissing:
            self.bucket.delete(register.path)
            self.bucket.delete(mark_of(self.area))
            raise
        return BucketHold(self.bucket, self.options, self.claim, names, register, mine, etag)

    def _recover(self, hold: BucketHold) -> Recovered | None:
        """Finish the release that the register names, or remove what was staged for one that nobody will finish."""
        tag = hold.holder.release
        if not tag:
            hold.clean()
            return None
        note = self._read_note(hold, tag)
        log.info("unfinished release found", target=self.target, url=self.url, serial=note.serial, publish=note.publish)
        Replay(hold, note).finish()
        return Recovered(read_record(self.bucket, hold.names.slip, self.url, self.target), note.serial)

    def _read_note(self, hold: BucketHold, tag: str) -> Note:
        path = Held(self.url, hold.names.module, tag).note
        try:
            return read_note(self.bucket.read(path))
        except UnknownNote as error:
            raise another_version(self.target, self.url, error) from error
        except (FileNotFoundError, BadNote) as error:
            hold.check()
            raise PermanentTargetError(
                f"{self.target}: the note of an unfinished release of {self.url} cannot be read ({error}). Remove "
                f"{self.bucket.key(hold.register.path)}, then run 'slipway verify' with --repair for this module",
                target=self.target,
            ) from error


def mark_of(area: Area) -> str:
    """An empty object that stands for the area's folder, as consoles of object stores make it."""
    return f"{area.root}/"


def mark(bucket: Bucket, area: Area) -> None:
    bucket.write(mark_of(area), b"")
