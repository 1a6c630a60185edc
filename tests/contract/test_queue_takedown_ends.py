"""Whatever becomes of a takedown, each of its tasks ends: cancelled, asked for again, lifted, or done again by hand."""

import pytest
from sqlalchemy import create_engine, text

from config import Settings
from database import Action, NewTask, Outcome, Task
from support.queue import SETTINGS, Queue
from support.takedowns import take_down, urgent

CACHE = "notice:cache"


@pytest.fixture
def noticed(queue: Queue) -> Queue:
    """A queue whose PRODUCTION has a cache in front."""
    production = {**SETTINGS["environments"]["PRODUCTION"], "site": "https://www.example.edu", "notices": ["cache"]}
    environments = {**SETTINGS["environments"], "PRODUCTION": production}
    queue.settings = Settings.model_validate({**SETTINGS, "environments": environments, "notices": {"cache": {"kind": "purge"}}})
    return queue


def open_tasks(queue: Queue) -> list[tuple[int, str]]:
    """What has not ended, when whoever polls has done what there is to do."""
    for _ in range(3):
        queue.intake.accept(queue.settings)
        queue.intake.sweep()
        queue.intake.settle_takedowns()
    return [(task.id, str(task.state)) for task in queue.desk.find(states=["NEW", "READY", "HELD", "RUNNING"])]


def below(task: Task) -> NewTask:
    """What a takedown with `below` leaves behind for a module there."""
    target = task.target
    return NewTask("/a/b", task.environment, Action.TAKEDOWN, target=target, batch=task.batch, parent=task.id)


def test_cancelled_no_task_of_it_waits_for_ever(queue: Queue) -> None:
    root = take_down(queue)
    engine = queue.engine()
    [task] = urgent(queue, engine, "staging")
    queue.desk.cancel([root])
    assert open_tasks(queue) == [(task.id, "RUNNING")]
    assert task.id in queue.leases.renew(engine, 60).cancelled
    queue.leases.leave(engine)
    assert open_tasks(queue) == []
    assert queue.record.takedowns(), "the block stays"


@pytest.mark.parametrize("again", [{}, {"parameters": {"lift": True}}])
def test_what_is_at_work_for_an_older_one_ends_too(queue: Queue, again: dict[str, dict[str, bool]]) -> None:
    take_down(queue)
    engine = queue.engine()
    [task] = urgent(queue, engine, "staging")
    take_down(queue, **again)  # type: ignore[arg-type]
    queue.end(engine, task, Outcome.RETRY, "the moment")
    assert queue.states(task.id) == ["CANCELLED"]
    if again:
        assert open_tasks(queue) == []


def test_what_it_left_for_modules_below_goes_with_it(queue: Queue) -> None:
    take_down(queue, parameters={"below": True})
    engine = queue.engine()
    [task] = urgent(queue, engine, "staging")
    queue.end(engine, task, new_tasks=(below(task),))
    queue.intake.accept(queue.settings)
    [left] = [each for each in queue.desk.find(url="/a/b") if each.action == Action.TAKEDOWN]
    take_down(queue, parameters={"below": True})
    assert queue.states(left.id) == ["SUPERSEDED"]


def test_what_is_left_for_modules_below_after_it_was_lifted_removes_nothing(queue: Queue) -> None:
    take_down(queue, parameters={"below": True})
    engine = queue.engine()
    [task] = urgent(queue, engine, "staging")
    take_down(queue, parameters={"lift": True})
    queue.end(engine, task, new_tasks=(below(task),))
    assert open_tasks(queue) == []
    assert [str(each.state) for each in queue.desk.find(url="/a/b")] == ["CANCELLED"]


def test_asked_for_again_without_what_is_below_it_still_removes_that(queue: Queue) -> None:
    take_down(queue, parameters={"below": True})
    root = take_down(queue)
    assert {child.parameters.get("below") for child in queue.show(root).children} == {True}


def test_done_again_for_one_target_it_is_done_for_all(queue: Queue) -> None:
    root = take_down(queue)
    engine = queue.engine()
    [task] = urgent(queue, engine, "staging")
    queue.end(engine, task, Outcome.FAILED, "the account may not")
    again = queue.desk.retry(task.id)
    queue.intake.accept(queue.settings)
    assert queue.states(root, again) == ["SUPERSEDED", "READY"]
    assert len(queue.show(again).children) == 5
    assert queue.intake.poll().takedowns


def test_a_paused_environment_without_an_engine_is_still_due(queue: Queue) -> None:
    queue.ready("/b", environment="PRODUCTION")
    queue.pause("PRODUCTION")
    assert "PRODUCTION" not in queue.intake.poll().due
    take_down(queue)
    assert "PRODUCTION" in queue.intake.poll().due


def test_caches_hear_of_it_in_a_paused_environment_and_of_nothing_else(noticed: Queue) -> None:
    """What they still show is a part of what has to go; what else waits there waits on."""
    queue = noticed
    engine = queue.engine("PRODUCTION")
    queue.ready(environment="PRODUCTION")
    [publish] = queue.claim(engine)
    queue.end(engine, publish, new_tasks=(word_of(publish),))
    queue.pause("PRODUCTION")
    take_down(queue)
    [task] = urgent(queue, engine, "production")
    later = NewTask("/b", "PRODUCTION", batch=task.batch, generation=1, parent=task.id)
    queue.end(engine, task, new_tasks=(word_of(task), later))
    for environment in ("STAGING", "SHARED", "ARCHIVE"):
        other = queue.engine(environment)
        for each in urgent(queue, other):
            queue.end(other, each)
    queue.intake.accept(queue.settings)
    queue.intake.settle_takedowns()
    assert queue.states(task.batch or 0) == ["SUCCEEDED"], "the word to the caches is not waited for"
    assert "PRODUCTION" in queue.intake.poll().due
    [told] = queue.claim(engine, "production", CACHE)
    assert (told.action, told.target, told.parent) == ("NOTIFY", CACHE, task.id)
    queue.end(engine, told)
    assert queue.claim(engine, "production", CACHE) == []
    assert "PRODUCTION" not in queue.intake.poll().due
    queue.resume("PRODUCTION")
    assert sorted(each.url for each in queue.claim(engine, "production", CACHE)) == ["/a", "/b"]


def test_a_cache_that_does_not_answer_is_left_alone_also_in_a_paused_environment(noticed: Queue) -> None:
    queue = noticed
    queue.clock.stop()
    engine = queue.engine("PRODUCTION", ttl=1000)
    queue.pause("PRODUCTION")
    take_down(queue)
    [task] = urgent(queue, engine, "production")
    queue.end(engine, task, new_tasks=(word_of(task),))
    queue.intake.accept(queue.settings)
    [told] = queue.claim(engine, CACHE)
    queue.end(engine, told, Outcome.UNREACHABLE, "no answer", breaker=CACHE)
    queue.clock.forward(6)
    assert queue.claim(engine, CACHE) == []
    queue.clock.forward(10)
    assert [probe.id for probe in queue.claim(engine, CACHE)] == [told.id]


def word_of(task: Task) -> NewTask:
    """What tells a cache that a task changed its module."""
    return NewTask(task.url, task.environment, Action.NOTIFY, target=CACHE, parent=task.id)


def test_nothing_of_another_module_is_waited_for(mariadb_queue: Queue) -> None:
    """An operator's open transaction on one row must not keep another module live."""
    other, mine = mariadb_queue.ready("/b"), mariadb_queue.ready("/a")

    operator = create_engine(mariadb_queue.url)
    with operator.connect() as connection:
        connection.execute(text("UPDATE publication_task_queue SET priority = 5 WHERE id = :id"), {"id": other})
        root = take_down(mariadb_queue)
    operator.dispose()
    assert mariadb_queue.states(root, mine, other) == ["READY", "CANCELLED", "READY"]


@pytest.mark.parametrize("column", ["requested_by", "note"])
def test_bytes_where_text_belongs_stop_nobody(sqlite_queue: Queue, column: str) -> None:
    sqlite_queue.sql(
        f"INSERT INTO publication_task_queue (url, environment, action, {column}) VALUES ('/a', '*', 'TAKEDOWN', x'ff00')"
    )
    sqlite_queue.intake.accept(sqlite_queue.settings)
    while sqlite_queue.intake.seal():
        pass
    refused = sqlite_queue.desk.insert(NewTask("/a", "STAGING"))
    sqlite_queue.intake.accept(sqlite_queue.settings)
    assert sqlite_queue.states(refused) == ["REJECTED"]
