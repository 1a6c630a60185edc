"""A long walk in several goes: together they are the whole, and none is made twice."""

import pytest

from reliability.side_by_side import WHOLE, Share


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_shares_of_a_walk_are_all_of_it(count: int) -> None:
    shares = [Share.parse(f"{number}/{count}").of(range(10)) for number in range(1, count + 1)]
    assert sorted(place for share in shares for place in share) == list(range(10))
    assert WHOLE.of(range(10)) == list(range(10))


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/2/3", "a/b"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(ValueError, match=r".?"):
        Share.parse(text)
