"""TAKEDOWN in the queue: before everything, against everything, and open until every target has confirmed."""

import threading

import pytest

from answers import takedowns, takedowns_page
from database import Action, Claims, Database, Desk, HeldPlan, Lane, NewTask, Outcome, Published, Result, Task, pack
from support.queue import Queue
from support.takedowns import take_down, urgent

TARGETS = ["archive", "mirror", "production", "staging"]


def confirm(queue: Queue, *environments: str, outcome: Outcome = Outcome.SUCCEEDED) -> None:
    """Engines of these environments carry out what is urgent."""
    for name in environments or ("STAGING", "PRODUCTION", "ARCHIVE", "SHARED"):
        engine = queue.engine(name)
        for task in urgent(queue, engine):
            queue.end(engine, task, outcome, "gone" if outcome is Outcome.SUCCEEDED else "the account may not")
        queue.leases.leave(engine)
    queue.intake.settle_takedowns()


def test_one_row_reaches_every_target_of_every_environment(queue: Queue) -> None:
    root = take_down(queue, requested_by="ana", note="a complaint")
    view = queue.show(root)
    assert (view.task.state, view.task.environment, view.task.target) == ("READY", "*", None)
    assert sorted({child.target or "" for child in view.children}) == TARGETS
    assert queue.intake.poll().takedowns
    [takedown] = queue.record.takedowns()
    assert (takedown.url, takedown.by, takedown.why, takedown.task) == ("/a", "ana", "a complaint", root)
    confirm(queue, "STAGING", "SHARED")
    assert "2 of 4 targets have confirmed" in str(queue.show(root).task.reason)
    assert "production (ready)" in str(queue.show(root).task.reason)
    confirm(queue)
    assert queue.show(root).task.reason == "Gone from all 4 targets: archive, mirror, production, staging."
    assert queue.states(root) == ["SUCCEEDED"]
    assert not queue.intake.poll().takedowns


@pytest.mark.parametrize("environment", ["*", "PRODUCTION", "", "PRODUCTOIN"])
@pytest.mark.parametrize("url", ["/a", "/a/", " /a "])
def test_any_environment_and_a_slash_too_many_will_do(queue: Queue, environment: str, url: str) -> None:
    root = take_down(queue, url, environment)
    assert (queue.show(root).task.url, len(queue.show(root).children)) == ("/a", 5)


def test_what_waits_is_cancelled_and_what_comes_later_is_refused(queue: Queue) -> None:
    ready, future = queue.ready(), queue.ready(environment="PRODUCTION", run_after=queue.intake.poll().now.replace(year=2100))
    other = queue.ready("/a/b")
    new = queue.desk.insert(NewTask("/a", "SHARED"))
    root = take_down(queue)
    assert queue.states(ready, future, new, other) == ["CANCELLED", "CANCELLED", "REJECTED", "READY"]
    assert f"/a is taken down (task {root})" in str(queue.show(ready).task.reason)
    for action in (Action.PUBLISH, Action.ROLLBACK, Action.RETIRE, Action.EXPORT):
        late = queue.desk.insert(NewTask("/a", "STAGING", action))
        queue.intake.accept(queue.settings)
        assert queue.states(late) == ["REJECTED"]
        if action is Action.PUBLISH:
            assert "'slipway takedown /a --lift'" in str(queue.show(late).task.reason)
    assert queue.ready("/a/b", environment="PRODUCTION")


def test_a_held_task_is_cancelled_and_its_approval_brings_nothing_back(queue: Queue) -> None:
    held = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.end(engine, task, Outcome.HELD, plan=HeldPlan("ab", "{}"))
    approval = queue.desk.approve(held, "ab")
    take_down(queue)
    assert queue.states(held, approval) == ["CANCELLED", "REJECTED"]


def test_what_engines_make_for_the_module_is_cancelled(queue: Queue) -> None:
    root = queue.ready("/root", priority=-1000)
    engine = queue.engine()
    [task] = queue.claim(engine, limit=1)
    assert task.id == root
    take_down(queue)
    made = [NewTask("/a", "STAGING", Action.PUBLISH), NewTask("/b", "STAGING", Action.PUBLISH)]
    queue.claims.expand(engine, task, made, "all")
    deliver = NewTask("/a", "STAGING", Action.DELIVER, target="mirror")
    queue.end(engine, task, new_tasks=(deliver,))
    queue.intake.accept(queue.settings)
    states = {(child.url, child.action): str(child.state) for child in queue.show(root).children}
    assert states == {("/a", "PUBLISH"): "CANCELLED", ("/b", "PUBLISH"): "READY", ("/a", "DELIVER"): "CANCELLED"}


def test_a_running_task_is_taken_out_of_its_engines_hands(queue: Queue) -> None:
    publish = queue.ready()
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.claims.start(engine, [task])
    take_down(queue)
    assert queue.states(publish) == ["CANCELLED"]
    assert queue.show(publish).attempts[-1].outcome == "CANCELLED"
    # Its engine learns of it, and whatever it reports is too late.
    assert publish in queue.leases.renew(engine, 60).cancelled
    queue.claims.finish(engine, [result_of(task)])
    assert queue.states(publish) == ["CANCELLED"]
    assert queue.record.current("staging", "/a") is None
    # The module is free for the takedown at once.
    assert [each.url for each in urgent(queue, engine, "staging")] == ["/a"]


def result_of(task: Task) -> Result:
    live = Published("staging", "/a", task.serial, b"\0" * 32, pack([b"<packageslip/>"]))
    return Result(task.id, task.fence, Outcome.SUCCEEDED, "done", published=(live,))


def test_it_waits_for_no_breaker_no_pause_no_exclusive_target_and_no_busy_engine(queue: Queue) -> None:
    queue.ready("/x", environment="ARCHIVE")
    engine = queue.engine("ARCHIVE")
    assert queue.claim(engine, "archive")
    down = queue.ready("/y", environment="PRODUCTION")
    other = queue.engine("PRODUCTION")
    [task] = queue.claim(other, "production")
    assert task.id == down
    queue.end(other, task, Outcome.UNREACHABLE, "no answer", breaker="production")
    queue.pause("PRODUCTION")
    take_down(queue)
    assert [each.target for each in urgent(queue, engine)] == ["archive"]
    assert [each.target for each in urgent(queue, other)] == ["production"]


def test_ordinary_lanes_leave_it_to_the_urgent_ones(queue: Queue) -> None:
    take_down(queue)
    ordinary = queue.ready("/b")
    assert [task.id for task in queue.claim(queue.engine())] == [ordinary]


def test_an_unreachable_target_keeps_it_open_and_is_asked_again_soon(queue: Queue) -> None:
    root = take_down(queue)
    engine = queue.engine("PRODUCTION")
    for _ in range(12):
        [task] = urgent(queue, engine)
        queue.end(engine, task, Outcome.UNREACHABLE, "production: no answer", breaker="production")
        assert not urgent(queue, engine, "production")
        queue.clock.forward(11)
        engine = queue.engine("PRODUCTION")
    confirm(queue, "STAGING", "SHARED", "ARCHIVE")
    reason = str(queue.show(root).task.reason)
    assert "3 of 4 targets have confirmed that it is gone. Not yet: production (production: no answer" in reason
    assert [breaker.name for breaker in queue.desk.breakers() if breaker.open] == ["production"]
    confirm(queue)
    assert queue.states(root) == ["SUCCEEDED"]
    # It was the breaker's probe, too.
    assert not [breaker.name for breaker in queue.desk.breakers() if breaker.open]


def test_a_failure_of_the_moment_never_uses_up_its_attempts(queue: Queue) -> None:
    root = take_down(queue, max_attempts=1)
    for _ in range(5):
        engine = queue.engine("PRODUCTION")
        [task] = urgent(queue, engine)
        queue.end(engine, task, Outcome.RETRY, "busy")
        queue.clock.forward(21)
    assert queue.states(root) == ["READY"]


def test_a_target_where_a_person_must_act_fails_it_with_the_reason(queue: Queue) -> None:
    root = take_down(queue)
    confirm(queue, "STAGING", "SHARED", "ARCHIVE")
    confirm(queue, "PRODUCTION", outcome=Outcome.FAILED)
    assert queue.states(root) == ["FAILED"]
    reason = str(queue.show(root).task.reason)
    assert "Not from production (the account may not); mend that, then insert the TAKEDOWN again." in reason
    # The block stays, and a second row asks everywhere again.
    again = take_down(queue)
    assert len(queue.show(again).children) == 5
    confirm(queue)
    assert queue.states(again) == ["SUCCEEDED"]


def test_inserted_twice_the_newer_one_goes_on(queue: Queue) -> None:
    first, second = (queue.desk.insert(NewTask("/a", "*", Action.TAKEDOWN)) for _ in range(2))
    queue.intake.accept(queue.settings)
    assert queue.states(first, second) == ["SUPERSEDED", "READY"]
    assert {str(child.state) for child in queue.show(first).children} == {"SUPERSEDED"}
    [takedown] = queue.record.takedowns()
    assert takedown.task == second
    confirm(queue)
    assert queue.states(second) == ["SUCCEEDED"]


def test_lifted_it_can_be_published_again(queue: Queue) -> None:
    root = take_down(queue)
    confirm(queue, "STAGING", "SHARED")
    lift = take_down(queue, parameters={"lift": True}, requested_by="eve")
    assert queue.states(lift, root) == ["SUCCEEDED", "CANCELLED"]
    assert sorted(str(child.state) for child in queue.show(root).children) == ["CANCELLED"] * 2 + ["SUCCEEDED"] * 3
    assert not queue.record.takedowns()
    assert not queue.record.taken_down()
    [(past, state, _)] = queue.record.taken_down(lifted=True)
    assert (past.lifted_by, state) == ("eve", "CANCELLED")
    queue.ready()
    again = take_down(queue, parameters={"lift": True})
    assert queue.states(again) == ["REJECTED"]
    assert "is not taken down" in str(queue.show(again).task.reason)


def test_modules_below_go_only_where_that_is_asked(queue: Queue) -> None:
    below, beside = queue.ready("/a/b"), queue.ready("/ab")
    take_down(queue, parameters={"below": True})
    assert queue.states(below, beside) == ["CANCELLED", "READY"]
    late = queue.desk.insert(NewTask("/a/c", "STAGING"))
    queue.intake.accept(queue.settings)
    assert "/a/c was taken down, with /a, on" in str(queue.show(late).task.reason)


def test_a_takedown_of_a_moment_to_come_is_refused(queue: Queue) -> None:
    later = take_down(queue, run_after=queue.intake.poll().now.replace(year=2100))
    held = take_down(queue, hold=True)
    assert queue.states(later, held) == ["REJECTED"] * 2
    assert not queue.record.takedowns()


def test_a_ready_row_that_slipped_by_ends_at_the_claim(queue: Queue) -> None:
    take_down(queue)
    stray = queue.ready("/b")
    queue.sql("UPDATE publication_task_queue SET url = '/a' WHERE id = :id", id=stray)
    assert queue.claim(queue.engine()) == []
    assert queue.states(stray) == ["CANCELLED"]
    assert "was taken down" in str(queue.show(stray).task.reason)


def test_behind_a_backlog_it_is_taken_in_first(queue: Queue) -> None:
    backlog = queue.desk.insert_many(NewTask(f"/{n}", "STAGING") for n in range(12))
    root = queue.desk.insert(NewTask("/a", "*", Action.TAKEDOWN))
    assert queue.intake.accept(queue.settings, 5) == 6
    assert queue.states(root, backlog[-1]) == ["READY", "NEW"]


def test_what_the_record_has_on_a_target_that_is_gone_is_named(queue: Queue) -> None:
    queue.sql(
        "INSERT INTO publication (target, url, serial, since) VALUES ('attic', '/a', 1, '2026-01-01 00:00:00')",
    )
    root = take_down(queue)
    confirm(queue)
    assert queue.states(root) == ["FAILED"]
    assert "live on attic, which is not configured any more: remove it there by hand" in str(queue.show(root).task.reason)


def test_publishes_inserted_in_the_same_instant_never_outlive_it(queue: Queue) -> None:
    """Four sessions insert publishes while one takes the module down and engines claim: nothing runs for it afterwards."""
    stop = threading.Event()
    databases = [Database.connect(queue.url) for _ in range(3)]

    def insert(database: Database) -> None:
        while not stop.is_set():
            Desk(database).insert(NewTask("/a", "STAGING"))

    def claim(database: Database) -> None:
        claims, engine = Claims(database), queue.engine()
        while not stop.is_set():
            claims.claim(engine, [Lane("staging", 8)])

    threads = [threading.Thread(target=insert, args=(database,)) for database in databases[:2]]
    threads.append(threading.Thread(target=claim, args=(databases[2],)))
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            queue.intake.accept(queue.settings)
        root = take_down(queue)
        for _ in range(3):
            queue.intake.accept(queue.settings)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for database in databases:
            database.close()
    while queue.intake.accept(queue.settings):
        pass
    states = {str(task.state) for task in queue.desk.find(url="/a", action="PUBLISH", limit=10_000)}
    assert states <= {"CANCELLED", "REJECTED", "SUPERSEDED"}
    assert [task.action for task in urgent(queue, queue.engine(), "staging")] == ["TAKEDOWN"]
    assert queue.states(root) == ["READY"]


def test_takedowns_are_read_by_pages_with_what_their_rows_say(queue: Queue) -> None:
    roots = [take_down(queue, f"/{name}") for name in "abcde"]
    take_down(queue, "/b", parameters={"lift": True})
    queue.sql("DELETE FROM publication_task_queue WHERE id = :id", id=roots[2])
    first = takedowns_page(queue.db, lifted=True, limit=3)
    assert [one.takedown.url for one in first.downs] == ["/a", "/b", "/c"]
    assert first.after == first.downs[-1].takedown.id
    assert first.downs[0].how_far.startswith("READY: Taken down everywhere")
    assert first.downs[2].how_far == "", "its row was purged"
    rest = takedowns_page(queue.db, lifted=True, after=first.after, limit=2)
    assert ([one.takedown.url for one in rest.downs], rest.after) == (["/d", "/e"], None)
    assert [one.takedown.url for one in takedowns(queue.db)] == ["/a", "/c", "/d", "/e"]
