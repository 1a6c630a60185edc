"""What the command says about deposits."""

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cli import slipway
from config import snapshot
from support.retirement import COURSE, Retirement
from support.sword_server import Rules


def run(made: Retirement, *words: str) -> str:
    config = made.bench.root / "slipway.json"
    config.write_text(snapshot(made.bench.settings))
    done = CliRunner().invoke(slipway, ["-c", str(config), *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def why(made: Retirement, *more: str) -> str:
    return run(made, "why", COURSE, *more)


def test_why_says_what_the_archive_has(retirement: Callable[..., Retirement]) -> None:
    made = retirement()
    assert "archive dspace" not in why(made)
    made.bench.well(COURSE, "DSPACE")
    assert "archive dspace: deposited 20" in why(made)
    assert "handle 1721.1/1001, the CMS was told 20" in why(made)
    [deposit] = json.loads(why(made, "--json"))["deposits"]
    assert (deposit["handle"], deposit["state"], deposit["md5"]) == ("1721.1/1001", "CONFIRMED", made.archive.items[0].md5)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("state = 'PREPARED'", "package ready since"),
        ("state = 'SENT'", "not known whether it arrived"),
        ("handle = NULL", "without a handle so far (http"),
        ("told_at = NULL", "the CMS was not told yet"),
    ],
)
def test_why_says_how_far_a_deposit_is(retirement: Callable[..., Retirement], row: str, words: str) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    made.bench.database.change(lambda connection: connection.execute(sa.text(f"UPDATE deposit SET {row}")))
    assert words in why(made)


def test_a_question_about_a_deposit_is_shown_and_approved_like_any_other(retirement: Callable[..., Retirement]) -> None:
    made = retirement(rules=Rules(duplicates=True, handle=None))
    task = made.bench.do(COURSE, "DSPACE").task.id
    assert "has given it no handle yet" in run(made, "queue", "show", str(task))
    made.archive.archive.give_handle(1, "1721.1/9")
    run(made, "queue", "approve", str(task), "-y")
    made.bench.run("DSPACE")
    assert "handle 1721.1/9" in why(made)
