"""How the daemon keeps its console running."""

import sys
import time
from itertools import pairwise

from config import Settings
from daemon import Companion

FAILS = (sys.executable, "-S", "-c", "raise SystemExit(3)")
STAYS = (sys.executable, "-S", "-c", "import time; time.sleep(600)")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def companion(command: tuple[str, ...], clock: Clock, *, start: bool = True) -> Companion:
    settings = Settings.model_validate({"console": {"start": start}, "engine": {"restart_base": 1, "restart_cap": 4}})
    return Companion(settings, {}, command, clock)


def gone(one: Companion) -> None:
    until = time.monotonic() + 60
    while one.child is not None:
        assert time.monotonic() < until
        one.reap()
        time.sleep(0.01)


def runs(one: Companion) -> bool:
    return one.child is not None


def test_without_being_asked_for_there_is_none() -> None:
    one = companion(STAYS, Clock(), start=False)
    one.tend()
    assert one.child is None


def test_one_that_fails_is_started_again_later_and_later() -> None:
    clock, starts = Clock(), list[float]()
    one = companion(FAILS, clock)
    while len(starts) < 5:
        one.tend()
        if one.child is not None:
            starts.append(clock.now)
            gone(one)
        clock.now += 0.5
    assert [later - earlier for earlier, later in pairwise(starts)] == [1, 2, 4, 4]


def test_one_that_is_dismissed_is_started_again_at_once_with_the_settings_of_then() -> None:
    one = companion(STAYS, Clock())
    one.tend()
    assert one.child is not None
    first = one.child.pid
    one.dismiss()
    one.dismiss()
    gone(one)
    one.tend()
    assert one.child is not None
    assert one.child.pid != first
    one.settings = Settings()
    one.kill()
    gone(one)
    one.tend()
    assert one.child is None


def test_no_room_for_a_process_is_a_failed_start() -> None:
    clock = Clock()
    one = companion(("/nowhere/python",), clock)
    one.tend()
    assert not runs(one)
    one.command = STAYS
    one.tend()
    assert not runs(one)
    clock.now = 1.0
    one.tend()
    assert runs(one)
    one.kill()
    gone(one)
