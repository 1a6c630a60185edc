"""The main loop with a queue that answers by script: outages, lost leases, lost tasks, chunks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from database import DatabaseUnavailable, Due, Lane, LeaseLost, NewTask, Outcome, Progress, Renewal, Result, State, Task
from engines.bell import Bell, Ring
from engines.claim import TaskClaim
from engines.lease import Heartbeat, Lease
from engines.loop import DONE, LEASE_LOST, Loop
from engines.room import Room
from engines.workshop import Reports
from targets import Fenced

SETTINGS = Settings.model_validate(
    {
        "queue": {"poll": 0.01, "lease": 60, "heartbeat": 0.01},
        "engine": {"workers": 2, "stop_grace": 0.05},
        "targets": {"origin": {"kind": "memory"}},
        "environments": {"STAGING": {"source": "cms", "origin": "origin"}},
    }
)


def task(number: int) -> Task:
    return Task(number, f"/{number}", "STAGING", "PUBLISH", State.RUNNING, target="origin", fence=number, serial=number)


class Script:
    """Claims that follow a script: each list entry is what the next call gives, or raises."""

    def __init__(self, *batches: list[Task] | Exception) -> None:
        self.batches = list(batches)
        self.starts: list[Exception] = []
        self.finishes: list[Exception] = []
        self.lost: set[int] = set()
        self.takedowns: list[Task] = []
        self.due = True
        self.looks = 0
        self.chunks: list[list[int]] = []
        self.finished: list[int] = []
        self.reported: list[int] = []

    def waiting(self, environment: str) -> Due:
        self.looks += 1
        return Due(self.due, frozenset(one.target or "" for one in self.takedowns))

    def claim(self, engine: object, lanes: Sequence[Lane]) -> list[Task]:
        assert all(lane.limit > 0 for lane in lanes)
        if any(lane.urgent for lane in lanes):
            urgent, self.takedowns = self.takedowns, []
            return urgent
        given = self.batches.pop(0) if self.batches else []
        if isinstance(given, Exception):
            raise given
        return given

    def waited_for(self, environment: str) -> frozenset[str]:
        return frozenset()

    def start(self, engine: object, tasks: Sequence[Task], finished: Sequence[Result]) -> frozenset[int]:
        if self.starts:
            raise self.starts.pop(0)
        self.chunks.append([one.id for one in tasks])
        self.finished += [result.task for result in finished]
        return frozenset(one.id for one in tasks) - self.lost

    def finish(self, engine: object, results: Sequence[Result]) -> frozenset[int]:
        if self.finishes:
            raise self.finishes.pop(0)
        self.finished += [result.task for result in results]
        return frozenset(self.lost)

    def progress(self, engine: object, values: Sequence[Progress]) -> None:
        self.reported += [value.task for value in values]


class Calm:
    """An outlook that always lets claim, and ends when nothing is left."""

    due = True

    def __init__(self, script: Script) -> None:
        self.script, self.outages = script, 0

    def look(self) -> None: ...

    def rung(self, said: Ring) -> None: ...

    def something_ended(self, *, leaving: bool = False) -> None: ...

    def nothing_waits(self) -> None: ...

    def claimed(self, count: int) -> None: ...

    def outage(self) -> None:
        self.outages += 1

    def may_claim(self) -> bool:
        return True

    def pause(self, *, idle: bool) -> float | None:
        return None if idle and not self.script.batches else 0.01


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.loop.OUTAGE_PAUSE", 0.01)
    monkeypatch.setattr("engines.loop.GIVE_BACK", 0.1)
    monkeypatch.setattr("engines.loop.REPORT_EVERY", 0.0)


def made(script: Script, carry_out: Callable[..., Result | None] | None = None, **asked: Any) -> tuple[Loop, Any, Calm]:
    lease = Lease(SETTINGS.queue)
    lease.renewed(lease.clock())
    calm = Calm(script)

    def done(one: Task, targets: object) -> Result | None:
        return Result(one.id, one.fence, Outcome.SUCCEEDED, "done")

    workshop = SimpleNamespace(
        settings=asked.get("settings", SETTINGS),
        environment=SETTINGS.environments["STAGING"],
        engine=SimpleNamespace(start="me", environment="STAGING"),
        lease=lease,
        claims=script,
        reports=Reports(),
        room=Room(idle=monotonic),
        released=False,
        open_target=lambda name: None,
        get_ready=asked.get("get_ready", lambda: None),
        carry_out=carry_out or done,
    )
    never: Callable[[], bool] = lambda: False  # noqa: E731
    loop = Loop(workshop, calm, Bell(), stop=asked.get("stop", never), harder=asked.get("harder", never))  # type: ignore[arg-type]
    return loop, workshop, calm


def test_tasks_start_in_chunks_and_all_are_finished() -> None:
    script = Script([task(n) for n in range(1, 21)])
    loop, _, _ = made(script)
    assert loop.run() == DONE
    loop.close()
    assert script.chunks[0] == list(range(1, 9))
    assert max(len(chunk) for chunk in script.chunks) <= 16
    assert sorted(script.finished) == list(range(1, 21))


def test_results_wait_for_those_that_come_next_but_not_for_one_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.loop.WRITE_EVERY", 0.2)
    written: list[list[int]] = []
    all_written = Event()

    class Noting(Script):
        def finish(self, engine: object, results: Sequence[Result]) -> frozenset[int]:
            written.append([result.task for result in results])
            if sum(map(len, written)) == 7:
                all_written.set()
            return super().finish(engine, results)

    def carry_out(one: Task, targets: object) -> Result:
        assert one.id != 1 or all_written.wait(30), "what has ended waits for a task that does not end"
        return Result(one.id, one.fence, Outcome.SUCCEEDED, "done")

    loop, _, _ = made(Noting([task(n) for n in range(1, 9)]), carry_out)
    assert loop.run() == DONE
    loop.close()
    assert written[-1] == [1]
    assert len(written) <= 4, "each result was written by itself"


def test_the_result_that_an_exclusive_target_waits_for_waits_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.loop.WRITE_EVERY", 60)
    alone = {"origin": SETTINGS.targets["origin"].model_copy(update={"exclusive": True})}
    written, calls = Event(), 0

    class Noting(Script):
        def finish(self, engine: object, results: Sequence[Result]) -> frozenset[int]:
            nonlocal calls
            calls += 1
            written.set()
            return super().finish(engine, results)

    def carry_out(one: Task, targets: object) -> Result:
        if one.id == 1:
            written.wait(5)
        return Result(one.id, one.fence, Outcome.SUCCEEDED, "done")

    script = Noting([task(1), task(2)])
    loop, workshop, _ = made(script, carry_out, settings=SETTINGS.model_copy(update={"targets": alone}))
    loop._written = workshop.lease.clock()
    assert loop.run() == DONE
    loop.close()
    assert script.finished == [2, 1]
    assert calls == 2, "the next task could not be claimed before the other one had ended"


def test_a_database_that_takes_no_results_is_left_alone_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.loop.OUTAGE_PAUSE", 0.03)
    waits: list[float] = []
    script = Script([task(1)])
    script.finishes = [DatabaseUnavailable("no room")] * 3
    loop, _, calm = made(script)
    wait = loop._bell.wait

    def noted(seconds: float) -> Ring:
        waits.append(seconds)
        return wait(seconds)

    monkeypatch.setattr(loop._bell, "wait", noted)
    assert loop.run() == DONE
    loop.close()
    assert script.finished == [1]
    assert waits.count(0.03) == calm.outages == 3


NEXT = (NewTask("/next", "STAGING"),)


@pytest.mark.parametrize(
    ("outcome", "made_by_it", "leaving"),
    [(Outcome.SUCCEEDED, (), False), (Outcome.SUCCEEDED, NEXT, True), (Outcome.RETRY, (), True), (Outcome.RELEASED, (), True)],
)
def test_what_waited_for_results_is_claimed_once_they_are_written(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, made_by_it: tuple[NewTask, ...], leaving: bool
) -> None:
    said: list[str] = []
    script = Script([task(1)])
    loop, _, calm = made(script, lambda one, _: Result(one.id, one.fence, outcome, "ended", new_tasks=made_by_it))

    def something_ended(*, leaving: bool = False) -> None:
        said.append(f"ended {script.finished}, {leaving}")

    monkeypatch.setattr(calm, "something_ended", something_ended)
    assert loop.run() == DONE
    loop.close()
    assert said[-1] == f"ended [1], {leaving}"


def test_an_engine_of_a_drained_environment_ends_what_it_has_and_leaves() -> None:
    script = Script([task(1), task(2)], *[[]] * 1000)
    loop, workshop, _ = made(script)
    workshop.lease.renewed(workshop.lease.clock(), Renewal(drained=True))
    assert loop.run() == DONE
    loop.close()
    assert sorted(script.finished) == [1, 2]
    assert script.batches


def test_an_engine_gets_ready_once_while_it_has_nothing_to_do() -> None:
    """Not before the task that it was started for, and not when it only ends."""
    happened: list[str] = []

    class Lingering(Calm):
        rounds = 0

        def pause(self, *, idle: bool) -> float | None:
            self.rounds += idle
            return 0.01 if self.rounds < 4 else None

    script = Script([task(1)])

    def done(one: Task, targets: object) -> Result | None:
        happened.append("task")
        return Result(one.id, one.fence, Outcome.SUCCEEDED, "done")

    loop, _, _ = made(script, done, get_ready=lambda: happened.append("ready"))
    loop._outlook = Lingering(script)  # type: ignore[assignment]
    assert loop.run() == DONE
    assert happened == ["task", "ready"]
    loop, _, _ = made(Script(), get_ready=lambda: happened.append("ready"))
    assert loop.run() == DONE
    assert happened == ["task", "ready"]


def test_a_long_task_keeps_no_other_from_running() -> None:
    others_done = Event()
    ended: list[int] = []

    def carry_out(one: Task, targets: object) -> Result:
        if one.id == 1:
            assert others_done.wait(30), "the others wait for the long one"
        ended.append(one.id)
        if len(ended) == 4:
            others_done.set()
        return Result(one.id, one.fence, Outcome.SUCCEEDED, "done")

    script = Script([task(n) for n in range(1, 6)])
    loop, _, _ = made(script, carry_out)
    assert loop.run() == DONE
    loop.close()
    assert ended == [2, 3, 4, 5, 1]


def test_a_takedown_overtakes_whatever_keeps_all_workers_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.loop.URGENT_EVERY", 0.0)
    gone = Event()
    ended: list[int] = []

    def carry_out(one: Task, targets: object) -> Result:
        if one.action == "TAKEDOWN":
            gone.set()
        elif not script.takedowns and not gone.is_set():
            script.takedowns.append(replace(task(99), action="TAKEDOWN"))
        assert gone.wait(30), "the takedown waits for a worker of the busy lane"
        ended.append(one.id)
        return Result(one.id, one.fence, Outcome.SUCCEEDED, "done")

    script = Script([task(n) for n in range(1, 9)])
    loop, _, _ = made(script, carry_out)
    assert loop.run() == DONE
    loop.close()
    assert sorted(ended) == [*range(1, 9), 99]
    assert sorted(script.finished) == sorted(ended)


def test_nothing_is_claimed_where_nothing_waits() -> None:
    script = Script([task(1)])
    script.due = False
    loop, _, _ = made(script)
    loop._turn()
    assert (script.looks, len(script.batches)) == (1, 1)
    script.due = True
    loop._turn()
    loop.close()
    assert (script.looks, len(script.batches)) == (2, 0)


def test_an_engine_without_room_looks_for_takedowns_once_in_a_while() -> None:
    ended = Event()

    def carry_out(one: Task, targets: object) -> Result:
        assert ended.wait(30)
        return Result(one.id, one.fence, Outcome.SUCCEEDED, "done")

    script = Script([task(n) for n in range(1, 11)], [task(n) for n in range(11, 17)])
    loop, _, _ = made(script, carry_out)
    for _ in range(5):
        loop._turn()
    assert (script.looks, script.batches) == (2, [])
    loop._urgent_at = 0.0
    loop._turn()
    assert script.looks == 3
    ended.set()
    loop.close()


def test_after_an_outage_a_takedown_waits_for_the_heartbeat_too() -> None:
    script = Script([task(1)])
    script.takedowns = [replace(task(99), action="TAKEDOWN")]
    loop, workshop, _ = made(script)
    workshop.lease._until = 0.0
    loop._turn()
    assert script.takedowns, "it was claimed under a lease that may be over, which ends the engine"
    workshop.lease.renewed(workshop.lease.clock())
    loop._turn()
    assert not script.takedowns
    loop.close()


def test_a_brisk_lane_claims_more_at_once_and_a_slow_one_what_its_workers_can_begin() -> None:
    loop, workshop, _ = made(Script())
    now = [1000.0]
    workshop.lease.clock = lambda: now[0]
    lane = loop._lanes[0]
    limits = []
    pauses = (0, 0.1, 0.1, 0.1, 100, 0.1, 0.1, 0.1, 0.1)
    for pause, took in zip(pauses, (*[0.001] * 6, 10, 10, 10), strict=True):
        now[0] += pause
        wish = lane.wish()
        assert wish is not None
        limits.append(wish.limit)
        lane.take([task(number) for number in range(wish.limit)])
        lane.next_chunk()
        lane._waiting.clear()
        for _ in range(wish.limit + 4):
            lane.note(took)
    assert limits == [10, 10, 20, 40, 10, 10, 20, 4, 4]


def test_a_lane_that_has_not_seen_many_end_wishes_no_more() -> None:
    """One small task that ended at once, and then many large ones: half of them are another engine's."""
    loop, workshop, _ = made(Script())
    workshop.lease.clock = lambda: 1000.0
    lane = loop._lanes[0]
    for _ in range(5):
        wish = lane.wish()
        assert wish is not None
        assert wish.limit == 10
        lane.take([task(1)])
        lane.next_chunk()
        lane.note(0.001)


def test_an_outage_loses_no_task_and_no_result() -> None:
    down = DatabaseUnavailable("down")
    script = Script(down, [task(1)], down)
    script.starts, script.finishes = [down], [down, down]
    loop, _, calm = made(script)
    assert loop.run() == DONE
    assert script.finished == [1]
    assert calm.outages >= 3


def test_a_lost_lease_ends_it() -> None:
    loop, workshop, _ = made(Script(LeaseLost("over")))
    assert loop.run() == LEASE_LOST
    assert not workshop.lease.trusted


def test_a_task_that_was_lost_before_it_began_is_not_executed() -> None:
    script = Script([task(1), task(2)])
    script.lost = {1}
    ran: list[int] = []

    def carry_out(one: Task, targets: object) -> Result:
        ran.append(one.id)
        return Result(one.id, one.fence, Outcome.SUCCEEDED, "done")

    loop, _, _ = made(script, carry_out)
    loop.run()
    assert ran == [2]


def test_a_fenced_task_reports_nothing() -> None:
    script = Script([task(1), task(2)])
    loop, _, _ = made(script, lambda one, targets: None if one.id == 1 else Result(2, 2, Outcome.SUCCEEDED, "done"))
    loop.run()
    assert script.finished == [2]


def test_progress_is_written_while_tasks_run() -> None:
    script = Script([task(1)])
    loop, workshop, _ = made(script)
    workshop.reports.note(1, lambda: Progress(1, "commit"))
    loop.run()
    assert script.reported == [1]
    workshop.reports.note(2, lambda: Progress(2, "commit"))
    workshop.reports.forget(2)
    assert not workshop.reports.take()


def test_nothing_is_told_of_a_task_that_has_just_begun() -> None:
    reports = Reports()
    reports.note(1, lambda: Progress(1, "plan"))
    assert not reports.take()
    reports.note(2, lambda: Progress(2, "plan"))
    assert [progress.task for progress in reports.take()] == [1]
    reports.note(1, lambda: Progress(1, "commit"))
    assert {progress.task: progress.step for progress in reports.take()} == {1: "commit", 2: "plan"}


def test_a_task_that_never_ends_is_left_after_the_grace() -> None:
    script = Script([task(1)])
    gate = Lease(SETTINGS.queue)
    stop: list[bool] = []

    def hang(one: Task, targets: object) -> Result | None:
        stop.append(True)
        while not gate.trusted:
            pass
        return None

    loop, workshop, _ = made(script, hang, stop=lambda: bool(stop))
    assert loop.run() == DONE
    assert workshop.released
    gate.renewed(gate.clock())


def test_a_lease_that_is_lost_while_stopping_ends_it_at_once() -> None:
    stop: list[bool] = []
    done: list[bool] = []

    def hang(one: Task, targets: object) -> Result | None:
        stop.append(True)
        while not done:
            pass
        return None

    parts: list[Any] = []
    loop, workshop, _ = made(Script([task(1)]), hang, stop=lambda: bool(stop), harder=lambda: parts[0].lease.lose() is None)
    parts.append(workshop)
    assert loop.run() == LEASE_LOST
    done.append(True)


def test_an_outage_while_stopping_is_waited_out() -> None:
    script = Script([task(1)])
    script.finishes = [DatabaseUnavailable("down")]
    stop: list[bool] = []

    def run(one: Task, targets: object) -> Result:
        stop.append(True)
        return Result(1, 1, Outcome.SUCCEEDED, "done")

    loop, _, _ = made(script, run, stop=lambda: bool(stop))
    loop.run()
    assert script.finished == [1]


class Pulse:
    """Leases whose answers follow a script."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def renew(self, engine: object, ttl: float) -> Any:
        return self._next()

    def raise_fence(self, engine: object, task: int, above: int) -> Any:
        return self._next()

    def _next(self) -> Any:
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given


def heart(pulse: Any, lease: Lease, wake: Callable[[], None]) -> Heartbeat:
    calm: Any = SimpleNamespace(saw=lambda _fence: None)
    me: Any = SimpleNamespace(start="me")
    return Heartbeat(pulse, calm, me, lease, SETTINGS.queue, wake)


@pytest.mark.parametrize("first", [DatabaseUnavailable("down"), None])
def test_the_heartbeat_beats_until_the_lease_is_lost(first: Exception | None) -> None:
    lease, rings = Lease(SETTINGS.queue), Bell()
    lease.renewed(lease.clock())
    pulse = Pulse(first or Renewal(frozenset({3})), LeaseLost("over"))
    heartbeat = heart(pulse, lease, rings.ring)
    heartbeat.start()
    assert not rings.wait(10)
    heartbeat.stop()
    assert not lease.trusted
    assert lease.cancelled == (frozenset() if first else {3})


def beating(lease: Lease, *answers: Any) -> Heartbeat:
    heartbeat = heart(Pulse(*answers), lease, lambda: None)
    heartbeat.start()
    return heartbeat


def test_the_heartbeat_goes_on_although_the_lease_ran_out_during_an_outage() -> None:
    lease, down = Lease(SETTINGS.queue), DatabaseUnavailable("down")
    lease.renewed(lease.clock() - SETTINGS.queue.lease)
    assert not lease.trusted
    heartbeat = beating(lease, down, down, *[Renewal()] * 100, LeaseLost("over"))
    lease.check()
    heartbeat._thread.join(10)
    assert lease.lost


def test_the_heartbeat_gives_up_when_the_database_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.lease.FORBEARANCE", -1e9)
    lease = Lease(SETTINGS.queue)
    beating(lease, DatabaseUnavailable("down"))._thread.join(10)
    assert lease.lost


def claim(lease: Lease, *answers: Any) -> TaskClaim:
    nonces = iter(["aaaaaaaa", "bbbbbbbb"])
    return TaskClaim("q", None, replace(task(5), serial=3), lease, Pulse(*answers), lambda: next(nonces))  # type: ignore[arg-type]


def test_a_renewed_claim_has_new_numbers() -> None:
    lease = Lease(SETTINGS.queue)
    lease.renewed(lease.clock())
    shown = claim(lease, (12, 12))
    assert (shown.fence, shown.serial, shown.nonce) == (5, 3, "aaaaaaaa")
    shown.renew(above=11)
    assert (shown.fence, shown.serial, shown.nonce) == (12, 12, "bbbbbbbb")


def test_a_claim_asks_the_database_once_what_time_it_is() -> None:
    shown = claim(Lease(SETTINGS.queue, iter([50.0, 50.0, 53.5]).__next__))
    asked = iter([datetime.fromtimestamp(1_800_000_000, UTC)])
    shown._leases = SimpleNamespace(now=lambda: next(asked))  # type: ignore[assignment]
    assert (shown.now(), shown.now()) == (1_800_000_000, 1_800_000_003)


def test_a_claim_is_not_renewed_without_the_lease() -> None:
    lease = Lease(SETTINGS.queue)
    lease.renewed(lease.clock())
    with pytest.raises(Fenced):
        claim(lease, LeaseLost("over")).renew(above=11)
    assert lease.lost
    with pytest.raises(Fenced):
        claim(lease, (12, 12)).renew(above=11)
