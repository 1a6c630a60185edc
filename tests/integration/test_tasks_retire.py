"""RETIRE: a course goes into an archive, once; its handle comes back, and what will take its place is made ready."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa

from database import Deposits, DepositState, State, TaskView
from packageslip import Kind
from store.incoming import Incoming
from support.http_cms import Fault
from support.retirement import COURSE, EDITOR, FILES, Retirement
from support.sword_server import ACCOUNT, Rules

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


def held(made: Retirement, why: str, **parameters: Any) -> TaskView:
    view = made.bench.do(COURSE, "DSPACE", **parameters)
    assert view.task.state is State.HELD, f"{view.task.state}: {view.task.reason}"
    assert why in (view.task.reason or "")
    return view


def lost(made: Retirement, when: str) -> int:
    """A task whose deposit was cut off, before or after the archive stored it; it is READY again."""
    made.archive.break_with("cut", when=when, times=1)
    task = made.bench.insert(COURSE, "DSPACE")
    made.bench.run("DSPACE")
    view = made.bench.desk.show(task)
    assert view.attempts[0].error == "AnswerLost"
    assert made.deposit().state is DepositState.SENT
    return task


def done(made: Retirement, task: int) -> TaskView:
    made.again(lambda: made.bench.run("DSPACE"), lambda: made.bench.desk.show(task).task.state is not State.READY)
    view = made.bench.desk.show(task)
    assert view.task.state is State.SUCCEEDED, f"{view.task.state}: {view.task.reason}"
    return view


@pytest.mark.parametrize("kind", ["sword2", "sword1"])
@pytest.mark.parametrize("form", ["imscp", "mets", "bagit"])
def test_a_deposit_whose_answer_was_lost_is_found_in_the_archive(retirement: Make, kind: str, form: str) -> None:
    made = retirement(kind=kind, form=form)
    done(made, lost(made, "after"))
    assert [item.md5 for item in made.archive.items] == [made.deposit().md5]
    assert made.deposit().sendings == 1


def test_a_deposit_that_did_not_arrive_is_sent_again_with_the_same_bytes(retirement: Make) -> None:
    made = retirement()
    task = lost(made, "before")
    sent = made.deposit().md5
    # Another answer of the CMS would make another package.
    (made.bench.root / "site/lom/courses/a/index.htm.xml").write_text("<lom>changed meanwhile</lom>")
    done(made, task)
    assert [item.md5 for item in made.archive.items] == [sent]
    assert made.deposit().sendings == 2


def test_what_the_archive_does_not_list_yet_is_waited_for(retirement: Make) -> None:
    made = retirement(settle=3600)
    task = lost(made, "before")
    made.again(lambda: made.bench.run("DSPACE"), lambda: made.bench.desk.show(task).attempts[-1].error == "NotYet")
    view = made.bench.desk.show(task)
    assert view.task.state is State.READY
    assert "may still be taken in" in (view.task.reason or "")
    assert view.task.run_after is not None
    assert (view.task.run_after - made.deposit().as_of).total_seconds() > 3000
    assert view.task.attempts == 1
    assert not made.archive.items
    # A person knows better.
    made.bench.desk.cancel([task])
    made.bench.well(COURSE, "DSPACE", again=True)
    assert len(made.archive.items) == 1


@pytest.mark.parametrize("answer", ["approve", "again", "handle"])
def test_where_an_archive_cannot_be_asked_a_person_is(retirement: Make, answer: str) -> None:
    made = retirement(kind="sword1", lookup=None)
    task = lost(made, "before" if answer != "handle" else "after")
    made.again(lambda: made.bench.run("DSPACE"), lambda: made.bench.desk.show(task).task.state is State.HELD)
    view = made.bench.desk.show(task)
    assert f"MD5 {made.deposit().md5}" in (view.task.reason or "")
    assert '{"handle": "..."}' in (view.task.reason or "")
    assert view.plan is not None
    if answer == "approve":
        made.bench.desk.approve(task, view.plan.digest)
        done(made, task)
    elif answer == "again":
        made.bench.well(COURSE, "DSPACE", again=True)
    else:
        made.bench.well(COURSE, "DSPACE", handle=made.archive.items[0].handle)
    assert [item.md5 for item in made.archive.items] == [made.deposit().md5]
    assert made.told() == [made.archive.items[0].handle]
    assert made.deposit().complete


def test_an_answer_of_a_person_sends_once_and_not_each_time_the_answer_is_lost(retirement: Make) -> None:
    made = retirement(kind="sword1", lookup=None)
    task = lost(made, "after")
    made.again(lambda: made.bench.run("DSPACE"), lambda: made.bench.desk.show(task).task.state is State.HELD)
    made.archive.break_with("cut", when="after", times=1)
    second = made.bench.insert(COURSE, "DSPACE", again=True)
    made.again(lambda: made.bench.run("DSPACE"), lambda: made.bench.desk.show(second).task.state is State.HELD)
    assert len(made.archive.items) == 2


def test_a_handle_that_a_person_knows_is_taken_without_a_deposit(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE", handle="1721.1/77167")
    assert not made.archive.items
    assert made.told() == ["1721.1/77167"]
    assert made.deposit().handle == "1721.1/77167"
    assert "courses/a/a-fall-1999.zip" in made.retired()
    made.bench.well(COURSE, "DSPACE", handle="https://hdl.handle.net/1721.1/77168")
    assert made.told() == ["1721.1/77167", "1721.1/77168"]
    assert "1721.1/77168" in (made.bench.target("retired") / "courses/a/tombstone/index.htm").read_text()


def test_another_version_is_a_question_and_an_approval_makes_a_second_item(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    first = made.deposit()
    made.stage(**{"new.htm": "<html>new</html>"})
    view = held(made, "has another version of /courses/a already (1721.1/1001)")
    assert len(made.archive.items) == 1
    assert view.plan is not None
    made.bench.desk.approve(view.task.id, view.plan.digest)
    done(made, view.task.id)
    assert len(made.archive.items) == 2
    history = Deposits(made.bench.database).history(COURSE)
    assert [each.handle for each in history] == ["1721.1/1002", "1721.1/1001"]
    assert history[1] == first
    assert made.told() == ["1721.1/1001", "1721.1/1002"]


def test_another_version_takes_the_place_of_one_that_was_never_sent(retirement: Make) -> None:
    made = retirement()
    made.archive.break_with("status", status=503)
    task = made.bench.insert(COURSE, "DSPACE")
    made.bench.run("DSPACE")
    assert made.deposit().state is DepositState.PREPARED
    before = made.deposit().md5
    made.archive.heal()
    made.bench.desk.cancel([task])
    made.stage(**{"new.htm": "<html>new</html>"})
    made.bench.well(COURSE, "DSPACE")
    assert [item.md5 for item in made.archive.items] == [made.deposit().md5] != [before]


def test_an_archive_that_gives_its_handles_later_is_asked_again(retirement: Make) -> None:
    made = retirement(rules=Rules(duplicates=True, handle=None))
    view = held(made, "has given it no handle yet")
    assert made.deposit().state is DepositState.CONFIRMED
    assert not made.told()
    assert view.plan is not None
    made.archive.archive.give_handle(1, "1721.1/9")
    made.bench.desk.approve(view.task.id, view.plan.digest)
    done(made, view.task.id)
    assert made.told() == ["1721.1/9"]
    assert len(made.archive.items) == 1


def test_an_archive_that_has_the_package_already_says_where(retirement: Make) -> None:
    made = retirement(kind="sword1", rules=Rules(duplicates=False), lookup=None)
    task = lost(made, "after")
    made.again(lambda: made.bench.run("DSPACE"), lambda: made.bench.desk.show(task).task.state is State.HELD)
    made.bench.well(COURSE, "DSPACE", again=True)
    assert len(made.archive.items) == 1
    assert made.deposit().handle == made.archive.items[0].handle


def test_an_archive_that_refuses_took_nothing(retirement: Make) -> None:
    made = retirement()
    made.archive.break_with("status", status=415)
    view = made.bench.do(COURSE, "DSPACE")
    assert view.task.state is State.FAILED
    assert "insert the task again" in (view.task.reason or "")
    assert made.deposit().state is DepositState.PREPARED
    made.archive.heal()
    made.bench.well(COURSE, "DSPACE")
    assert len(made.archive.items) == 1


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


@pytest.mark.parametrize("handle", ["see the mail of yesterday", "1721.1", "https://example.edu/somewhere", "1721.1/ 5"])
def test_what_is_no_handle_is_not_taken_for_one(retirement: Make, handle: str) -> None:
    made = retirement()
    view = made.bench.do(COURSE, "DSPACE", handle=handle)
    assert view.task.state is State.FAILED
    assert "is no handle, which looks like 1721.1/77167" in (view.task.reason or "")
    assert not made.archive.items
    assert not made.told()


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


def test_metadata_that_is_no_xml_is_refused_before_it_is_deposited(retirement: Make) -> None:
    made = retirement()
    (made.bench.root / "site/lom/courses/a/index.htm.xml").write_text("<lom>cut off")
    view = made.bench.do(COURSE, "DSPACE")
    assert view.task.state is State.FAILED
    assert "index.htm.xml is no XML" in (view.task.reason or "")
    assert not made.archive.items


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


def test_a_package_whose_bytes_are_lost_comes_from_the_retired_courses_area_or_is_made_again(retirement: Make) -> None:
    made = retirement()
    made.archive.break_with("status", status=503)
    task = made.bench.insert(COURSE, "DSPACE")
    made.bench.run("DSPACE")
    prepared = made.deposit()
    store = made.bench.workshop("DSPACE").store
    store.discard(prepared.digest)
    (made.bench.root / "site/lom/courses/a/index.htm.xml").write_text("<lom>changed meanwhile</lom>")
    made.archive.heal()
    done(made, task)
    assert [item.md5 for item in made.archive.items] == [prepared.md5]


def test_a_package_without_a_trace_is_made_again_as_long_as_nothing_was_sent(retirement: Make) -> None:
    made = retirement()
    made.archive.break_with("status", status=503)
    task = made.bench.insert(COURSE, "DSPACE")
    made.bench.run("DSPACE")
    made.bench.well(COURSE, "STAGING", "VERIFY")
    store = made.bench.workshop("DSPACE").store
    store.discard(made.deposit().digest)
    made.bench.wipe("retired")
    made.archive.heal()
    done(made, task)
    assert [item.md5 for item in made.archive.items] == [made.deposit().md5]


def test_a_package_that_may_have_been_sent_before_the_database_was_lost_is_looked_for(retirement: Make) -> None:
    made = retirement()
    task = lost(made, "after")
    made.bench.desk.cancel([task])
    made.bench.run("DSPACE")
    made.bench.database.change(lambda connection: connection.execute(sa.text("DELETE FROM deposit")))
    store = made.bench.workshop("DSPACE").store
    for digest in list(store.digests()):
        store.discard(digest)
    view = made.bench.well(COURSE, "DSPACE")
    assert view.attempts[-1].summary["read_back"]
    assert len(made.archive.items) == 1


def test_a_damaged_record_in_the_area_is_said_so(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    made.bench.database.change(lambda connection: connection.execute(sa.text("DELETE FROM deposit")))
    (made.bench.target("retired") / "courses/a/deposit.json").write_text("{}")
    view = made.bench.do(COURSE, "DSPACE")
    assert view.task.state is State.FAILED
    assert "deposit.json of /courses/a on retired cannot be read" in (view.task.reason or "")


def test_shared_assets_come_from_the_origin_that_fills_the_holding_area(retirement: Make) -> None:
    made = retirement(form="imscp")
    packages = made.bench.settings.packages.model_copy(update={"shared": ("/common", "/nowhere")})
    made.bench.settings = made.bench.settings.model_copy(update={"packages": packages})
    made.bench.workshops.clear()
    made.bench.write("/common", {"styles/main.css": "body {}"})
    made.bench.well("/common")
    view = made.bench.well(COURSE, "DSPACE")
    assert view.attempts[-1].summary["shared_missing"] == ["/nowhere"]
    with zipfile.ZipFile(BytesIO(made.archive.archive.package(made.archive.items[0]))) as package:
        assert any(name.endswith("common/styles/main.css") for name in package.namelist())


def test_an_archive_that_says_duplicate_without_a_handle_is_asked_for_it(retirement: Make) -> None:
    made = retirement()
    made.archive.break_with("status", when="after", status=409, body="it is a duplicate", times=1)
    made.bench.well(COURSE, "DSPACE")
    assert made.deposit().handle == made.archive.items[0].handle
    assert len(made.archive.items) == 1


@pytest.mark.parametrize("options", [{"kind": "sword1", "lookup": None}, {"kind": "sword2"}])
def test_an_archive_that_says_duplicate_and_cannot_say_of_what_is_a_question(retirement: Make, options: dict[str, Any]) -> None:
    made = retirement(**options)
    made.archive.break_with("status", status=409, body="it is a duplicate", times=1)
    held(made, "and does not say where; look there for a-fall-1999-")
    assert made.deposit().state is DepositState.SENT


def test_a_handle_that_cannot_be_asked_for_is_a_question(retirement: Make) -> None:
    made = retirement(kind="sword1", rules=Rules(duplicates=True, handle=None))
    view = held(made, "has given it no handle yet")
    made.bench.database.change(
        lambda connection: connection.execute(sa.text("UPDATE deposit SET location = location || '/none'"))
    )
    assert view.plan is not None
    made.bench.desk.approve(view.task.id, view.plan.digest)
    made.bench.run("DSPACE")
    view = made.bench.desk.show(view.task.id)
    assert view.task.state is State.HELD
    assert "does not say its handle" in (view.task.reason or "")


def test_the_tombstone_is_written_again_when_the_holding_area_is_empty(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    made.bench.well(COURSE, action="UNPUBLISH")
    assert not made.bench.live("dspace")
    made.bench.well(COURSE, "DSPACE", handle="hdl:1721.1/5")
    assert "1721.1/5" in (made.bench.target("retired") / "courses/a/tombstone/index.htm").read_text()
    assert len(made.archive.items) == 1


def test_what_was_never_in_the_holding_area_cannot_be_retired(retirement: Make) -> None:
    view = retirement().bench.do("/courses/none", "DSPACE")
    assert view.task.state is State.FAILED
    assert "is not published there" in (view.task.reason or "")


def test_another_archive_takes_what_the_first_one_has(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    archives = made.bench.settings.archives
    archives["second"] = archives["dspace"]
    retire = made.bench.settings.environments["DSPACE"].retire
    assert retire is not None
    moved = {"retire": retire.model_copy(update={"archive": "second"})}
    made.bench.settings.environments["DSPACE"] = made.bench.settings.environments["DSPACE"].model_copy(update=moved)
    made.bench.workshops.clear()
    made.bench.well(COURSE, "DSPACE")
    assert [each.archive for each in Deposits(made.bench.database).history(COURSE)] == ["second", "dspace"]
    # With the record lost, the area tells of the last archive alone.
    made.bench.database.change(lambda connection: connection.execute(sa.text("DELETE FROM deposit")))
    made.bench.well(COURSE, "DSPACE")
    assert len(made.archive.items) == 2
    made.bench.settings.environments["DSPACE"] = made.bench.settings.environments["DSPACE"].model_copy(update={"retire": retire})
    made.bench.workshops.clear()
    made.bench.database.change(lambda connection: connection.execute(sa.text("DELETE FROM deposit")))
    made.bench.well(COURSE, "DSPACE", handle="1721.1/1001")
    assert [each.archive for each in Deposits(made.bench.database).history(COURSE)] == ["dspace", "second"]


def test_what_lies_in_the_area_and_was_not_retired_tells_of_no_deposit(retirement: Make) -> None:
    made = retirement()
    made.bench.do(COURSE, "DSPACE", "PUBLISH")
    assert "courses/a/index.htm" in made.retired()
    made.bench.well(COURSE, "DSPACE")
    assert len(made.archive.items) == 1
    assert "courses/a/index.htm" not in made.retired()


def test_a_package_that_is_lost_with_the_database_is_said_so(retirement: Make) -> None:
    made = retirement()
    task = lost(made, "after")
    made.bench.desk.cancel([task])
    made.bench.run("DSPACE")
    made.bench.database.change(lambda connection: connection.execute(sa.text("DELETE FROM deposit")))
    digest = bytes.fromhex(made.retired()["courses/a/a-fall-1999.zip"])
    made.bench.workshop("DSPACE").store.discard(digest)
    (made.bench.target("retired") / "courses/a/a-fall-1999.zip").unlink()
    view = made.bench.do(COURSE, "DSPACE")
    assert view.task.state is State.FAILED
    assert "a-fall-1999.zip of /courses/a cannot be read on retired" in (view.task.reason or "")


def test_shared_assets_that_are_lost_are_said_so(retirement: Make) -> None:
    made = retirement()
    packages = made.bench.settings.packages.model_copy(update={"shared": ("/common",)})
    made.bench.settings = made.bench.settings.model_copy(update={"packages": packages})
    made.bench.workshops.clear()
    made.bench.write("/common", {"styles/main.css": "body {}"})
    made.bench.well("/common")
    made.bench.workshop("DSPACE").store.discard(hashlib.sha256(b"body {}").digest())
    (made.bench.target("origin") / "common/styles/main.css").unlink()
    view = made.bench.do(COURSE, "DSPACE")
    assert view.task.state is State.FAILED
    assert "1 files of /common, which packages share, are neither in the content store nor on origin" in (view.task.reason or "")


def test_a_course_whose_metadata_is_complete_asks_for_none(retirement: Make) -> None:
    made = retirement()
    made.stage(**{f"{path}.xml": "<lom/>" for path in ("index.htm", "about.htm", "notes/l1.pdf")})
    slip = made.bench.workshop("STAGING").open_target("origin").slip(COURSE)
    assert slip is not None
    kinds = [replace(each, kind=Kind.METADATA) if each.path.endswith(".xml") else each for each in slip.resources]
    made.bench.put_slip(replace(slip, resources=tuple(kinds), serial=None, version=None, queue=None))
    made.bench.well(COURSE)
    before = len(made.cms.log)
    view = made.bench.well(COURSE, "DSPACE")
    assert "metadata" not in view.attempts[-1].summary
    assert [access.path for access in made.cms.log[before:] if access.path.startswith("/lom")] == []


def test_a_course_that_changes_while_it_is_read_is_read_again_later(retirement: Make) -> None:
    made = retirement(metadata=None)
    dspace = made.bench.settings.environments["DSPACE"]
    made.bench.settings.environments["DSPACE"] = dspace.model_copy(update={"source": "cms"})
    made.bench.workshops.clear()
    slip = made.bench.write(COURSE, FILES, module_type="course", module_short_id="a-fall-1999")
    bare = made.bench.put_slip(replace(slip, resources=tuple(replace(each, digest=None, size=None) for each in slip.resources)))
    store = made.bench.workshop("DSPACE").store
    real = store.incoming

    def changing() -> Incoming:
        made.bench.put_slip(replace(bare, revision="2"))
        return real()

    store.incoming = changing  # type: ignore[method-assign]
    view = made.bench.do(COURSE, "DSPACE")
    assert view.attempts[-1].error == "SourceChanged"
    assert not made.archive.items
    store.incoming = real  # type: ignore[method-assign]
    done(made, view.task.id)
    assert len(made.archive.items) == 1
