"""Rows to values: whatever is in a column, reading gives something."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.moments import format_moment, parse_moment
from database.rows import chunks, clipped, object_of, text_of


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_times_are_read_as_written_and_sort_as_text(naive: datetime) -> None:
    assert parse_moment(format_moment(naive)) == naive.replace(tzinfo=UTC)
    assert format_moment(datetime.min) <= format_moment(naive)


def test_what_is_no_time_is_none() -> None:
    assert parse_moment("0000-00-00 00:00:00") is None
    assert format_moment(datetime(2026, 11, 21, 10)) > "2026-11-21 10:00:00"


@pytest.mark.parametrize("value", [None, b"{}", 5, "", "[", "[1]", "1", "[" * 100_000])
def test_what_is_no_object_is_an_empty_one(value: object) -> None:
    assert object_of(value) == {}


def test_an_object_is_read() -> None:
    assert object_of('{"mode": "full"}') == {"mode": "full"}


@given(st.text(st.characters()) | st.just("caf\udce9"), st.integers(0, 50))
def test_clipped_text_can_be_written(text: str, most: int) -> None:
    found = clipped(text, most)
    assert found is not None
    assert len(found) <= most
    found.encode()


def test_nothing_stays_nothing() -> None:
    assert clipped(None) is None
    assert (text_of(None), text_of(b"x"), text_of("x")) == ("", "b'x'", "x")


def test_chunks_are_all_there() -> None:
    assert [list(some) for some in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert list(chunks([])) == []
