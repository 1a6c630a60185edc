"""Two versions of the program on one queue: what the older one does not know is left for the newer one."""

import pytest

from database import NewTask, State, schema
from support.queue import Queue


def older(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on this is the older of the two."""
    monkeypatch.setattr(schema, "PROTOCOL", schema.PROTOCOL - 1)


def test_engines_note_what_they_understand(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = schema.PROTOCOL
    queue.engine()
    older(monkeypatch)
    queue.engine()
    assert sorted(view.protocol for view in queue.leases.engines()) == [newest - 1, newest]


def test_an_action_of_a_newer_program_is_not_rejected(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.engine()
    older(monkeypatch)
    strange, plain = (queue.desk.insert(NewTask("/a", "STAGING", action)) for action in ("TRANSMUTE", "PUBLISH"))
    assert queue.intake.accept(queue.settings) == 1
    assert queue.states(strange, plain) == ["NEW", "READY"]
    assert queue.intake.accept(queue.settings) == 0
    assert queue.state(strange) is State.NEW


def test_an_action_that_nobody_knows_is_rejected(queue: Queue) -> None:
    queue.engine()
    strange = queue.desk.insert(NewTask("/a", "STAGING", "TRANSMUTE"))
    queue.intake.accept(queue.settings)
    assert queue.state(strange) is State.REJECTED


def test_an_action_of_a_newer_program_is_not_claimed(queue: Queue) -> None:
    strange, plain = queue.ready("/a"), queue.ready("/b")
    absorbing = queue.ready("/b")
    queue.sql("UPDATE publication_task_queue SET action = 'TRANSMUTE' WHERE id IN (:one, :two)", one=strange, two=absorbing)
    assert [task.id for task in queue.claim(queue.engine())] == [plain]
    assert queue.states(strange, absorbing) == ["READY", "READY"]
