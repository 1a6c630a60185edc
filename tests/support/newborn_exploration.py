"""Exploring the model of a first publication: at a place where nothing is, and where somebody may make a folder at any moment."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from support import newborn_model as model
from support import protocol_exploration as base
from support.protocol_exploration import Exploration, Places, State, freeze, with_
from support.protocol_model import FOLDER, VERSIONS


@dataclass
class Newborns(Exploration):
    """The same promises, at a place where nothing is. `intruders`: files of which one may be made, in the module's folder.

    Or its folder alone ("L").
    """

    places: Places = field(default_factory=lambda: Places(program=model.engine))
    intruders: tuple[str, ...] = ()

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        yield from super().successors(state)
        files = dict(state.files)
        for path in self.intruders if "L" not in files or not _theirs(files) else ():
            yield f"somebody makes {path}", with_(state, files=freeze(_with(files, path)))

    def check_tree(self, files: dict[str, Any]) -> None:
        base.check_tree(files | {"L/foreign": "theirs"})
        if not self.intruders and base.record(files) is None:
            now = base.live(files)
            assert now in VERSIONS.values(), f"I8: nobody else has made the folder, and {now} is visible"

    def check_step(self, before: State, after: State, label: str) -> None:
        super().check_step(before, after, label)
        assert _theirs(dict(before.files)) <= _theirs(dict(after.files)), "I6: a file that no slip lists is gone"

    def check_end(self, files: dict[str, Any], goal: int) -> None:
        # Whose the folders are that somebody else's file lies in, nobody asks; an unpublish leaves the module's own in this model.
        super().check_end({path: held for path, held in files.items() if path != "L/b" or held != FOLDER}, goal)


def _theirs(files: dict[str, Any]) -> set[str]:
    return {path for path, held in files.items() if held == "theirs"}


def _with(files: dict[str, Any], path: str) -> dict[str, Any]:
    made = dict(files)
    if made.get("L", FOLDER) != FOLDER or path in made:
        return made
    return made | {"L": FOLDER} | ({path: "theirs"} if path != "L" else {})


def begin(claims: int, losses: int = 0) -> State:
    """A target with an area, and nothing at the module's place."""
    files: dict[str, Any] = {"": FOLDER, "A0": FOLDER, "A0/W": FOLDER}
    return State(freeze(files), (), 0, 0, 0, 0, None, claims, losses)
