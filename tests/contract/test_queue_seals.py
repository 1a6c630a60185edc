"""Seals: what an attempt left behind by which it is told later that nobody has touched a module since."""

from dataclasses import replace

import pytest

from database import Engine, Outcome, Published, Result, Seal
from support.queue import Queue
from support.record import live
from support.takedowns import take_down

SEAL = Seal("staging", "/a", b"1" * 32, 1, "cms", "ab" * 32, "queue token 7 8", 3)


def seal(queue: Queue, seal: Seal, *published: Published) -> None:
    """One task that publishes, and leaves this seal."""
    queue.ready("/task")
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.end(engine, task, published=published, seal=seal)
    queue.leases.leave(engine)


@pytest.fixture
def sealed(queue: Queue) -> Queue:
    seal(queue, SEAL, live("/a", b"1"))
    return queue


def test_a_seal_is_read_back_as_it_was_left(sealed: Queue) -> None:
    assert sealed.record.seal("staging", "/a") == SEAL
    assert sealed.record.seal("staging", "/b") is None
    assert sealed.record.seal("production", "/a") is None


def test_the_newest_takes_the_place_of_the_one_before(sealed: Queue) -> None:
    newer = replace(SEAL, mark="queue other 7 8", files=4)
    seal(sealed, newer)
    assert sealed.record.seal("staging", "/a") == newer


def test_it_is_the_seal_of_one_publication(sealed: Queue) -> None:
    seal(sealed, replace(SEAL, url="/b"), live("/a", b"1", serial=2))
    assert sealed.record.seal("staging", "/a") is None, "the same version, published again"
    assert sealed.record.seal("staging", "/b") is None, "nothing is live there"


def test_a_module_above_others_goes_by_no_seal(sealed: Queue) -> None:
    seal(sealed, replace(SEAL, url="/abc"), live("/abc", b"1"))
    assert sealed.record.seal("staging", "/a") == SEAL, "not below: its name only begins so"
    seal(sealed, replace(SEAL, url="/a/b"), live("/a/b", b"1"))
    assert sealed.record.seal("staging", "/a") is None
    seal(sealed, replace(SEAL, url="/x"), Published("staging", "/a/b", 9))
    assert sealed.record.seal("staging", "/a") == SEAL


def test_a_claim_tells_whether_there_is_one_to_ask_for(sealed: Queue) -> None:
    sealed.ready("/a")
    sealed.ready("/b")
    assert {task.url: task.sealed for task in sealed.claim(sealed.engine())} == {"/a": True, "/b": False}


def test_a_task_that_was_lost_leaves_none(queue: Queue) -> None:
    queue.ready("/task")
    engine, other = queue.engine(), queue.engine()
    [task] = queue.claim(engine)
    queue.leases.leave(engine)
    result = Result(task.id, task.fence, Outcome.SUCCEEDED, "done", published=(live("/a", b"1"),), seal=SEAL)
    assert queue.claims.finish(other, [result]) == {task.id}
    assert queue.record.seal("staging", "/a") is None


def with_a_task(queue: Queue) -> Engine:
    queue.ready("/other")
    engine = queue.engine()
    assert queue.claims.start(engine, queue.claim(engine))
    return engine


def test_an_engine_that_is_lost_with_a_task_breaks_every_seal(sealed: Queue) -> None:
    engine = with_a_task(sealed)
    assert sealed.record.seal("staging", "/a") == SEAL, "while it lives, its own task is in nobody else's module"
    assert sealed.leases.bury(engine.start)
    assert sealed.record.seal("staging", "/a") is None


def test_an_engine_whose_lease_is_over_breaks_them_too(sealed: Queue) -> None:
    with_a_task(sealed)
    sealed.clock.forward(3600)
    assert sealed.rescue()
    assert sealed.record.seal("staging", "/a") is None


def test_an_engine_that_leaves_while_its_task_runs_breaks_them_too(sealed: Queue) -> None:
    sealed.leases.leave(with_a_task(sealed))
    assert sealed.record.seal("staging", "/a") is None


def test_an_engine_that_began_nothing_breaks_none(sealed: Queue) -> None:
    sealed.ready("/other")
    engine = sealed.engine()
    assert sealed.claim(engine)
    sealed.leases.leave(engine)
    assert sealed.leases.bury(sealed.engine().start)
    assert sealed.record.seal("staging", "/a") == SEAL


def test_a_takedown_breaks_the_seals_of_what_it_takes_out_of_an_engines_hands(sealed: Queue) -> None:
    """The engine learns of it with its next heartbeat, and may take the module over until then, also after it was lifted."""
    seal(sealed, replace(SEAL, url="/b"), live("/b", b"1"))
    sealed.ready("/a")
    engine = sealed.engine()
    assert sealed.claims.start(engine, sealed.claim(engine))
    take_down(sealed)
    take_down(sealed, parameters={"lift": True})
    assert sealed.record.current("staging", "/a"), "lifted before anybody removed it"
    assert sealed.record.seal("staging", "/a") is None
    assert sealed.record.seal("staging", "/b"), "nobody has that in hand"
