"""A database that was put back from an older copy: noticed, stopped, and let go on."""

import pytest

from database import Action, NewTask, QueueRestored, Restoration, State
from support.queue import Queue
from support.record import live, publish
from support.takedowns import take_down, urgent


def suspected(queue: Queue) -> Restoration:
    restoration = Restoration(queue.db)
    with pytest.raises(QueueRestored, match=r"origin was written to under the fence 500.*slipway db restored"):
        restoration.compare("origin", 500)
    return restoration


def test_a_target_that_knows_no_later_fence_stops_nothing(queue: Queue) -> None:
    queue.ready()
    [task] = queue.claim(queue.engine())
    restoration = Restoration(queue.db)
    restoration.compare("origin", task.fence)
    restoration.saw(queue.intake.poll().fence)
    restoration.saw(task.fence)
    restoration.check()
    assert queue.intake.poll().stopped is None


def test_from_the_moment_it_is_noticed_nothing_is_claimed(queue: Queue) -> None:
    queue.ready()
    restoration = suspected(queue)
    engine = queue.engine()
    assert queue.claim(engine) == []
    take_down(queue, "/b")
    assert urgent(queue, engine, "staging") == [], "its fence would be one that others have"
    assert "under the fence 500" in (queue.intake.poll().stopped or "")
    with pytest.raises(QueueRestored, match="under the fence 500"):
        restoration.check()
    with pytest.raises(QueueRestored):
        restoration.compare("other", 600)
    assert "under the fence 500" in (queue.intake.poll().stopped or ""), "the first evidence stays"


def test_it_is_noticed_under_a_running_process_too(queue: Queue) -> None:
    restoration = Restoration(queue.db)
    restoration.saw(70)
    with pytest.raises(QueueRestored, match="stood at 70 and stands at 12"):
        restoration.saw(12)
    with pytest.raises(QueueRestored):
        restoration.check()


def test_it_goes_on_as_another_queue_with_fences_above_all_and_without_the_engines_of_before(queue: Queue) -> None:
    before = queue.db.queue_id
    running = queue.ready("/running")
    engine = queue.engine()
    queue.claim(engine)
    restoration = suspected(queue)
    on = restoration.go_on(500, [])
    assert on.queue != before
    assert on.fence > 500
    assert queue.intake.poll().stopped is None
    restoration.check()
    assert [view.state for view in queue.leases.engines(ended=20)] == ["DEAD"]
    [task] = queue.claim(queue.engine())
    assert (task.id, task.fence > on.fence, on.on_hold) == (running, True, ())


def test_what_would_undo_a_later_change_waits_for_a_person(queue: Queue) -> None:
    back = queue.ready("/changed", action=Action.UNPUBLISH)
    plain = queue.ready("/changed/too")
    other = queue.ready("/unchanged", action=Action.UNPUBLISH)
    retire = queue.ready("/retired", environment="ARCHIVE")
    queue.sql("UPDATE publication_task_queue SET action = 'RETIRE' WHERE id = :id", id=retire)
    [bound] = queue.made(NewTask("/bound", "STAGING", Action.DELIVER, target="mirror", version=b"v" * 32))
    newer = [("staging", "/changed"), ("staging", "/changed/too"), ("mirror", "/bound")]
    assert suspected(queue).go_on(500, newer).on_hold == (back, retire, bound)
    assert queue.show(back).task.hold
    assert "slipway queue release" in (queue.show(back).task.reason or "")
    assert {task.id for task in queue.claim(queue.engine(), "staging", "mirror")} == {plain, other}
    queue.desk.release([back])
    assert [task.id for task in queue.claim(queue.engine())] == [back]
    assert queue.state(back) is State.RUNNING


def test_what_a_target_has_no_more_is_not_recorded_as_live(queue: Queue) -> None:
    publish(queue, live("/a"), live("/b"))
    queue.record.forget("staging", ["/a", "/never"])
    assert [one.url for one in queue.record.published("staging")] == ["/b"]
