"""The tutorial, typed as it stands there: each command works, and shows what the page says."""

import re
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from support.deployment import eventually
from support.walkthrough import Walk, check_shown, surroundings
from support.warm_command import warm_command

PAGE = "docs/tutorial.md"
TERMINALS = ("a second terminal", "a third terminal")


def test_the_tutorial_works_as_typed(tmp_path: Path) -> None:
    # Any free port: a console of somebody else's may listen at the usual one.
    words = {"slipway.toml console": "slipway.toml console --bind 127.0.0.1:0"}
    with warm_command(tmp_path) as program, Walk(tmp_path, surroundings(tmp_path), words) as walk:
        install(tmp_path / "slipway", program)
        answers = walk.follow(PAGE, elsewhere=TERMINALS)
        assert len(answers) > 10
        assert "STAGING" in first_page(walk.log(TERMINALS[1]))
        assert [walk.others[name].poll() for name in TERMINALS] == [None, None]
    assert (tmp_path / "tides/published/production/tides/today.html").read_text() == "<p>06:12, 18:40</p>\n"
    assert (tmp_path / "tides/published/staging/tides/today.html").read_text() == "<p>07:03, 19:31</p>\n"


def install(checkout: Path, program: Path) -> None:
    """What the first box of the page makes: a checkout with a virtual environment that can be activated."""
    activate = checkout / ".venv/bin/activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f". {sys.prefix}/bin/activate\nPATH={program}:$PATH\n")


def first_page(log: Path) -> str:
    """What a browser shows at the link that the console prints."""
    eventually(lambda: "console at " in log.read_text(), 60, "the link to the console")
    link = re.search(r"console at (http://127\.0\.0\.1:\d+/\S+)", log.read_text())
    assert link, log.read_text()
    browser = build_opener(HTTPCookieProcessor())
    eventually(lambda: answers_at(browser, link[1].partition("/signin")[0]), 60, "the console")
    with browser.open(link[1]) as page:
        return str(page.read().decode())


def answers_at(browser: OpenerDirector, root: str) -> bool:
    try:
        browser.open(f"{root}/signin").close()
    except URLError:
        return False
    return True


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
