"""RETIRE: a course goes into an archive, once; its handle comes back, and what will take its place is made ready."""

import hashlib
import json

import pytest

from database import DepositState, State
from support.http_cms import Fault
from support.retirement import COURSE, EDITOR, Make, done
from support.sword_server import ACCOUNT


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


def test_retiring_again_does_nothing_more(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    before = made.bench.workshop("DSPACE").record.history(COURSE)
    view = made.bench.well(COURSE, "DSPACE")
    assert len(made.archive.items) == 1
    assert made.told() == [made.deposit().handle]
    assert made.bench.workshop("DSPACE").record.history(COURSE) == before
    assert view.task.state is State.SUCCEEDED


def test_a_cms_that_does_not_answer_is_told_later_and_the_deposit_stays_one(retirement: Make) -> None:
    made = retirement()
    handle = f"{COURSE}/set_dspace_handle/hdl://1721.1/1001"
    made.cms.faults[handle] = Fault(status=503, times=1)
    task = made.bench.insert(COURSE, "DSPACE")
    made.bench.run("DSPACE")
    assert made.deposit().told_at is None
    done(made, task)
    assert made.deposit().told_at is not None
    assert len(made.archive.items) == 1


def test_a_cms_that_refuses_the_handle_is_named_beside_what_is_deposited(retirement: Make) -> None:
    made = retirement()
    made.cms.faults[f"{COURSE}/set_dspace_handle/hdl://1721.1/1001"] = Fault(status=404)
    view = made.bench.do(COURSE, "DSPACE")
    assert view.task.state is State.FAILED
    assert "is deposited as 1721.1/1001, but the handle could not be told" in (view.task.reason or "")
    assert "correct the slip" not in (view.task.reason or "")
    assert "retire.tell" in (view.task.reason or "")
    made.cms.faults.clear()
    made.bench.well(COURSE, "DSPACE")
    assert len(made.archive.items) == 1


def test_the_cms_is_told_by_the_account_of_its_source_and_no_url_has_it(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    [told] = [access for access in made.cms.log if "set_dspace_handle" in access.path]
    assert told.headers["Authorization"].startswith("Basic ")
    for log in (str([access.path for access in made.cms.log]), str(made.archive.archive.log())):
        assert EDITOR[1] not in log
        assert ACCOUNT[1] not in log


@pytest.mark.parametrize("tell", ["", "$url/set_dspace_handle/hdl://$handle"])
def test_what_is_no_cms_cannot_be_told(retirement: Make, tell: str) -> None:
    made = retirement(tell=tell, metadata=None)
    environment = made.bench.settings.environments["DSPACE"].model_copy(update={"views": "cms"})
    made.bench.settings.environments["DSPACE"] = environment
    if not tell:
        made.bench.well(COURSE, "DSPACE")
        assert made.deposit().told_at is None
        return
    view = made.bench.do(COURSE, "DSPACE")
    assert view.task.state is State.FAILED
    assert "is deposited as 1721.1/1001, but cms cannot be told" in (view.task.reason or "")


def test_a_dry_run_says_what_comes_next_and_does_nothing(retirement: Make) -> None:
    made = retirement()
    view = made.bench.well(COURSE, "DSPACE", dry_run=True)
    assert view.task.reason == "dry run: next for dspace: build the package"
    assert not made.archive.items
    assert not made.retired()
    made.bench.well(COURSE, "DSPACE")
    view = made.bench.well(COURSE, "DSPACE", dry_run=True)
    assert "(handle 1721.1/1001)" in (view.task.reason or "")


def test_an_environment_that_retires_nothing_says_so(retirement: Make) -> None:
    view = retirement().bench.do(COURSE, "STAGING", "RETIRE")
    assert view.task.state is State.FAILED
    assert "give it [environments.STAGING.retire]" in (view.task.reason or "")
