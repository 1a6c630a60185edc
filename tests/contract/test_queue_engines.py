"""Leases, dead engines and what becomes of their tasks, fences."""

import pytest

from database import Engine, Lane, LeaseLost, NewTask, Outcome, Progress, Result, State
from support.queue import Queue


def lose(queue: Queue, *, started: bool = True, company: int = 0) -> list[int]:
    """An engine claims, starts and dies; the ids it had."""
    engine = queue.engine()
    tasks = queue.claim(engine)
    assert len(tasks) == 1 + company
    if started:
        queue.claims.start(engine, tasks)
    queue.clock.forward(61)
    assert queue.intake.poll().dead
    assert queue.rescue() == [engine.start]
    assert not queue.intake.poll().dead
    return [task.id for task in tasks]


def test_an_engine_that_renews_keeps_its_tasks(queue: Queue) -> None:
    queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    for _ in range(3):
        queue.clock.forward(45)
        queue.leases.renew(engine, 60)
    assert queue.rescue() == []
    queue.end(engine, task)


def test_a_lease_that_is_over_is_over_for_every_verb_but_its_renewal(queue: Queue) -> None:
    queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.clock.forward(60)
    for verb in (
        lambda: queue.claim(engine),
        lambda: queue.leases.raise_fence(engine, task.id, 5),
    ):
        with pytest.raises(LeaseLost, match="is over; its tasks belong to others"):
            verb()
    queue.leases.renew(engine, 60)
    queue.end(engine, task)


def test_a_lease_that_ended_in_an_outage_is_renewed_unless_somebody_took_the_tasks(queue: Queue) -> None:
    queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.clock.forward(3600)
    assert queue.leases.renew(engine, 60).fence == task.fence
    queue.clock.forward(61)
    assert queue.rescue() == [engine.start]
    with pytest.raises(LeaseLost):
        queue.leases.renew(engine, 60)


def test_an_engine_that_renewed_meanwhile_is_not_declared_dead(queue: Queue) -> None:
    queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.clock.forward(61)
    [expired] = queue.leases.expired()
    queue.leases.renew(engine, 60)
    assert not queue.leases.rescue(expired.start)
    queue.end(engine, task)


def test_an_engine_that_is_not_registered_has_no_lease(queue: Queue) -> None:
    with pytest.raises(LeaseLost):
        queue.claim(Engine("0" * 32, "STAGING", "host", "boot", 1))


def test_a_dead_engine_can_neither_start_nor_finish(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.clock.forward(61)
    queue.rescue()
    result = Result(id_, task.fence, Outcome.SUCCEEDED, "done", new_tasks=(NewTask("/x", "STAGING"),))
    assert queue.claims.start(engine, [task]) == frozenset()
    assert queue.claims.finish(engine, [result]) == {id_}
    queue.claims.progress(engine, Progress(id_, "put"))
    with pytest.raises(LeaseLost, match="its rows were not inserted"):
        queue.claims.expand(engine, task, [NewTask("/x", "STAGING")], "/x")
    view = queue.show(id_)
    assert (view.task.state, view.children, view.progress) == (State.READY, (), None)


def test_unstarted_tasks_of_a_dead_engine_get_their_attempt_back(queue: Queue) -> None:
    id_ = queue.ready()
    lose(queue, started=False)
    task = queue.show(id_).task
    assert (task.state, task.attempts, task.losses) == (State.READY, 0, 0)
    assert queue.show(id_).attempts[0].outcome == "RETURNED"
    assert queue.show(id_).task.reason == "Its engine was gone before it began; no attempt was spent."


def test_a_started_task_of_a_dead_engine_is_lost_and_ready_again(queue: Queue) -> None:
    id_ = queue.ready()
    lose(queue)
    view = queue.show(id_)
    assert (view.task.state, view.task.attempts, view.task.losses) == (State.READY, 1, 1)
    assert (view.attempts[0].outcome, view.events[-1].state) == ("LOST", "READY")


def test_only_started_tasks_are_lost(queue: Queue) -> None:
    queue.ready("/a")
    queue.ready("/b")
    engine = queue.engine()
    a, b = queue.claim(engine)
    queue.claims.start(engine, [a])
    queue.clock.forward(61)
    queue.rescue()
    assert [queue.show(task.id).task.losses for task in (a, b)] == [1, 0]


def test_what_begins_with_its_claim_is_started_and_nothing_else(queue: Queue) -> None:
    ids = [queue.ready(f"/{number}") for number in range(3)]
    engine = queue.engine()
    tasks = queue.claims.claim(engine, [Lane("staging", 64, begin=2)])
    views = [queue.show(id_) for id_ in ids]
    assert [task.started_at for task in tasks] == [view.task.started_at for view in views]
    assert [view.attempts[0].started_at for view in views] == [view.attempts[0].claimed_at for view in views[:2]] + [None]
    queue.leases.bury(engine.start)
    assert [queue.show(id_).attempts[0].outcome for id_ in ids] == ["LOST", "LOST", "RETURNED"]


def test_a_task_that_must_run_alone_begins_with_its_claim_too(queue: Queue) -> None:
    ids = [queue.ready("/0"), queue.ready("/1")]
    first, engine = queue.engine(), queue.engine()
    queue.claims.claim(first, [Lane("staging", 64, begin=1)])
    queue.leases.bury(first.start)
    lane = Lane("staging", 64, begin=8)
    [clean] = queue.claims.claim(engine, [lane])
    queue.end(engine, clean)
    [alone] = queue.claims.claim(engine, [lane])
    assert [clean.id, alone.id] == ids[::-1]
    assert alone.started_at is not None


def test_a_task_with_a_loss_runs_alone_after_the_clean_ones(queue: Queue) -> None:
    suspects = [queue.ready("/a"), queue.ready("/b")]
    lose(queue, company=1)
    clean = queue.ready("/c", priority=500)
    engine = queue.engine()
    [first] = queue.claim(engine)
    assert first.id == clean
    assert queue.claim(engine) == []
    queue.end(engine, first)
    for suspect in suspects:
        [task] = queue.claim(engine)
        assert task.id == suspect
        queue.ready("/d")
        assert queue.claim(engine) == []
        queue.end(engine, task)
        queue.end(engine, queue.claim(engine)[0])


def test_a_task_with_a_loss_that_waits_too_long_gets_its_turn(queue: Queue) -> None:
    suspect = queue.ready("/a")
    lose(queue)
    engine = queue.engine(ttl=10_000)
    queue.ready("/b")
    [clean] = queue.claim(engine)
    queue.clock.forward(301)
    queue.ready("/c")
    assert queue.claim(engine) == []
    queue.end(engine, clean)
    assert [task.id for task in queue.claim(engine)] == [suspect]


def test_three_losses_suffered_alone_are_poison(queue: Queue) -> None:
    id_ = queue.ready()
    for _ in range(3):
        assert queue.state(id_) is State.READY
        lose(queue)
    view = queue.show(id_)
    assert (view.task.state, view.task.losses) == (State.FAILED, 3)
    assert "died 3 times while it worked on this task alone" in (view.task.reason or "")
    assert [attempt.outcome for attempt in view.attempts] == ["LOST"] * 3
    assert view.task.finished_at is not None


def test_a_loss_spends_none_of_the_tasks_attempts(queue: Queue) -> None:
    id_ = queue.ready(max_attempts=1)
    dead = queue.engine(ttl=10)
    queue.claims.start(dead, queue.claim(dead))
    queue.clock.forward(11)
    assert queue.rescue() == [dead.start]
    [task] = queue.claim(engine := queue.engine(ttl=10_000))
    queue.end(engine, task, Outcome.RETRY, "503 from the CMS")
    view = queue.show(id_)
    assert [attempt.outcome for attempt in view.attempts] == ["LOST", "RETRY"]
    assert (view.task.state, view.task.reason) == ("FAILED", "503 from the CMS. That was attempt 1 of 1, the last")


def test_losses_in_company_do_not_count_as_poison(queue: Queue) -> None:
    ids = [queue.ready("/a"), queue.ready("/b")]
    lose(queue, company=1)
    assert lose(queue) == lose(queue) == ids[:1]
    assert queue.states(*ids) == ["READY", "READY"]
    lose(queue)
    assert queue.states(*ids) == ["FAILED", "READY"]


def test_an_engine_that_leaves_returns_what_it_holds(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    queue.claim(engine)
    assert queue.intake.poll().engines == {"STAGING": 1}
    queue.leases.leave(engine)
    queue.leases.leave(engine)
    assert queue.state(id_) is State.READY
    assert queue.intake.poll().engines == {}
    with pytest.raises(LeaseLost):
        queue.leases.renew(engine, 60)


def test_a_child_that_is_known_to_be_dead_is_buried_at_once(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    queue.claims.start(engine, queue.claim(engine))
    assert queue.leases.bury(engine.start)
    assert not queue.leases.bury(engine.start)
    assert not queue.leases.bury("f" * 32)
    assert (queue.state(id_), queue.show(id_).task.losses) == (State.READY, 1)


def test_engines_are_listed_with_what_they_hold(queue: Queue) -> None:
    gone = queue.engine()
    queue.leases.leave(gone)
    up = queue.engine("PRODUCTION")
    queue.ready("/a", "PRODUCTION")
    queue.claim(up)
    assert [view.engine for view in queue.leases.engines()] == [up]
    views = queue.leases.engines(ended=1)
    assert [(view.engine, view.state, view.running, view.version) for view in views] == [
        (up, "UP", 1, "0.1.0"),
        (gone, "GONE", 0, "0.1.0"),
    ]
    assert views[0].lease_until > views[0].registered_at


def test_every_dead_engine_is_rescued(queue: Queue) -> None:
    engines = {queue.engine().start for _ in range(3)}
    queue.clock.forward(61)
    assert set(queue.rescue()) == engines


def test_fences_rise_over_all_environments(queue: Queue) -> None:
    fences = []
    for number in range(3):
        for environment in ("STAGING", "PRODUCTION"):
            queue.ready(f"/{number}", environment)
            fences += [task.fence for task in queue.claim(queue.engine(environment))]
    assert fences == sorted(set(fences))


def test_a_fence_is_raised_above_what_a_target_had(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    fence, serial = queue.leases.raise_fence(engine, id_, 5000)
    assert fence == serial == 5001
    assert queue.leases.raise_fence(engine, id_, 10) == (5002, 5002)
    assert queue.claims.finish(engine, [Result(id_, task.fence, Outcome.SUCCEEDED, "with the old fence")]) == {id_}
    assert queue.claims.finish(engine, [Result(id_, 5002, Outcome.RETRY, "503")]) == frozenset()
    assert queue.show(id_).attempts[0].outcome == "RETRY"
    queue.clock.forward(20)
    [again] = queue.claim(engine)
    assert (again.fence, again.serial) == (5003, 5002)


def test_a_fence_is_raised_only_for_a_task_of_this_engine(queue: Queue) -> None:
    id_ = queue.ready()
    queue.claim(queue.engine())
    with pytest.raises(LeaseLost, match=f"Task {id_} is not this engine's"):
        queue.leases.raise_fence(queue.engine(), id_, 1)


def test_the_same_results_again_change_nothing_and_are_not_lost(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    result = Result(id_, task.fence, Outcome.SUCCEEDED, "done", new_tasks=(NewTask("/x", "STAGING"),))
    assert queue.claims.finish(engine, [result]) == frozenset()
    assert queue.claims.finish(engine, [result]) == frozenset()
    assert len(queue.show(id_).events) == 3
    assert len(queue.show(id_).children) == 1


def test_start_writes_the_last_results_in_the_same_commit(queue: Queue) -> None:
    queue.ready("/a")
    queue.ready("/b")
    engine = queue.engine()
    a, b = queue.claim(engine)
    assert queue.claims.start(engine, [a]) == {a.id}
    assert queue.claims.start(engine, [b], [Result(a.id, a.fence, Outcome.SUCCEEDED, "done")]) == {b.id}
    assert queue.states(a.id, b.id) == ["SUCCEEDED", "RUNNING"]
    assert queue.claims.start(engine, []) == frozenset()


def test_many_results_are_written_in_batches(queue: Queue) -> None:
    for number in range(70):
        queue.desk.insert(NewTask(f"/{number}", "STAGING"))
    queue.intake.accept(queue.settings)
    engine = queue.engine()
    tasks = [*queue.claim(engine), *queue.claim(engine)]
    assert len(tasks) == 70
    assert queue.claims.finish(engine, [Result(task.id, task.fence, Outcome.SUCCEEDED, "done") for task in tasks]) == frozenset()
    assert queue.counts() == {"STAGING": {"SUCCEEDED": 70}}


def test_progress_is_shown_while_a_task_runs(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.claims.progress(engine, [])
    queue.claims.progress(engine, Progress(id_, "transfer", 1, 10, 100, 1000))
    queue.claims.progress(engine, [Progress(id_, "transfer", 2, 10, 200, 1000)])
    progress = queue.show(id_).progress
    assert progress is not None
    assert (progress.step, progress.files_done, progress.bytes_done) == ("transfer", 2, 200)
    assert progress.at is not None
    queue.end(engine, task)
    assert queue.show(id_).progress is None


def test_a_task_that_expands_keeps_its_rows_and_its_place_together(queue: Queue) -> None:
    id_ = queue.ready("/", action="REPUBLISH")
    engine = queue.engine()
    [task] = queue.claim(engine)
    rows = [NewTask(f"/{n}", "STAGING") for n in range(3)]
    queue.claims.expand(engine, task, rows, "/2")
    queue.claims.expand(engine, task, rows, "/2")
    view = queue.show(id_)
    assert (view.task.cursor, len(view.children)) == ("/2", 3)
    assert {child.batch for child in view.children} == {id_}


def test_reasons_of_any_length_and_any_bytes_can_be_written(queue: Queue) -> None:
    id_ = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.end(engine, task, Outcome.FAILED, "cannot read caf\udce9.pdf: " + "x" * 100_000, error="E" * 1000)
    assert (queue.show(id_).task.reason or "").startswith("cannot read caf?.pdf: xxx")
