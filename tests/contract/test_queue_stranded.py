"""What was accepted ends with a reason, also where nobody can ever take it."""

from datetime import timedelta

from config.settings import Settings
from database import NewTask, Outcome
from support.queue import SETTINGS, Queue

DAY = 86_400


def without(environment: str) -> Settings:
    environments = {name: each for name, each in SETTINGS["environments"].items() if name != environment}
    return Settings.model_validate({**SETTINGS, "environments": environments})


def test_tasks_of_an_environment_that_is_gone_end_after_a_day(queue: Queue) -> None:
    gone, stays = queue.ready(environment="PRODUCTION"), queue.ready()
    later = queue.ready("/b", environment="PRODUCTION", run_after=queue.intake.poll().now + timedelta(days=30))
    settings = without("PRODUCTION")
    assert queue.intake.end_stranded(settings) == 0
    queue.clock.forward(DAY + 1)
    assert queue.intake.end_stranded(queue.settings) == 0
    assert queue.intake.end_stranded(settings) == 1
    assert queue.states(gone, stays, later) == ["CANCELLED", "READY", "READY"]
    assert "The environment PRODUCTION is not configured any more" in str(queue.show(gone).task.reason)
    assert queue.show(gone).events[-1].state == "CANCELLED"


def test_an_engine_that_knows_it_still_keeps_them(queue: Queue) -> None:
    task = queue.ready(environment="PRODUCTION")
    queue.clock.forward(DAY * 2)
    engine = queue.engine("PRODUCTION")
    assert queue.intake.end_stranded(without("PRODUCTION")) == 0
    queue.leases.leave(engine)
    assert queue.intake.end_stranded(without("PRODUCTION")) == 0
    queue.clock.forward(DAY + 1)
    assert queue.intake.end_stranded(without("PRODUCTION")) == 1
    assert queue.states(task) == ["CANCELLED"]


def test_an_open_takedown_is_no_stranded_task(queue: Queue) -> None:
    root = queue.desk.insert(NewTask("/a", "*", "TAKEDOWN"))
    queue.intake.accept(queue.settings)
    queue.clock.forward(DAY * 2)
    assert queue.intake.end_stranded(queue.settings) == 0
    assert queue.states(root) == ["READY"]


def test_a_dependent_goes_on_when_what_it_waited_for_was_ended_or_purged(queue: Queue) -> None:
    root, dependent = queue.made(NewTask("/a", "STAGING", batch=77), NewTask("/b", "STAGING", batch=77, generation=1))
    engine = queue.engine(ttl=1_000_000_000)
    [first] = queue.claim(engine)
    assert first.id == root
    queue.end(engine, first, Outcome.FAILED, "gone wrong")
    queue.clock.forward(DAY * 100)
    while queue.intake.purge(1):
        pass
    [second] = queue.claim(engine)
    assert second.id == dependent
