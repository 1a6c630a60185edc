"""How times look in sentences."""

from datetime import UTC, datetime, timedelta

import pytest

from answers import ago, at, span

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_time_in_a_sentence_says_how_long_ago_it_is() -> None:
    assert at(NOW - timedelta(minutes=12), NOW) == "2026-03-01 11:48 UTC (12 min ago)"
    assert at(NOW + timedelta(hours=3), NOW) == "2026-03-01 15:00 UTC (in 3 h)"
    assert at(None, NOW) == ""


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (89, "89 s"), (91, "1 min"), (7200, "2 h"), (10**6, "11 d")])
def test_an_age_has_one_unit(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_what_is_now_is_neither_before_nor_after() -> None:
    assert ago(NOW, NOW + timedelta(seconds=0.5)) == "now"
