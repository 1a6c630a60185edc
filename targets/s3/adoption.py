"""Taking over the area of a lost or restored queue: an object store renames nothing, so it is copied, module by module.

Each module's register is marked first, which stops the old queue's engines at their next look; then what lies in its folder
is copied, the register last; then the old objects go. Interrupted anywhere, it is done again by the same command.
"""

from dataclasses import dataclass, replace
from functools import partial

from targets.area import Area
from targets.errors import TargetBusy, TargetUnfit
from targets.hold import names_in
from targets.s3.bucket import Bucket, Listed
from targets.s3.copying import Copying
from targets.s3.holder import HOLDER, Holder, Register
from targets.s3.options import BucketOptions
from targets.s3.spread import each
from targets.s3.takeover import mark, mark_of
from targets.territory import queues

TRIES = 10
"""At marking a register that its engine keeps changing."""
MOVING = "moving-to-"
"""How the mark in an area begins that is being adopted."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """One area becoming another's."""

    bucket: Bucket
    options: BucketOptions
    area: Area

    def adopt(self) -> str | None:
        """The id that the area had; None: there was none. Raises TargetUnfit if there are several, TargetBusy."""
        there = queues(self.bucket, self.area.folder)
        others = [queue for queue in there if queue != self.area.queue]
        if not others:
            if not there:
                mark(self.bucket, self.area)
            return there[0] if there else None
        old = Area(self.area.folder, others[0])
        under_way = f"{MOVING}{self.area.queue}" in names_in(self.bucket, old.root)
        if len(others) > 1 or (self.area.queue in there and not under_way):
            raise TargetUnfit(
                f"{self.bucket.target}: {self.area.folder} has the areas of {len(there)} queues ({', '.join(there)}); remove all "
                "but the right one",
                target=self.bucket.target,
            )
        self._move(old)
        return old.queue

    def _move(self, old: Area) -> None:
        moving = f"{old.root}/{MOVING}{self.area.queue}"
        self.bucket.write(moving, b"")
        mark(self.bucket, self.area)
        for module in sorted(names_in(self.bucket, old.modules)):
            self._move_module(f"{old.modules}/{module}", f"{self.area.modules}/{module}")
        self.bucket.delete(mark_of(old))
        self.bucket.delete(moving)

    def _move_module(self, old: str, new: str) -> None:
        held = Register(self.bucket, f"{old}/{HOLDER}", self.options.conditional)
        ours = Register(self.bucket, f"{new}/{HOLDER}", self.options.conditional)
        holder = self._shut_out(held)
        lying = [one for one in self.bucket.below(old) if one.path != held.path]
        if ours.read() is None:
            each(partial(self._copy, old, new), lying, self.bucket.threads)
            if holder:
                ours.change(None, replace(holder, moved=""))
        each(self.bucket.delete, [one.path for one in lying], self.bucket.threads)
        self.bucket.delete(held.path)

    def _shut_out(self, register: Register) -> Holder | None:
        """Mark the register, so that its holder stops at his next look; who held it."""
        for _ in range(TRIES):
            found = register.read()
            if found is None:
                return None
            holder, etag = found
            marked = replace(holder, moved=self.area.queue)
            if holder == marked or register.change(etag, marked) is not None:
                return marked
        raise TargetBusy(f"{self.bucket.target}: an engine of the old queue is still at work; stop it", target=self.bucket.target)

    def _copy(self, old: str, new: str, one: Listed) -> None:
        # No ACL: nothing in the area is for the public.
        Copying(self.bucket, self.options.sizes).copy(one.path, new + one.path[len(old) :], one.size)
