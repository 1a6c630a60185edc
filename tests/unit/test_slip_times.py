"""Times in slips are exact, have an offset, and can be stored by any target."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packageslip import format_time, parse_time


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_written_time_reads_back_equal(seconds: int) -> None:
    assert parse_time(format_time(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2019-09-25T17:47:34Z", 1569433654),
        ("2019-09-25T17:47:34.999Z", 1569433654),
        ("2019-09-25T19:47:34+02:00", 1569433654),
        ("1969-12-31T23:59:59-00:30", 1799),
        ("1970-01-01T00:00:00-00:00", 0),
    ],
)
def test_offsets_count_and_fractions_are_cut(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2019-09-25",
        "2019-09-25T17:47:34",
        "2019-09-25 17:47:34Z",
        "2019-09-25T17:47Z",
        "2019-09-25T17:47:34.Z",
        "2019-09-25T17:47:34+0200",
        "2019-09-25T17:47:34+02",
        "2019-09-25T17:47:34+14:01",
        "2019-02-30T17:47:34Z",
        "2019-09-25T24:00:00Z",
        "2019-09-25T17:47:34,5Z",
        "1969-12-31T23:59:59Z",
        "2106-02-07T06:28:16Z",
        "२019-09-25T17:47:34Z",
    ],
)
def test_what_is_no_exact_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_time(text)
