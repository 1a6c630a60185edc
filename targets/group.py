"""Several targets that switch together: origins behind one load balancer.

Each member has its own present, plan and note. All prepare, then all switch; a member that crashed in between is rolled
forward by its own note at the next takeover, if the release was prepared on enough members to have begun anywhere. With a
quorum, members that cannot be reached may lag: they are brought up to date by the next release, which finds their older slip.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import BinaryIO, TypeVar

import structlog

from packageslip import CatalogueEntry, Digest, Packageslip
from targets.contract import Check, Claim, FilePut, Present, Release, Target, Unfinished
from targets.errors import TargetError, TransientTargetError
from targets.group_release import GroupRelease, Member

log = structlog.get_logger(__name__)

_Answer = TypeVar("_Answer")


class GroupTarget:
    """Implements `Target` over other targets. `quorum`: how many members must be ready; None: all."""

    def __init__(self, name: str, members: Sequence[Target], quorum: int | None = None) -> None:
        self._name, self._members = name, tuple(members)
        self._quorum = len(self._members) if quorum is None else quorum

    @property
    def name(self) -> str:
        return self._name

    def present(self, url: str, claim: Claim) -> Present:
        """One present for each member that is ready. A lagging one is left out; too few: its error is raised.

        What was prepared on some members is finished only if it was prepared on a quorum, or has begun anywhere.
        """
        found = self._ready(lambda member: member.unfinished(url, claim))
        reached = [member for member, _ in found]
        if any(note for _, note in found):
            reached = self._settled(url, claim, dict(found))
        presents = [present for _, present in self._ready(lambda member: member.present(url, claim), reached)]
        slip = next((present.slip for present in presents if present.slip is not None), None)
        recovered = next((present.recovered for present in presents if present.recovered is not None), None)
        held = frozenset.intersection(*(present.held for present in presents))
        return Present(url, self._name, slip, recovered, held, members=tuple(presents))

    def _settled(self, url: str, claim: Claim, notes: Mapping[Target, Unfinished | None]) -> list[Target]:
        """Take back what was prepared on too few members: it would be live on these alone. The members that can be reached."""
        slips = self._ready(lambda member: member.slip(url), [*notes])
        found = [(notes[member], slip) for member, slip in slips]

        def settle(member: Target) -> None:
            note = notes[member]
            if note is not None and not finishable(note, found, self._quorum):
                log.warning("prepared on too few members", group=self._name, member=member.name, url=url, serial=note.serial)
                member.take_back(url, claim)

        return [member for member, _ in self._ready(settle, [member for member, _ in slips])]

    def _ready(self, ask: Callable[[Target], _Answer], members: Sequence[Target] | None = None) -> list[tuple[Target, _Answer]]:
        """The answer of each of these members (default: all), but for those that may lag."""
        members = self._members if members is None else members
        answers: list[tuple[Target, _Answer]] = []
        left = len(members)
        for member in members:
            try:
                answers.append((member, ask(member)))
            except TransientTargetError as error:
                left -= 1
                if left < self._quorum:
                    raise
                log.warning("member lags", group=self._name, member=member.name, why=str(error))
        return answers

    def mark(self, present: Present) -> str:
        """What each member says, if every one of them has the module and can tell."""
        targets = {member.name: member for member in self._members}
        marks = {one.target: targets[one.target].mark(one) for one in present.members}
        return json.dumps(marks) if len(marks) == len(targets) and all(marks.values()) else ""

    def unbroken(self, url: str, mark: str, queue: str) -> bool:
        """Every member: one that cannot be asked may have been published to meanwhile. Whether it may lag, the takeover says."""
        try:
            marks: dict[str, str] = json.loads(mark)
        except ValueError:
            return False
        if marks.keys() != {member.name for member in self._members}:
            return False
        with suppress(TransientTargetError):
            return all(member.unbroken(url, marks[member.name], queue) for member in self._members)
        return False

    def unfinished(self, url: str, claim: Claim) -> Unfinished | None:  # noqa: ARG002
        """Nothing: no group is a member of another."""
        return None

    def take_back(self, url: str, claim: Claim) -> None:
        """Nothing is ever found that could be taken back."""

    def release(
        self, present: Present, wanted: Packageslip | None, *, adopted: Collection[str] = (), at_once: bool = False
    ) -> Release:
        """One release for each member. A file that is adopted on some members only is copied from one of them to the others."""
        targets = {member.name: member for member in self._members}
        presents = {targets[one.target]: one for one in present.members}
        ready = self._ready(lambda target: self._equal(target, present.url, wanted, adopted), [*presents])
        lying = {target.name: equal for target, equal in ready}
        begun = self._ready(
            lambda target: target.release(presents[target], wanted, adopted=lying[target.name], at_once=at_once),
            [target for target, _ in ready],
        )
        members = tuple(Member(target, presents[target], release) for target, release in begun)
        gone = tuple(one.target for one in present.members if one.target not in {member.name for member in members})
        release = GroupRelease(self._name, present.url, members, self._quorum, left=list(gone))
        for member in members:
            release.fills[member.name] = self._fills(present.url, wanted, members, lying, set(adopted) - lying[member.name])
        return release

    def expire(self, present: Present) -> Sequence[str]:
        """Each member by itself, at its own time: there is nothing to switch together. What went on any of them."""
        targets = {member.name: member for member in self._members}
        gone = [targets[one.target].expire(one) for one in present.members]
        return sorted(set(chain.from_iterable(gone)))

    @staticmethod
    def _equal(target: Target, url: str, wanted: Packageslip | None, adopted: Collection[str]) -> set[str]:
        """Those of the adopted paths whose right bytes lie on this member."""
        digests = {file.path: file.digest for file in wanted.files()} if wanted else {}
        lying = target.strangers(url, adopted) if adopted else {}
        return {path for path, digest in lying.items() if digest is not None and digest == digests.get(path)}

    @staticmethod
    def _fills(
        url: str,
        wanted: Packageslip | None,
        members: Sequence[Member],
        lying: Mapping[str, Collection[str]],
        missing: Collection[str],
    ) -> list[FilePut]:
        """How a member gets the adopted files that it has not, from a member that has them."""
        holders = {path: member.target for member in reversed(members) for path in lying[member.name]}
        fills: list[FilePut] = []
        for file in wanted.files() if wanted else ():
            if file.path in missing and file.path in holders and file.digest is not None and file.size is not None:
                reader = _reader(holders[file.path], url, file.path)
                fills.append(FilePut(file.path, file.digest, file.size, reader, getattr(file, "modified", None)))
        return fills

    def strangers(self, url: str, paths: Collection[str]) -> Mapping[str, Digest | None]:
        """What lies on any member; None where members disagree, so that nothing is adopted by accident."""
        found: dict[str, Digest | None] = {}
        for _, lying in self._ready(lambda member: member.strangers(url, paths)):
            for path, digest in lying.items():
                found[path] = digest if found.get(path, digest) == digest else None
        return found

    def slip(self, url: str) -> Packageslip | None:
        return self._first(lambda member: member.slip(url))

    def _first(self, ask: Callable[[Target], _Answer]) -> _Answer:
        """The first member's answer that can be had."""
        for member in self._members[:-1]:
            with suppress(TransientTargetError, FileNotFoundError):
                return ask(member)
        return ask(self._members[-1])

    def highest_fence(self, queue: str) -> int:
        return max(fence for _, fence in self._ready(lambda member: member.highest_fence(queue)))

    def modules(self) -> Iterator[CatalogueEntry]:
        """What any member holds."""
        lists = self._ready(lambda member: list(member.modules()))
        found = {entry.url: entry for entry in chain.from_iterable(entries for _, entries in reversed(lists))}
        return iter([found[url] for url in sorted(found)])

    def unclaimed(self) -> Iterator[str]:
        """What lies unclaimed on any member."""
        lists = self._ready(lambda member: list(member.unclaimed()))
        return iter(sorted(set(chain.from_iterable(paths for _, paths in lists))))

    def open(self, url: str, path: str) -> BinaryIO:
        return self._first(lambda member: member.open(url, path))

    def digests(self, url: str, paths: Sequence[str]) -> Iterator[tuple[str, int, Digest] | tuple[str, None, None]]:
        """What all members have; None for a file that is missing or different on one of them.

        No member may lag here: who asks wants to know what lies there, and a member that is down is not known to have it.
        """
        every = [list(member.digests(url, paths)) for member in self._members]
        for answers in zip(*every, strict=True):
            yield answers[0] if len(set(answers)) == 1 else (answers[0][0], None, None)

    def probe(self) -> Sequence[Check]:
        return [replace(check, what=f"{member.name}: {check.what}") for member in self._members for check in member.probe()]

    def adopt(self, queue: str) -> str | None:
        """Every member's area; the first id that one had."""
        had = [member.adopt(queue) for member in self._members]
        return next((old for old in had if old is not None and old != queue), next((old for old in had if old is not None), None))

    def reap(self, older_than: float) -> int:
        return sum(count for _, count in self._ready(lambda member: member.reap(older_than)))

    def close(self) -> None:
        for member in self._members:
            with suppress(TargetError):
                member.close()


def finishable(note: Unfinished, found: Sequence[tuple[Unfinished | None, Packageslip | None]], quorum: int) -> bool:
    """Whether a release that is prepared on one member is to be finished there, by what is `found` on all that can be reached.

    An engine begins to switch only when a quorum is prepared. So it is to be finished if it has begun or is live anywhere, or
    is prepared (or, for an unpublish, the module absent) on a quorum. Otherwise nobody has seen anything of it.
    """
    goal = (note.serial, note.version)
    prepared = [other for other, _ in found if other is not None and (other.serial, other.version) == goal]
    there = [slip for other, slip in found if other is None and _goal_of(slip, note) == goal]
    seen = any(other.begun for other in prepared) or (note.version is not None and bool(there))
    return seen or len(prepared) + len(there) >= quorum


def _goal_of(slip: Packageslip | None, note: Unfinished) -> tuple[int | None, Digest | None]:
    """What a release would have had for a goal of which this slip is what came of it."""
    return (note.serial, None) if slip is None else (slip.serial, slip.version)


def _reader(target: Target, url: str, path: str) -> Callable[[], BinaryIO]:
    return lambda: target.open(url, path)
