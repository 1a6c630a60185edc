"""What an engine does with tasks: claims, starts and finishes them, tells how far they are, and makes further ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import random as system_random

from sqlalchemy import Connection, bindparam, select

from config import RetrySettings
from database import schema
from database.actions import Action
from database.breakers import ProbeEnds
from database.claiming import BATCH, claim
from database.connection import Database
from database.errors import DatabaseUnavailable
from database.expanding import expand
from database.finishing import Finishing, Written
from database.lane import Lane
from database.starting import write_progress
from database.takedowns import EVERYWHERE
from database.values import Engine, NewTask, Outcome, Progress, Result, Task

_queue = schema.queue.c
_READY = select(_queue.id).with_hint(schema.queue, "FORCE INDEX (k_due)", "mysql").where(_queue.status == "READY")
_ROOTS = _READY.where(_queue.environment == EVERYWHERE)
_DUE = _READY.where(_queue.environment == bindparam("environment"), _queue.hold == 0, _queue.run_after <= schema.NOW)
_WAITING = select(_DUE.exists().label("due"), _ROOTS.exists().label("takedowns"))


@dataclass(frozen=True, slots=True)
class Due:
    """What waits in an environment."""

    due: bool
    """Whether any task does, though perhaps nobody can take it now: behind a breaker, in a module at work, after others."""
    urgent: frozenset[str] = frozenset()
    """Targets on which a takedown waits, whether the engine has lanes for them or not."""


class Claims:
    """What an engine does with tasks. `retry` says how long failures wait; `random` gives numbers in [0, 1)."""

    def __init__(self, db: Database, retry: RetrySettings | None = None, random: Callable[[], float] = system_random) -> None:
        self._db = db
        self._finishing = Finishing(retry or RetrySettings(), random)
        self._unsure: list[Task] = []
        """Claimed perhaps: the answer to a commit was lost, and the database stayed away. Nobody would carry them out."""

    def claim(self, engine: Engine, lanes: Sequence[Lane]) -> list[Task]:
        """The next tasks for these lanes, RUNNING and fenced, best first; older ones of the same modules end SUPERSEDED.

        Empty when nothing can be claimed now: an open breaker, a paused environment, a module at work, a dependent
        that waits. Raises LeaseLost.
        """
        claimed: list[Task] = []

        def work(connection: Connection) -> list[Task]:
            # After a connection was lost during COMMIT nobody knows whether it was done: what this engine holds tells.
            if claimed and _hold(connection, engine, claimed):
                return list(claimed)
            self._give_back(connection, engine)
            claimed[:] = claim(connection, engine, lanes)
            return list(claimed)

        try:
            tasks = self._db.change(work)
        except DatabaseUnavailable:
            self._unsure += claimed
            raise
        self._unsure.clear()
        return tasks

    def _give_back(self, connection: Connection, engine: Engine) -> None:
        said = "the database did not say whether an engine had claimed it"
        unsure = [Result(task.id, task.fence, Outcome.RELEASED, said) for task in self._unsure]
        if unsure:
            self._finishing.write(connection, engine, unsure, careful=True)

    def waited_for(self, environment: str) -> frozenset[str]:
        """Targets that tasks of an environment wait for, whether it has a lane for them or not."""
        wanted = select(_queue.target).where(_queue.status == "READY", _queue.environment == environment).distinct()
        wanted = wanted.where(_queue.target.is_not(None), _queue.action != Action.TAKEDOWN)
        return self._db.look(lambda connection: frozenset(connection.scalars(wanted)))

    def waiting(self, environment: str) -> Due:
        """Whether an engine of this environment could find something: one statement, where a claim is ten."""
        return self._db.look(lambda connection: _waiting(connection, environment))

    def start(self, engine: Engine, tasks: Sequence[Task], finished: Sequence[Result] = ()) -> frozenset[int]:
        """Note that these begin, and write what the last ones came to, in one commit; the ids that are still this engine's."""
        return self._write(engine, finished, tasks).begun

    def finish(self, engine: Engine, results: Sequence[Result]) -> frozenset[int]:
        """Write results, a batch a transaction. The ids of tasks that were lost: nothing was written for those.

        The same results again change nothing.
        """
        lost: set[int] = set()
        for first in range(0, len(results), BATCH):
            lost |= self._write(engine, results[first : first + BATCH]).lost
        return frozenset(lost)

    def _write(self, engine: Engine, results: Sequence[Result], begin: Sequence[Task] = ()) -> Written:
        def work(connection: Connection, *, careful: bool) -> Written:
            return self._finishing.write(connection, engine, results, begin, careful=careful)

        try:
            return self._db.change(partial(work, careful=False))
        except ProbeEnds:
            return self._db.change(partial(work, careful=True))

    def expand(self, engine: Engine, task: Task, rows: Sequence[NewTask], cursor: str) -> None:
        """Insert rows that a running task makes, and how far it came, in one transaction. Raises LeaseLost.

        A second call with the same cursor does nothing.
        """
        self._db.change(lambda connection: expand(connection, engine, task, rows, cursor))

    def progress(self, engine: Engine, values: Progress | Sequence[Progress]) -> None:
        """Write how far running tasks are; what is not this engine's any more is left out."""
        several = [values] if isinstance(values, Progress) else values
        self._db.change(lambda connection: write_progress(connection, engine, several))


def _waiting(connection: Connection, environment: str) -> Due:
    row = connection.execute(_WAITING, {"environment": environment}).one()
    # Nearly always there is no open takedown.
    return Due(bool(row.due), _urgent(connection, environment) if row.takedowns else frozenset())


def _urgent(connection: Connection, environment: str) -> frozenset[str]:
    waiting = select(_queue.target).where(
        _queue.batch.in_(connection.scalars(_ROOTS).all()),
        _queue.action == Action.TAKEDOWN,
        _queue.status == "READY",
        _queue.environment == environment,
        _queue.hold == 0,
        _queue.cancel_requested == 0,
        _queue.run_after <= schema.NOW,
    )
    return frozenset(connection.scalars(waiting.distinct()))


def _hold(connection: Connection, engine: Engine, tasks: Sequence[Task]) -> bool:
    fences = {task.id: task.fence for task in tasks}
    wanted = select(_queue.id, _queue.fence).where(
        _queue.id.in_(list(fences)), _queue.engine == engine.start, _queue.status == "RUNNING"
    )
    return {row.id: row.fence for row in connection.execute(wanted)} == fences
