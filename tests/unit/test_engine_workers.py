"""The workers of a lane: who carries out what comes, who stays back, and for how long."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, current_thread
from types import SimpleNamespace
from typing import Any

import pytest

from database import State, Task
from engines.workers import LONG, Workers
from support.deployment import eventually


class Room:
    """Crowded, or not, as a test says. Who waits leaves only when needed."""

    def __init__(self, *, crowded: bool) -> None:
        self.is_crowded, self.open = crowded, Event()
        self.waiting = 0

    def crowded(self) -> bool:
        return self.is_crowded

    def wait(self, leave: Event, needed: Callable[[], bool]) -> None:
        self.waiting += 1
        while not (leave.is_set() or needed() or self.open.wait(0.001)):
            """As the real one does."""
        self.waiting -= 1


class Crew:
    """Workers, each of whose tasks lasts until it is released."""

    def __init__(self, room: Room, *, urgent: bool = False) -> None:
        self.room, self.now = room, 0.0
        self.begun = SimpleQueue[tuple[int, str]]()
        self.release = {number: Event() for number in range(20)}
        self.ended = SimpleQueue[int]()
        workshop: Any = SimpleNamespace(
            room=room,
            lease=SimpleNamespace(clock=lambda: self.now),
            open_target=lambda _: None,
            carry_out=self._carry_out,
        )
        self.workers = Workers("o", 3, workshop, lambda task, *_: self.ended.put(task.id), urgent=urgent)

    def _carry_out(self, task: Task, _: object) -> None:
        self.begun.put((task.id, current_thread().name))
        assert self.release[task.id].wait(60)

    def give(self, *numbers: int) -> None:
        for number in numbers:
            self.workers.give(Task(number, f"/{number}", "E", "PUBLISH", State.RUNNING), busy=3)

    def who_began(self, *numbers: int) -> set[str]:
        """The workers that took these tasks, which are the next that begin."""
        begun = [self.begun.get(timeout=60) for _ in numbers]
        assert {number for number, _ in begun} == {*numbers}
        return {name for _, name in begun}

    def all_at_work(self) -> None:
        """Each of the three has begun one of the first tasks; from here on nobody lets another one begin."""
        self.give(1, 2, 3)
        self.who_began(1, 2, 3)
        self.room.open.clear()

    def all_back_but_one(self) -> None:
        eventually(lambda: self.room.waiting == 2, 60, "two workers that stay back")
        assert self.workers.ready == 1

    def end(self, *numbers: int) -> None:
        for number in numbers:
            self.release[number].set()
        assert {self.ended.get(timeout=60) for _ in numbers} == {*numbers}

    def leave(self) -> None:
        for event in self.release.values():
            event.set()
        self.workers.dismiss()


@pytest.fixture
def calm() -> Room:
    room = Room(crowded=False)
    room.open.set()
    return room


def test_where_there_is_room_all_of_them_work(calm: Room) -> None:
    crew = Crew(calm)
    crew.give(1, 2, 3)
    assert len(crew.who_began(1, 2, 3)) == 3
    crew.end(1, 2, 3)
    assert crew.workers.ready == 3
    crew.leave()


def test_where_it_is_crowded_one_goes_on(calm: Room) -> None:
    crew = Crew(calm)
    crew.all_at_work()
    calm.is_crowded = True
    crew.give(4, 5, 6)
    crew.end(1, 2, 3)
    crew.all_back_but_one()
    names = set()
    for number in (4, 5, 6):
        names |= crew.who_began(number)
        crew.end(number)
    assert len(names) == 1
    calm.open.set()
    eventually(lambda: crew.workers.ready == 3, 60, "room for all of them")
    crew.leave()


def test_one_who_stays_back_is_needed_while_all_others_are_at_tasks_that_last() -> None:
    crew = Crew(Room(crowded=True))
    crew.give(1, 2, 3, 4)
    [first] = crew.who_began(1)
    eventually(lambda: crew.room.waiting == 2, 60, "two workers that have not begun")
    crew.now += LONG
    for number in (2, 3, 4):
        assert crew.who_began(number).isdisjoint({first})
        crew.end(number)
    crew.leave()


def test_after_a_pause_one_begins(calm: Room) -> None:
    crew = Crew(calm)
    crew.all_at_work()
    crew.end(1, 2, 3)
    crew.workers.begin_anew()
    crew.give(4, 5)
    crew.who_began(4)
    crew.all_back_but_one()
    crew.end(4)
    crew.who_began(5)
    crew.leave()


def test_nobody_looks_for_room_while_nothing_comes(calm: Room) -> None:
    crew = Crew(calm)
    crew.all_at_work()
    calm.is_crowded = True
    crew.end(1, 2, 3)
    crew.all_back_but_one()
    crew.now += LONG
    eventually(lambda: crew.workers.ready == 3, 60, "workers that wait for a task alone")
    assert not calm.waiting
    crew.leave()


def test_urgent_ones_never_stay_back() -> None:
    crew = Crew(Room(crowded=True), urgent=True)
    crew.give(1, 2, 3)
    assert len(crew.who_began(1, 2, 3)) == 3
    crew.end(1, 2, 3)
    crew.give(4, 5, 6)
    assert len(crew.who_began(4, 5, 6)) == 3
    crew.workers.begin_anew()
    assert crew.workers.ready == 3
    assert not crew.room.waiting
    crew.leave()


def test_who_stays_back_leaves_when_all_do() -> None:
    crew = Crew(Room(crowded=True))
    crew.give(1, 2, 3)
    crew.who_began(1)
    eventually(lambda: crew.room.waiting == 2, 60, "two workers that have not begun")
    crew.release[1].set()
    crew.leave()
    assert not crew.room.waiting
