"""What every kind of target promises about a mark: while it is unbroken, nobody has come after the holder who was given it."""

import json
from contextlib import suppress

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, file_put, publish, slip_of, unpublish
from support.stopping import StoppingDisk
from support.target_kinds import Place
from targets import Fenced, GroupTarget, MemoryDisk, MemoryFiles, OrderedTarget, Target, TargetUnreachable
from targets.disk import Disk


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
    assert target.unbroken(URL, mark, queue.id) == bool(mark)


@pytest.mark.needs("marks")
def test_a_mark_stays_unbroken_whoever_looks(place: Place, queue: TestQueue) -> None:
    target = place.open()
    mark = marked(target, queue)
    publish(target, "/courses/maths", FILES, queue.claim())
    for other in (target, place.open()):
        assert other.slip(URL) is not None
        assert other.unbroken(URL, mark, queue.id)
        assert not other.unbroken("/courses/maths", mark, queue.id)
        assert not other.unbroken("/courses/never", mark, queue.id)


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


@pytest.mark.needs("marks")
def test_whoever_comes_after_breaks_it(place: Place, queue: TestQueue) -> None:
    target, other = place.open(), place.open()
    for somebody in (took_over, published, published_the_same, unpublished, died_before_anything_was_visible):
        mark = marked(target, queue)
        assert target.unbroken(URL, mark, queue.id)
        somebody(other, queue)
        assert not target.unbroken(URL, mark, queue.id), somebody.__name__


@pytest.mark.needs("marks")
def test_a_holder_who_was_overtaken_gives_no_mark_that_holds(place: Place, queue: TestQueue) -> None:
    target, claim = place.open(), queue.claim()
    publish(target, URL, FILES, claim)
    present = target.present(URL, claim)
    place.open().present(URL, queue.claim())
    with suppress(Fenced):
        assert not target.unbroken(URL, target.mark(present), queue.id)


@pytest.mark.needs("marks")
def test_an_old_record_that_is_put_back_breaks_it(place: Place, queue: TestQueue) -> None:
    target = place.open()
    mark = marked(target, queue)
    for tree in place.trees:
        [record] = [path for path in tree.files() if path.endswith("/slip.xml") and "physics" in path]
        tree.write(record, tree.files()[record] + b"\n")
    assert not target.unbroken(URL, mark, queue.id)


def test_another_queue_goes_by_no_mark_of_this_one(place: Place, queue: TestQueue) -> None:
    """Its engines have no area there before it was adopted, and those of this one are shut out by nothing until then."""
    target = place.open()
    mark = marked(target, queue)
    assert not target.unbroken(URL, mark, "f" * 32)
    target.adopt("f" * 32)
    assert not target.unbroken(URL, mark, "f" * 32)
    assert not target.unbroken(URL, mark, queue.id), "its area is gone"


def test_a_mark_of_another_kind_of_target_is_broken(place: Place, queue: TestQueue) -> None:
    """A name that was a server's may be a group's by now, and the other way round."""
    target = place.open()
    marked(target, queue)
    for mark in (f"{queue.id} 0000000000000000001.00000001 7 8", json.dumps({"one": f"{queue.id} 1.2 7 8"}), "words"):
        assert not target.unbroken(URL, mark, queue.id)


def test_a_group_of_which_a_member_does_not_answer_leaves_it_to_the_takeover(queue: TestQueue) -> None:
    """Which goes on without it, where the others are enough."""
    one, two = MemoryDisk(MemoryFiles()), MemoryDisk(MemoryFiles())

    def group(second: Disk) -> Target:
        return GroupTarget("group", [OrderedTarget("one", one), OrderedTarget("two", second)], quorum=1)

    mark = marked(group(two), queue)
    assert group(two).unbroken(URL, mark, queue.id)
    down = StoppingDisk(two, 0, TargetUnreachable("two does not answer", target="two"))
    assert not group(down).unbroken(URL, mark, queue.id)
