"""How soon the daemon looks at the queue again."""

import pytest

from daemon import Pace
from daemon.pace import BUSY, GLANCE, LIVELY, SEALED_EVERY, SOON

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


def test_after_work_new_rows_are_looked_for_more_often_than_all_else(pace: Pace, clock: Clock) -> None:
    looks: list[float] = []

    def wait(seconds: float) -> bool:
        clock.now += seconds
        return False

    def news() -> bool:
        looks.append(clock.now)
        return len(looks) == 7

    pace.saw(7, NONE, news=True)
    begun = clock.now
    left = pace.glance(SOON, wait, news)
    assert looks == pytest.approx([begun + GLANCE * number for number in range(1, len(looks) + 1)])
    assert clock.now + left == pytest.approx(begun + SOON), "nothing came: all is looked at when it would have been"
    assert pace.glance(1, wait, news) == 0, "rows came in"
    assert len(looks) == 7


def test_who_rings_is_not_kept_waiting_for_new_rows(pace: Pace) -> None:
    pace.saw(7, NONE, news=True)
    assert pace.glance(SOON, lambda _: True, lambda: pytest.fail("a look for new rows")) == 0


def test_a_quiet_queue_is_not_looked_at_for_new_rows_alone(pace: Pace) -> None:
    waited = pace.glance(POLL, lambda _: pytest.fail("a wait"), lambda: pytest.fail("a look for new rows"))
    assert waited == pytest.approx(POLL)


def test_what_was_written_is_sealed_at_once_but_not_at_every_look(pace: Pace, clock: Clock) -> None:
    assert pace.seals(), "nothing was sealed before"
    pace.sealed(more=True)
    assert pace.seals(), "there is more"
    pace.sealed(more=False)
    clock.now += SEALED_EVERY - SOON
    assert not pace.seals()
    clock.now += SOON
    assert pace.seals()
