"""Engines that can be stopped at any call, over a module in the versioned layout; and what must hold of its releases."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from config import Selection
from packageslip import Packageslip, files_digest
from support.histories import GOALS, URL, Goal, World, slip_in, world_after
from support.releases import digest
from support.target_kinds import RELEASES, MemoryTree
from targets import PlacedOptions

OUTSIDE = {"outside": b"theirs too", "n/other": b"of another module"}
AMONG = f"{RELEASES}/theirs"
VERSIONED = PlacedOptions(layout="versioned", keep_releases=2)
ORDERED = replace(VERSIONED, versioned=Selection(types=("none",)))
WHOLE = [dict(goal) for goal in GOALS.values() if goal]


@dataclass
class VersionedWorld(World):
    """A server on which the module is a link. `turning`: it was or becomes a folder, which takes several steps."""

    options: PlacedOptions = field(default_factory=lambda: VERSIONED)
    foreign: Mapping[str, bytes] = field(default_factory=lambda: OUTSIDE)
    turning: bool = False

    def __post_init__(self) -> None:
        # Not the parent's by super(): a copy has them already.
        for path, content in {**self.foreign, AMONG: b"theirs"}.items():
            if self.files.find(path) is None:
                MemoryTree(self.files).write(path, content)

    def turn(self, options: PlacedOptions) -> None:
        """From now on the configuration says so."""
        self.turning, self.options = True, options

    def check_releases(self, ours: Mapping[str, bytes]) -> None:
        files = self.files.tree()
        assert files[AMONG] == b"theirs", "I6: a file of somebody else among the releases is gone"
        if not self.turning:
            seen = {path.removeprefix("m/"): content for path, content in ours.items()}
            assert not seen or seen in WHOLE, f"V1: who resolves the link sees a mixed module: {seen}"
        kept = self.releases(files)
        for name, tree in kept.items():
            slip = self._own_slip(files, name)
            assert slip or self.noted(), f"V2: {name} has no slip, and no release is noted"
            if slip:
                listed = {file.path: file.digest for file in slip.files()}
                assert {path: digest(content) for path, content in tree.items()} == listed, f"V2: {name} is not whole"
        if not self.noted():
            self._check_rest(files, kept)

    def releases(self, files: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
        """The trees that stand, less their public slips."""
        start = f"{RELEASES}/+m/"
        found: dict[str, dict[str, bytes]] = {}
        for path, content in files.items():
            if path.startswith(start):
                name, _, rest = path.removeprefix(start).partition("/")
                inside = found.setdefault(name, {})
                if rest.startswith("tree/") and rest != "tree/packageslip.xml":
                    inside[rest.removeprefix("tree/")] = content
        return found

    @staticmethod
    def _own_slip(files: Mapping[str, bytes], name: str) -> Packageslip | None:
        document = files.get(f"{RELEASES}/+m/{name}/release.xml")
        return slip_in(document) if document else None

    def _check_rest(self, files: Mapping[str, bytes], kept: Mapping[str, object]) -> None:
        assert len(kept) <= VERSIONED.keep_releases, f"V3: {len(kept)} releases stay"
        link = MemoryTree(self.files).links().get(URL.strip("/"))
        slip = self.slip()
        if link:
            own = self._own_slip(files, link.split("/")[-2])
            assert slip, "V4: a link is there, and no slip"
            assert own, "V4: the link leads to a release without a slip"
            assert files_digest(own) == files_digest(slip), "V4: the link leads to another release than the slip says"
        else:
            assert not kept, f"V4: {list(kept)} stay without a link"

    def folders_of(self, wanted: Goal) -> set[str]:
        if wanted is None or self.options.versions(Packageslip(URL)):
            return {"n"}
        return {"n"} | super().folders_of(wanted)


def versioned_world(*goals: str) -> World:
    """A server on which these were published, one after another."""
    return world_after(goals, VersionedWorld())
