"""Every order of calls of engines that look before they take over; and that the model would see it if the queue forgot nothing."""

import pytest

from support.protocol_exploration import Broken
from support.seal_model import Sealing, sealed, words


def test_two_engines_one_of_which_may_be_lost_before_it_takes_over() -> None:
    exploration = Sealing(slots=2, goals=(1, 2))
    assert {"tell", "seal"} <= set(words(exploration, sealed(claims=2)))


def test_three_engines_one_after_another_each_of_which_may_die_at_any_call() -> None:
    assert Sealing(slots=1, goals=(0, 1)).run(sealed(claims=3)) > 3_000


def test_a_queue_that_forgot_no_seals_would_say_what_is_not_so() -> None:
    with pytest.raises(Broken, match=r"^I8: "):
        Sealing(slots=2, goals=(1, 2), forgets=False).run(sealed(claims=2))
