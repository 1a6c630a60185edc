"""What the server is asked: one statement for a poll, no sorting in a claim, sessions as they must be."""

from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.dialects import mysql

from database import Lane, NewTask, Outcome, Result, State, picking, polling, schema, starting, underway
from support.queue import Queue


def questions(queue: Queue) -> tuple[int, int]:
    """The session that polls, and how many statements it had so far, the second of these two among them."""

    def ask(connection: Connection) -> tuple[int, int]:
        asked = "SHOW SESSION STATUS LIKE 'Questions'"
        return connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one(), int(connection.exec_driver_sql(asked).one()[1])

    return queue.db.look(ask)


def test_a_poll_is_one_statement(mariadb_queue: Queue) -> None:
    mariadb_queue.intake.poll()
    session, before = questions(mariadb_queue)
    for _ in range(10):
        mariadb_queue.intake.poll()
    # Asking costs two statements itself.
    assert questions(mariadb_queue) == (session, before + 10 + 2)


def written(queue: Queue) -> int:
    """How many statements the session that writes had so far; to ask costs two."""
    asked = "SHOW SESSION STATUS LIKE 'Questions'"
    return queue.db.change(lambda connection: int(connection.exec_driver_sql(asked).one()[1]))


def test_what_a_task_takes_of_the_queue_is_few_statements(mariadb_queue: Queue) -> None:
    engine = mariadb_queue.engine()
    for number in range(6):
        mariadb_queue.ready(f"/{number}")
    first = mariadb_queue.claim(engine, limit=3)
    mariadb_queue.claims.start(engine, first)
    results = [Result(task.id, task.fence, Outcome.SUCCEEDED, f"done {task.id}") for task in first]
    before = written(mariadb_queue)
    others = mariadb_queue.claims.claim(engine, [Lane("staging", 64, begin=2)])
    claimed = written(mariadb_queue)
    mariadb_queue.claims.start(engine, others, results)
    ended = written(mariadb_queue)
    assert not mariadb_queue.claim(engine)
    empty = written(mariadb_queue)
    # Engine, targets, candidates, tasks, fences, tasks, attempts, events, COMMIT.
    assert claimed - before - 2 == 9
    # Tasks, tasks and attempts that end, events, tasks and attempts that begin, COMMIT.
    assert ended - claimed - 2 == 7
    assert empty - ended - 2 == 4


def read(queue: Queue) -> int:
    """How many rows and entries of indexes the session that writes has read so far; to ask reads none."""
    asked = "SHOW SESSION STATUS LIKE 'Handler\\_read\\_%'"
    return queue.db.change(lambda connection: sum(int(row[1]) for row in connection.exec_driver_sql(asked.replace("%", "%%"))))


@pytest.mark.parametrize("count", [1, 2, 8])
def test_what_a_task_takes_does_not_grow_with_what_was_done_before(mariadb_queue: Queue, count: int) -> None:
    columns = "task, fence, number, engine, host, claimed_at, ended_at, outcome"
    done = "1, 'an engine', 'a host', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 'SUCCEEDED'"
    mariadb_queue.sql(f"INSERT INTO attempt ({columns}) SELECT seq + 1000000, seq + 1000000, {done} FROM seq_1_to_3000")
    engine = mariadb_queue.engine()
    for number in range(2 * count):
        mariadb_queue.ready(f"/{number}")
    tasks, others = mariadb_queue.claim(engine, limit=count), mariadb_queue.claim(engine)
    before = read(mariadb_queue)
    assert len(mariadb_queue.claims.start(engine, tasks)) == count
    mariadb_queue.claims.finish(engine, [Result(task.id, task.fence, Outcome.SUCCEEDED, f"done {task.id}") for task in tasks])
    mariadb_queue.leases.leave(engine)
    assert [mariadb_queue.state(task.id) for task in others] == [State.READY] * count
    assert read(mariadb_queue) - before < 1000


def test_whose_tasks_end_locks_them_by_their_numbers_alone(filled: Queue) -> None:
    [asked] = explain(filled, starting.MINE.params(ids=[1, 2, 3], engine="an engine"))
    assert (asked.key, asked.type) == ("PRIMARY", "range")


def explain(queue: Queue, statement: Any) -> list[Any]:
    compiled = str(statement.compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True}))
    return list(queue.db.look(lambda connection: connection.exec_driver_sql(f"EXPLAIN {compiled.replace('%', '%%')}").all()))


@pytest.fixture
def filled(mariadb_queue: Queue) -> Queue:
    """A queue with a few thousand rows of every state, so that the server has a choice."""
    mariadb_queue.desk.insert_many(NewTask(f"/{n}", "STAGING", priority=n % 7) for n in range(500))
    mariadb_queue.intake.accept(mariadb_queue.settings)
    columns = "url, environment, action, priority, run_after, status, target, absorbs, max_attempts, batch"
    for number in range(4):
        mariadb_queue.sql(
            f"INSERT INTO publication_task_queue ({columns}) SELECT CONCAT(url, '/{number}'), environment, action, priority, run_after,"
            f" {'status' if number < 2 else repr('SUCCEEDED')}, target, absorbs, max_attempts, id FROM publication_task_queue"
        )
    mariadb_queue.sql("ANALYZE TABLE publication_task_queue")
    return mariadb_queue


@pytest.mark.parametrize("among", picking.Among)
def test_a_claim_reads_its_candidates_in_the_order_of_an_index(filled: Queue, among: picking.Among) -> None:
    target = "notice:cache" if among is picking.Among.TELLING else "staging"
    rows = explain(filled, picking.candidates(among).params(environment="STAGING", target=target, limit=64))
    [candidates] = [row for row in rows if row.table == "t"]
    assert (candidates.key, candidates.type) == ("k_pick", "ref")
    assert not [row for row in rows if "filesort" in (row.Extra or "") or "temporary" in (row.Extra or "")]
    assert {row.key for row in rows} <= {"k_pick", "k_running", "k_batch", "k_module", "PRIMARY"}


def test_what_waits_for_a_source_is_passed_over_without_reading_its_rows(filled: Queue) -> None:
    def passed_and_read(connection: Connection) -> list[int]:
        asked = "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_icp_attempts', 'Handler_icp_match')"
        return [int(row[1]) for row in connection.exec_driver_sql(asked)]

    def look(connection: Connection) -> list[int]:
        before = passed_and_read(connection)
        assert not picking.find_candidates(connection, "STAGING", "staging", 64, picking.Among.SOURCELESS)
        return [after - earlier for after, earlier in zip(passed_and_read(connection), before, strict=True)]

    passed, read = filled.db.look(look)
    assert (passed >= 500, read) == (True, 0)


def test_every_part_of_a_poll_is_a_look_along_an_index(filled: Queue) -> None:
    rows = explain(filled, polling.statement())
    on_queue = [row for row in rows if (row.table or "").startswith(("t", "publication", "anon")) and row.key is not None]
    assert {row.key for row in on_queue} >= {"k_due"}
    assert all(
        row.type != "ALL"
        for row in rows
        if row.table in {"t", "roots", "removing", "telling", "m", "anon_1", "anon_2", "publication_task_queue_1"}
    )


def test_watching_looks_along_indexes_too(filled: Queue) -> None:
    rows = explain(filled, underway.waiting_statement("STAGING", 1000))
    on_queue = [row for row in rows if row.table == "publication_task_queue"]
    assert {row.key for row in on_queue} == {"k_due"}
    assert all("Using index" in row.Extra for row in on_queue)
    running = underway.moving_statement(schema.queue.c.status == "RUNNING", 1000, underway.BY_STATE)
    assert [(row.key, row.type) for row in explain(filled, running)] == [("k_due", "ref"), ("PRIMARY", "eq_ref")]


def test_sessions_are_as_claims_need_them(mariadb_queue: Queue) -> None:
    asked = text(
        "SELECT @@tx_isolation, @@innodb_lock_wait_timeout, @@idle_transaction_timeout, @@time_zone,"
        " @@sql_mode LIKE '%STRICT_ALL_TABLES%', @@character_set_connection"
    )
    row = mariadb_queue.db.change(lambda connection: connection.execute(asked).one())
    assert tuple(row) == ("READ-COMMITTED", 3, 3, "+00:00", 1, "utf8mb4")


def test_text_of_any_language_goes_in_and_out(mariadb_queue: Queue) -> None:
    # The server's own default is latin1 here.
    id_ = mariadb_queue.desk.insert(NewTask("/cours/été-物理-🚢", "STAGING", note="Ω"))
    task = mariadb_queue.show(id_).task
    assert (task.url, task.note) == ("/cours/été-物理-🚢", "Ω")
