"""Many engines, operators and intakes at once; sessions that are cut or stand still."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from database import (
    Claims,
    Database,
    DatabaseUnavailable,
    Desk,
    Intake,
    Lane,
    Leases,
    NewTask,
    Outcome,
    Result,
    State,
    transactions,
)
from support.mariadb import Server
from support.queue import Queue


@pytest.fixture
def connect(mariadb_queue: Queue) -> Iterator[Callable[[], Database]]:
    """Opens the same database again and again."""
    opened: list[Database] = []

    def again() -> Database:
        opened.append(Database.connect(mariadb_queue.url))
        return opened[-1]

    yield again
    for database in opened:
        database.close()


def test_engines_of_two_environments_on_one_target_never_overlap(mariadb_queue: Queue, connect: Callable[[], Database]) -> None:
    modules, until = 12, time.monotonic() + 3
    held: Counter[str] = Counter()
    overlaps: list[str] = []
    guard = threading.Lock()

    def work(environment: str) -> int:
        db = connect()
        leases, claims = Leases(db), Claims(db)
        engine = leases.register(environment, "host", "boot", 1, 60, "0.1.0")
        done = 0
        while time.monotonic() < until:
            tasks = claims.claim(engine, [Lane("staging", 5)])
            with guard:
                held.update(task.url for task in tasks)
                overlaps.extend(task.url for task in tasks if held[task.url] > 1)
            claims.start(engine, tasks)
            with guard:
                held.subtract(task.url for task in tasks)
            lost = claims.finish(engine, [Result(task.id, task.fence, Outcome.SUCCEEDED, "done") for task in tasks])
            assert not lost
            done += len(tasks)
        leases.leave(engine)
        return done

    def operate(number: int) -> int:
        db = connect()
        desk, count = Desk(db), 0
        while time.monotonic() < until:
            ids = desk.insert_many(NewTask(f"/{n}", ["STAGING", "SHARED"][n % 2]) for n in range(number, modules, 2))
            desk.cancel(ids[:1]) if count % 3 else None
            count += len(ids)
            time.sleep(0.02)
        return count

    def take_in() -> int:
        db, count = connect(), 0
        while time.monotonic() < until:
            count += Intake(db).accept(mariadb_queue.settings) + Intake(db).sweep()
            time.sleep(0.01)
        return count

    with ThreadPoolExecutor(8) as pool:
        engines = [pool.submit(work, environment) for environment in ("STAGING", "SHARED", "STAGING", "SHARED")]
        others = [pool.submit(operate, 0), pool.submit(operate, 1), pool.submit(take_in), pool.submit(take_in)]
        done, rest = [each.result() for each in engines], [each.result() for each in others]
    assert overlaps == []
    assert min(done) > 0
    assert min(rest[:2]) > 0
    assert (rows_in(mariadb_queue, "RUNNING"), rows_in(mariadb_queue, "SUCCEEDED")) == (0, sum(done))


def rows_in(queue: Queue, state: str) -> int:
    """How many rows are in a state; there are more than a thousand of them on a machine that is quick."""
    counted = "SELECT COUNT(*) FROM publication_task_queue WHERE status = %s"
    return queue.db.look(lambda connection: int(connection.exec_driver_sql(counted, (state,)).scalar_one()))


def test_newest_wins_under_contention_by_the_events(mariadb_queue: Queue, connect: Callable[[], Database]) -> None:
    ids = mariadb_queue.desk.insert_many(NewTask(f"/{n % 5}", "STAGING") for n in range(200))
    mariadb_queue.intake.accept(mariadb_queue.settings)

    def work() -> list[tuple[str, int]]:
        db = connect()
        claims, engine = Claims(db), Leases(db).register("STAGING", "host", "boot", 1, 60, "0.1.0")
        ran: list[tuple[str, int]] = []
        while tasks := claims.claim(engine, [Lane("staging", 2)]):
            ran += [(task.url, task.id) for task in tasks]
            claims.finish(engine, [Result(task.id, task.fence, Outcome.SUCCEEDED, "done") for task in tasks])
        return ran

    with ThreadPoolExecutor(4) as pool:
        ran = [each for future in [pool.submit(work) for _ in range(4)] for each in future.result()]
    assert sorted(id_ for _, id_ in ran) == ids[-5:]
    assert mariadb_queue.counts() == {"STAGING": {"SUCCEEDED": 5, "SUPERSEDED": 195}}


def test_a_session_that_stands_still_in_a_transaction_loses_its_locks(
    mariadb_queue: Queue, connect: Callable[[], Database]
) -> None:
    mariadb_queue.ready()
    begun, over = threading.Event(), threading.Event()

    def stand_still() -> None:
        def work(connection: Connection) -> None:
            connection.exec_driver_sql("SELECT * FROM target FOR UPDATE")
            begun.set()
            over.wait(20)
            connection.exec_driver_sql("SELECT 1")

        connect().change(work)

    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(stand_still)
        assert begun.wait(10)
        began = time.monotonic()
        assert len(mariadb_queue.claim(mariadb_queue.engine())) == 1
        assert time.monotonic() - began < 8
        over.set()
        # Its transaction is done again, from the start, on a new connection.
        stopped.result()


def test_a_connection_that_is_killed_is_replaced(mariadb_queue: Queue, mariadb_server: Server) -> None:
    mariadb_queue.ready()
    engine = mariadb_queue.engine()
    kill_all(mariadb_server, mariadb_queue)
    [task] = mariadb_queue.claim(engine)
    kill_all(mariadb_server, mariadb_queue)
    assert not mariadb_queue.intake.poll().intake
    kill_all(mariadb_server, mariadb_queue)
    mariadb_queue.end(engine, task)
    assert mariadb_queue.state(task.id) is State.SUCCEEDED


def test_a_transaction_that_was_cut_in_its_middle_is_done_again_once(mariadb_queue: Queue, mariadb_server: Server) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> int:
        tries.append(1)
        key = connection.exec_driver_sql(
            "INSERT INTO publication_task_queue (url, environment) VALUES ('/a', 'STAGING')"
        ).lastrowid
        if len(tries) == 1:
            kill_all(mariadb_server, mariadb_queue)
        return int(key)

    mariadb_queue.db.change(work)
    assert len(tries) == 2
    assert len(mariadb_queue.desk.find()) == 1


@pytest.mark.parametrize("verb", ["claim", "finish"])
def test_an_answer_lost_during_commit_is_found_out(mariadb_queue: Queue, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """The commit went through, the connection was cut before its answer: nothing is claimed twice, nothing counts as lost."""
    mariadb_queue.ready("/a")
    mariadb_queue.ready("/b")
    engine = mariadb_queue.engine()
    cuts: list[int] = []
    once: Any = transactions._once

    def cut_after(*arguments: object) -> object:
        answer = once(*arguments)
        if not cuts:
            cuts.append(1)
            raise OperationalError("COMMIT", {}, Exception(2013, "Lost connection"))
        return answer

    if verb == "claim":
        monkeypatch.setattr(transactions, "_once", cut_after)
        assert len(mariadb_queue.claim(engine, limit=1)) == 1
        assert mariadb_queue.counts() == {"STAGING": {"READY": 1, "RUNNING": 1}}
    else:
        [task] = mariadb_queue.claim(engine, limit=1)
        monkeypatch.setattr(transactions, "_once", cut_after)
        mariadb_queue.end(engine, task)
        assert len(mariadb_queue.show(task.id).events) == 3
    assert cuts


def test_a_row_that_an_operator_has_locked_is_left_for_the_next_time_with_its_whole_module(
    mariadb_queue: Queue, mariadb_server: Server
) -> None:
    old, new = mariadb_queue.ready("/a"), mariadb_queue.ready("/a")
    other = mariadb_queue.ready("/b")
    operator = mariadb_server.connect(mariadb_queue.url.rsplit("/", 1)[1])
    operator.begin()
    with operator.cursor() as cursor:
        cursor.execute("UPDATE publication_task_queue SET priority=1 WHERE id=%s", (old,))
    engine = mariadb_queue.engine()
    assert [task.id for task in mariadb_queue.claim(engine)] == [other]
    operator.rollback()
    operator.close()
    assert [task.id for task in mariadb_queue.claim(engine)] == [new]


def test_a_new_row_that_an_operator_has_locked_is_not_overtaken_by_its_module(
    mariadb_queue: Queue, mariadb_server: Server
) -> None:
    old, new, other = mariadb_queue.desk.insert_many(
        [NewTask("/a", "STAGING"), NewTask("/a", "STAGING"), NewTask("/b", "STAGING")]
    )
    operator = mariadb_server.connect(mariadb_queue.url.rsplit("/", 1)[1])
    operator.begin()
    with operator.cursor() as cursor:
        cursor.execute("UPDATE publication_task_queue SET hold=1 WHERE id=%s", (old,))
    assert mariadb_queue.intake.accept(mariadb_queue.settings) == 1
    assert mariadb_queue.states(old, new, other) == ["NEW", "NEW", "READY"]
    operator.commit()
    operator.close()
    assert mariadb_queue.intake.accept(mariadb_queue.settings) == 2


def test_a_sweep_leaves_what_an_operator_has_locked(mariadb_queue: Queue, mariadb_server: Server) -> None:
    id_ = mariadb_queue.ready()
    mariadb_queue.desk.cancel([id_])
    operator = mariadb_server.connect(mariadb_queue.url.rsplit("/", 1)[1])
    operator.begin()
    with operator.cursor() as cursor:
        cursor.execute("UPDATE publication_task_queue SET priority=1 WHERE id=%s", (id_,))
    assert mariadb_queue.intake.sweep() == 0
    operator.rollback()
    operator.close()
    assert mariadb_queue.intake.sweep() == 1


def test_one_intake_at_a_time(mariadb_queue: Queue, mariadb_server: Server) -> None:
    mariadb_queue.desk.insert(NewTask("/a", "STAGING"))
    other = mariadb_server.connect(mariadb_queue.url.rsplit("/", 1)[1])
    other.begin()
    with other.cursor() as cursor:
        cursor.execute("SELECT value FROM counter WHERE name='intake' FOR UPDATE")
    assert mariadb_queue.intake.accept(mariadb_queue.settings) == 0
    other.rollback()
    other.close()
    assert mariadb_queue.intake.accept(mariadb_queue.settings) == 1


def test_a_server_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "TRIES", 3)
    database = Database.connect("mysql+pymysql://slipway@127.0.0.1:1/ocw")
    with pytest.raises(DatabaseUnavailable, match=r"does not answer: .*2003"):
        database.check_schema()


def test_a_wrong_password_is_said_at_once_and_never_shown(mariadb_server: Server) -> None:
    with pytest.raises(DatabaseUnavailable, match="denied") as caught:
        Database.connect(mariadb_server.url("mysql", "nobody"), "the secret").check_schema()
    assert "the secret" not in str(caught.value)


def test_a_database_that_is_missing_is_said_at_once(mariadb_server: Server) -> None:
    with pytest.raises(DatabaseUnavailable, match="Unknown database 'missing'"):
        Database.connect(mariadb_server.url("missing")).check_schema()


def kill_all(server: Server, queue: Queue) -> None:
    """KILL every connection of this queue, as a proxy or an administrator would."""
    connection = server.connect()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db=%s", (queue.url.rsplit("/", 1)[1],))
        for (id_,) in cursor.fetchall():
            cursor.execute(f"KILL CONNECTION {id_}")
    connection.close()
