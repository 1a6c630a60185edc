"""Every order of steps of a few engines on a group of three, in a model; and that the model would see a fault."""

from collections.abc import Generator
from typing import Any

import pytest

from support import group_model as model
from support.group_exploration import GroupExploration, begin
from support.group_model import Note, Step
from support.protocol_exploration import Broken

Seen = tuple[tuple[int, Note | None, tuple[int, int]], ...]


@pytest.mark.parametrize("quorum", [2, 3])
def test_two_engines_one_of_which_may_have_lost_its_lease(quorum: int) -> None:
    assert GroupExploration(quorum, goals=(2,)).run(begin(members=3, claims=2, downs=0)) > 1_000


def test_members_that_do_not_answer() -> None:
    """Whoever is left alone goes on from wherever the one before it died; `make model` goes further."""
    assert GroupExploration(2, slots=1).run(begin(members=3, claims=1, downs=2)) > 2_000


def always(note: Note, seen: Seen, quorum: int) -> bool:
    """A recovery that finishes whatever is noted."""
    return True


def counting(note: Note, seen: Seen, quorum: int) -> bool:
    """A recovery that takes back what has begun, where it cannot see enough members that prepared it."""
    return sum(other is not None and other[:2] == note[:2] for _, other, _ in seen) >= quorum


def one_by_one(goal: int, fence: int, serial: int, left: tuple[int, ...], quorum: int) -> model.Program:
    """A release without a barrier: each member switches as soon as it is prepared."""
    for member in left:
        word = yield "note", member, fence, (goal, serial)
        if word == "ok":
            word = yield from model.finish(member, fence)
        if word != "ok":
            return str(word)
    return "done"


def keeping(fence: int, prepared: tuple[int, ...]) -> Generator[Step, Any, None]:
    """A release that leaves its notes where it could not prepare all."""
    yield from ()


@pytest.mark.parametrize(
    ("rule", "fault"), [("is_finishable", always), ("is_finishable", counting), ("release", one_by_one), ("finish", None)]
)
def test_the_model_sees_a_fault(monkeypatch: pytest.MonkeyPatch, rule: str, fault: object) -> None:
    monkeypatch.setattr(model, rule, fault or pages_first)
    with pytest.raises(Broken, match=r"^G\d: "):
        GroupExploration(2, slots=1, goals=(2,)).run(begin(members=3, claims=2, downs=1))


def pages_first(member: int, fence: int) -> Generator[Step, Any, str]:
    """A switch that shows a page before what it uses."""
    for part in (model.PAGE, model.ASSETS, model.SLIP, model.DROP, "clean"):
        word = yield part, member, fence
        if word != "ok":
            return str(word)
    return "ok"
