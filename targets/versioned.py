"""One change of one module in the versioned layout, and the way back from it to the ordered one.

A release is a complete tree, built in the holder's folder: new files are written there, the others get a second name (a hard
link), so that nothing is copied. The note is written; then the tree is renamed to its place and the module's link over the one
before. To go back to a release that still stands, only the link is renamed.

A file that has several names is never opened for writing, nor are its mode or times touched: each of its releases would change.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from packageslip import Packageslip, on_target, version_of
from targets.area import PUBLIC_SLIP
from targets.clearing import Clearing
from targets.departing import Departing, part_of
from targets.disk import Call, Op
from targets.note import Drop, Note, Part, Put, Turn
from targets.protocol import SLIP_NAME
from targets.release import OrderedRelease, Staged
from targets.shelf import TREE, Shelf, name_of
from targets.small import slip_document
from targets.tree import Tree, make
from targets.turn import LINK_NAME, OWN_NAME, PUBLIC_NAME, TREE_NAME, expired

SECRET = 0o600
"""The mode of a release's slip where slips are not public: releases lie where a web server can read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a module: its releases, the newest first; the one that is live; one with exactly the wanted tree.

    `base`: the one in which the kept files lie, nearly always the live one.
    """

    shelf: Shelf
    names: tuple[str, ...] = ()
    live: str | None = None
    same: str | None = None
    base: str | None = None

    def lies(self, path: str, name: str | None) -> str:
        """Where a path of the module lies in one of its releases."""
        return f"{self.shelf.tree(name)}/{path}" if name else ""


@dataclass(slots=True, kw_only=True)
class VersionedRelease(OrderedRelease):
    """Implements `Release` for a module that is to be versioned. `clearing`: what makes way for its link."""

    standing: Standing
    clearing: Clearing = field(default_factory=Clearing)
    tree: Tree = field(init=False)

    def __post_init__(self) -> None:
        around = self._staged(TREE_NAME)
        self.tree = Tree(self.hold, f"{around}/{TREE}", self.listed, above=(around,))

    def _placing(self) -> Callable[[str], str]:
        return self.tree.placing()

    def _have(self) -> set[str]:
        return set(self.listed) if self._back() else self.staged.keys() | self.kept | self.adopted

    def _back(self) -> bool:
        """Whether the release that is wanted stands there already and nothing of it was put again."""
        return self.standing.same is not None and not self.staged

    def _to(self) -> str:
        if self.standing.same is not None and self._back():
            return self.standing.same
        return name_of(self.hold.names.token, self._slip(), public=self._shows_slip())

    def _slip(self) -> Packageslip:
        assert self.wanted is not None, "what goes is no release"
        return self.wanted

    def _departing(self) -> Departing:
        """A release is what its slip lists; what it leaves out stays in the releases before it."""
        return Departing()

    def _note(self, leaving: Departing) -> Note:  # noqa: ARG002
        standing, to = self.standing, self._to()
        going = expired(standing.names, to, standing.live, self.hold.options.keep_releases)
        return Note(
            url=self.hold.names.url,
            tag=self.hold.names.token,
            serial=self.hold.claim.serial,
            previous=self.previous.serial if self.previous else None,
            publish=True,
            drops=self.clearing.drops,
            folders=self.clearing.folders,
            fold=self.ground.fold,
            turn=Turn(standing.shelf.folder, to, expired=going),
            version=version_of(self._slip()),
        )

    def _slips(self, leaving: Departing) -> list[Staged]:  # noqa: ARG002
        """Once: what else needs it gets another name for it."""
        claim = self.hold.claim
        mode = self.hold.options.file_mode if self._shows_slip() else SECRET
        return [(self._staged(SLIP_NAME), slip_document(on_target(self._slip(), serial=claim.serial, queue=claim.queue)), mode)]

    def _stage(self, leaving: Departing) -> list[Staged]:
        self.hold.write(self._writes(self._slips(leaving)))
        to = self._to()
        make(self.hold, self._slip_links() if self._back() else self._tree_links())
        if to != self.standing.live:
            make(self.hold, [Call(Op.SYMLINK, self._staged(LINK_NAME), self.standing.shelf.lead(to))])
        return []

    def _slip_links(self) -> list[Call]:
        """The slip under the other names that it has in a release that stands."""
        return [Call(Op.LINK, self._staged(SLIP_NAME), self._staged(PUBLIC_NAME))] if self._shows_slip() else []

    def _tree_links(self) -> list[Call]:
        """Everything of the tree that was not put."""
        self.tree.lay_out()
        slips = [self._staged(OWN_NAME), *([self.tree.at(PUBLIC_SLIP)] if self._shows_slip() else [])]
        calls = [Call(Op.LINK, self._staged(SLIP_NAME), place) for place in slips]
        # Sorted: folders that were whole long before the release stands need not be listed by whoever looks for guests.
        for path in sorted(self.listed.keys() - self.staged.keys()):
            lies = self.standing.lies(path, self.standing.base) or self.hold.names.live(path)
            calls.append(Call(Op.LINK, lies, self.tree.at(path)))
        return calls

    def _dropped(self, note: Note) -> int:  # noqa: ARG002
        return sum(1 for file in self.previous.files() if file.path not in self.listed) if self.previous else 0


@dataclass(slots=True, kw_only=True)
class ReturningRelease(OrderedRelease):
    """Implements `Release` for a module that was versioned and goes, or becomes a folder again: absent for a moment in between.

    `guests`: files of others in the live release, which stay where visitors see them.
    """

    standing: Standing
    guests: tuple[str, ...] = ()
    links: list[Call] = field(default_factory=list)

    def _nothing(self) -> bool:
        return False

    def _have(self) -> set[str]:
        return set(self.listed) if self.standing.same else self.staged.keys() | self.kept | self.adopted

    def _departing(self) -> Departing:
        """Everything goes with the link."""
        return Departing()

    def _public_drop(self) -> list[Drop]:
        return []

    def _note(self, leaving: Departing) -> Note:
        """Files that stay are put, too: by second names, so that no byte moves."""
        standing = self.standing
        kept = sorted(self.listed.keys() - self.staged.keys())
        puts = [self._second_name(path, standing.same or standing.base, part_of(self.listed[path])) for path in kept]
        puts += [self._second_name(path, standing.live, Part.ASSET) for path in self.guests]
        turn = Turn(standing.shelf.folder, None, leave=True, expired=standing.names)
        return replace(self._ordered_note(leaving, [*self._puts(), *puts]), turn=turn)

    def _second_name(self, path: str, release: str | None, part: Part) -> Put:
        self.counter += 1
        put = Put(str(self.counter), path, part)
        self.links.append(Call(Op.LINK, self.standing.lies(path, release), self._staged(put.name)))
        return put

    def _stage(self, leaving: Departing) -> list[Staged]:
        make(self.hold, self.links)
        return self._slips(leaving)

    def _dropped(self, note: Note) -> int:  # noqa: ARG002
        return sum(1 for file in self.previous.files() if file.path not in self.listed) if self.previous else 0
