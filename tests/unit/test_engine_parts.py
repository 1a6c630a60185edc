"""The engine's decisions: how long a lease is trusted, when to look, claim and end, what a lane takes."""

import os
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from threading import Event
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from database import Lane, Poll, Renewal, State, Task
from engines.bell import Bell, Ring
from engines.lanes import TargetLane
from engines.lease import Lease
from engines.outlook import Outlook
from targets import Fenced

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = Settings.model_validate({"queue": {"lease": 60, "margin": 5, "poll": 0.3}, "engine": {"linger": 30}})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Queue:
    """What the outlook asks of intake and leases: answers from a list, and a diary."""

    def __init__(self) -> None:
        self.answer = Poll(NOW)
        self.accepts: list[int] = []
        self.diary: list[str] = []
        self.dead: list[str] = []
        self.patient = False
        self.ended: list[int] = []
        self.additions = 0

    def poll(self) -> Poll:
        self.diary.append("poll")
        return self.answer

    def accept(self, settings: Settings, limit: int) -> int:
        self.diary.append("accept")
        return self.accepts.pop(0) if self.accepts else 0

    def add_up(self, limit: int) -> int:
        self.additions += 1
        return min(limit, self.ended.pop(0)) if self.ended else 0

    def sweep(self) -> int:
        self.diary.append("sweep")
        return 0

    def rescue(self) -> list[str]:
        self.diary.append("rescue")
        return self.dead

    def outage(self) -> None:
        self.diary.append("outage")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue() -> Queue:
    return Queue()


def outlook(queue: Any, clock: Clock, *, until_idle: bool = False, bell: Bell | None = None) -> Outlook:
    return Outlook(SETTINGS, "STAGING", queue, queue, bell or Bell(), clock, until_idle=until_idle)


def test_a_lease_is_trusted_from_the_moment_the_request_was_sent_less_a_margin(clock: Clock) -> None:
    lease = Lease(SETTINGS.queue, clock)
    sent = clock.now
    clock.now += 10
    lease.renewed(sent, Renewal(frozenset({7})))
    assert lease.cancelled == {7}
    clock.now = sent + 54.9
    lease.check()
    clock.now = sent + 55
    assert not lease.trusted
    lease.lose()
    with pytest.raises(Fenced, match="lease is over"):
        lease.check()


@pytest.mark.parametrize("taken", [False, True])
def test_whoever_asks_while_nobody_can_say_waits_for_the_answer(clock: Clock, taken: bool) -> None:
    lease = Lease(SETTINGS.queue, clock)
    lease.renewed(clock.now)
    clock.now += 56
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lease.check)
        assert not wait([asked], timeout=0.1).done
        lease.lose() if taken else lease.renewed(clock.now)
        assert isinstance(asked.exception(10), Fenced) is taken


def test_a_lost_lease_never_comes_back(clock: Clock) -> None:
    lease = Lease(SETTINGS.queue, clock)
    lease.renewed(clock.now)
    lease.lose()
    lease.renewed(clock.now)
    assert not lease.trusted


def test_it_claims_at_once_and_waits_longer_after_each_empty_claim(queue: Queue, clock: Clock) -> None:
    queue.answer = replace(queue.answer, due=frozenset({"STAGING"}))
    look = outlook(queue, clock)
    waits = []
    for _ in range(7):
        look.look()
        assert look.may_claim()
        look.claimed(0)
        start = clock.now
        while not look.may_claim():
            clock.now = round(clock.now + 0.5, 3)
            look.look()
        waits.append(clock.now - start)
    assert waits == [1, 2, 3, 4, 5, 5, 5]


def test_what_ends_or_comes_in_makes_it_claim_at_once(queue: Queue, clock: Clock) -> None:
    queue.answer = replace(queue.answer, due=frozenset({"STAGING"}))
    look = outlook(queue, clock)
    look.claimed(0)
    assert not look.may_claim()
    look.something_ended()
    assert look.may_claim()
    look.claimed(0)
    queue.answer = Poll(NOW)
    clock.now += 0.4
    look.look()
    queue.answer = replace(queue.answer, due=frozenset({"STAGING"}))
    clock.now += 0.4
    look.look()
    assert look.may_claim()


def test_it_polls_no_more_often_than_configured(queue: Queue, clock: Clock) -> None:
    look = outlook(queue, clock)
    for _ in range(10):
        look.look()
        clock.now += 0.1
    assert queue.diary == ["poll"] * 4


def test_whoever_polls_takes_in_sweeps_and_rescues(queue: Queue, clock: Clock) -> None:
    queue.answer = Poll(NOW, intake=True, cancel=True, dead=True)
    queue.accepts = [500, 3]
    outlook(queue, clock).look()
    assert queue.diary == ["poll", "accept", "accept", "sweep", "rescue", "poll"]


def test_an_outage_is_told_to_whoever_declares_engines_dead(queue: Queue, clock: Clock) -> None:
    outlook(queue, clock).outage()
    assert queue.diary == ["outage"]


def test_what_ended_is_added_up_now_and_then_and_at_once_while_there_is_more(queue: Queue, clock: Clock) -> None:
    look, queue.ended = outlook(queue, clock), [1000, 3]
    counts = []
    for pause in (0.4, 0.4, 0.4, 29.0, 1.0):
        clock.now += pause
        look.look()
        counts.append(queue.additions)
    assert counts == [1, 2, 2, 2, 3]


def test_an_engine_from_cron_does_not_go_before_it_may_say_who_is_dead(queue: Queue, clock: Clock) -> None:
    queue.answer, queue.patient = Poll(NOW, dead=True), True
    look = outlook(queue, clock, until_idle=True)
    look.claimed(0)
    look.look()
    clock.now += 1
    look.look()
    assert look.pause(idle=True) is not None
    queue.patient = False
    assert look.pause(idle=True) is None


def test_it_lingers_after_its_last_task(queue: Queue, clock: Clock) -> None:
    look = outlook(queue, clock)
    look.look()
    clock.now += 29
    assert look.pause(idle=True) is not None
    clock.now += 1
    assert look.pause(idle=False) is not None
    assert look.pause(idle=True) is None


def test_it_does_not_leave_what_is_due(queue: Queue, clock: Clock) -> None:
    queue.answer = replace(queue.answer, due=frozenset({"STAGING"}))
    look = outlook(queue, clock)
    clock.now += 60
    look.look()
    assert look.pause(idle=True) is not None


def test_until_idle_ends_after_a_look_that_finds_nothing(queue: Queue, clock: Clock) -> None:
    look = outlook(queue, clock, until_idle=True)
    look.something_ended()
    assert look.pause(idle=True) is not None
    clock.now += 0.4
    look.look()
    assert look.pause(idle=False) is not None
    assert look.pause(idle=True) is None


def test_until_idle_gives_up_on_what_is_due_and_cannot_be_claimed(queue: Queue, clock: Clock) -> None:
    queue.answer = replace(queue.answer, due=frozenset({"STAGING"}))
    look = outlook(queue, clock, until_idle=True)
    for _ in range(3):
        clock.now += 0.4
        look.look()
        assert look.pause(idle=True) is not None
        assert look.may_claim()
        look.claimed(0)
    assert look.pause(idle=True) is None


def test_an_attended_engine_waits_for_the_bell(queue: Queue, clock: Clock) -> None:
    reader, writer = os.pipe()
    bell = Bell(reader)
    look = outlook(queue, clock, bell=bell)
    look.look()
    look.claimed(0)
    assert not look.may_claim()
    clock.now += 10
    assert not look.may_claim()
    look.rung(Ring.NEWS)
    assert look.may_claim()
    assert not queue.diary
    assert look.pause(idle=False) == 1.0
    look.claimed(0)
    look.rung(Ring.STILL)
    assert not look.may_claim(), "what is due still, it could not take"
    clock.now += 0.5
    assert look.pause(idle=False) == 0.5
    look.rung(Ring.NEWS)
    assert look.may_claim()
    os.close(writer)
    bell.close()


def test_where_nothing_waits_only_a_ring_or_what_is_left_makes_something_due(queue: Queue, clock: Clock) -> None:
    reader, writer = os.pipe()
    bell = Bell(reader)
    look = outlook(queue, clock, bell=bell)
    for something_comes in (partial(look.rung, Ring.STILL), partial(look.something_ended, leaving=True)):
        look.nothing_waits()
        look.something_ended()
        assert not look.due
        something_comes()
        assert look.may_claim()
        look.something_ended()
        assert look.may_claim()
    look.nothing_waits()
    os.close(writer)
    assert not bell.wait(10)
    look.look()
    look.something_ended()
    assert look.may_claim(), "nobody rings for it any more"
    bell.close()


def test_the_bell_tells_rings_of_the_daemon_from_our_own() -> None:
    reader, writer = os.pipe()
    bell = Bell(reader)
    bell.ring()
    bell.ring()
    assert not bell.wait(10)
    assert not bell.wait(0)
    os.write(writer, b"\n")
    assert bell.wait(10) is Ring.STILL
    os.write(writer, b"\n!\n\n")
    assert bell.wait(10) is Ring.NEWS
    os.close(writer)
    assert not bell.wait(10)
    assert not bell.attended
    assert not bell.wait(0)
    bell.close()


def test_a_ring_after_the_end_reaches_nobody() -> None:
    bell = Bell()
    bell.close()
    reader, writer = os.pipe()
    bell.ring()
    os.close(writer)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_tasks_that_end_at_once_are_started_more_together_and_others_few() -> None:
    clock = Clock()
    settings = Settings.model_validate(
        {"engine": {"workers": 2}, "targets": {"o": {"kind": "memory"}}, "environments": {"E": {"source": "c", "origin": "o"}}}
    )
    workshop: Any = SimpleNamespace(settings=settings, environment=settings.environments["E"], lease=SimpleNamespace(clock=clock))
    lane = TargetLane("o", workshop, lambda *_: None)
    started = []
    for took in (0.001, 0.001, 0.001, 0.1, 10, 100):
        lane.take([Task(number, f"/{number}", "E", "PUBLISH", State.RUNNING) for number in range(90)])
        started.append(len(lane.next_chunk()))
        for _ in range(8):
            lane.note(took)
    assert started == [8, 16, 32, 64, 10, 2]


def test_a_lane_says_what_it_holds_and_whether_a_worker_is_free() -> None:
    lane = one_of_two()
    assert lane.wish() == Lane("o", 10, ("source:c",), engines=2, held=0, least=1, begin=8)
    lane.take([Task(number, f"/{number}", "E", "PUBLISH", State.RUNNING) for number in range(10)])
    lane.busy = len(lane.next_chunk())
    assert lane.wish() == Lane("o", 6, ("source:c",), engines=2, held=10, least=0)


def test_what_began_with_its_claim_goes_to_the_workers_at_once() -> None:
    lane = one_of_two()
    workshop: Any = lane._workshop
    workshop.room = SimpleNamespace(wait=lambda *_: None, crowded=lambda: False)
    workshop.open_target = lambda _: None
    workshop.carry_out = lambda task, _: None
    wish = lane.wish()
    assert wish is not None
    tasks = [Task(number, f"/{number}", "E", "PUBLISH", State.RUNNING) for number in range(wish.limit)]
    begun = [replace(task, started_at=NOW) for task in tasks[: wish.begin]]
    lane.take([*begun, *tasks[wish.begin :]])
    assert (lane.busy, lane._chunk) == (8, 16), "all the room was used: more may begin together the next time"
    assert not lane.next_chunk(), "each worker has a task"
    lane.busy = 0
    assert lane.next_chunk() == tasks[wish.begin :]
    lane.dismiss()


def test_a_lane_that_got_less_than_it_wished_asks_again_when_half_of_it_is_done_or_a_worker_is_free() -> None:
    lane = one_of_two()
    lane.wish()
    lane.take([Task(number, f"/{number}", "E", "PUBLISH", State.RUNNING) for number in range(6)])
    lane.busy = len(lane.next_chunk())
    asked = []
    while lane.busy:
        asked.append(lane.wish() is not None)
        lane.busy -= 1
    assert asked == [False, False, False, True, True, True]


def test_a_worker_that_the_processors_have_no_time_for_is_not_free() -> None:
    lane = one_of_two()
    workshop: Any = lane._workshop
    room, waits = Event(), Event()

    def wait_for_room(*_: object) -> None:
        waits.set()
        room.wait(60)

    workshop.room = SimpleNamespace(wait=wait_for_room, crowded=lambda: False)
    workshop.open_target = lambda _: None
    workshop.carry_out = lambda task, _: None
    assert lane._free == 2
    for number in range(2):
        lane.begin(Task(number, f"/{number}", "E", "PUBLISH", State.RUNNING))
    assert waits.wait(60)
    lane.busy = 1
    assert lane._free == 0
    lane.busy = 0
    assert lane._free == 1
    room.set()
    while lane._free < 2:
        sleep(0.001)
    lane.dismiss()


def test_an_urgent_lane_leaves_nothing_to_others() -> None:
    lane = one_of_two(urgent=True)
    assert lane.wish() == Lane("o", 10, urgent=True, begin=8)


def one_of_two(*, urgent: bool = False) -> TargetLane:
    """A lane with two workers, of an engine that is one of two."""
    settings = Settings.model_validate(
        {
            "engine": {"workers": 2},
            "targets": {"o": {"kind": "memory"}},
            "environments": {"E": {"source": "c", "origin": "o", "engines": 2}},
        }
    )
    workshop: Any = SimpleNamespace(
        settings=settings, environment=settings.environments["E"], lease=SimpleNamespace(clock=Clock())
    )
    return TargetLane("o", workshop, lambda *_: None, urgent=urgent)
