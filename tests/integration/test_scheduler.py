"""The daemon as a real process, with real signals, on SQLite. Its engines are stand-ins that tell what is done to them."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from answers import trends
from database import Database, Desk, Intake, Leases, NewTask, State, upgrade
from support.daemon import CONFIG, LONGEST, Daemon
from support.deployment import eventually


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon(tmp_path)
    yield one
    one.stop()


def test_a_row_starts_an_engine_and_keeps_ringing_it(daemon: Daemon) -> None:
    daemon.start()
    daemon.says("database available")
    assert daemon.told() == [], "nothing is due yet"
    daemon.insert()
    ((_, _, _, environment, workers, notify, own_session),) = daemon.waits_for("started")
    assert (environment, workers, notify, own_session) == ("STAGING", "4", "-", "True")
    daemon.waits_for("rung", 3)
    assert len(daemon.told("started")) == 1


def test_an_environment_that_is_started_by_hand_gets_no_engine(daemon: Daemon) -> None:
    text = CONFIG + 'environments.MIRROR = { source = "cms", origin = "staging", start = "manual" }\n'
    daemon.config.write_text(text)
    task = daemon.insert("MIRROR")
    daemon.start()
    eventually(lambda: daemon.on_database(lambda db: Desk(db).show(task).task.state) == State.READY, LONGEST, "intake")
    time.sleep(0.5)
    assert daemon.told() == []


def test_a_second_engine_joins_while_there_is_more_to_do(daemon: Daemon) -> None:
    daemon.count_waits_alone()
    daemon.config.write_text(CONFIG.replace('origin = "staging" }', 'origin = "staging", engines = 2 }'))
    daemon.insert()
    daemon.start()
    daemon.waits_for("started", 2)
    first, second = daemon.moments("engine process started")
    assert 2 <= round(second - first, 3) < 2.1, "by the daemon's own clock"
    time.sleep(2.5)
    assert len(daemon.told("started")) == 2


def test_an_engine_that_crashes_is_started_again_later_and_later(daemon: Daemon) -> None:
    daemon.count_waits_alone()
    daemon.mode("crash")
    daemon.insert()
    daemon.start()
    daemon.waits_for("started", 5)
    started, ended = daemon.moments("engine process started"), daemon.moments("engine process ended")
    rests = [round(again - before, 3) for before, again in zip(ended[:4], started[1:5], strict=True)]
    assert [wanted <= rest < wanted + 0.1 for wanted, rest in zip((0.2, 0.4, 0.8, 0.8), rests, strict=True)] == [True] * 4, rests
    assert "exit code 3" in daemon.stderr


def test_a_killed_engine_is_buried_at_once_and_its_task_goes_on(daemon: Daemon) -> None:
    daemon.mode("claim")
    task = daemon.insert()
    daemon.start()
    ((_, pid, _, claimed),) = daemon.waits_for("claimed")
    assert int(claimed) == task
    daemon.mode("stay")
    begun = time.monotonic()
    os.kill(int(pid), signal.SIGKILL)
    eventually(lambda: daemon.on_database(lambda db: Desk(db).show(task).task.state) == State.READY, LONGEST, "READY again")
    assert time.monotonic() - begun < 10, "its lease had 600 s to go"
    view = daemon.on_database(lambda db: Desk(db).show(task))
    assert [attempt.outcome for attempt in view.attempts] == ["LOST"]
    assert daemon.on_database(lambda db: [one.state for one in Leases(db).engines(ended=2)]) == ["DEAD"]
    daemon.waits_for("started", 2)
    assert "signal SIGKILL" in daemon.stderr


def test_sigterm_lets_the_engines_finish(daemon: Daemon) -> None:
    daemon.insert()
    daemon.start()
    daemon.waits_for("rung")
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0
    assert [word for _, _, word in daemon.told("asked-to-stop", "finished")] == ["asked-to-stop", "finished"]
    assert "daemon stopped" in daemon.stderr


def test_who_asks_thrice_does_not_wait_for_a_deaf_engine(daemon: Daemon) -> None:
    daemon.mode("deaf")
    daemon.insert()
    daemon.start()
    ((_, pid, *_),) = daemon.waits_for("started")
    daemon.waits_for("rung")
    daemon.send(signal.SIGTERM)
    daemon.waits_for("asked-to-stop")
    daemon.send(signal.SIGTERM)
    daemon.waits_for("asked-to-stop", 2)
    assert "engine killed" not in daemon.stderr
    daemon.send(signal.SIGTERM)
    assert daemon.ends() == 0
    assert "engine killed" in daemon.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_sighup_brings_the_new_configuration_to_new_engines(daemon: Daemon) -> None:
    daemon.insert()
    daemon.start()
    daemon.waits_for("rung")
    daemon.config.write_text(CONFIG.replace("workers = 4", "workers = 9"))
    daemon.send(signal.SIGHUP)
    _, second = daemon.waits_for("started", 2)
    assert second[4] == "9"
    daemon.waits_for("finished")


def test_sighup_with_a_faulty_file_keeps_the_old_one_and_tells_every_fault(daemon: Daemon) -> None:
    daemon.insert()
    daemon.start()
    ((_, pid, *_),) = daemon.waits_for("started")
    daemon.config.write_text(CONFIG.replace("workers", "workrs").replace('origin = "staging"', 'origin = "stagin"'))
    daemon.send(signal.SIGHUP)
    daemon.says("engine.workrs: is not a known key; did you mean workers?")
    daemon.says("names no target of this configuration; did you mean staging?")
    assert daemon.told("asked-to-stop") == []
    os.kill(int(pid), signal.SIGKILL)
    _, second = daemon.waits_for("started", 2)
    assert second[4] == "4", "also an engine that starts now works with the good one"


def test_sighup_does_not_move_the_daemon_to_another_queue(daemon: Daemon) -> None:
    daemon.start()
    daemon.says("database available")
    daemon.config.write_text(CONFIG.replace('"state"', '"elsewhere"'))
    daemon.send(signal.SIGHUP)
    daemon.says("restart the daemon for that")
    daemon.config.write_text(CONFIG.replace("poll = 0.05", 'poll = 0.05, password = { file = "new" }'))
    daemon.send(signal.SIGHUP)
    daemon.says("queue.password")


def test_an_engine_outlives_a_killed_daemon(daemon: Daemon) -> None:
    daemon.insert()
    daemon.start()
    daemon.waits_for("rung")
    daemon.send(signal.SIGKILL)
    daemon.ends()
    daemon.waits_for("alone")
    assert daemon.told("asked-to-stop") == []


def test_a_faulty_configuration_is_told_whole_at_the_start(daemon: Daemon) -> None:
    daemon.config.write_text("[queue]\npol = 1\n[engin]\n")
    assert daemon.start().ends() == 4
    assert "queue.pol" in daemon.stderr
    assert "engin: is not a known key; did you mean engine?" in daemon.stderr


def test_a_state_directory_that_cannot_be_is_told(daemon: Daemon) -> None:
    (daemon.folder / "state").touch()
    assert daemon.start().ends() == 4
    assert "daemon cannot work" in daemon.stderr


def test_the_service_manager_is_told(daemon: Daemon, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(LONGEST)
        daemon.variables["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        daemon.start()
        assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"WATCHDOG=1"
        daemon.send(signal.SIGTERM)
        said = b""
        while said != b"STOPPING=1":
            said = manager.recv(100)
    assert daemon.ends() == 0


def test_two_daemons_insert_what_was_missed_once(tmp_path: Path) -> None:
    config = (
        CONFIG
        + 'schedules.nightly = { cron = "0 * * * *", environment = "STAGING", url = "/", action = "REPUBLISH", catch_up = true }\n'
    )
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "config.toml").write_text(config)
    first, second = Daemon(folder), Daemon(folder)
    upgrade(first.url)
    old = datetime.now(UTC) - timedelta(hours=5)
    first.on_database(lambda db: Intake(db).fire("nightly", old, NewTask("/old", "STAGING")))
    try:
        first.start()
        second.start()
        eventually(lambda: first.stderr.count("database available") == 2, LONGEST, "both daemons to serve")
        first.says("schedule came due")
        time.sleep(0.5)
        rows = first.on_database(lambda db: Desk(db).find(url="/"))
    finally:
        first.stop()
        second.stop()
    assert [(row.action, row.requested_by) for row in rows] == [("REPUBLISH", "schedule nightly")]


def test_finished_rows_are_purged(daemon: Daemon) -> None:
    daemon.config.write_text(CONFIG.replace("queue = { poll = 0.05 }", "queue = { poll = 0.05, keep_finished_days = 1 }"))
    task = daemon.insert("NOWHERE")
    db = Database.connect(daemon.url)
    daemon.start()
    eventually(lambda: Desk(db).show(task).task.state == State.REJECTED, LONGEST, "judged")
    daemon.send(signal.SIGTERM)
    daemon.ends()
    db.change(
        lambda connection: connection.exec_driver_sql(
            "UPDATE publication_task_queue SET finished_at = '2020-01-01 00:00:00.000000'"
        )
    )
    daemon.start()
    eventually(lambda: not Desk(db).find(url="/courses/a"), LONGEST, "the purge")
    db.close()


def test_what_ended_is_added_up_for_the_trends(daemon: Daemon) -> None:
    daemon.mode("claim")
    daemon.insert()
    daemon.start()
    ((_, pid, _, _),) = daemon.waits_for("claimed")
    daemon.mode("stay")
    os.kill(int(pid), signal.SIGKILL)
    daemon.waits_for("started", 2)
    daemon.stop()
    longer_ago = "UPDATE attempt SET ended_at = strftime('%Y-%m-%d %H:%M:%f000', ended_at, '-1 hour')"
    daemon.on_database(lambda db: db.change(lambda connection: connection.execute(text(longer_ago))))
    daemon.start()

    def lost(db: Database) -> bool:
        charts = {one.name: one.lines for one in trends(db, datetime.now(UTC), "month").charts}
        return any(charts["failures"].get("LOST", ()))

    eventually(lambda: daemon.on_database(lost), LONGEST, "the trends")
