"""The tutorial, typed as it stands there: each command works, and shows what the page says."""

import sys
from pathlib import Path

import pytest

from support.walkthrough import Walk, check_shown, surroundings

PAGE = "docs/tutorial.md"


def test_the_tutorial_works_as_typed(tmp_path: Path) -> None:
    # What its first box makes: a checkout with a virtual environment.
    (tmp_path / "slipway").mkdir()
    (tmp_path / "slipway" / ".venv").symlink_to(sys.prefix)
    with Walk(tmp_path, surroundings(tmp_path)) as walk:
        answers = walk.follow(PAGE, elsewhere=["a second terminal"])
        assert len(answers) > 10
        assert walk.others["a second terminal"].poll() is None
    assert (tmp_path / "tides/published/production/tides/today.html").read_text() == "<p>06:12, 18:40</p>\n"
    assert (tmp_path / "tides/published/staging/tides/today.html").read_text() == "<p>07:03, 19:31</p>\n"


def test_a_page_that_shows_something_else_is_found() -> None:
    answer = "/a\tput  at 2026-01-01T10:00:00Z 0123456789abcdef\nmore\n"
    check_shown("NAME  WHAT\n/a  put at 2020-02-02T11:11:11Z ffffffffffff\nmore\n", answer)
    with pytest.raises(AssertionError, match="the manual shows"):
        check_shown("/a  dropped\n", answer)
    with pytest.raises(AssertionError, match="the manual shows"):
        check_shown("more\n/a put\n", answer)


def test_a_command_that_fails_is_found(tmp_path: Path) -> None:
    with Walk(tmp_path, surroundings(tmp_path)) as walk, pytest.raises(AssertionError, match=r"failed with 1:\nfalse"):
        walk.type("false\n")
