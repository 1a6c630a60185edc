"""A plan: what a task will do to one target, every change with its reason. Values only; `planner.py` makes them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import chain, islice
from operator import attrgetter
from typing import Any, NamedTuple

from packageslip import Digest, Resource, View, format_time

File = Resource | View
LISTED = 2000
"""Changes that a plan's document spells out; a person reads no more, and a row of the queue need not hold a million."""
_by_path = attrgetter("path")


class Verb(StrEnum):
    """What happens to one path."""

    PUT = "put"
    KEEP = "keep"
    DROP = "drop"
    LEAVE = "leave"
    """An earlier slip of ours listed it, but a deeper module owns it now: neither kept nor dropped."""
    STALE = "stale"
    """No part of the module any more; it stays until its grace is over."""


class Reason(StrEnum):
    """Why. `sentence` says it to a person."""

    NEW = "new"
    CHANGED = "changed"
    FULL = "full"
    DAMAGED = "damaged"
    OVERWRITES = "overwrites"
    UNKNOWN = "unknown"
    SAME = "same"
    ADOPTED = "adopted"
    STALE = "stale"
    UNPUBLISHED = "unpublished"
    NESTED = "nested"
    GRACE = "grace"
    LINGERS = "lingers"
    OVER = "over"
    RETURNS = "returns"

    @property
    def sentence(self) -> str:
        """The reason as an operator reads it."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NEW: "is not on the target yet",
    Reason.CHANGED: "has other bytes than the file on the target",
    Reason.FULL: "is put again although its bytes are the same, as the task asks",
    Reason.DAMAGED: "is missing or damaged on the target",
    Reason.OVERWRITES: "replaces a file that is not ours and has other bytes",
    Reason.UNKNOWN: "may have changed: unknown until fetched",
    Reason.SAME: "has the same bytes on the target",
    Reason.ADOPTED: "lay there already, not ours, with the same bytes",
    Reason.STALE: "was published by us and is no longer listed",
    Reason.UNPUBLISHED: "goes with the module",
    Reason.NESTED: "belongs to a deeper module now and is left alone",
    Reason.GRACE: "was published by us, is no longer listed, and stays for visitors with an older page",
    Reason.LINGERS: "is stale, and still stays for visitors with an older page",
    Reason.OVER: "was stale, and its grace is over",
    Reason.RETURNS: "was stale, and is listed again with the same bytes",
}


class Change(NamedTuple):
    """One path's fate. `size` and `digest`: of what will lie there; `was`: the digest of what lies there now."""

    path: str
    verb: Verb
    reason: Reason
    size: int | None = None
    digest: Digest | None = None
    was: Digest | None = None
    view: bool = False
    until: int | None = None
    """Until when a stale file stays: seconds since the epoch, as far as it is known."""

    @property
    def leaves(self) -> bool:
        """Whether this release takes the path out of the module, whenever the file itself goes."""
        return self.reason is Reason.GRACE or (self.verb is Verb.DROP and self.reason is not Reason.OVER)


class Rule(StrEnum):
    """What the guard can object to."""

    EMPTY = "empty"
    NESTED = "nested"
    BLOCKED = "blocked"
    DROPS = "drops"
    HALF = "half"
    INDEX = "index"
    STRANGERS = "strangers"
    SIGNATURE = "signature"

    @property
    def final(self) -> bool:
        """Whether no approval can waive it: the slip or the target must be corrected."""
        return self in {Rule.EMPTY, Rule.NESTED, Rule.BLOCKED}


@dataclass(frozen=True, slots=True)
class Objection:
    """One rule that stands against the plan, in a sentence, with the paths it is about."""

    rule: Rule
    sentence: str
    paths: tuple[str, ...] = ()


_PUT, _KEEP, _NEW, _SAME = Verb.PUT, Verb.KEEP, Reason.NEW, Reason.SAME
"""To look a member up in its enumeration takes as long as all else that is done for a file here."""


def _new(file: File) -> Change:
    return Change(file.path, _PUT, _NEW, file.size, file.digest, view=isinstance(file, View))


def _same(file: File) -> Change:
    return Change(file.path, _KEEP, _SAME, file.size, file.digest, file.digest, view=isinstance(file, View))


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will happen to one module on one target."""

    url: str
    target: str
    others: tuple[Change, ...] = ()
    """Sorted by path, like `same` and `new`."""
    same: tuple[File, ...] = ()
    """Files that stay because their bytes are the same: nearly all, as a rule, so that each is a change only for who asks."""
    new: tuple[File, ...] = ()
    """Files that come where nothing lies: all of a first publication, so that these too are changes only for who asks."""
    objections: tuple[Objection, ...] = ()
    """What stands against it, as long as nobody approved it."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, sorted by path."""
        return tuple(self.of(*Verb))

    @property
    def digest(self) -> str:
        """Hex SHA-256 over what will happen; an approval names it."""
        return digest_of(self.url, self.target, self.changes)

    def of(self, *verbs: Verb) -> Iterator[Change]:
        """The changes with one of these verbs, sorted by path; each is made when it is its turn."""
        others, new, same = self._with(verbs)
        return merge(others, map(_new, new), map(_same, same), key=_by_path)

    def paths(self, *verbs: Verb) -> Iterator[str]:
        """Where the changes with one of these verbs are, in no order."""
        return map(_by_path, chain(*self._with(verbs)))

    def _with(self, verbs: Sequence[Verb]) -> tuple[Iterator[Change], Sequence[File], Sequence[File]]:
        others = (change for change in self.others if change.verb in verbs)
        return others, self.new if _PUT in verbs else (), self.same if _KEEP in verbs else ()

    @property
    def adopted(self) -> tuple[str, ...]:
        """Paths whose right bytes lie there already although no slip of ours listed them."""
        adopted = Reason.ADOPTED
        return tuple(change.path for change in self.others if change.reason is adopted)

    @property
    def left(self) -> frozenset[str]:
        """Paths that an earlier slip of ours listed and that must not be touched any more."""
        return frozenset(self.paths(Verb.LEAVE))

    @property
    def moves(self) -> bool:
        """Whether any file is put or dropped."""
        return any(True for _ in self.paths(Verb.PUT, Verb.DROP))

    def counts(self) -> dict[str, int]:
        """Files by verb, and `bytes` to put (unknown sizes count as none)."""
        found = dict.fromkeys(map(str, Verb), 0) | Counter(change.verb for change in self.others)
        found[_KEEP] += len(self.same)
        found[_PUT] += len(self.new)
        coming = [*self.new, *(change for change in self.others if change.verb is _PUT)]
        return {**found, "bytes": sum(each.size or 0 for each in coming)}

    def reasons(self) -> dict[str, list[int]]:
        """Files and their bytes by reason; of a file that goes, the bytes that lie there now. Unknown sizes count as none."""
        found: dict[Reason, list[int]] = defaultdict(lambda: [0, 0])
        for reason, files in (_SAME, self.same), (_NEW, self.new):
            if files:
                found[reason] = [len(files), sum(file.size or 0 for file in files)]
        for change in self.others:
            sums = found[change.reason]
            sums[0] += 1
            sums[1] += change.size or 0
        return {str(reason): sums for reason, sums in found.items()}

    def moving(self, most: int) -> list[list[str | int | None]]:
        """The first changes that are to be seen, each as path, verb, reason and size."""
        seen = self.of(Verb.PUT, Verb.DROP, Verb.LEAVE, Verb.STALE)
        return [[change.path, str(change.verb), str(change.reason), change.size] for change in islice(seen, max(0, most))]

    def document(self, listed: int = LISTED) -> dict[str, Any]:
        """The plan for JSON: counts, objections, and the first `listed` changes, those that move something first."""
        moving = list(self.of(Verb.PUT, Verb.DROP, Verb.LEAVE, Verb.STALE))
        shown = [*moving, *self.of(Verb.KEEP)][:listed]
        return {
            "url": self.url,
            "target": self.target,
            "digest": self.digest,
            "counts": self.counts(),
            "reasons": self.reasons(),
            "objections": [{"rule": o.rule, "sentence": o.sentence, "paths": list(o.paths[:listed])} for o in self.objections],
            "changes": [_change_document(change) for change in shown],
            "not_listed": len(self.others) + len(self.same) + len(self.new) - len(shown),
        }


def _change_document(change: Change) -> dict[str, Any]:
    return {
        "path": change.path,
        "change": change.verb,
        "reason": change.reason,
        "sentence": f"{change.path} {change.reason.sentence}{_kept_until(change)}",
        "size": change.size,
        "digest": change.digest.hex() if change.digest else None,
    }


def _kept_until(change: Change) -> str:
    return "" if change.until is None else f": kept until {format_time(change.until)}"


def digest_of(url: str, target: str, changes: Sequence[Change]) -> str:
    """Hex SHA-256 over what will happen.

    Two equal plans have equal digests, whoever makes them. Of a view only the path counts: its bytes are made anew on each
    request, and an approval that named them could never be used. How long a file stays that leaves is no matter, nor is
    what became stale before: time alone must not make an approval void.
    """
    total = hashlib.sha256(f"{url}\0{target}\0".encode())
    for change in changes:
        total.update(_line(change))
    return total.hexdigest()


_NONE = bytes(32)
_BY_TIME = (Reason.LINGERS, Reason.OVER)


def _line(change: Change) -> bytes:
    if change.reason in _BY_TIME:
        return b""
    if change.view and not change.leaves:
        # A stranger's file that a view replaces is not made anew: an approval to overwrite is one for these bytes.
        over = change.was if change.reason is Reason.OVERWRITES else None
        return f"view\0{change.path}\0".encode() + (over or b"")
    verb = Verb.DROP if change.leaves else change.verb
    return f"{verb}\0{change.path}\0".encode() + (change.digest or _NONE) + (change.was or _NONE)


def together(plans: Sequence[Plan]) -> str:
    """The digest of one plan, or of the plans of a group's members as a whole."""
    if len(plans) == 1:
        return plans[0].digest
    return hashlib.sha256("\n".join(plan.digest for plan in plans).encode()).hexdigest()
