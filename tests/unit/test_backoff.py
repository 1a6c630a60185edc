"""How long to wait: grows, is capped, never zero, never the same for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import RetrySettings
from database.backoff import breaker_delay, delay

RETRY = RetrySettings(base=10, cap=3600, breaker=15)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (10_000, 3600)])
def test_it_doubles_up_to_the_cap(attempt: int, seconds: float) -> None:
    assert delay(attempt, RETRY, lambda: 1.0) == seconds
    assert delay(attempt, RETRY, lambda: 0.0) == seconds / 2


def test_what_the_other_side_asks_for_is_waited_for() -> None:
    assert delay(1, RETRY, lambda: 0.5, at_least=9000) == 9000
    assert delay(5, RETRY, lambda: 1.0, at_least=1) == 160


@pytest.mark.parametrize(("failures", "seconds"), [(1, 15), (2, 30), (100, 3600)])
def test_a_breaker_waits_longer_each_time(failures: int, seconds: float) -> None:
    assert breaker_delay(failures, RETRY, lambda: 1.0) == seconds
    assert breaker_delay(failures, RETRY, lambda: 0.0) == 0.75 * seconds


@given(st.integers(0, 10**6), st.floats(0, 1, exclude_max=True))
def test_it_stays_within_its_bounds(attempt: int, random: float) -> None:
    assert 5 <= delay(attempt, RETRY, lambda: random) <= 3600
