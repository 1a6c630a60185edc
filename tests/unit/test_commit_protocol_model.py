"""Every order of calls of a few engines, in a model of the commit protocol; and that the model would see a fault."""

from collections.abc import Generator
from typing import Any

import pytest

from support import protocol_model as model
from support.protocol_exploration import Broken, Exploration, begin
from support.protocol_model import Call


def test_two_engines_one_of_which_may_have_lost_its_lease_or_its_database() -> None:
    assert Exploration(slots=2, goals=(0, 2)).run(begin(claims=2, losses=1, published=1)) > 30_000


def test_two_engines_at_a_module_that_was_never_there() -> None:
    assert Exploration(slots=2, goals=(2,)).run(begin(claims=2, losses=0)) > 4_000


def test_a_folder_that_becomes_a_file() -> None:
    assert Exploration(slots=2, goals=(1, 3)).run(begin(claims=2, losses=0, published=2)) > 6_000


def test_three_engines_one_after_another_each_of_which_may_die_at_any_call() -> None:
    assert Exploration(slots=1, goals=(0, 2)).run(begin(claims=3, losses=1, published=1)) > 20_000


def discarding(area: str, mine: str) -> Generator[Call, Any, bool]:
    """A recovery that throws an unfinished release away, as if nothing had been renamed yet."""
    return (yield from model.clear(mine))


def trusting(area: str, mine: str, note: tuple[str, int, int, str]) -> Generator[Call, Any, bool]:
    """A release that takes a refused put for one that was made before."""
    goal, tag = note[1], note[3]
    for path in tuple(model.VERSIONS[goal]):
        yield "mv", f"{mine}/{model.stage_name(tag, path)}", f"L/{path}"
    yield "mv", f"{mine}/{model.stage_name(tag, 'slip')}", f"{area}/M/slip"
    return (yield from model.clear(mine))


def assets_first(mine: str, path: str) -> Generator[Call, Any, None]:
    """A drop that takes what a page uses, whenever it is asked to drop the page."""
    for other in ("a", "b", "p"):
        if path == "p":
            yield "mv", f"L/{other}", f"{mine}/t:{other}"


@pytest.mark.parametrize(("step", "fault"), [("recover", discarding), ("finish", trusting), ("drop", assets_first)])
def test_the_model_sees_a_fault(monkeypatch: pytest.MonkeyPatch, step: str, fault: object) -> None:
    monkeypatch.setattr(model, step, fault)
    with pytest.raises(Broken, match=r"^I\d: "):
        Exploration(slots=1, goals=(0, 2)).run(begin(claims=2, losses=0, published=1))
