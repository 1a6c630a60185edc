"""The engine as a process: started by hand or by a daemon, stopped, idle, cut off."""

import os
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from database import Leases, State
from support.bench import Bench
from support.engine_process import PATIENCE, Engines, until

A = "/courses/a"
FOREVER = 600.0
"""Seconds after which no test is there any more."""


def state(bench: Bench, task: int) -> State:
    return bench.desk.show(task).task.state


def waiting_at(engines: Engines, point: str, *arguments: str, host: str = "") -> subprocess.Popen[str]:
    """An engine that waits at a point until the flag is removed."""
    process = engines.start_at("wait", point, *arguments, host=host)
    until(engines.flag.exists, f"the engine's reaching {point}")
    return process


@pytest.fixture
def written(engines: Engines) -> Engines:
    engines.bench.write(A, {"index.htm": "one", "b.htm": "two"}, module_type="course")
    return engines


def test_it_takes_rows_in_by_itself_and_ends_when_idle(written: Engines) -> None:
    task = written.bench.insert(A)
    output = written.run()
    assert state(written.bench, task) is State.SUCCEEDED
    assert written.bench.live("origin") == written.bench.live("area") == written.bench.wanted(A)
    assert '"event": "engine ended"' in output


def test_with_nothing_to_do_it_ends_at_once(engines: Engines) -> None:
    engines.run()


def test_a_bad_row_is_rejected_and_the_loop_goes_on(written: Engines) -> None:
    bad = written.bench.insert("no/slash")
    good = written.bench.insert(A)
    written.run()
    assert (state(written.bench, bad), state(written.bench, good)) == (State.REJECTED, State.SUCCEEDED)


def test_without_a_daemon_it_polls_and_lingers(written: Engines) -> None:
    written.configure(linger=FOREVER)
    process = written.start()
    first = written.bench.insert(A)
    until(lambda: state(written.bench, first) is State.SUCCEEDED, "the first task")
    second = written.bench.insert(A, action="VERIFY")
    until(lambda: state(written.bench, second) is State.SUCCEEDED, "the second task")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE) == 0


def test_the_daemon_rings_and_its_end_is_noticed(written: Engines) -> None:
    written.configure(linger=FOREVER)
    reader, writer = os.pipe()
    process = written.start("--bell", str(reader), pass_fds=(reader,))
    os.close(reader)
    task = written.bench.insert(A)
    while written.bench.intake.accept(written.bench.settings):
        pass
    os.write(writer, b"\n")
    until(lambda: state(written.bench, task) is State.SUCCEEDED, "the task")
    os.close(writer)
    # Nobody takes rows in for it any more.
    alone = written.bench.insert(A, action="VERIFY")
    until(lambda: state(written.bench, alone) is State.SUCCEEDED, "the task after the daemon's end")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE) == 0


def test_an_attended_engine_leaves_intake_to_its_daemon(written: Engines) -> None:
    written.configure(linger=0.5)
    reader, writer = os.pipe()
    task = written.bench.insert(A)
    process = written.start("--bell", str(reader), pass_fds=(reader,))
    os.close(reader)
    assert process.wait(timeout=PATIENCE) == 0
    os.close(writer)
    assert state(written.bench, task) is State.NEW


def test_sigterm_lets_running_tasks_end_and_returns_the_others(written: Engines) -> None:
    running = written.bench.insert(A)
    process = waiting_at(written, "staging")
    later = written.bench.insert(A, action="VERIFY")
    process.send_signal(signal.SIGTERM)
    written.says(process, "engine stopping")
    assert process.poll() is None
    written.flag.unlink()
    assert process.wait(timeout=PATIENCE) == 0
    assert state(written.bench, running) is State.SUCCEEDED
    assert state(written.bench, later) in {State.NEW, State.READY}
    assert written.bench.live("origin") == written.bench.wanted(A)


def test_after_the_grace_running_tasks_are_given_back_unharmed(written: Engines) -> None:
    written.configure(stop_grace=0.2)
    task = written.bench.insert(A)
    process = waiting_at(written, "staging")
    process.send_signal(signal.SIGTERM)
    written.says(process, "running tasks asked back")
    written.flag.unlink()
    assert process.wait(timeout=PATIENCE) == 0
    view = written.bench.desk.show(task)
    assert view.task.state is State.READY
    assert (view.task.attempts, view.task.losses) == (0, 0)
    assert view.attempts[0].outcome == "RELEASED"
    assert not written.bench.live("origin")
    written.run()
    assert written.bench.live("origin") == written.bench.wanted(A)


def test_a_second_sigterm_does_not_wait_for_the_grace(written: Engines) -> None:
    task = written.bench.insert(A)
    process = waiting_at(written, "staging")
    process.send_signal(signal.SIGTERM)
    written.says(process, "engine stopping")
    process.send_signal(signal.SIGTERM)
    written.says(process, "running tasks asked back")
    written.flag.unlink()
    assert process.wait(timeout=PATIENCE) == 0
    assert state(written.bench, task) is State.READY


def test_a_task_that_switches_is_never_given_back(written: Engines) -> None:
    written.configure(stop_grace=0.1)
    task = written.bench.insert(A)
    process = waiting_at(written, "prepared")
    process.send_signal(signal.SIGTERM)
    written.says(process, "running tasks asked back")
    written.flag.unlink()
    assert process.wait(timeout=PATIENCE) == 0
    assert state(written.bench, task) is State.SUCCEEDED
    assert written.bench.live("origin") == written.bench.wanted(A)


def test_an_engine_declared_dead_stops_and_changes_nothing(written: Engines) -> None:
    configure_lease(written, heartbeat=0.3)
    task = written.bench.insert(A)
    process = waiting_at(written, "staging")
    leases = written.bench.workshop("PRODUCTION").leases
    up = [view.engine.start for view in leases.engines() if view.state == "UP" and view.engine.environment == "STAGING"]
    assert leases.bury(up[0])
    written.says(process, "lease lost")
    written.flag.unlink()
    assert process.wait(timeout=PATIENCE) == 75
    assert not written.bench.live("origin")
    assert written.bench.desk.show(task).attempts[0].outcome == "LOST"
    written.run()
    assert written.bench.live("origin") == written.bench.wanted(A)


@pytest.mark.parametrize("host", ["", "another"])
def test_a_stopped_engine_is_killed_before_its_task_is_taken_and_one_of_another_host_meets_the_fence(
    written: Engines, host: str
) -> None:
    configure_lease(written, lease=4, heartbeat=0.4, margin=0.5)
    task = written.bench.insert(A)
    process = waiting_at(written, "staging", host=host)
    # An engine that found the lease in force would have nothing to do, and end. For the stopped one it is over by its own clock as
    # well when it wakes: the other one waits for a lease's time before it believes that.
    written.freeze(process, "UPDATE engine SET lease_until = '2000-01-01 00:00:00.000000' WHERE state = 'UP'")
    written.bench.write(A, {"index.htm": "later"}, module_type="course")
    written.run()
    assert state(written.bench, task) is State.SUCCEEDED
    assert [attempt.outcome for attempt in written.bench.desk.show(task).attempts] == ["LOST", "SUCCEEDED"]
    live = written.bench.live("origin")
    written.flag.unlink()
    process.send_signal(signal.SIGCONT)
    assert process.wait(timeout=PATIENCE) == (75 if host else -signal.SIGKILL)
    assert written.bench.live("origin") == live == written.bench.wanted(A)


def configure_lease(engines: Engines, **queue: float) -> None:
    settings = engines.bench.settings
    engines.bench.settings = settings.model_copy(update={"queue": settings.queue.model_copy(update=queue)})
    engines.configure()


def lease_until(engines: Engines) -> datetime:
    [up] = [view for view in Leases(engines.bench.database).engines() if view.state == "UP"]
    return up.lease_until


def test_a_running_task_is_cancelled_before_it_is_visible(written: Engines) -> None:
    configure_lease(written, heartbeat=0.2)
    task = written.bench.insert(A)
    process = waiting_at(written, "staging", "--until-idle")
    written.bench.desk.cancel([task])
    # What a heartbeat hears is known when the next one comes.
    for beat in ("the first heartbeat", "the second"):
        before = lease_until(written)
        until(lambda: lease_until(written) > before, beat)  # noqa: B023 - called before the loop goes on
    written.flag.unlink()
    assert process.wait(timeout=PATIENCE) == 0
    assert state(written.bench, task) is State.CANCELLED
    assert not written.bench.live("origin")


def test_progress_can_be_read_while_it_runs(written: Engines) -> None:
    task = written.bench.insert(A)
    process = waiting_at(written, "staging", "--until-idle")
    until(lambda: (now := written.bench.desk.show(task).progress) is not None and now.step == "stage", "progress")
    progress = written.bench.desk.show(task).progress
    assert progress is not None
    assert progress.files_total == 2
    written.flag.unlink()
    assert process.wait(timeout=PATIENCE) == 0


def test_a_sick_holding_area_delays_nothing_but_itself(written: Engines) -> None:
    bench = written.bench
    bench.target("area").rmdir()
    bench.target("area").write_text("not a folder")
    for number in range(20):
        bench.write(f"/courses/{number}", {"index.htm": str(number)}, module_type="course")
        bench.insert(f"/courses/{number}")
    written.run()
    published = bench.desk.find(action="PUBLISH", limit=50)
    assert {task.state for task in published} == {State.SUCCEEDED}
    assert State.SUCCEEDED not in {task.state for task in bench.desk.find(action="DELIVER", limit=50)}


def test_an_unknown_environment_is_a_fault_of_the_configuration(engines: Engines) -> None:
    process = engines.start(environment="NOWHERE")
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert "there is no environment NOWHERE; the configuration has PRODUCTION, STAGING" in output


def test_environments_are_found_whatever_their_case(written: Engines) -> None:
    written.run(environment="staging")


def test_a_configuration_with_faults_is_refused(engines: Engines, tmp_path: Path) -> None:
    engines.config.write_text('{"queue": {"pol": 1}}')
    process = engines.start()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert "pol" in output


def test_a_database_without_the_schema_is_refused(engines: Engines, tmp_path: Path) -> None:
    settings = engines.bench.settings
    engines.bench.settings = settings.model_copy(update={"state_dir": tmp_path / "empty"})
    engines.configure()
    process = engines.start()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert "slipway db upgrade" in output


def test_a_database_that_is_down_is_something_to_try_again(engines: Engines) -> None:
    settings = engines.bench.settings
    url = "mysql+pymysql://slipway@127.0.0.1:9/none"
    engines.bench.settings = settings.model_copy(update={"queue": settings.queue.model_copy(update={"url": url})})
    engines.configure()
    process = engines.start()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 8
