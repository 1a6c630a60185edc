"""A task's life, from a plain INSERT to its end, on every kind of database."""

from database import HeldPlan, NewTask, Outcome, Published, State, pack
from support.queue import Queue


def test_two_columns_are_enough(queue: Queue) -> None:
    queue.sql("INSERT INTO publication_task_queue (url, environment) VALUES ('/courses/physics/8-01', 'STAGING')")
    assert queue.intake.poll().intake
    assert queue.intake.news()
    assert queue.intake.accept(queue.settings) == 1
    assert not queue.intake.news()
    poll = queue.intake.poll()
    assert (poll.intake, poll.due, poll.cancel, poll.dead) == (False, frozenset({"STAGING"}), False, False)
    [task] = queue.claim(queue.engine())
    assert (task.url, task.action, task.target, task.priority) == ("/courses/physics/8-01", "PUBLISH", "staging", 100)
    assert (task.state, task.attempts, task.max_attempts) == (State.RUNNING, 1, 8)
    assert task.serial == task.fence > 0


def test_a_task_is_claimed_started_and_finished(queue: Queue) -> None:
    id_ = queue.ready("/courses/8-01")
    engine = queue.engine()
    [task] = queue.claim(engine, needs=["source:cms"])
    assert queue.claim(engine) == []
    assert queue.claims.start(engine, [task]) == {id_}
    published = Published("staging", task.url, task.serial, b"v" * 32, pack([b"<x/>"]), "course", "Physics")
    dependent = NewTask("/courses", "STAGING", generation=1)
    queue.end(engine, task, published=(published,), new_tasks=(dependent,), summary={"put": 2})
    view = queue.show(id_)
    assert [(event.state, event.fence) for event in view.events] == [
        ("READY", None),
        ("RUNNING", task.fence),
        ("SUCCEEDED", task.fence),
    ]
    [attempt] = view.attempts
    assert (attempt.number, attempt.outcome, attempt.host, attempt.summary) == (1, "SUCCEEDED", "host", {"put": 2})
    assert attempt.started_at is not None
    assert attempt.ended_at is not None
    assert attempt.claimed_at <= attempt.started_at <= attempt.ended_at
    [child] = view.children
    assert (child.url, child.state, child.parent, child.batch, child.target) == ("/courses", "NEW", id_, id_, "staging")


def test_a_retry_waits_longer_each_time_and_fails_at_last(queue: Queue) -> None:
    queue.clock.stop()
    id_ = queue.ready(max_attempts=3)
    engine = queue.engine(ttl=10_000)
    serials = set()
    for wait in (5, 10):
        [task] = queue.claim(engine)
        serials.add(task.serial)
        queue.end(engine, task, Outcome.RETRY, "503 from the CMS", error="Busy")
        assert queue.state(id_) is State.READY
        queue.clock.forward(wait - 1)
        assert queue.claim(engine) == []
        queue.clock.forward(1)
    [task] = queue.claim(engine)
    assert (task.attempts, serials) == (3, {task.serial})
    queue.end(engine, task, Outcome.RETRY, "503 from the CMS")
    view = queue.show(id_)
    assert (view.task.state, view.task.reason) == ("FAILED", "503 from the CMS. That was attempt 3 of 3, the last")
    assert [attempt.outcome for attempt in view.attempts] == ["RETRY"] * 3
    assert view.attempts[0].error == "Busy"


def test_a_retry_waits_at_least_as_long_as_it_was_asked_to(queue: Queue) -> None:
    queue.clock.stop()
    queue.ready()
    engine = queue.engine(ttl=10_000)
    queue.end(engine, queue.claim(engine)[0], Outcome.RETRY, "503", retry_after=500)
    queue.clock.forward(499)
    assert queue.claim(engine) == []
    queue.clock.forward(1)
    assert len(queue.claim(engine)) == 1


def test_a_task_that_is_released_spends_no_attempt(queue: Queue) -> None:
    queue.ready()
    engine = queue.engine()
    [first] = queue.claim(engine)
    queue.end(engine, first, Outcome.RELEASED, "the engine stops")
    [second] = queue.claim(engine)
    assert (second.attempts, second.serial) == (1, first.serial)
    assert second.fence > first.fence


def test_a_held_task_goes_on_only_with_the_plan_that_was_approved(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.HELD, "drops 300 files", plan=HeldPlan("ab12", '{"drops": 300}'))
    assert queue.claim(engine) == []
    assert queue.show(id_).plan == HeldPlan("ab12", '{"drops": 300}')
    approval = queue.desk.approve(id_, "ab12", adopt=True, by="eve", note="looks right")
    queue.intake.accept(queue.settings)
    assert queue.states(approval, id_) == ["SUCCEEDED", "READY"]
    assert "approved and to overwrite strangers' files by eve" in (queue.show(id_).events[-1].reason or "")
    [task] = queue.claim(engine)
    assert (task.id, task.approved_plan, task.adopt) == (id_, "ab12", True)
    queue.end(engine, task, Outcome.HELD, "another plan now", plan=HeldPlan("cd34", "{}"))
    task = queue.show(id_).task
    assert (task.approved_plan, task.adopt, queue.show(id_).plan) == (None, False, HeldPlan("cd34", "{}"))


def test_a_running_task_that_is_to_be_cancelled_is_told_and_ends_cancelled(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.desk.cancel([id_])
    assert queue.leases.renew(engine, 60).cancelled == {id_}
    assert queue.intake.poll().cancel
    assert queue.intake.sweep() == 0
    queue.end(engine, task, Outcome.CANCELLED, "cancelled before the switch")
    assert queue.state(id_) is State.CANCELLED
    assert not queue.intake.poll().cancel


def test_a_failed_try_of_a_task_that_is_to_be_cancelled_is_the_last(queue: Queue) -> None:
    for outcome in (Outcome.RETRY, Outcome.RELEASED, Outcome.HELD):
        id_ = queue.ready()
        engine = queue.engine()
        [task] = queue.claim(engine)
        queue.desk.cancel([id_])
        queue.end(engine, task, outcome, "a fault")
        assert queue.show(id_).task.reason == "Cancelled on request. It had come to: a fault"


def test_what_succeeded_stays_so_although_somebody_wanted_to_cancel_it(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.desk.cancel([id_])
    queue.end(engine, task)
    assert queue.state(id_) is State.SUCCEEDED


def test_cancel_of_what_does_not_run(queue: Queue) -> None:
    held = queue.ready("/held")
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.HELD, "?", plan=HeldPlan("ab", "{}"))
    ready = queue.ready("/ready")
    new = queue.desk.insert(NewTask("/new", "STAGING"))
    queue.desk.cancel([held, ready, new])
    assert queue.intake.poll().cancel
    assert queue.claim(engine) == []
    assert queue.intake.sweep() == 3
    assert queue.intake.sweep() == 0
    assert queue.states(held, ready, new) == ["CANCELLED"] * 3
    assert queue.show(new).events[-1].reason == "Cancelled on request, before it ran."
