"""Whose tasks are taken over, and when: dead for sure, killed first, or left to the fence; and nobody right after an outage."""

import os
from dataclasses import dataclass, field

import pytest

from config import Ended, this_host
from database import Engine, State, Takeover
from support.queue import Queue

LEASE = 60.0


@dataclass
class Host:
    """Which pids run here, and what came of ending them."""

    now: float = 1000.0
    running: set[int] = field(default_factory=set)
    answer: Ended = Ended.KILLED
    ended: list[tuple[int, int]] = field(default_factory=list)

    def looks(self, queue: Queue) -> Takeover:
        return Takeover(
            queue.leases, LEASE, clock=lambda: self.now, running=lambda pid, _began: pid in self.running, end=self.end
        )

    def end(self, pid: int, began: int) -> Ended:
        self.ended.append((pid, began))
        return self.answer


@pytest.fixture
def host() -> Host:
    return Host()


def register(queue: Queue, pid: int, host: str = "", ttl: float = LEASE) -> Engine:
    name, boot = this_host()
    return queue.leases.register("STAGING", host or name, boot, pid, ttl, "0.1.0", began=77)


def test_an_engine_of_this_host_whose_process_is_gone_is_dead_whatever_its_lease_says(queue: Queue, host: Host) -> None:
    task = queue.ready()
    gone, here, elsewhere = register(queue, 1), register(queue, 2), register(queue, 1, "another")
    host.running = {2}
    queue.claim(gone)
    assert host.looks(queue).bury() == 1
    assert queue.state(task) is State.READY
    up = {view.engine.start for view in queue.leases.engines()}
    assert up == {here.start, elsewhere.start}
    assert host.looks(queue).bury() == 0


def test_an_expired_lease_of_a_gone_process_waits_for_nothing(queue: Queue, host: Host) -> None:
    engine = register(queue, 1)
    queue.clock.forward(LEASE + 1)
    takeover = host.looks(queue)
    assert takeover.patient
    assert takeover.rescue() == [engine.start]
    assert host.ended == []


def test_a_process_that_lives_after_its_lease_is_killed_before_its_tasks_are_taken(queue: Queue, host: Host) -> None:
    task = queue.ready()
    engine = register(queue, 1)
    queue.claim(engine)
    queue.clock.forward(LEASE + 1)
    host.running, takeover = {1}, host.looks(queue)
    assert takeover.rescue() == [], "it may be about to renew"
    host.now += 10
    assert takeover.rescue() == [engine.start]
    assert host.ended == [(1, 77)]
    assert queue.state(task) is State.READY


def test_a_process_that_may_not_be_killed_loses_its_tasks_all_the_same(
    queue: Queue, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    task = queue.ready()
    engine = register(queue, 1)
    queue.claim(engine)
    queue.clock.forward(LEASE + 1)
    host.running, host.answer, takeover = {1}, Ended.SPARED, host.looks(queue)
    host.now += 10
    assert takeover.rescue() == [engine.start]
    assert queue.state(task) is State.READY
    assert "the fence on the target stops it" in capsys.readouterr().out


def test_a_process_that_ended_by_itself_meanwhile_is_no_news(queue: Queue, host: Host) -> None:
    engine = register(queue, 1)
    queue.clock.forward(LEASE + 1)
    host.running, host.answer, takeover = {1}, Ended.GONE, host.looks(queue)
    host.now += 10
    assert takeover.rescue() == [engine.start]


def test_after_an_outage_nobody_is_declared_dead_for_one_lease(queue: Queue, host: Host) -> None:
    """Every lease is over, and every engine lives: none of them loses a task."""
    tasks = [queue.ready(f"/{number}") for number in range(4)]
    engines = [register(queue, number, host=["", "another"][number % 2]) for number in range(4)]
    for engine in engines:
        queue.claim(engine, limit=1)
    host.running, takeover = set(range(4)), host.looks(queue)
    host.now += 3600
    queue.clock.forward(3600)
    takeover.outage()
    assert takeover.rescue() == []
    for engine in engines[:3]:
        queue.leases.renew(engine, LEASE)
    host.now += LEASE
    assert takeover.rescue() == [engines[3].start]
    assert [queue.state(task) for task in tasks] == [State.RUNNING] * 3 + [State.READY]
    assert host.ended == [], "it is another host's"


def test_an_engine_that_renews_between_the_look_and_the_word_keeps_its_tasks(queue: Queue, host: Host) -> None:
    engine = register(queue, 1, "another")
    queue.clock.forward(LEASE + 1)
    takeover = host.looks(queue)
    host.now += 10
    looked = queue.leases.expired()
    queue.leases.renew(engine, LEASE)
    queue.leases.expired = lambda: looked  # type: ignore[method-assign]
    assert takeover.rescue() == []


def test_an_engine_that_renewed_while_another_was_being_killed_is_left_alone(queue: Queue, host: Host) -> None:
    """To see a process gone takes seconds, and the look is as old as the first of them."""
    engines = {number: register(queue, number) for number in (1, 2)}
    queue.clock.forward(LEASE + 1)
    host.running, takeover = {1, 2}, host.looks(queue)
    host.now += 10
    kill = host.end

    def slowly(pid: int, began: int) -> Ended:
        queue.leases.renew(engines[3 - pid], LEASE)
        return kill(pid, began)

    takeover._end = slowly
    assert len(takeover.rescue()) == 1
    assert len(host.ended) == 1


def test_an_engine_that_polls_for_itself_does_not_end_itself(queue: Queue, host: Host) -> None:
    register(queue, os.getpid())
    queue.clock.forward(LEASE + 1)
    takeover = host.looks(queue)
    host.now += 10
    assert takeover.rescue() == []
    assert host.ended == []
