"""What counts when a defence is switched off: a test that fails for the lack of it, and nothing else."""

import pytest

from reliability.defence_run import Outcome, is_case
from reliability.defences import _wrong, chosen
from support.catalogue import Defence, Fault, read_catalogue

DEFENCE = Defence("targets/hold.py", "if guarded:", "if False:")


def test_a_guard_that_is_gone_or_stands_twice_is_told() -> None:
    assert DEFENCE.switched_off("if guarded:\n    pass\n") == "if False:\n    pass\n"
    for source in ("if other:\n    pass\n", "if guarded:\n    pass\n" * 2):
        with pytest.raises(ValueError, match="instead of once"):
            DEFENCE.switched_off(source)


def test_a_test_is_named_as_a_whole_or_by_the_beginning_of_its_cases() -> None:
    assert is_case("a.py::test_x", "a.py::test_x")
    assert is_case("a.py::test_x", "a.py::test_x[N1-up]")
    assert is_case("a.py::test_x[N1-...]", "a.py::test_x[N1-up]")
    assert not is_case("a.py::test_x[N1-...]", "a.py::test_x[N10-up]")
    assert not is_case("a.py::test_x", "a.py::test_xy")


@pytest.mark.parametrize(
    ("outcome", "seen", "missed", "said"),
    [
        (Outcome(failed={"a": "AssertionError: no"}), 1, {"a"}, []),
        (Outcome(passed=["a"]), 1, set(), ["nobody missed this"]),
        (Outcome(failed={"a": "AssertionError: no"}), 0, {"a"}, ["imported from elsewhere"]),
        (Outcome(failed={"a": "NameError: name 'x' is not defined"}), 1, {"a"}, ["failed for another reason"]),
        (Outcome(broken=["a could not be set up"]), 1, set(), ["could not be set up"]),
    ],
)
def test_only_a_failure_for_the_lack_of_the_defence_counts(
    outcome: Outcome, seen: int, missed: set[str], said: list[str]
) -> None:
    found = _wrong(DEFENCE, outcome, seen, missed)
    assert len(found) == len(said)
    assert all(words in violation for words, violation in zip(said, found, strict=True))


def test_the_lot_falls_on_what_unit_tests_show_and_is_the_same_for_a_seed() -> None:
    faults: list[Fault] = list(read_catalogue().values())
    some = chosen(faults, 5, "seed")
    assert some == chosen(faults, 5, "seed")
    assert len(some) == 5
    assert all(test.startswith("tests/unit/") for fault in some for test in fault.tests)
    assert len({tuple(fault.id for fault in chosen(faults, 5, str(seed))) for seed in range(20)}) > 10
