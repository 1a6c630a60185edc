"""How soon the daemon looks at the queue again."""

from itertools import pairwise

import pytest

from daemon import Pace
from daemon.pace import BUSY, LIVELY, SOON

POLL = 0.3
NONE: frozenset[str] = frozenset()
STAGING = frozenset({"STAGING"})


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    pace = Pace(clock)
    pace.saw(7, NONE, news=False)
    return pace


def test_a_quiet_queue_is_looked_at_at_its_set_pace(pace: Pace, clock: Clock) -> None:
    for _ in range(5):
        assert pace.pause(POLL) == POLL
        clock.now += POLL
        pace.saw(7, NONE, news=False)


@pytest.mark.parametrize(
    ("fence", "due", "news"),
    [(8, NONE, False), (7, NONE, True)],
    ids=["a task was claimed", "rows came in"],
)
def test_after_work_it_is_looked_at_soon_for_a_while(
    pace: Pace, clock: Clock, fence: int, due: frozenset[str], news: bool
) -> None:
    pace.saw(fence, due, news=news)
    assert pace.pause(POLL) == SOON
    clock.now += LIVELY - SOON
    pace.saw(fence, due, news=False)
    assert pace.pause(POLL) == SOON
    clock.now += SOON
    pace.saw(fence, due, news=False)
    assert pace.pause(POLL) == POLL


def test_engines_that_have_work_for_long_are_not_rung_for_more_often(pace: Pace, clock: Clock) -> None:
    pace.saw(7, STAGING, news=True)
    assert pace.pause(POLL) == SOON, "it may be done in a moment"
    clock.now += BUSY
    pace.saw(8, STAGING, news=False)
    assert pace.pause(POLL) == POLL
    clock.now += POLL
    pace.saw(9, NONE, news=False)
    assert pace.pause(POLL) == SOON, "once they have taken the last of it"


def test_a_faster_pace_than_that_stays(pace: Pace) -> None:
    pace.saw(8, NONE, news=False)
    assert pace.pause(0.01) == 0.01


def test_before_its_first_look_it_knows_of_no_work(clock: Clock) -> None:
    assert Pace(clock).pause(POLL) == POLL


@pytest.mark.parametrize(("between", "sealed"), [(POLL, 7), (SOON, 2)])
def test_quick_looks_seal_no_more_often_than_those_of_a_quiet_queue(
    pace: Pace, clock: Clock, between: float, sealed: int
) -> None:
    times = []
    for _ in range(7):
        if pace.seals(POLL):
            times.append(clock.now)
        clock.now += between
    assert len(times) == sealed
    assert all(later - earlier <= POLL + 1e-9 for earlier, later in pairwise(times))
