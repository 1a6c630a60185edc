"""RETIRE: what a package is made of, and where its pieces come from when they are lost."""

import hashlib
import zipfile
from dataclasses import replace
from io import BytesIO

import sqlalchemy as sa

from database import State
from packageslip import Kind
from store.incoming import Incoming
from support.retirement import COURSE, FILES, Make, done, lost


def test_metadata_that_is_missing_comes_from_the_cms_or_is_made(retirement: Make) -> None:
    made = retirement()
    view = made.bench.well(COURSE, "DSPACE")
    assert view.attempts[-1].summary["metadata"] == {"asked": 3, "got": 1}
    [item] = made.archive.items
    with zipfile.ZipFile(BytesIO(made.archive.archive.package(item))) as package:
        assert any(b"of the CMS" in package.read(name) for name in package.namelist())


def test_metadata_that_is_no_xml_is_refused_before_it_is_deposited(retirement: Make) -> None:
    made = retirement()
    (made.bench.root / "site/lom/courses/a/index.htm.xml").write_text("<lom>cut off")
    view = made.bench.do(COURSE, "DSPACE")
    assert view.task.state is State.FAILED
    assert "index.htm.xml is no XML" in (view.task.reason or "")
    assert not made.archive.items


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
    made.bench.anew()
    made.bench.write("/common", {"styles/main.css": "body {}"})
    made.bench.well("/common")
    view = made.bench.well(COURSE, "DSPACE")
    assert view.attempts[-1].summary["shared_missing"] == ["/nowhere"]
    with zipfile.ZipFile(BytesIO(made.archive.archive.package(made.archive.items[0]))) as package:
        assert any(name.endswith("common/styles/main.css") for name in package.namelist())


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
    made.bench.anew()
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
    made.bench.anew()
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
