"""The engine is killed at each step of RETIRE, and so is the archive: one item comes of it, and everything is told in the end."""

import time
from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from database import DepositState, State
from support.bench import Bench
from support.engine_process import Engines, until
from support.retirement import COURSE, Make, Retirement
from support.sword_server import Rules

Processes = Callable[..., tuple[Retirement, Engines]]
POINTS = [
    "loading",
    "described",
    "built",
    "recorded",
    "prepared",
    "switched",
    "kept",
    "sending",
    "answered",
    "confirmed",
    "told",
    "between renames",
    "finishing",
]


@pytest.fixture
def processes(retirement: Make, engines_of: Callable[[Bench], Engines]) -> Callable[..., tuple[Retirement, Engines]]:
    """A retirement whose archive takes every package as often as it is sent, in a process of its own; and real engines."""

    def make(**options: object) -> tuple[Retirement, Engines]:
        made = retirement(rules=Rules(duplicates=True), process=True, **options)
        return made, engines_of(made.bench)

    return make


def hold(made: Retirement, value: int) -> None:
    made.bench.database.change(
        lambda connection: connection.execute(sa.text(f"UPDATE publication_task_queue SET hold = {value}"))
    )


def finish(made: Retirement, engines: Engines, *tasks: int) -> None:
    def run() -> None:
        engines.run(environment="DSPACE")

    def done() -> bool:
        return all(made.bench.desk.show(task).task.state is State.SUCCEEDED for task in tasks)

    made.again(run, done)


def assert_deposited_once(made: Retirement, *urls: str) -> None:
    items = {item.md5: item for item in made.archive.items}
    assert len(made.archive.items) == len(items) == len(urls)
    for url in urls:
        deposit = made.deposit(url)
        item = items[deposit.md5]
        assert (deposit.state, deposit.handle) == (DepositState.CONFIRMED, item.handle)
        assert set(made.told(url)) == {item.handle}
        assert deposit.told_at is not None
        folder = made.bench.target("retired") / url.strip("/")
        [package] = folder.glob("*.zip")
        assert package.read_bytes() == made.archive.archive.package(item)
        assert (folder / "tombstone/index.htm").exists()


@pytest.mark.parametrize(("kind", "points"), [("sword2", POINTS), ("sword1", ["sending", "answered", "confirmed"])])
def test_an_engine_that_is_killed_at_any_step_leaves_one_item(processes: Processes, kind: str, points: list[str]) -> None:
    made, engines = processes(kind=kind)
    urls = [f"/courses/{number}" for number in range(len(points))]
    tasks = []
    for url, point in zip(urls, points, strict=True):
        made.stage(url)
        # Those before this one wait until the end: three losses suffered alone would be poison.
        hold(made, 1)
        tasks.append(made.bench.insert(url, "DSPACE"))
        engines.kill_at(point, "DSPACE")
    hold(made, 0)
    finish(made, engines, *tasks)
    assert_deposited_once(made, *urls)
    for task in tasks:
        assert [attempt.outcome for attempt in made.bench.desk.show(task).attempts] == ["LOST", "SUCCEEDED"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_engine_that_is_killed_while_a_slow_archive_takes_the_package_leaves_one_item(processes: Processes, when: str) -> None:
    made, engines = processes(settle=60)
    made.archive.break_with("slow", when=when, seconds=0.8, times=1)
    task = made.bench.insert(COURSE, "DSPACE")
    engine = engines.start("--until-idle", environment="DSPACE")
    fault = made.archive.archive.folder / "fault.json"
    until(lambda: not fault.exists(), "the archive takes the package in")
    engine.kill()
    engine.wait()
    finish(made, engines, task)
    assert_deposited_once(made, COURSE)


def test_an_archive_that_is_killed_after_it_stored_and_before_it_answered_has_one_item(
    processes: Processes,
) -> None:
    made, engines = processes()
    made.archive.break_with("hang", when="after", times=1)
    task = made.bench.insert(COURSE, "DSPACE")
    engine = engines.start("--until-idle", environment="DSPACE")
    until(lambda: made.archive.items, "the archive stores the package")
    made.archive.kill()
    # Nobody answers: the task waits, and loses no attempt by it.
    until(lambda: made.bench.desk.show(task).attempts[0].ended_at, "the answer is known to be lost")
    assert made.deposit().state is DepositState.SENT
    made.archive.heal()
    made.archive.start()
    engine.communicate(timeout=60)
    finish(made, engines, task)
    assert_deposited_once(made, COURSE)


def test_an_archive_that_is_away_costs_no_attempt(processes: Processes) -> None:
    made, engines = processes()
    made.archive.kill()
    task = made.bench.insert(COURSE, "DSPACE")
    engines.run(environment="DSPACE")
    view = made.bench.desk.show(task)
    assert (view.task.state, view.task.attempts) == (State.READY, 0)
    assert "archive:dspace" in [breaker.name for breaker in made.bench.desk.breakers() if breaker.open]
    assert made.deposit().state is DepositState.PREPARED
    time.sleep(0.2)
    made.archive.start()
    finish(made, engines, task)
    assert_deposited_once(made, COURSE)


def test_what_was_deposited_is_read_back_when_the_database_is_lost(retirement: Make) -> None:
    made = retirement()
    made.bench.well(COURSE, "DSPACE")
    before = made.retired()
    for table in ("deposit", "publication"):
        statement = sa.text(f"DELETE FROM {table}")
        made.bench.database.change(partial(Connection.execute, statement=statement))
    view = made.bench.well(COURSE, "DSPACE")
    assert view.attempts[-1].summary["read_back"]
    assert made.retired() == before
    assert_deposited_once(made, COURSE)
