"""What becomes of files that a module does not list any more: they go at once, or stay for a while as stale. Pure.

A visitor who fetched a page just before a release still asks for what that page uses. So with a grace such files stay, and
the slip on the target says so: they are ours, and may go when the grace is over, whoever finds them.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from packageslip import Resource, Stale, View, is_page
from targets.note import Drop, Part
from targets.protocol import in_the_way

SEEN = 10
"""Seconds from the note of a release to the moment from which its grace counts: by then it is visible, as a rule.
A release that takes longer corrects the moment before its note goes."""

File = Resource | View | Stale
_PARTS = Part.ASSET, Part.PAGE
"""Of what is no page, and of a page."""


@dataclass(frozen=True, slots=True)
class Grace:
    """How long stale files stay, and what time it is by the queue's clock, in seconds."""

    seconds: int
    now: int

    def over(self, file: Stale) -> bool:
        """Whether the file may go."""
        return file.until(self.seconds) <= self.now

    @property
    def since(self) -> int:
        """From when the grace of files counts that become stale now."""
        return self.now + SEEN


@dataclass(frozen=True, slots=True)
class Departing:
    """What goes with the release, what stays as stale, and since when that counts which becomes stale by it."""

    drops: tuple[Drop, ...] = ()
    stale: tuple[Stale, ...] = ()
    since: int | None = None


def departing(leaving: Iterable[File], wanted: Collection[str], grace: Grace | None, *, fold: bool) -> Departing:
    """Sort files of ours that are not wanted. `wanted`: the paths that are; `grace` None: everything goes.

    What stands in the way of a wanted path goes at once.
    """
    files = tuple(leaving)
    if grace is None:
        return Departing(tuple(Drop(file.path, part_of(file)) for file in files))
    way = set(in_the_way(files, wanted, fold=fold))
    staying = {file.path for file in files if file not in way and not (isinstance(file, Stale) and grace.over(file))}
    return Departing(
        tuple(Drop(file.path, part_of(file)) for file in files if file.path not in staying),
        tuple(sorted((_stale(file, grace) for file in files if file.path in staying), key=lambda file: file.path)),
        grace.since if any(file.path in staying and not isinstance(file, Stale) for file in files) else None,
    )


def _stale(file: File, grace: Grace) -> Stale:
    if isinstance(file, Stale):
        # A moment that lies ahead comes of a clock that was put back: it must not keep the file for years.
        return replace(file, since=min(file.since, grace.since))
    assert file.size is not None
    assert file.digest is not None
    return Stale(file.path, file.size, file.digest, grace.since, part_of(file) is Part.PAGE)


def later(stale: Iterable[Stale], since: int, now: int) -> tuple[Stale, ...]:
    """The same files; the grace of those that counted from `since` counts from now."""
    return tuple(replace(file, since=now) if file.since == since else file for file in stale)


def part_of(file: File) -> Part:
    """Pages, and the views that are made with them, become visible after what they use, and go before it."""
    if isinstance(file, Stale):
        return _PARTS[file.page]
    return _PARTS[is_page(file)]
