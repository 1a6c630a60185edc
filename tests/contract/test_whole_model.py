"""Random histories of a queue, engines and a target together keep every promise; a few here, thousands by hand."""

import pytest

from reliability.whole_model import WholeMachine, run
from targets.disk import EntryType


def test_random_histories_keep_every_promise() -> None:
    run(15, 15, derandomize=True)


def test_a_file_that_nobody_listed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = WholeMachine._settle

    def settle(self: WholeMachine) -> None:
        real(self)
        self.files.add("a/stray.htm", EntryType.FILE, b"stray")

    monkeypatch.setattr(WholeMachine, "_settle", settle)
    with pytest.raises(AssertionError, match="no slip lists it"):
        run(1, 1, derandomize=True)
