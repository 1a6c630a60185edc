"""Every order of calls of a few engines, in a model of the versioned layout; and that the model would see a fault."""

from collections.abc import Generator
from typing import Any

import pytest

from support import versioned_model as model
from support.protocol_exploration import Broken
from support.protocol_model import Call
from support.versioned_exploration import VersionedExploration, begin


def test_two_engines_go_back_or_take_the_module_away() -> None:
    assert VersionedExploration(slots=2, goals=(0, 2)).run(begin(claims=2, losses=0, published=(2, 1))) > 5_000


def test_two_engines_publish_over_a_release_whose_files_are_shared() -> None:
    assert VersionedExploration(slots=2, goals=(2,)).run(begin(claims=2, losses=0, published=(1,))) > 2_000


def test_two_engines_each_of_which_may_die_at_any_call_and_a_lost_database() -> None:
    assert VersionedExploration(slots=1, goals=(0, 2)).run(begin(claims=2, losses=1, published=(3, 1))) > 1_500


def careless(mine: str, tag: str, to: str | None, there: tuple[str, ...]) -> Generator[Call, Any, bool]:
    """The link turns before the tree stands."""
    for name, place in (("link", "L/m"), ("tree", f"L/R/{to}"), ("own", f"L/R/{to}/own")):
        if f"s:{tag}:{name}" in there and not (yield "mv", f"{mine}/s:{tag}:{name}", place):
            return False
    return True


def in_place(mine: str, tag: str, goal: int, slip: Any, live: str | None, same: str | None) -> Generator[Call, Any, bool]:
    """A tree that is built where the releases stand, not in the holder's folder."""
    made = yield "create", f"{mine}/s:{tag}:slip"
    yield "fill", slip
    made = made and (yield "mkdir", f"L/R/{tag}={goal}")
    for path, content in tuple(model.VERSIONS[goal].items()):
        yield "create", f"L/R/{tag}={goal}/{path}"
        yield "fill", content
    return bool(made)


def all_but_one(standing: tuple[str, ...], to: str | None, live: str | None) -> tuple[str, ...]:
    """An unpublish that leaves what was live."""
    return tuple(name for name in standing if name not in {to, live})


@pytest.mark.parametrize(("step", "fault"), [("turn", careless), ("stage", in_place), ("expired", all_but_one)])
def test_the_model_sees_a_fault(monkeypatch: pytest.MonkeyPatch, step: str, fault: object) -> None:
    monkeypatch.setattr(model, step, fault)
    with pytest.raises(Broken, match=r"^[IV]\d: "):
        VersionedExploration(slots=1, goals=(0, 2)).run(begin(claims=2, losses=0, published=(3, 1)))
