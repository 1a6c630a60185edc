"""RETIRE: what an archive answers or leaves unanswered, and what a person says to that; a course is deposited once all the same."""

from typing import Any

import pytest
import sqlalchemy as sa

from database import Deposits, DepositState, State
from support.retirement import COURSE, Make, done, held, lost
from support.sword_server import Rules


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


@pytest.mark.parametrize("handle", ["see the mail of yesterday", "1721.1", "https://example.edu/somewhere", "1721.1/ 5"])
def test_what_is_no_handle_is_not_taken_for_one(retirement: Make, handle: str) -> None:
    made = retirement()
    view = made.bench.do(COURSE, "DSPACE", handle=handle)
    assert view.task.state is State.FAILED
    assert "is no handle, which looks like 1721.1/77167" in (view.task.reason or "")
    assert not made.archive.items
    assert not made.told()


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


def test_another_archive_takes_what_the_first_one_has(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    archives = made.bench.settings.archives
    archives["second"] = archives["dspace"]
    retire = made.bench.settings.environments["DSPACE"].retire
    assert retire is not None
    moved = {"retire": retire.model_copy(update={"archive": "second"})}
    made.bench.settings.environments["DSPACE"] = made.bench.settings.environments["DSPACE"].model_copy(update=moved)
    made.bench.anew()
    made.bench.well(COURSE, "DSPACE")
    assert [each.archive for each in Deposits(made.bench.database).history(COURSE)] == ["second", "dspace"]
    # With the record lost, the area tells of the last archive alone.
    made.bench.database.change(lambda connection: connection.execute(sa.text("DELETE FROM deposit")))
    made.bench.well(COURSE, "DSPACE")
    assert len(made.archive.items) == 2
    made.bench.settings.environments["DSPACE"] = made.bench.settings.environments["DSPACE"].model_copy(update={"retire": retire})
    made.bench.anew()
    made.bench.database.change(lambda connection: connection.execute(sa.text("DELETE FROM deposit")))
    made.bench.well(COURSE, "DSPACE", handle="1721.1/1001")
    assert [each.archive for each in Deposits(made.bench.database).history(COURSE)] == ["dspace", "second"]
