"""What counts as a contended claim."""

import pytest

from reliability.rivalry import Rivalry

CASES = {
    "nobody else wants it": ([(1, "/a", "ONE", "READY"), (1, "/a", "ONE", "RUNNING")], 0),
    "somebody waits for it": ([(1, "/a", "ONE", "READY"), (2, "/a", "TWO", "READY"), (1, "/a", "ONE", "RUNNING")], 1),
    "somebody has it": ([(2, "/a", "TWO", "RUNNING"), (1, "/a", "ONE", "RUNNING")], 1),
    "another module": ([(2, "/b", "TWO", "READY"), (1, "/a", "ONE", "RUNNING")], 0),
    "an older task of the same environment": ([(1, "/a", "ONE", "READY"), (2, "/a", "ONE", "RUNNING")], 0),
    "the other one has ended": (
        [(2, "/a", "TWO", "RUNNING"), (2, "/a", "TWO", "SUCCEEDED"), (1, "/a", "ONE", "RUNNING")],
        0,
    ),
    "the other one was given back": (
        [(2, "/a", "TWO", "RUNNING"), (2, "/a", "TWO", "READY"), (1, "/a", "ONE", "RUNNING")],
        1,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_claim_is_contended_while_the_other_environment_wants_the_module_too(case: str) -> None:
    changes, contended = CASES[case]
    rivalry = Rivalry()
    rivalry.see(changes)
    assert rivalry.contended == contended
    assert rivalry.claims == sum(state == "RUNNING" for *_, state in changes)
