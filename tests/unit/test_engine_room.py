"""When a further worker of a target begins, and when one worker less would do."""

from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from engines import room
from engines.room import LONGER_LOOK, LOOK, PATIENCE, Room


class Machine(Event):
    """Time goes by only while somebody waits. `used` and `idle`: shares of a processor, by this process and by nobody."""

    def __init__(self, used: float, idle: float) -> None:
        super().__init__()
        self.now, self.shares = 0.0, (used, idle)
        self.looks = 0

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout == LOOK
        self.now += timeout
        self.looks += 1
        return self.is_set()

    @property
    def room(self) -> Room:
        used, idle = self.shares
        return Room(clock=lambda: self.now, used=lambda: self.now * used, idle=lambda: self.now * idle)


@pytest.mark.parametrize(
    ("used", "idle", "waits"),
    [
        pytest.param(0.1, 1.9, False, id="the server is waited for"),
        pytest.param(0.7, 15.0, False, id="this process could do more"),
        pytest.param(0.9, 15.0, True, id="one interpreter keeps one processor busy"),
        pytest.param(0.6, 0.1, True, id="the machine is busy"),
    ],
)
def test_a_further_worker_begins_where_there_is_time_to_spare(used: float, idle: float, waits: bool) -> None:
    machine = Machine(used, idle)
    machine.room.wait(machine, lambda: machine.now > 5)
    assert machine.looks == 1 if not waits else machine.now == pytest.approx(5, abs=2 * LOOK)


def test_nobody_waits_for_longer_because_another_waits_too() -> None:
    # Time stands still for who looks, so the first one would look for ever.
    busy, leave, needed = Room(clock=lambda: 0.0, used=lambda: 0.0, idle=lambda: 0.0), Event(), Event()
    first, second = (Thread(target=busy.wait, args=(leave, needed.is_set), daemon=True) for _ in range(2))
    first.start()
    second.start()
    first.join(timeout=4 * LOOK)
    assert first.is_alive()
    assert second.is_alive()
    needed.set()
    first.join()
    second.join()


def test_who_shall_leave_waits_no_longer() -> None:
    machine = Machine(1, 0)
    machine.set()
    machine.room.wait(machine, lambda: False)
    assert machine.looks == 0


@pytest.mark.parametrize(
    ("used", "idle", "crowded"),
    [
        pytest.param(0.3, 0.0, False, id="others keep the machine busy"),
        pytest.param(0.7, 0.0, True, id="this process and its server do"),
        pytest.param(0.7, 0.3, False, id="there is time left"),
        pytest.param(0.97, 15.0, True, id="the interpreter is busy"),
        pytest.param(1.9, 6.0, False, id="workers do not disturb each other"),
    ],
)
def test_it_is_crowded_where_one_worker_less_would_get_as_much_done(used: float, idle: float, crowded: bool) -> None:
    machine = Machine(used, idle)
    room = machine.room
    assert not room.crowded()
    machine.now += LONGER_LOOK / 2
    assert not room.crowded(), "that is too short a time to tell"
    machine.now += LONGER_LOOK
    assert room.crowded() == crowded
    assert not room.crowded(), "one worker less, and then one looks again"


def test_where_others_keep_the_processors_busy_a_worker_begins_after_a_while() -> None:
    machine = Machine(0.2, 0.0)
    machine.room.wait(machine, lambda: machine.now > 5)
    assert machine.now == pytest.approx(PATIENCE, abs=2 * LOOK)


def test_what_the_machine_says_of_its_processors_only_grows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = room.idle_seconds()
    assert room.idle_seconds() >= before > 0
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 20 300 4000 500 60 7\ncpu0 1 2 3 4 5 6 7\n")
    monkeypatch.setattr(room, "_STAT", stat)
    monkeypatch.setattr("os.sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    assert room.idle_seconds() == 45


@pytest.mark.parametrize("said", [None, "", "cpu  1 2 3\n"])
def test_where_nobody_says_it_a_processor_counts_as_idle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str | None
) -> None:
    monkeypatch.setattr(room, "_STAT", tmp_path / "stat")
    if said is not None:
        (tmp_path / "stat").write_text(said)
    before: Any = room.idle_seconds()
    assert 0 <= room.idle_seconds() - before < 60
