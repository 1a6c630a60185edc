"""Fuzzed slips make nothing vanish that may not; and the fuzzer notices when one of the guards is gone."""

from typing import Any

import pytest

from packageslip import Packageslip
from reliability import fuzz_deletion
from reliability.deletion_judge import Unauthorised
from reliability.fuzz_deletion import fuzz
from reliability.target_rules import public_path

BITE = 1500
"""Slips within which a guard that is gone must have been missed."""


def test_fuzzed_slips_delete_nothing_unauthorised() -> None:
    counts = fuzz(seed=1, slips=300)
    # Every kind of answer was met, or the fuzzer looked away.
    for answer in ("published", "unpublished", "held", "refused by the guard", "slips refused by the reader"):
        assert counts[answer], counts
    assert counts["stopped: TransientTargetError"], counts


def test_a_guard_that_asks_nobody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_deletion, "standing", lambda *_, **__: [])
    with pytest.raises(Unauthorised):
        fuzz(seed=1, slips=BITE)


def test_an_approval_of_any_plan_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def loose(plans: Any, approved: str | None, *, adopt: bool) -> Any:
        return [each for made in plans for each in made.objections if each.rule.final or approved is None]

    monkeypatch.setattr(fuzz_deletion, "standing", loose)
    with pytest.raises(Unauthorised):
        fuzz(seed=1, slips=BITE)


def test_a_release_that_drops_before_all_is_staged_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fuzz_deletion.World._change

    def hasty(self: fuzz_deletion.World, url: str, wanted: Packageslip | None, *more: Any) -> None:
        for path in self.judge.going(url, wanted):
            self.files.nodes.pop(public_path(url, path), None)
        real(self, url, wanted, *more)

    monkeypatch.setattr(fuzz_deletion.World, "_change", hasty)
    with pytest.raises(Unauthorised):
        fuzz(seed=1, slips=BITE)
