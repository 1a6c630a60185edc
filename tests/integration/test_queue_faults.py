"""What a database does at night: deadlocks, a replica after a fail-over, a full disk, rows that somebody changed by hand."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import pymysql
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from database import Database, DatabaseError, DatabaseUnavailable, NewTask, Outcome, Result, connection
from database.transactions import ours
from support.mariadb import Server
from support.queue import Queue


def test_of_two_transactions_in_a_deadlock_both_are_done(mariadb_queue: Queue) -> None:
    first, second = mariadb_queue.ready("/a"), mariadb_queue.ready("/b")
    both = threading.Barrier(2, timeout=20)
    tries: list[int] = []

    def lock(mine: int, other: int) -> None:
        def work(connection: Connection) -> None:
            tries.append(mine)
            change = "UPDATE publication_task_queue SET priority = priority + 1 WHERE id = %s"
            connection.exec_driver_sql(change, (mine,))
            if tries.count(mine) == 1:
                both.wait()
            connection.exec_driver_sql(change, (other,))

        mariadb_queue.db.change(work)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(lock, first, second), pool.submit(lock, second, first)]:
            future.result(60)
    assert len(tries) > 2, "one of them had to begin again"
    assert {mariadb_queue.show(id_).task.priority for id_ in (first, second)} == {102}


def test_what_the_server_did_not_commit_is_not_committed_with_what_comes_next(
    mariadb_queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = "INSERT INTO publication_task_queue (url, environment) VALUES ('/a', 'STAGING')"

    def refused(_connection: object) -> None:
        raise pymysql.err.OperationalError(1180, "Got error 28 during COMMIT")

    with monkeypatch.context() as at_once:
        at_once.setattr(pymysql.connections.Connection, "commit", refused)
        with pytest.raises(DatabaseError, match="during COMMIT"):
            mariadb_queue.db.change(lambda connection: connection.exec_driver_sql(insert))
    mariadb_queue.db.change(lambda connection: connection.exec_driver_sql("SELECT 1"))
    assert mariadb_queue.desk.find() == []


def test_a_replica_after_a_fail_over_is_waited_for(mariadb_queue: Queue, mariadb_server: Server) -> None:
    """Until the new primary may be written: an account that is no administrator is told 1290."""
    database = mariadb_queue.url.rpartition("/")[2]
    mariadb_server.execute(
        "CREATE OR REPLACE USER failed_over@'%' IDENTIFIED BY ''", f"GRANT ALL ON {database}.* TO failed_over@'%'"
    )
    engines = Database.connect(mariadb_server.url(database, "failed_over"))
    mariadb_server.execute("SET GLOBAL read_only = 1")
    try:
        timer = threading.Timer(1.5, lambda: mariadb_server.execute("SET GLOBAL read_only = 0"))
        timer.start()
        insert = "INSERT INTO publication_task_queue (url, environment) VALUES ('/a', 'STAGING')"
        engines.change(lambda connection: connection.exec_driver_sql(insert))
        timer.join()
    finally:
        mariadb_server.execute("SET GLOBAL read_only = 0", "DROP USER failed_over@'%'")
        engines.close()
    assert [task.url for task in mariadb_queue.desk.find()] == ["/a"]


def test_a_database_without_room_is_waited_for(sqlite_queue: Queue) -> None:
    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for number in range(100):
            insert = "INSERT INTO publication_task_queue (url, environment, note) VALUES (?, 'STAGING', ?)"
            connection.exec_driver_sql(insert, (f"/{number}", "x" * 4000))

    with pytest.raises(DatabaseUnavailable, match=r"has no room.*Make room"):
        sqlite_queue.db.change(fill)
    assert sqlite_queue.desk.find() == []


@pytest.mark.parametrize("number", [1021, 1030, 1114])
def test_a_server_without_room_is_waited_for(number: int) -> None:
    error: DBAPIError = OperationalError("INSERT", {}, Exception(number, "The table 'event' is full"))
    assert type(ours(error)) is DatabaseUnavailable
    assert "has no room" in str(ours(error))


def test_a_row_that_somebody_changed_by_hand_is_not_written_over(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.sql("UPDATE publication_task_queue SET status = 'CANCELLED' WHERE id = :id", id=id_)
    result = Result(id_, task.fence, Outcome.SUCCEEDED, "done", new_tasks=(NewTask("/x", "STAGING"),))
    assert queue.claims.finish(engine, [result]) == {id_}
    assert queue.states(id_) == ["CANCELLED"]
    assert [row.url for row in queue.desk.find()] == ["/a"]


def test_a_claim_waits_for_no_lock_of_somebody_else(mariadb_queue: Queue, mariadb_server: Server) -> None:
    locked, free = mariadb_queue.ready("/locked"), mariadb_queue.ready("/free")
    with closing(mariadb_server.connect(mariadb_queue.url.rpartition("/")[2])) as operator:
        operator.begin()
        with operator.cursor() as cursor:
            cursor.execute("SELECT * FROM publication_task_queue WHERE id = %s FOR UPDATE", (locked,))
        began = time.monotonic()
        assert [task.id for task in mariadb_queue.claim(mariadb_queue.engine())] == [free]
        assert time.monotonic() - began < 2.5, "less than a wait for a lock, which is 3 s"


def test_where_a_server_knows_no_idle_transactions_its_sessions_are_short(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on MySQL: a session that stands still is cut, so one in the pool is replaced before that."""
    monkeypatch.setattr(connection, "IDLE", "idle_transaction_timeout_of_mysql")
    database = Database.connect(mariadb_url)

    def session() -> tuple[int, int]:
        asked = text("SELECT @@wait_timeout, CONNECTION_ID()")
        row = database.change(lambda connection: connection.execute(asked).one())
        return row[0], row[1]

    timeout, first = session()
    assert timeout == 2 * connection.LOCK_WAIT
    assert session() == (timeout, first), "within its time it is used again"
    now = time.monotonic()
    monkeypatch.setattr(connection, "time", SimpleNamespace(monotonic=lambda: now + connection.LOCK_WAIT))
    assert session()[1] != first
    database.close()
