"""What pages draw: shares of a bar, and who came of whom."""

import importlib
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from answers import REMEDIES, Tally, remedy
from console.drawing import LEAST, family, parts, shares
from database import Attempt, State, Task


def task(number: int, url: str = "/a", **more: Any) -> Task:
    return Task(number, url, "STAGING", "PUBLISH", State.READY, **more)


def test_a_bar_is_divided_by_bytes_and_is_whole() -> None:
    bar = parts({"added": Tally(1, 25), "kept": Tally(3, 75)})
    assert [(part.kind, part.x, part.width) for part in bar] == [("added", 0, 25), ("kept", 25, 75)]


def test_a_small_part_can_still_be_seen() -> None:
    bar = parts({"added": Tally(1, 1), "removed": Tally(1, 0), "kept": Tally(9, 10**12)})
    assert all(part.width > LEAST * 0.9 for part in bar)
    assert abs(sum(part.width for part in bar) - 100) < 0.01
    assert all(abs(one.x + one.width - other.x) < 0.01 for one, other in pairwise(bar))


def test_without_sizes_the_files_count() -> None:
    assert [part.width for part in parts({"added": Tally(1), "kept": Tally(3)})] == [25, 75]
    assert parts({}) == ()


def test_a_task_that_stands_alone_has_no_family() -> None:
    assert family(task(1), None, ()) is None


def test_a_family_stands_in_columns_that_do_not_touch() -> None:
    drawn = family(task(2), task(1), [task(number, generation=number % 2) for number in range(3, 7)])
    assert drawn is not None
    assert len(drawn.lines) == 1 + 4
    assert [box.own for box in drawn.boxes].count(True) == 1
    places = {(box.x, box.y) for box in drawn.boxes}
    assert len(places) == 6
    assert all(0 <= x <= drawn.width - 200 and 0 <= y <= drawn.height - 46 for x, y in places)
    assert {box.what for box in drawn.boxes if box.task.generation} == {"dependent /a"}


def test_a_long_address_shows_its_end() -> None:
    drawn = family(task(1), task(2, "/courses/a-very-long-department/and-a-course"), ())
    assert drawn is not None
    assert drawn.boxes[0].what.startswith("…")
    assert drawn.boxes[0].what.endswith("and-a-course")


def test_durations_are_drawn_by_the_longest() -> None:
    assert shares([1.0, None, 4.0, 0.0]) == [25, None, 100, 0]
    assert shares([None]) == [None]


@pytest.mark.parametrize("name", REMEDIES)
def test_a_remedy_is_for_an_error_that_there_is(name: str) -> None:
    packages = ("targets", "sources", "tasks", "packageslip", "config", "store", "notices", "archives", "tasks.errors")
    assert any(hasattr(importlib.import_module(package), name) for package in packages)


def test_a_lost_attempt_and_one_without_a_remedy() -> None:
    lost = Attempt(1, 1, 1, "e", "h", datetime.now(UTC), outcome="LOST")
    assert "engine's log" in (remedy(lost) or "")
    assert remedy(Attempt(1, 1, 1, "e", "h", datetime.now(UTC), outcome="FAILED", error="ValueError")) is None
