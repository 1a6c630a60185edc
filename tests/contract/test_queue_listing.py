"""Looking through the queue, a page at a time, and doing one thing to many tasks; on each kind of database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from database import Audit, Batches, Deed, Filter, Listing, NewTask, Outcome, Shown, Sort, State
from support.queue import Queue


@pytest.fixture
def mixed(queue: Queue) -> Queue:
    """Ten tasks: 1 to 4 ended so or so, 5 held back, 6 to 10 ready; 9 in another environment, 10 asked to be cancelled."""
    engine = queue.engine()
    for number, outcome in enumerate((Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SUCCEEDED, Outcome.FAILED), 1):
        queue.ready(f"/courses/{number}")
        queue.end(engine, queue.claim(engine)[0], outcome, f"ended {outcome.lower()}: 50%_of it")
        queue.clock.forward(10)
    queue.ready("/courses/5", hold=True)
    for number in (6, 7, 8):
        queue.ready(f"/courses/{number}", priority=100 - number, requested_by="Ann")
    queue.ready("/about", "ARCHIVE", note="the year's end")
    queue.desk.cancel([queue.ready("/courses")])
    return queue


def ids(page: Shown) -> list[int]:
    return [task.id for task in page.tasks]


def every_page(queue: Queue, wanted: Filter, sort: Sort, limit: int) -> Iterator[int]:
    after = 0
    while True:
        page = Listing(queue.db).page(wanted, sort, after, limit)
        yield from ids(page)
        if page.after is None:
            return
        after = page.after


CASES: tuple[tuple[Filter, list[int]], ...] = (
    (Filter(), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
    (Filter(frozenset({State.FAILED})), [4, 2]),
    (Filter(frozenset({State.READY}), "STAGING"), [10, 8, 7, 6, 5]),
    (Filter(frozenset({State.HELD})), []),
    (Filter(environment="ARCHIVE"), [9]),
    (Filter(action="PUBLISH", states=frozenset({State.SUCCEEDED})), [3, 1]),
    (Filter(action="VERIFY"), []),
    (Filter(module="/courses"), [10]),
    (Filter(module="/courses", below=True, states=frozenset({State.READY})), [10, 8, 7, 6, 5]),
    (Filter(module="/cours", below=True), []),
    (Filter(text="ENDED FAILED"), [4, 2]),
    (Filter(text="50%_of"), [4, 3, 2, 1]),
    (Filter(text="5__of"), []),
    (Filter(text="ann"), [8, 7, 6]),
    (Filter(text="year's"), [9]),
    (Filter(on_hold=True), [5]),
    (Filter(cancelling=True), [10]),
    (Filter(batch=7), [7]),
)


@pytest.mark.parametrize("few", [True, False])
def test_each_filter_finds_what_it_says(mixed: Queue, few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not few:
        monkeypatch.setattr("database.listing.FEW", 0)
        monkeypatch.setattr("database.listing.WINDOW", 3)
    for wanted, found in CASES:
        assert ids(Listing(mixed.db).page(wanted, patience=60)) == found, wanted
        assert list(every_page(mixed, wanted, Sort.NEWEST, 2)) == found, wanted
        assert list(every_page(mixed, wanted, Sort.OLDEST, 2)) == found[::-1], wanted


def test_ages_are_counted_from_when_the_row_came(mixed: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.listing.WINDOW", 2)
    for number in range(1, 11):
        mixed.sql(
            "UPDATE publication_task_queue SET created_at = :at WHERE id = :id", at=f"2026-11-{number:02} 12:00:00", id=number
        )
    listing = Listing(mixed.db)
    for number in range(1, 12):
        morning = datetime(2026, 11, number, 6, tzinfo=UTC)
        assert ids(listing.page(Filter(until=morning), patience=60)) == [*range(number - 1, 0, -1)]
        assert ids(listing.page(Filter(since=morning), patience=60)) == [*range(10, number - 1, -1)]
    between = Filter(frozenset({State.FAILED}), since=datetime(2026, 11, 2, tzinfo=UTC), until=datetime(2026, 11, 4, tzinfo=UTC))
    assert ids(listing.page(between)) == [2]


def test_what_runs_next_comes_first_and_what_ended_last_too(mixed: Queue) -> None:
    ready = Filter(frozenset({State.READY}), "STAGING")
    assert list(every_page(mixed, ready, Sort.NEXT, 2)) == [8, 7, 6, 5, 10]
    assert list(every_page(mixed, Filter(frozenset({State.FAILED, State.SUCCEEDED})), Sort.ENDED, 3)) == [4, 3, 2, 1]


def test_too_many_for_an_order_are_shown_newest_first_and_say_so(mixed: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.listing.FEW", 1)
    ended = Filter(frozenset({State.SUCCEEDED, State.FAILED}))
    page = Listing(mixed.db).page(ended, Sort.ENDED, limit=3)
    assert page.unsorted
    assert ids(page) == [4, 3, 2]
    assert list(every_page(mixed, ended, Sort.ENDED, 3)) == [4, 3, 2, 1]
    assert not Listing(mixed.db).page(ended).unsorted


def test_of_many_that_wait_the_next_still_come_first(mixed: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.listing.FEW", 0)
    for environment, found in (("STAGING", [8, 7, 6, 5, 10]), (None, [8, 7, 6, 5, 9, 10])):
        assert list(every_page(mixed, Filter(frozenset({State.READY}), environment), Sort.NEXT, 2)) == found
    assert Listing(mixed.db).page(Filter(frozenset({State.READY}), text="courses"), Sort.NEXT).unsorted
    monkeypatch.setattr("database.listing.DEEP", 1)
    assert Listing(mixed.db).page(Filter(frozenset({State.READY})), Sort.NEXT, after=2, limit=2).unsorted


def test_a_search_that_takes_too_long_says_how_far_it_came_and_goes_on(mixed: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.listing.WINDOW", 4)
    ticks = count()
    listing = Listing(mixed.db, clock=lambda: float(next(ticks)))
    first = listing.page(Filter(text="ended"), patience=0.5)
    assert (first.tasks, first.looked_to, first.after) == ((), 7, 7)
    second = listing.page(Filter(text="ended"), after=7, patience=0.5)
    assert (ids(second), second.looked_to) == ([4, 3], 3)
    assert ids(listing.page(Filter(text="ended"), after=3, patience=0.5)) == [2, 1]


def test_gaps_of_purged_rows_are_stepped_over(mixed: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.listing.WINDOW", 2)
    mixed.sql("UPDATE publication_task_queue SET id = id + 1000000000 WHERE id > 8")
    found = [1_000_000_010, 1_000_000_009, 8]
    assert ids(Listing(mixed.db).page(Filter(), limit=3, patience=60)) == found
    assert list(every_page(mixed, Filter(), Sort.OLDEST, 9))[-3:] == found[::-1]


def test_many_of_one_state_that_are_old_are_found_at_once(mixed: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.listing.FEW", 1)
    monkeypatch.setattr("database.listing.WINDOW", 1)
    page = Listing(mixed.db, clock=lambda: 0.0).page(Filter(frozenset({State.SUCCEEDED})), limit=1, patience=0.0)
    assert ids(page) == [3]


def test_states_are_counted_up_to_a_limit(mixed: Queue) -> None:
    counts = Listing(mixed.db).counts()
    assert (counts[State.READY], counts[State.FAILED], counts[State.NEW]) == (6, 2, 0)
    assert Listing(mixed.db).counts("ARCHIVE")[State.READY] == 1
    assert Listing(mixed.db).counts(most=3)[State.READY] == 3


@pytest.mark.parametrize(
    ("deed", "done", "left"),
    [
        (Deed.CANCEL, 6, {"SUCCEEDED": 2, "FAILED": 2}),
        (Deed.HOLD, 6, {"SUCCEEDED": 2, "FAILED": 2}),
        (Deed.RELEASE, 6, {"SUCCEEDED": 2, "FAILED": 2}),
        (Deed.RETRY, 4, {"READY": 6}),
    ],
)
def test_what_is_fit_for_it_is_done_and_the_rest_is_counted(mixed: Queue, deed: Deed, done: int, left: dict[str, int]) -> None:
    came = Batches(mixed.db).do(deed, [*range(1, 11), 99], "eve", "the CMS was wrong")
    assert (came.done, came.left) == (done, left | {"not there any more": 1})
    entries = [row.entry for row in Audit(mixed.db).find(limit=100) if row.entry.who == "eve"]
    if deed is not Deed.RETRY:
        assert len(entries) == done
        assert {entry.document["why"] for entry in entries} == {"the CMS was wrong"}


def test_a_retry_of_many_makes_a_row_for_each(mixed: Queue) -> None:
    came = Batches(mixed.db).do(Deed.RETRY, [2, 4], "eve", "the CMS was wrong")
    again = [mixed.show(row).task for row in came.made]
    assert [(task.url, task.requested_by, task.parameters["rerun_of"]) for task in again] == [
        ("/courses/2", "eve", 2),
        ("/courses/4", "eve", 4),
    ]
    mixed.intake.accept(mixed.settings)
    assert mixed.states(*came.made) == ["READY", "READY"]


def test_a_batch_is_done_in_small_transactions(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.batches.AT_ONCE", 2)
    rows = queue.desk.insert_many(NewTask(f"/{number}", "STAGING") for number in range(5))
    assert Batches(queue.db).do(Deed.HOLD, rows, "eve").done == 5
    assert all(task.hold for task in queue.desk.find())
