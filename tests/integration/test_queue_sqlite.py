"""What only SQLite does: its one write lock, its loose types, its files."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from database import Database, DatabaseError, DatabaseUnavailable, Desk, Intake, NewTask, State, connection, transactions
from support.queue import Queue

WORKER = """
import sys
from database import Claims, Database, Lane, Leases, Outcome, Result
db = Database.connect(sys.argv[1])
claims, engine = Claims(db), Leases(db).register("STAGING", "host", "boot", 1, 60, "0.1.0")
while tasks := claims.claim(engine, [Lane("staging", 4)]):
    claims.start(engine, tasks)
    assert not claims.finish(engine, [Result(task.id, task.fence, Outcome.SUCCEEDED, "done") for task in tasks])
    for task in tasks:
        print(task.id)
"""


def test_several_processes_share_the_queue(sqlite_queue: Queue) -> None:
    ids = sqlite_queue.desk.insert_many(NewTask(f"/{n}", "STAGING") for n in range(60))
    sqlite_queue.intake.accept(sqlite_queue.settings)
    workers = [
        subprocess.Popen([sys.executable, "-P", "-c", WORKER, sqlite_queue.url], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    done = [int(line) for worker in workers for line in worker.communicate(timeout=60)[0].split()]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sorted(done) == ids


def test_files_are_kept_safe(sqlite_queue: Queue) -> None:
    def pragmas(used: object) -> list[object]:
        return [used.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "busy_timeout")]  # type: ignore[attr-defined]

    assert sqlite_queue.db.change(pragmas) == ["wal", 2, 5000]


def test_bytes_that_are_no_text_keep_no_other_row_from_being_read(sqlite_queue: Queue) -> None:
    sqlite_queue.sql(
        "INSERT INTO publication_task_queue (url, environment, note) VALUES (CAST(x'2fff' AS TEXT), 'STAGING', x'ff')"
    )
    sqlite_queue.sql("INSERT INTO publication_task_queue (url, environment, parameters) VALUES (x'ff', 5, x'00')")
    good = sqlite_queue.desk.insert(NewTask("/a", "STAGING"))
    assert sqlite_queue.intake.accept(sqlite_queue.settings) == 3
    assert sqlite_queue.state(good) is State.READY
    assert len(sqlite_queue.desk.find()) == 3


@pytest.mark.parametrize(
    "value", ["2026-11-21T10:00:00", "2026-11-21 10:00:00Z", "2026-11-21 10:00:00+02:00", "2026-13-21 10:00:00", "soon"]
)
def test_times_that_would_not_sort_are_refused(sqlite_queue: Queue, value: str) -> None:
    path = sqlite_queue.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as used, pytest.raises(sqlite3.IntegrityError, match="run_after_is_utc_as_yyyy_mm_dd_hh_mm_ss"):
        used.execute("INSERT INTO publication_task_queue (url, environment, run_after) VALUES ('/a', 'STAGING', ?)", (value,))
    used.close()


def test_a_file_that_stays_locked_is_said_so(sqlite_queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT", 0.05)
    monkeypatch.setattr(transactions, "PATIENCE", 0.3)
    database = Database.connect(sqlite_queue.url)
    locker = sqlite3.connect(sqlite_queue.url.removeprefix("sqlite:///"), isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable, match="stayed busy"):
        Desk(database).insert(NewTask("/a", "STAGING"))
    # Those who only look are never kept waiting.
    assert Desk(database).find() == []
    locker.close()
    database.close()


def test_the_clock_is_the_machines_where_nobody_moves_it(sqlite_queue: Queue) -> None:
    database = Database.connect(sqlite_queue.url)
    assert abs(Intake(database).poll().now.timestamp() - time.time()) < 5
    database.close()
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_queue_in_memory_is_refused(url: str) -> None:
    with pytest.raises(DatabaseError, match="name a file"):
        Database.connect(url)


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    Database.connect(f"sqlite:///{tmp_path}/a/b/queue.db").close()
    assert (tmp_path / "a/b").is_dir()
