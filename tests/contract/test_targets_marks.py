"""What every kind of target promises about a mark: while it is unbroken, nobody has come after the holder who was given it."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, file_put, publish, slip_of, unpublish
from support.target_kinds import Place
from targets import Fenced, Target


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def marked(target: Target, queue: TestQueue) -> str:
    """The mark of a holder who has just published."""
    claim = queue.claim()
    publish(target, URL, FILES, claim)
    return target.mark(target.present(URL, claim))


def test_a_kind_that_cannot_tell_says_so(place: Place, queue: TestQueue) -> None:
    target = place.open()
    mark = marked(target, queue)
    assert target.unbroken(URL, mark) == bool(mark)


@pytest.mark.needs("marks")
def test_a_mark_stays_unbroken_whoever_looks(place: Place, queue: TestQueue) -> None:
    target = place.open()
    mark = marked(target, queue)
    publish(target, "/courses/maths", FILES, queue.claim())
    for other in (target, place.open()):
        assert other.slip(URL) is not None
        assert other.unbroken(URL, mark)
        assert not other.unbroken("/courses/maths", mark)
        assert not other.unbroken("/courses/never", mark)


def took_over(target: Target, queue: TestQueue) -> None:
    target.present(URL, queue.claim())


def published(target: Target, queue: TestQueue) -> None:
    publish(target, URL, {"index.htm": b"newer"}, queue.claim())


def published_the_same(target: Target, queue: TestQueue) -> None:
    publish(target, URL, FILES, queue.claim())


def unpublished(target: Target, queue: TestQueue) -> None:
    unpublish(target, URL, queue.claim())


def died_before_anything_was_visible(target: Target, queue: TestQueue) -> None:
    present = target.present(URL, queue.claim())
    release = target.release(present, slip_of(URL, {"index.htm": b"newer"}))
    release.__enter__()
    release.put([file_put("index.htm", b"newer")])
    release.prepare()


def adopted(target: Target, queue: TestQueue) -> None:
    target.adopt("f" * 32)


@pytest.mark.needs("marks")
@pytest.mark.parametrize(
    "somebody", [took_over, published, published_the_same, unpublished, died_before_anything_was_visible, adopted]
)
def test_whoever_comes_after_breaks_it(place: Place, queue: TestQueue, somebody: Callable[[Target, TestQueue], None]) -> None:
    target = place.open()
    mark = marked(target, queue)
    somebody(place.open(), queue)
    assert not target.unbroken(URL, mark)


@pytest.mark.needs("marks")
def test_a_holder_who_was_overtaken_gives_no_mark_that_holds(place: Place, queue: TestQueue) -> None:
    target, claim = place.open(), queue.claim()
    publish(target, URL, FILES, claim)
    present = target.present(URL, claim)
    place.open().present(URL, queue.claim())
    with suppress(Fenced):
        assert not target.unbroken(URL, target.mark(present))


@pytest.mark.needs("marks")
def test_an_old_record_that_is_put_back_breaks_it(place: Place, queue: TestQueue) -> None:
    target = place.open()
    mark = marked(target, queue)
    for tree in place.trees:
        [record] = [path for path in tree.files() if path.endswith("/slip.xml") and "physics" in path]
        tree.write(record, tree.files()[record] + b"\n")
    assert not target.unbroken(URL, mark)
