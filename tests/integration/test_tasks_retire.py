"""RETIRE: a course goes into an archive, once; its handle comes back, and what will take its place is made ready."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from database import DepositState, State
from support.retirement import COURSE, Retirement

Make = Callable[..., Retirement]


@pytest.mark.parametrize("kind", ["sword2", "sword1"])
def test_a_course_is_deposited_its_handle_told_and_everything_kept(retirement: Make, kind: str) -> None:
    made = retirement(kind=kind)
    view = made.bench.well(COURSE, "DSPACE")
    [item] = made.archive.items
    deposit = made.deposit()
    assert (deposit.state, deposit.md5, deposit.handle) == (DepositState.CONFIRMED, item.md5, item.handle)
    assert made.told() == [item.handle]
    assert deposit.told_at is not None
    assert view.task.action == "RETIRE"
    assert item.handle is not None
    assert item.handle in (view.task.reason or "")
    folder = made.bench.target("retired") / "courses/a"
    package = (folder / "a-fall-1999.zip").read_bytes()
    assert hashlib.md5(package).hexdigest() == item.md5
    assert made.archive.archive.package(item) == package
    assert set(made.retired()) == {
        f"courses/a/{path}"
        for path in ("a-fall-1999.zip", "deposit.json", "receipt.xml", "tombstone/index.htm", "tombstone/a-fall-1999.zip")
    }
    assert json.loads((folder / "deposit.json").read_text())["handle"] == item.handle
    page = (folder / "tombstone/index.htm").read_text()
    assert f"https://hdl.handle.net/{item.handle}" in page
    assert "A &lt;course&gt;" in page
    slip = made.bench.workshop("DSPACE").open_target("retired").slip(COURSE)
    assert slip is not None
    assert (slip.state, slip.revision) == ("retired", deposit.version.hex())
    # RETIRE removes nothing.
    assert "courses/a/index.htm" in made.bench.live("origin")
    assert "courses/a/index.htm" in made.bench.live("dspace")


def test_metadata_that_is_missing_comes_from_the_cms_or_is_made(retirement: Make) -> None:
    made = retirement()
    view = made.bench.well(COURSE, "DSPACE")
    assert view.attempts[-1].summary["metadata"] == {"asked": 3, "got": 1}
    [item] = made.archive.items
    with zipfile.ZipFile(BytesIO(made.archive.archive.package(item))) as package:
        assert any(b"of the CMS" in package.read(name) for name in package.namelist())


def test_retiring_again_does_nothing_more(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    before = made.bench.workshop("DSPACE").record.history(COURSE)
    view = made.bench.well(COURSE, "DSPACE")
    assert len(made.archive.items) == 1
    assert made.told() == [made.deposit().handle]
    assert made.bench.workshop("DSPACE").record.history(COURSE) == before
    assert view.task.state is State.SUCCEEDED
