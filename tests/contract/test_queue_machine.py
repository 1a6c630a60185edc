"""Any sequence of what people and engines do keeps the queue's promises; on SQLite, with a clock that is moved."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from sqlalchemy import text

from database import Database, Engine, HeldPlan, LeaseLost, NewTask, NoSuchTask, Outcome, Result, State, Task
from reliability.history import check
from reliability.rows import read_rows
from support.queue import Clock, Queue
from support.schema import sqlite_template

URLS = st.sampled_from(["/a", "/a/b", "/c"])
OUTCOMES = st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.HELD])
ENDED = {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.REJECTED, State.SUPERSEDED}


class QueueMachine(RuleBasedStateMachine):
    """The model is small: fences only rise, ended tasks stay as they are, nobody is in a module twice."""

    tasks, claims, engines = Bundle("tasks"), Bundle("claims"), Bundle("engines")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="slipway-machine-"))
        shutil.copy(sqlite_template(), self.folder / "queue.db")
        clock = Clock()
        self.queue = Queue("", Database.connect(f"sqlite:///{self.folder}/queue.db", clock=clock), clock)
        self.fence = 0
        self.ended: dict[int, State] = {}
        self.inserted: set[int] = set()
        self.deferred: set[int] = set()

    def teardown(self) -> None:
        self.queue.db.close()
        url = f"sqlite:///{self.folder}/queue.db"
        violations = check(read_rows(url, accepted=self.inserted, deferred=self.deferred))
        shutil.rmtree(self.folder)
        assert not violations, "\n".join(map(str, violations))

    @rule(
        target=tasks, url=URLS, environment=st.sampled_from(["STAGING", "SHARED"]), priority=st.integers(1, 3), hold=st.booleans()
    )
    def insert(self, url: str, environment: str, priority: int, hold: bool) -> int:
        task = self.queue.desk.insert(NewTask(url, environment, priority=priority, hold=hold))
        self.inserted.add(task)
        self.deferred |= {task} if hold else set()
        return task

    @rule(target=tasks, url=URLS)
    def insert_in_future(self, url: str) -> int:
        self.queue.sql(
            "INSERT INTO publication_task_queue (url, environment, run_after) VALUES (:url, 'STAGING', datetime(UTC_TIMESTAMP(6), '+1 minute'))",
            url=url,
        )
        task = self.queue.desk.find(limit=1)[0].id
        self.inserted.add(task)
        self.deferred.add(task)
        return task

    @rule()
    def poll(self) -> None:
        poll = self.queue.intake.poll()
        if poll.intake:
            assert self.queue.intake.accept(self.queue.settings) > 0
        if poll.dead:
            assert self.queue.rescue()
        self.queue.intake.sweep()

    @rule(task=tasks, verb=st.sampled_from(["cancel", "hold", "release"]))
    def change(self, task: int, verb: str) -> None:
        self.deferred.add(task)
        try:
            getattr(self.queue.desk, verb)([task])
        except NoSuchTask:
            assert self.queue.state(task) not in {State.NEW, State.READY}

    @rule(target=engines, environment=st.sampled_from(["STAGING", "SHARED"]))
    def register(self, environment: str) -> Engine:
        return self.queue.engine(environment)

    @rule(engine=engines)
    def renew(self, engine: Engine) -> None:
        self._if_alive(lambda: self.queue.leases.renew(engine, 60))

    @rule(target=claims, engine=engines, limit=st.integers(1, 3), start=st.booleans())
    def claim(self, engine: Engine, limit: int, start: bool) -> tuple[Engine, list[Task]]:
        found: list[Task] = []
        self._if_alive(lambda: found.extend(self.queue.claim(engine, limit=limit)))
        for task in found:
            assert not task.hold
            assert not task.cancel_requested
            assert task.fence > self.fence
        self.fence = max([self.fence, *(task.fence for task in found)])
        if start:
            self.queue.claims.start(engine, found)
        return engine, found

    @rule(claim=consumes(claims), outcome=OUTCOMES)
    def finish(self, claim: tuple[Engine, list[Task]], outcome: Outcome) -> None:
        engine, tasks = claim
        breaker = "staging" if outcome is Outcome.UNREACHABLE else None
        results = [Result(task.id, task.fence, outcome, "because", breaker=breaker) for task in tasks]
        owned = {task.id for task in tasks if self._owner(task) == engine.start}
        assert self.queue.claims.finish(engine, results) == {task.id for task in tasks} - owned

    @rule(claim=consumes(claims))
    def guard(self, claim: tuple[Engine, list[Task]]) -> None:
        engine, tasks = claim
        self.queue.claims.finish(
            engine, [Result(task.id, task.fence, Outcome.HELD, "?", plan=HeldPlan("ab", "{}")) for task in tasks]
        )

    @rule(task=tasks)
    def approve(self, task: int) -> None:
        if self.queue.state(task) is State.HELD:
            self.queue.desk.approve(task, "ab")

    @rule(engine=engines)
    def die(self, engine: Engine) -> None:
        self.queue.leases.bury(engine.start)

    @rule(seconds=st.sampled_from([1, 20, 61, 400]))
    def wait(self, seconds: int) -> None:
        self.queue.clock.forward(seconds)

    def _if_alive(self, verb: Any) -> None:
        try:
            verb()
        except LeaseLost:
            return

    def _owner(self, task: Task) -> str | None:
        """Whose the task is under this very fence."""
        row = self._rows(f"SELECT engine, fence FROM publication_task_queue WHERE id={task.id}")[0]
        return str(row[0]) if row[1] == task.fence and row[0] else None

    def _rows(self, statement: str) -> list[Any]:
        return list(self.queue.db.look(lambda connection: connection.execute(text(statement)).all()))

    @invariant()
    def ended_tasks_stay_as_they_are(self) -> None:
        now = {task.id: task.state for task in self.queue.desk.find(limit=1000) if task.state in ENDED}
        assert self.ended.items() <= now.items()
        self.ended = now

    @invariant()
    def what_runs_has_an_engine_that_is_up_and_a_module_of_its_own(self) -> None:
        rows = self._rows(
            "SELECT q.target, q.url, e.state FROM publication_task_queue q LEFT JOIN engine e ON e.start=q.engine WHERE q.status='RUNNING'"
        )
        assert all(row[2] == "UP" for row in rows)
        assert len({row[:2] for row in rows}) == len(rows)
        assert not self._rows("SELECT id FROM publication_task_queue WHERE status<>'RUNNING' AND engine IS NOT NULL")

    @invariant()
    def every_attempt_ended_or_runs(self) -> None:
        open_attempts = self._rows("SELECT task FROM attempt WHERE outcome IS NULL ORDER BY task")
        assert open_attempts == self._rows("SELECT id FROM publication_task_queue WHERE status='RUNNING' ORDER BY id")
        assert not self._rows("SELECT id FROM publication_task_queue WHERE attempts<0 OR (serial>fence)")


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
