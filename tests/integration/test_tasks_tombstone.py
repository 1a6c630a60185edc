"""UNPUBLISH of a course that is retired: not before the archive has it, and then a tombstone stands in its place."""

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from database import State, TaskView
from packageslip import Packageslip
from support.retirement import COURSE, FILES, Retirement
from support.sword_server import Rules
from targets import TargetUnreachable

Make = Callable[..., Retirement]
STONE = {"courses/a/index.htm", "courses/a/a-fall-1999.zip"}


def slip_on(made: Retirement, target: str) -> Packageslip | None:
    return made.bench.workshop("STAGING").open_target(target).slip(COURSE)


def refused(made: Retirement, why: str, **parameters: Any) -> TaskView:
    before = made.bench.live("origin")
    view = made.bench.do(COURSE, action="UNPUBLISH", **parameters)
    assert view.task.state is State.FAILED
    assert why in (view.task.reason or "")
    assert view.attempts[-1].error == "NotDeposited"
    assert made.bench.live("origin") == before
    return view


def test_a_retired_course_leaves_a_tombstone_on_the_origin_and_in_place_of_its_package(retirement: Make) -> None:
    made = retirement()
    assert "courses/a/a-fall-1999.zip" in made.bench.live("area")
    made.bench.well(COURSE, "DSPACE")
    view = made.bench.well(COURSE, action="UNPUBLISH")
    assert set(made.bench.live("origin")) == STONE
    page = (made.bench.target("origin") / "courses/a/index.htm").read_text()
    assert f"https://hdl.handle.net/{made.deposit().handle}" in page
    slip = slip_on(made, "origin")
    assert slip is not None
    assert (slip.module_type, slip.state, slip.title) == ("tombstone", "retired", "A <course>")
    small = made.bench.target("area") / "courses/a/a-fall-1999.zip"
    with zipfile.ZipFile(small) as package:
        assert package.namelist() == ["a-fall-1999/ReadMe.txt", "a-fall-1999/START.htm"]
    assert set(made.bench.live("area")) == {"courses/a/a-fall-1999.zip"}
    assert not made.bench.live("dspace")
    assert "its tombstone took its place" in (view.task.reason or "")
    # The retired-courses area keeps the package.
    assert "courses/a/a-fall-1999.zip" in made.retired()


def test_a_second_unpublish_leaves_the_tombstone_and_one_that_says_so_takes_it_away(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    made.bench.well(COURSE, action="UNPUBLISH")
    again = made.bench.well(COURSE, action="UNPUBLISH")
    assert "already" in (again.task.reason or "")
    assert not again.children
    assert set(made.bench.live("origin")) == STONE
    dry = made.bench.well(COURSE, action="UNPUBLISH", dry_run=True)
    assert "0 files to put, 0 to drop" in (dry.task.reason or "")
    made.bench.well(COURSE, action="UNPUBLISH", tombstone=False)
    assert not made.bench.live("origin")
    assert not made.bench.live("area")


def test_a_course_that_is_to_leave_nothing_leaves_nothing(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    made.bench.well(COURSE, action="UNPUBLISH", tombstone=False)
    assert not made.bench.live("origin")
    assert not made.bench.live("area")


def test_a_dry_run_says_what_the_tombstone_would_replace(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    before = made.bench.live("origin")
    view = made.bench.well(COURSE, action="UNPUBLISH", dry_run=True)
    assert "2 files to put, 2 to drop" in (view.task.reason or "")
    assert made.bench.live("origin") == before


def test_a_course_in_state_retired_stays_until_its_deposit_is_confirmed(retirement: Make) -> None:
    made = retirement()
    slip = made.bench.write(COURSE, FILES, module_type="course", module_short_id="a-fall-1999", title="A")
    made.bench.put_slip(replace(slip, state="retired"))
    made.bench.well(COURSE)
    refused(made, "no deposit of it is known")
    refused(made, "no deposit of it is known", tombstone=False)
    made.bench.well(COURSE, "DSPACE")
    made.bench.well(COURSE, action="UNPUBLISH")
    assert set(made.bench.live("origin")) == STONE


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("state = 'PREPARED'", "does not have it"),
        ("state = 'SENT'", "has not confirmed it"),
        ("handle = NULL", "has given it no handle yet"),
    ],
)
def test_a_course_whose_deposit_is_not_done_stays(retirement: Make, row: str, why: str) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    made.bench.database.change(lambda connection: connection.execute(sa.text(f"UPDATE deposit SET {row}")))
    refused(made, why)


def test_a_course_that_was_never_retired_goes_without_a_trace(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, action="UNPUBLISH")
    assert not made.bench.live("origin")
    assert not made.bench.live("area")


def test_the_dependents_of_a_retired_course_are_published_again(retirement: Make) -> None:
    made = retirement()
    made.bench.write("/courses/physics", {"index.htm": "Physics"})
    slip = made.bench.write(COURSE, FILES, module_type="course", module_short_id="a-fall-1999", title="A")
    made.bench.put_slip(replace(slip, dependents=("/courses/physics",)))
    made.bench.well(COURSE)
    made.bench.well(COURSE, "DSPACE")
    view = made.bench.well(COURSE, action="UNPUBLISH")
    assert ("/courses/physics", "PUBLISH") in {(child.url, child.action) for child in view.children}


def test_a_tombstone_whose_bytes_are_gone_from_the_store_comes_from_the_retired_courses_area(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    store = made.bench.workshop("STAGING").store
    for digest in list(store.digests()):
        store.discard(digest)
    made.bench.well(COURSE, action="UNPUBLISH")
    assert set(made.bench.live("origin")) == STONE


def test_a_course_waits_for_its_tombstone_while_the_retired_courses_area_is_away(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    store = made.bench.workshop("STAGING").store
    for digest in list(store.digests()):
        store.discard(digest)
    assert made.bench.well(COURSE, action="UNPUBLISH", dry_run=True)

    class Away:
        name = "retired"

        def open(self, *_: object) -> object:
            raise TargetUnreachable("retired does not answer", target="retired")

        def close(self) -> None:
            """Nothing is open."""

    made.bench.wrap = lambda name, target: Away() if name == "retired" else target  # type: ignore[assignment, return-value]
    view = made.bench.do(COURSE, action="UNPUBLISH")
    assert (view.task.state, view.task.attempts) == (State.READY, 0)
    assert "courses/a/notes/l1.pdf" in made.bench.live("origin")
    made.bench.wrap = lambda _, target: target
    made.hurry()
    made.bench.run()
    assert set(made.bench.live("origin")) == STONE


def test_without_its_tombstone_a_course_stays(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    made.bench.well(COURSE, "DSPACE", "UNPUBLISH")
    assert not made.retired()
    view = made.bench.do(COURSE, action="UNPUBLISH")
    assert view.task.state is State.FAILED
    assert "insert a RETIRE row" in (view.task.reason or "")
    made.bench.well(COURSE, "DSPACE")
    assert len(made.archive.items) == 1
    made.bench.well(COURSE, action="UNPUBLISH")
    assert set(made.bench.live("origin")) == STONE


def test_an_unpublish_that_broke_off_behind_its_switch_is_finished(retirement: Make) -> None:
    made = retirement(rules=Rules(duplicates=True))
    made.bench.well(COURSE, "DSPACE")
    points: list[str] = []

    def fail(point: str) -> None:
        points.append(point)
        if point == "finishing" and points.count(point) == 1:
            raise OSError("broke off")

    made.bench.reached = fail
    task = made.bench.insert(COURSE, action="UNPUBLISH")
    made.again(made.bench.run, lambda: made.bench.desk.show(task).task.state is State.SUCCEEDED)
    assert set(made.bench.live("origin")) == STONE
    assert {child.target for child in made.bench.desk.show(task).children} == {"area", "dspace"}
    assert set(made.bench.live("area")) == {"courses/a/a-fall-1999.zip"}


def with_areas(made: Retirement, **tombstone: bool) -> None:
    """Say of these holding areas of STAGING whether they get a tombstone."""
    staging = made.bench.settings.environments["STAGING"]
    areas = tuple(area.model_copy(update={"tombstone": tombstone.get(area.target)}) for area in staging.holding_areas)
    made.bench.settings.environments["STAGING"] = staging.model_copy(update={"holding_areas": areas})
    made.bench.anew()


def test_an_area_gets_what_it_is_said_to_get(retirement: Make) -> None:
    made = retirement()
    with_areas(made, area=False, dspace=True)
    made.bench.well(COURSE, "DSPACE")
    made.bench.well(COURSE, action="UNPUBLISH")
    assert not made.bench.live("area")
    assert set(made.bench.live("dspace")) == STONE


def test_a_tombstone_in_the_holding_area_is_not_taken_for_the_course(retirement: Make) -> None:
    made = retirement()
    with_areas(made, dspace=True)
    made.bench.well(COURSE, "DSPACE")
    made.bench.well(COURSE, action="UNPUBLISH")
    assert set(made.bench.live("dspace")) == STONE
    assert "as 1721.1/1001" in (made.bench.well(COURSE, "DSPACE").task.reason or "")
    assert len(made.archive.items) == 1


def test_a_tombstone_has_the_name_of_the_index_page_that_visitors_know(retirement: Make) -> None:
    made = retirement()
    made.bench.write(COURSE, {"index.html": "A", "b.htm": "b"}, module_type="course", module_short_id="a-fall-1999", title="A")
    made.bench.database.change(lambda connection: connection.execute(sa.text("DELETE FROM publication")))
    shutil.rmtree(made.bench.target("origin"))
    made.bench.target("origin").mkdir()
    made.bench.well(COURSE)
    made.bench.well(COURSE, "DSPACE")
    made.bench.well(COURSE, action="UNPUBLISH")
    assert set(made.bench.live("origin")) == {"courses/a/index.html", "courses/a/a-fall-1999.zip"}


def test_where_nobody_retires_modules_a_state_is_only_a_word(retirement: Make) -> None:
    made = retirement()
    slip = made.bench.write(COURSE, FILES, module_type="course", title="A")
    made.bench.put_slip(replace(slip, state="retired"))
    made.bench.well(COURSE)
    dspace = made.bench.settings.environments["DSPACE"]
    made.bench.settings.environments["DSPACE"] = dspace.model_copy(update={"retire": None})
    made.bench.anew()
    made.bench.well(COURSE, action="UNPUBLISH")
    assert not made.bench.live("origin")
