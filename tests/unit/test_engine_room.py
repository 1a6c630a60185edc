"""When a further worker of a target begins: where there was time to spare, or after a while."""

from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from engines import room
from engines.room import LOOK, PATIENCE, Room


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
    machine.room.wait(machine)
    assert machine.looks == 1 if not waits else machine.now == pytest.approx(PATIENCE, abs=LOOK)


def test_nobody_waits_for_longer_because_another_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATIENCE", 0.1)
    # Time stands still for who looks, so the first one would look for ever.
    busy, leave = Room(clock=lambda: 0.0, used=lambda: 0.0, idle=lambda: 0.0), Event()
    first, second = (Thread(target=busy.wait, args=(leave,), daemon=True) for _ in range(2))
    first.start()
    second.start()
    while first.is_alive() and second.is_alive():
        first.join(timeout=0.01)
    assert first.is_alive() or second.is_alive()
    leave.set()
    first.join()
    second.join()


def test_who_shall_leave_waits_no_longer() -> None:
    machine = Machine(1, 0)
    machine.set()
    machine.room.wait(machine)
    assert machine.looks == 0


def test_what_the_machine_says_of_its_processors_only_grows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = room.idle_seconds()
    assert room.idle_seconds() >= before > 0
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 20 300 4000 500 60 7\ncpu0 1 2 3 4 5 6 7\n")
    monkeypatch.setattr(room, "_STAT", stat)
    monkeypatch.setattr("os.sysconf", {"SC_CLK_TCK": 100}.__getitem__)
    assert room.idle_seconds() == 45


def test_where_nobody_says_it_a_processor_counts_as_idle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(room, "_STAT", tmp_path / "none")
    before: Any = room.idle_seconds()
    assert 0 <= room.idle_seconds() - before < 60
