"""What differs between two publications, file by file: from their slips, which the database keeps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from answers.changes import Tally
from answers.fields import publication_fields
from database import Publication, Record
from packageslip import Packageslip, Resource, SlipDiff, View, diff_slips

LISTED = 500
"""Differing files that are listed; a person reads no more at once."""
KINDS = ("added", "changed", "renamed", "removed", "unknown", "kept")


@dataclass(frozen=True, slots=True)
class FileDifference:
    """One file. `kind`: of KINDS; `was`: its path before, of a renamed one; sizes in bytes, before and after."""

    path: str
    kind: str
    was: str | None = None
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes from one publication to another; None in its place: not published."""

    before: Publication | None
    after: Publication | None
    tallies: Mapping[str, Tally]
    """By kind, bytes of what is there afterwards (of removed files: before); kinds without files are left out."""
    files: tuple[FileDifference, ...] = ()
    not_listed: int = 0
    described: tuple[str, ...] = ()
    """Fields of the slip itself that differ: title, state, dependents."""
    lost: tuple[int, ...] = ()
    """Publications whose slips are not kept any more: nothing can be said then."""

    @property
    def same(self) -> bool:
        """Whether both have the same files with the same bytes."""
        return not self.lost and not self.tallies.keys() - {"kept"}


def compare(record: Record, before: Publication | None, after: Publication | None, listed: int = LISTED) -> Difference:
    """Read both slips and say what differs."""
    slips = [record.slip_of(one.id) if one else None for one in (before, after)]
    lost = tuple(one.id for one, slip in zip((before, after), slips, strict=True) if one and slip is None)
    if lost:
        return Difference(before, after, {}, lost=lost)
    old, new = slips
    diff = diff_slips(old, new)
    tallies: dict[str, Tally] = {}
    files: list[FileDifference] = []
    for number, each in enumerate(_files(diff, _sizes(old), _sizes(new))):
        tallies[each.kind] = tallies.get(each.kind, Tally()) + Tally(
            1, each.after if each.after is not None else each.before or 0
        )
        if number < listed:
            files.append(each)
    count = sum(tally.files for tally in tallies.values())
    if diff.kept:
        sizes = _sizes(new)
        tallies["kept"] = Tally(len(diff.kept), sum(sizes[path].size or 0 for path in diff.kept))
    ordered = {kind: tallies[kind] for kind in KINDS if kind in tallies}
    # The slips of two targets always differ in who published them, and when.
    described = tuple(name for name in diff.described if name not in _OF_THE_PLACE)
    return Difference(before, after, ordered, tuple(files), count - len(files), described)


_OF_THE_PLACE = frozenset({"serial", "queue", "version", "signature"})


def _sizes(slip: Packageslip | None) -> Mapping[str, Resource | View]:
    return {file.path: file for file in slip.files()} if slip else {}


def _files(diff: SlipDiff, old: Mapping[str, Resource | View], new: Mapping[str, Resource | View]) -> Iterator[FileDifference]:
    """Every file that differs."""
    for path in diff.added:
        yield FileDifference(path, "added", after=new[path].size)
    for path in diff.changed:
        yield FileDifference(path, "changed", before=old[path].size, after=new[path].size)
    for was, path in diff.renamed:
        yield FileDifference(path, "renamed", was, old[was].size, new[path].size)
    for path in diff.removed:
        yield FileDifference(path, "removed", before=old[path].size)
    for path in diff.unknown:
        yield FileDifference(path, "unknown", before=old[path].size, after=new[path].size)


def difference_fields(difference: Difference) -> dict[str, object]:
    """The same as JSON."""
    return {
        "before": publication_fields(difference.before) if difference.before else None,
        "after": publication_fields(difference.after) if difference.after else None,
        "same": difference.same,
        "tallies": {kind: {"files": tally.files, "bytes": tally.bytes} for kind, tally in difference.tallies.items()},
        "files": [
            {"path": one.path, "kind": one.kind, "was": one.was, "before": one.before, "after": one.after}
            for one in difference.files
        ],
        "not_listed": difference.not_listed,
        "described": list(difference.described),
        "slips_not_kept": list(difference.lost),
    }
