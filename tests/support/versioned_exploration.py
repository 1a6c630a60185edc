"""Exploring the model of the versioned layout: what holds at every state, whatever engines, crashes and a lost database do."""

from dataclasses import dataclass, field
from typing import Any

from support import versioned_model as model
from support.protocol_exploration import Exploration, Places, State, Tree, noted, record, stale
from support.protocol_model import FOLDER, Call
from support.versioned_model import KEEP, VERSIONS

FOREIGN = {"L/foreign": "theirs", "L/R/theirs": "theirs too"}


def begin(claims: int, losses: int, published: tuple[int, ...] = ()) -> State:
    """A target with an area; `published`: versions whose releases stand there, the last of which is live."""
    files: dict[str, Any] = {"L": FOLDER, "L/R": FOLDER, "A0": FOLDER, "A0/W": FOLDER, **FOREIGN}
    for number, version in enumerate(published):
        name = f"00.{number}={version}"
        slip = ("slip", version, 0, "A0")
        files |= {f"L/R/{name}": FOLDER, f"L/R/{name}/own": slip, "L/m": ("link", name), "A0/M/slip": slip}
        files |= {"A0/M": FOLDER, "A0/M/00.0": FOLDER}
        files |= {f"L/R/{name}/{path}": content for path, content in VERSIONS[version].items()}
    return State(tuple(sorted(files.items())), (), 0, 0, 0, 0, None, claims, losses)


@dataclass
class VersionedExploration(Exploration):
    """The same histories, other promises."""

    places: Places = field(default_factory=lambda: Places(program=model.engine))

    def answer(self, files: dict[str, Any], call: Call, number: int) -> Any:
        return model.answer(files, call, number)

    def check_step(self, before: State, after: State, label: str) -> None:
        """A stale engine changes neither what is live, nor what stays, nor the slip; the serial never goes back."""
        if stale(after, label):
            assert live(before.files) == live(after.files), "I4: a stale engine turned the link"
            assert standing(before.files) == standing(after.files), "I4: a stale engine changed a release"
            assert record(before.files) == record(after.files), "I4: a stale engine changed the slip"
        old, new = record(before.files), record(after.files)
        assert not (old and new) or new[2] >= old[2], "I5: the serial went back"

    def check_tree(self, files: dict[str, Any]) -> None:
        """Who resolves the link once sees one whole version; what stands is whole; nobody else's file is gone."""
        now, slip = live(files), record(files)
        assert {path: files.get(path) for path in FOREIGN} == FOREIGN, "I6: a file that no slip lists is gone"
        assert now is None or now in [tree for version, tree in VERSIONS.items() if version], f"V1: live is {now}"
        trees = standing(files)
        for name, tree in trees.items():
            assert "own" in tree or noted(files), f"V2: {name} has no slip and no release is noted"
            whole = {path: content for path, content in tree.items() if path != "own"}
            assert whole == VERSIONS[int(name.rpartition("=")[2])], f"V2: {name} is {whole}"
        if noted(files) is None:
            assert (now or {}) == VERSIONS[slip[1] if slip else 0], f"I2: no release is noted, the slip is {slip}, live is {now}"
            assert len(trees) <= KEEP, f"V3: {list(trees)} stay"

    def check_end(self, files: dict[str, Any], goal: int) -> None:
        slip = record(files)
        assert (live(files) or {}) == VERSIONS[goal], f"I3: v{goal} succeeded and left {live(files)}"
        assert (slip[1] if slip else 0) == goal, f"I3: v{goal} succeeded and the slip is {slip}"
        assert goal or not standing(files), f"I3: an unpublish left {list(standing(files))}"
        residue = [path for path in files if path.startswith("A") and path.count("/") > 1 and not path.endswith("/M/slip")]
        assert len(residue) == 1, f"I3: v{goal} left {residue}"


def live(files: dict[str, Any] | Tree) -> dict[str, Any] | None:
    """What a visitor sees who resolves the link now; None where there is none."""
    now = dict(files)
    link = now.get("L/m")
    if link is None:
        return None
    start = f"L/R/{link[1]}/"
    return {path.removeprefix(start): held for path, held in now.items() if path.startswith(start) and path != f"{start}own"}


def standing(files: dict[str, Any] | Tree) -> dict[str, dict[str, Any]]:
    """Every release with its files and its slip."""
    found: dict[str, dict[str, Any]] = {}
    for path, held in dict(files).items():
        name, _, inside = path.removeprefix("L/R/").partition("/")
        if path.startswith("L/R/") and "=" in name:
            tree = found.setdefault(name, {})
            if inside:
                tree[inside] = held
    return found
