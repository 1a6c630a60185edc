"""The resources of one slip, with what was found out about them once: a tuple never changes, so neither do its facts."""

from operator import attrgetter

from packageslip.names import check_path
from packageslip.values import Digest, Packageslip, Resource, View

KEPT = 100_000
"""Resources whose lines are remembered, at most: those of more would take half of the memory that a slip may take."""


class Listing(tuple[Resource, ...]):  # noqa: SLOT001 - a tuple's subclass can have none that hold anything
    """A slip's resources. What is not known yet is left as it is here."""

    version: Digest | None = None
    """Of a slip with these resources."""
    whole: tuple[tuple[View, ...], Digest] | None = None
    """The digest over all files of a slip with these resources and these views."""
    recordable: bool = False
    """Whether they are as a target records them: sorted by path, with sizes and digests, and nothing that no slip can hold."""
    recorded: "Listing | None" = None
    """The same as a target records them, where that is another."""
    lines: bytes | None = None
    """What they are in a document, as the writer makes it."""
    paths: frozenset[str] | None = None
    safe: bool = False
    """Whether every path is one that may be written to a target."""
    hashed: int | None = None

    def __hash__(self) -> int:
        if self.hashed is None:
            self.hashed = super().__hash__()
        return self.hashed


def check_paths(slip: Packageslip) -> None:
    """Refuse a slip of which a file must not be written to any target; those of a listing once. Raises UnsafePath."""
    listed = slip.resources
    if not (isinstance(listed, Listing) and listed.safe):
        for resource in listed:
            check_path(resource.path)
    if isinstance(listed, Listing):
        listed.safe = True
    for view in slip.views:
        check_path(view.path)


def paths_of(slip: Packageslip) -> frozenset[str]:
    """Where its files lie, resources and views."""
    listed = slip.resources
    paths = listed.paths if isinstance(listed, Listing) else None
    if paths is None:
        paths = frozenset(map(attrgetter("path"), listed))
        if isinstance(listed, Listing):
            listed.paths = paths
    return paths.union(map(attrgetter("path"), slip.views)) if slip.views else paths
