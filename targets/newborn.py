"""The first release of a module of which nothing is there yet, not even its folder: visitors see nothing of it, then all.

Its folder is built in the holder's and goes to its place by one rename.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from packageslip import version_of
from targets.area import PUBLIC_SLIP
from targets.contract import FilePut
from targets.departing import Departing
from targets.note import Note
from targets.release import OrderedRelease, nothing
from targets.tree import Tree
from targets.whole import WHOLE_NAME


@dataclass(slots=True, kw_only=True)
class WholeRelease(OrderedRelease):
    """Implements `Release` where every wanted file has to be put."""

    tree: Tree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = Tree(self.hold, self._staged(WHOLE_NAME), self.listed)

    def put(self, files: Iterable[FilePut], done: Callable[[FilePut], None] = nothing) -> None:
        with self.tree.laid_out():
            OrderedRelease.put(self, files, done)

    def _placing(self) -> Callable[[str], str]:
        return self.tree.placing()

    def _public_place(self) -> str:
        return self.tree.at(PUBLIC_SLIP)

    def _note(self, leaving: Departing) -> Note:  # noqa: ARG002
        names, version = self.hold.names, version_of(self.wanted) if self.wanted else None
        return Note(names.url, names.token, self.hold.claim.serial, None, publish=True, version=version, whole=True)
