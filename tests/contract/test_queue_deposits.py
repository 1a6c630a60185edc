"""The record of deposits: what was sent is never forgotten, and only the task's own engine writes it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from database import Deposits, DepositState, Engine, LeaseLost, Parcel, Task
from support.queue import Queue

PARCEL = Parcel("/courses/a", b"v" * 32, "dspace", "https://archive/8", "a-0123456789abcdef", "a.zip", b"d" * 32, "ab" * 16, 4096)


class Retiring:
    """A task at work, and the deposits as its engine writes them."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        queue.ready()
        self.engine: Engine = queue.engine()
        [self.task] = queue.claim(self.engine)
        self.deposits = Deposits(queue.db, self.engine)

    @property
    def own(self) -> tuple[Task, int]:
        return self.task, self.task.fence


@pytest.fixture
def retiring(queue: Queue) -> Retiring:
    return Retiring(queue)


def test_nothing_is_known_of_a_module_that_was_never_deposited(retiring: Retiring) -> None:
    assert retiring.deposits.current("/courses/a") is None
    assert list(retiring.deposits.history("/courses/a")) == []


def test_a_deposit_is_prepared_sent_confirmed_and_told(retiring: Retiring) -> None:
    deposits, clock = retiring.deposits, retiring.queue.clock
    made = deposits.prepare(*retiring.own, PARCEL)
    assert made.state is DepositState.PREPARED
    assert Parcel(**{name: getattr(made, name) for name in Parcel.__slots__}) == PARCEL
    assert (made.task, made.sendings, made.sent_at, made.complete) == (retiring.task.id, 0, None, False)
    clock.forward(10)
    sent = deposits.send(*retiring.own, made.id)
    assert (sent.state, sent.sendings, sent.complete) == (DepositState.SENT, 1, False)
    assert sent.sent_at is not None
    assert sent.sent_at > made.prepared_at
    done = deposits.confirm(*retiring.own, made.id, location="https://archive/item/1", handle="1/2", receipt=b"<entry/>")
    assert (done.state, done.location, done.handle, done.receipt) == (
        DepositState.CONFIRMED,
        "https://archive/item/1",
        "1/2",
        b"<entry/>",
    )
    assert done.complete
    assert done.told_at is None
    told = deposits.told(*retiring.own, made.id)
    assert told.told_at is not None
    assert deposits.current("/courses/a") == told
    assert deposits.history("/courses/a") == [told]


def test_what_was_only_prepared_is_replaced(retiring: Retiring) -> None:
    first = retiring.deposits.prepare(*retiring.own, PARCEL)
    second = retiring.deposits.prepare(*retiring.own, replace(PARCEL, version=b"w" * 32, size=1))
    assert (second.id, second.version, second.size) == (first.id, b"w" * 32, 1)
    assert len(retiring.deposits.history("/courses/a")) == 1


def test_what_may_be_at_the_archive_is_not_replaced(retiring: Retiring) -> None:
    made = retiring.deposits.prepare(*retiring.own, PARCEL)
    retiring.deposits.send(*retiring.own, made.id)
    with pytest.raises(ValueError, match="nobody knows whether it arrived"):
        retiring.deposits.prepare(*retiring.own, PARCEL)
    with pytest.raises(LeaseLost, match="must not send it"):
        retiring.deposits.send(*retiring.own, made.id)
    unsent = retiring.deposits.unsend(*retiring.own, made.id)
    assert (unsent.state, unsent.sendings) == (DepositState.PREPARED, 1)
    again = retiring.deposits.prepare(*retiring.own, replace(PARCEL, md5="cd" * 16))
    assert (again.id, again.md5, again.sendings) == (made.id, "cd" * 16, 1)
    assert retiring.deposits.send(*retiring.own, made.id).sendings == 2


def test_what_an_archive_has_is_not_sent_again_and_stays_in_the_record_beside_a_new_one(retiring: Retiring) -> None:
    deposits = retiring.deposits
    old = deposits.prepare(*retiring.own, PARCEL)
    old = deposits.confirm(*retiring.own, old.id, location=None, handle="1/2", receipt=None)
    with pytest.raises(LeaseLost, match="must not send it"):
        deposits.send(*retiring.own, old.id)
    new = deposits.prepare(*retiring.own, replace(PARCEL, version=b"w" * 32))
    assert new.id != old.id
    assert deposits.history("/courses/a") == [new, old]


def test_archives_and_modules_are_apart(retiring: Retiring) -> None:
    deposits = retiring.deposits
    one = deposits.prepare(*retiring.own, PARCEL)
    two = deposits.prepare(*retiring.own, replace(PARCEL, archive="other"))
    deposits.prepare(*retiring.own, replace(PARCEL, url="/courses/b"))
    assert deposits.current("/courses/a", "dspace") == one
    assert deposits.current("/courses/a", "other") == deposits.current("/courses/a") == two
    assert deposits.current("/courses/a", "third") is None


def test_the_cms_is_told_again_when_the_handle_is_another(retiring: Retiring) -> None:
    deposits = retiring.deposits
    made = deposits.prepare(*retiring.own, PARCEL)
    first = deposits.confirm(*retiring.own, made.id, location=None, handle="1/2", receipt=None)
    told = deposits.told(*retiring.own, made.id)
    retiring.queue.clock.forward(10)
    same = deposits.confirm(*retiring.own, made.id, location="x", handle="1/2", receipt=b"r")
    assert (same.told_at, same.confirmed_at, same.location) == (told.told_at, first.confirmed_at, "x")
    other = deposits.confirm(*retiring.own, made.id, location="x", handle="1/3", receipt=b"r")
    assert (other.told_at, other.handle) == (None, "1/3")


CHANGES: list[Callable[[Deposits, Task, int, int], object]] = [
    lambda deposits, task, fence, _: deposits.prepare(task, fence, PARCEL),
    lambda deposits, task, fence, id_: deposits.send(task, fence, id_),
    lambda deposits, task, fence, id_: deposits.unsend(task, fence, id_),
    lambda deposits, task, fence, id_: deposits.confirm(task, fence, id_, location=None, handle=None, receipt=None),
    lambda deposits, task, fence, id_: deposits.told(task, fence, id_),
]


@pytest.mark.parametrize("change", CHANGES, ids=["prepare", "send", "unsend", "confirm", "told"])
def test_only_the_engine_that_has_the_task_writes(retiring: Retiring, change: Callable[..., object]) -> None:
    made = retiring.deposits.prepare(*retiring.own, PARCEL)
    stranger = Deposits(retiring.queue.db, retiring.queue.engine())
    for deposits, fence in (
        (stranger, retiring.task.fence),
        (Deposits(retiring.queue.db), retiring.task.fence),
        (retiring.deposits, retiring.task.fence - 1),
    ):
        with pytest.raises(LeaseLost, match="not this engine's any more"):
            change(deposits, retiring.task, fence, made.id)
    retiring.queue.end(retiring.engine, retiring.task)
    with pytest.raises(LeaseLost):
        change(retiring.deposits, retiring.task, retiring.task.fence, made.id)
    assert stranger.current("/courses/a") == made
