"""What people ask and change."""

import pytest

from database import HeldPlan, NewTask, NoSuchTask, Outcome, State
from support.queue import Queue


def test_inserted_rows_keep_what_was_asked(queue: Queue) -> None:
    new = NewTask(
        "/a", "STAGING", "PUBLISH", 5, parameters={"mode": "full"}, requested_by="eve", note="now", hold=True, max_attempts=2
    )
    task = queue.show(queue.desk.insert(new)).task
    assert (task.priority, task.parameters, task.requested_by, task.note, task.hold, task.max_attempts) == (
        5,
        {"mode": "full"},
        "eve",
        "now",
        True,
        2,
    )
    assert task.created_at is not None


def test_several_rows_get_their_ids_in_order(queue: Queue) -> None:
    ids = queue.desk.insert_many([NewTask("/b", "STAGING"), NewTask("/a", "STAGING")])
    assert [queue.show(id_).task.url for id_ in ids] == ["/b", "/a"]


def test_find_filters_and_reads_on(queue: Queue) -> None:
    ids = [queue.desk.insert(NewTask(f"/{n}", "STAGING", action)) for n, action in enumerate(["PUBLISH", "VERIFY", "PUBLISH"])]
    other = queue.desk.insert(NewTask("/0", "PRODUCTION"))
    find = queue.desk.find
    assert [task.id for task in find()] == [other, *reversed(ids)]
    assert [task.id for task in find(environment="STAGING", limit=2)] == [ids[2], ids[1]]
    assert [task.id for task in find(environment="STAGING", limit=2, before=ids[1])] == [ids[0]]
    assert [task.id for task in find(url="/0")] == [other, ids[0]]
    assert [task.id for task in find(action="VERIFY", states=["NEW"])] == [ids[1]]
    assert find(states=[State.FAILED, State.HELD]) == []


def test_rows_of_any_content_are_listed(queue: Queue) -> None:
    queue.sql("INSERT INTO publication_task_queue (parameters, action) VALUES ('[', '?')")
    queue.sql("INSERT INTO publication_task_queue (parameters) VALUES ('[1]')")
    assert [(task.url, task.environment, task.parameters) for task in queue.desk.find()] == [("", "", {})] * 2


def test_all_that_a_task_made_is_read_in_steps_and_nothing_else(queue: Queue) -> None:
    made = queue.made(*(NewTask(f"/{name}", "STAGING", "PUBLISH", target="staging") for name in "abcde"))
    queue.ready("/other")
    root = queue.show(made[0]).task.parent
    assert root is not None
    assert [task.id for task in queue.desk.children(root, at_once=2)] == sorted(made)
    assert queue.desk.children(made[0]) == []


def test_hold_and_release(queue: Queue) -> None:
    id_ = queue.ready()
    queue.desk.hold([id_])
    assert queue.claim(queue.engine()) == []
    assert queue.intake.poll().due == frozenset()
    queue.desk.release([id_])
    assert len(queue.claim(queue.engine())) == 1


def test_several_tasks_are_changed_together_or_not_at_all(queue: Queue) -> None:
    a, b = queue.ready("/a"), queue.ready("/b")
    engine = queue.engine()
    [task] = queue.claim(engine, limit=1)
    assert task.id == a
    queue.end(engine, task)
    with pytest.raises(
        NoSuchTask, match=f"Cannot be cancelled: task {a} is SUCCEEDED, there is no task 999. Nothing was changed"
    ):
        queue.desk.cancel([a, b, 999])
    assert not queue.show(b).task.cancel_requested
    for verb in (queue.desk.hold, queue.desk.release):
        with pytest.raises(NoSuchTask):
            verb([a])
    queue.desk.cancel([])


def test_show_and_retry_need_a_task(queue: Queue) -> None:
    for verb in (queue.desk.show, queue.desk.retry):
        with pytest.raises(NoSuchTask, match="There is no task 999"):
            verb(999)
    with pytest.raises(NoSuchTask, match="There is no task 999"):
        queue.desk.approve(999, "ab")


def test_only_what_has_ended_can_be_done_again(queue: Queue) -> None:
    id_ = queue.ready()
    with pytest.raises(NoSuchTask, match=f"Task {id_} is READY; only a task that has ended"):
        queue.desk.retry(id_)
    rejected = queue.desk.insert(NewTask("/a", "NOWHERE"))
    queue.intake.accept(queue.settings)
    with pytest.raises(NoSuchTask, match=f"Task {rejected} was rejected: environment 'NOWHERE' is not configured"):
        queue.desk.retry(rejected)


def test_a_rerun_keeps_action_parameters_and_priority(queue: Queue) -> None:
    id_ = queue.ready("/a", action="UNPUBLISH", parameters={"dry_run": True}, priority=7)
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.FAILED, "permission denied")
    task = queue.show(queue.desk.retry(id_)).task
    assert (task.url, task.action, task.priority, task.state) == ("/a", "UNPUBLISH", 7, State.NEW)
    assert task.parameters == {"dry_run": True, "rerun_of": id_}


def test_only_a_held_task_with_the_plan_that_was_seen_can_be_approved(queue: Queue) -> None:
    id_ = queue.ready()
    with pytest.raises(NoSuchTask, match=f"Task {id_} is READY"):
        queue.desk.approve(id_, "ab")
    engine = queue.engine()
    queue.end(engine, queue.claim(engine)[0], Outcome.HELD, "?", plan=HeldPlan("ab", "{}"))
    with pytest.raises(NoSuchTask, match=f"Task {id_} waits with another plan, ab"):
        queue.desk.approve(id_, "cd")
    approval = queue.show(queue.desk.approve(id_, "ab")).task
    assert (approval.action, approval.parameters) == ("APPROVE", {"task": id_, "plan": "ab"})


def test_targets_and_sources_are_known_from_the_configuration(queue: Queue) -> None:
    queue.ready()
    assert [breaker.name for breaker in queue.desk.breakers()] == ["archive", "mirror", "production", "source:cms", "staging"]
    assert not any(breaker.open for breaker in queue.desk.breakers())
