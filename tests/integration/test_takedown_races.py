"""A takedown while a real engine is in the middle of publishing the module: it overtakes, and the publish never comes back."""

import signal

import pytest

from database import Action, NewTask, Record, State
from support.engine_process import Engines, until

A = "/courses/a"


def ready_to_publish(engines: Engines) -> int:
    """An older version is live everywhere, a newer one waits; the task."""
    bench = engines.bench
    bench.write(A, {f"{n}.htm": "old" for n in range(4)}, module_type="course")
    for environment in ("STAGING", "PRODUCTION"):
        bench.well(A, environment)
    for workshop in bench.workshops.values():
        workshop.leases.leave(workshop.engine)
    bench.write(A, {f"{n}.htm": "new" for n in range(8)}, module_type="course")
    return bench.insert(A)


def gone(engines: Engines, root: int) -> None:
    """The takedown ends well, and nothing of the module is anywhere, nor in the record."""
    bench = engines.bench
    for environment in ("STAGING", "PRODUCTION"):
        engines.run(environment=environment)
    bench.intake.settle_takedowns()
    task = bench.desk.show(root).task
    assert task.state is State.SUCCEEDED, task.reason
    for target in ("origin", "area", "production"):
        assert bench.live(target) == {}
        assert Record(bench.database).current(target, A) is None


@pytest.mark.parametrize("point", ["between renames"])
def test_an_engine_that_sleeps_through_it_wakes_to_nothing(engines: Engines, point: str) -> None:
    bench, publish = engines.bench, ready_to_publish(engines)
    sleeper = engines.start_at("wait", point)
    until(engines.flag.exists, f"the engine at {point!r}")
    engines.freeze(sleeper)
    root = bench.desk.insert(NewTask(A, "*", Action.TAKEDOWN))
    gone(engines, root)
    engines.flag.unlink()
    sleeper.send_signal(signal.SIGCONT)
    sleeper.terminate()
    sleeper.communicate(timeout=60)
    assert bench.desk.show(publish).task.state is State.CANCELLED
    gone(engines, root)


@pytest.mark.parametrize("point", ["prepared"])
def test_an_engine_that_is_killed_while_it_takes_down_is_followed_by_one_that_ends_it(engines: Engines, point: str) -> None:
    bench = engines.bench
    ready_to_publish(engines)
    root = bench.desk.insert(NewTask(A, "*", Action.TAKEDOWN))
    bench.intake.accept(bench.settings)
    engines.kill_at(point)
    gone(engines, root)
