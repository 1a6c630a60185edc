"""Every order of tasks, deaths and moments for files that stay for a while, in a model; and that the model would see a fault."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from support import grace_model as model
from support.grace_model import Exploration, begin
from support.protocol_exploration import Broken
from targets.departing import Departing, departing


def test_a_visitor_with_an_older_page_finds_its_assets_until_the_grace_is_over() -> None:
    assert Exploration().run(begin(claims=2, ticks=4)) > 2_000


def never(stale: Any, since: int, now: int) -> Any:
    """A recovery that leaves the moment as the dead engine wrote it."""
    return stale


def at_once(leaving: Iterable[Any], wanted: Any, grace: Any, *, fold: bool) -> Departing:
    """A release that keeps nothing."""
    return departing(leaving, wanted, None, fold=fold)


def forgetting(leaving: Iterable[Any], wanted: Any, grace: Any, *, fold: bool) -> Departing:
    """A release that keeps the files and does not say so."""
    return replace(departing(leaving, wanted, grace, fold=fold), stale=())


@pytest.mark.parametrize(("rule", "fault"), [("later", never), ("departing", at_once), ("departing", forgetting)])
def test_the_model_sees_a_fault(monkeypatch: pytest.MonkeyPatch, rule: str, fault: object) -> None:
    monkeypatch.setattr(model, rule, fault)
    with pytest.raises(Broken, match=r"^H\d: "):
        Exploration().run(begin(claims=3, ticks=4))
