"""Bells, signals, the service manager's socket, and the ticker of schedules."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import ScheduleSettings, this_host
from daemon import Bell, Signals, Systemd, Ticker


@pytest.fixture
def handlers() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def seconds(bell: Bell, longest: float) -> float:
    begun = time.monotonic()
    bell.wait(longest)
    return time.monotonic() - begun


def test_a_bell_ends_the_wait_once_however_often_it_rang() -> None:
    bell = Bell()
    for _ in range(100_000):
        bell.ring()
    assert seconds(bell, 10) < 1
    assert seconds(bell, 0.05) >= 0.04


def test_a_bell_says_whether_it_rang() -> None:
    bell = Bell()
    bell.ring()
    assert bell.wait(10)
    assert not bell.wait(0)


def test_a_bell_rings_from_another_thread() -> None:
    bell = Bell()
    timer = threading.Timer(0.05, bell.ring)
    timer.start()
    assert seconds(bell, 10) < 5
    timer.join()


def test_signals_are_noted_and_wake_the_loop(handlers: None) -> None:
    bell = Bell()
    signals = Signals(bell)
    signals.install()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
        assert seconds(bell, 10) < 1
    assert (signals.stops, signals.reload) == (2, True)
    os.kill(os.getpid(), signal.SIGCHLD)
    assert seconds(bell, 10) < 1


def test_a_process_is_named_by_host_and_boot() -> None:
    host, boot = this_host()
    assert host == socket.gethostname()
    known, _, space = boot.partition(":")
    assert len(known) == 36
    assert space.isdigit()
    assert len(boot) <= 64, "the width of its column"


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_through_its_socket(tmp_path: Path, abstract: bool) -> None:
    address = f"@slipway-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0", 1))
        manager.settimeout(5)
        Systemd({"NOTIFY_SOCKET": address}).tell("READY=1", "STATUS=up")
        assert manager.recv(4096) == b"READY=1\nSTATUS=up"


def test_nobody_listening_is_no_fault(tmp_path: Path) -> None:
    Systemd({}).tell("READY=1")
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")


def test_children_do_not_speak_for_the_daemon() -> None:
    systemd = Systemd({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "PATH": "/bin"})
    assert systemd.environment_of_children() == {"PATH": "/bin"}


def schedule(cron: str, *, catch_up: bool = False) -> ScheduleSettings:
    return ScheduleSettings(cron=cron, environment="STAGING", timezone="Europe/Berlin", catch_up=catch_up)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def never(_name: str) -> None:
    return None


def test_what_came_due_stays_due_until_its_row_is_inserted() -> None:
    bell = Bell()
    ticker = Ticker({"nightly": schedule("30 2 * * *")}, bell.ring, since=NOON - timedelta(days=3))
    assert ticker.due(never, NOON) == []
    ticker._note("nightly")
    assert seconds(bell, 10) < 1
    for _ in range(2):
        ((name, moment),) = ticker.due(never, NOON)
        assert (name, moment, moment.tzinfo) == ("nightly", datetime(2026, 11, 22, 1, 30, tzinfo=UTC), UTC)
    ticker.done(name, moment)
    assert ticker.due(never, NOON) == []
    ticker._note("nightly")
    assert ticker.due(never, NOON) == [], "one row for each moment"


@pytest.mark.parametrize(
    ("catch_up", "fired", "expected"),
    [
        (True, NOON - timedelta(days=9), [datetime(2026, 11, 22, 1, 30, tzinfo=UTC)]),
        (True, NOON - timedelta(hours=1), []),
        (True, None, []),
        (False, NOON - timedelta(days=9), []),
    ],
)
def test_only_a_schedule_that_catches_up_gets_what_was_missed(
    catch_up: bool, fired: datetime | None, expected: list[datetime]
) -> None:
    ticker = Ticker({"nightly": schedule("30 2 * * *", catch_up=catch_up)}, lambda: None, since=NOON)
    assert [moment for _, moment in ticker.due(lambda _name: fired, NOON)] == expected


@pytest.mark.parametrize("catch_up", [False, True])
def test_a_new_configuration_loses_nothing_that_is_due(catch_up: bool) -> None:
    nightly, morning = datetime(2026, 11, 22, 1, 30, tzinfo=UTC), datetime(2026, 11, 22, 8, tzinfo=UTC)
    before = {"nightly": schedule("30 2 * * *", catch_up=catch_up), "moved": schedule("0 8 * * *"), "gone": schedule("0 9 * * *")}
    after = {"nightly": before["nightly"], "moved": schedule("0 10 * * *"), "new": schedule("0 11 * * *")}
    old = Ticker(before, lambda: None, since=NOON - timedelta(days=3))
    old._note("nightly")
    last = nightly - timedelta(days=1)
    assert old.due(lambda _name: last, morning) == [("nightly", nightly)]

    ticker = Ticker(after, lambda: None, NOON, old.seen(after))
    assert ticker.due(lambda _name: last, NOON) == [("nightly", nightly)], "its row is not inserted yet"
    ticker.done("nightly", nightly)
    again = Ticker(after, lambda: None, NOON, ticker.seen(after))
    assert again.due(lambda _name: nightly, NOON) == []


@pytest.mark.parametrize("schedules", [{}, {"often": schedule("* * * * *")}])
def test_the_ticker_starts_and_stops(schedules: dict[str, ScheduleSettings]) -> None:
    before = threading.active_count()
    ticker = Ticker(schedules, lambda: None, since=NOON)
    ticker.start()
    ticker.stop()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
