"""What the command says about deposits."""

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cli import slipway
from config import snapshot
from support.retirement import COURSE, Retirement


def why(made: Retirement, *more: str) -> str:
    config = made.bench.root / "slipway.json"
    config.write_text(snapshot(made.bench.settings))
    done = CliRunner().invoke(slipway, ["-c", str(config), "why", COURSE, *more])
    assert done.exit_code == 0, done.output
    return done.stdout


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
