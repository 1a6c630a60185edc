"""Every order of calls of a few engines at a module that was never there, and of somebody who makes its folder."""

from collections.abc import Generator
from typing import Any

import pytest

from support import newborn_model as model
from support.newborn_exploration import Newborns, begin
from support.protocol_exploration import Broken
from support.protocol_model import VERSIONS, Call


def test_two_engines_of_which_one_may_be_late() -> None:
    assert Newborns(slots=2, goals=(1, 2)).run(begin(claims=2)) > 12_000


def test_engines_one_after_another_each_of_which_may_die_at_any_call_and_a_lost_database() -> None:
    assert Newborns(slots=1, goals=(1, 2)).run(begin(claims=2, losses=1)) > 6_000


def test_three_engines_one_after_another_each_of_which_may_die_at_any_call() -> None:
    assert Newborns(slots=1, goals=(2,)).run(begin(claims=3)) > 3_000


def test_somebody_who_makes_the_folder_at_any_moment_while_engines_die() -> None:
    assert Newborns(slots=1, goals=(1, 2), intruders=("L", "L/foreign")).run(begin(claims=2)) > 5_000


def test_somebody_who_makes_the_folder_while_one_of_two_engines_is_late() -> None:
    assert Newborns(slots=2, goals=(2,), intruders=("L/foreign",)).run(begin(claims=2)) > 18_000


def taken_for_done(mine: str, tag: str) -> Generator[Call, Any, bool]:
    """A refused rename of the whole is taken for one that was made before."""
    yield "mv", f"{mine}/s:{tag}:whole", "L"
    return True


def without_a_word(mine: str, tag: str) -> Generator[Call, Any, bool]:
    """The files go one by one out of a folder that is called as if nothing had happened; then the rest goes whole."""
    for path in ("p", "a", "b"):
        yield "mv", f"{mine}/s:{tag}:whole/{path}", f"L/{path}"
    return True


def any_order(parts: str, mine: str, goal: int) -> Generator[Call, Any, bool]:
    """The page first."""
    for path in VERSIONS[goal]:
        yield "mv", f"{parts}/{path}", f"L/{path}"
    return True


@pytest.mark.parametrize(("step", "fault"), [("stand", taken_for_done), ("stand", without_a_word), ("put", any_order)])
def test_the_model_sees_a_fault(monkeypatch: pytest.MonkeyPatch, step: str, fault: object) -> None:
    monkeypatch.setattr(model, step, fault)
    with pytest.raises(Broken, match=r"^I\d: "):
        Newborns(slots=1, goals=(1, 2), intruders=("L/foreign",)).run(begin(claims=2))
