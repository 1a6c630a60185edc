"""What every kind of target with a grace promises about files that a release leaves out."""

import pytest

from packageslip import Packageslip, Stale, version_of
from support.claims import TestQueue
from support.releases import URL, changed, digest, publish, slip_of, under, unpublish
from support.target_kinds import Place
from targets import Moved, PlacedOptions, Target
from targets.departing import SEEN

GRACE = 900
OPTIONS = PlacedOptions(delete_grace=GRACE)
OLD = {"index.htm": b"old", "css/a.css": b"a", "css/b.css": b"b"}
NEW = {"index.htm": b"new", "css/b.css": b"b"}

pytestmark = pytest.mark.needs("grace")


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def live_slip(target: Target) -> Packageslip:
    slip = target.slip(URL)
    assert slip is not None
    return slip


def expire(target: Target, queue: TestQueue) -> list[str]:
    return list(target.expire(target.present(URL, queue.claim())))


def replaced(place: Place, queue: TestQueue) -> Target:
    """The old module, then the new one."""
    target = place.open(OPTIONS)
    publish(target, URL, OLD, queue.claim())
    assert publish(target, URL, NEW, queue.claim()).dropped == 0
    return target


def test_a_file_that_is_left_out_stays_and_the_slip_says_so(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    assert place.live() == [under(URL, {**NEW, "css/a.css": b"a"})] * len(place.trees)
    slip = live_slip(target)
    assert slip.stale == (Stale("css/a.css", 1, digest(b"a"), queue.now + SEEN),)
    assert [file.path for file in slip.files()] == sorted(NEW)
    assert slip.version == version_of(slip_of(URL, NEW))
    assert place.residue() == []
    assert list(target.unclaimed()) == []


def test_the_public_copy_tells_nobody(place: Place, queue: TestQueue) -> None:
    replaced(place, queue)
    for tree in place.trees:
        document = tree.files()[f"{URL.strip('/')}/packageslip.xml"]
        assert b"stale" not in document


def test_it_goes_with_the_next_release_after_its_grace(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    queue.now += GRACE + SEEN - 1
    publish(target, URL, {**NEW, "more": b"1"}, queue.claim())
    assert [file.path for file in live_slip(target).stale] == ["css/a.css"]
    queue.now += 1
    assert publish(target, URL, {**NEW, "more": b"2"}, queue.claim()).dropped == len(place.trees)
    assert live_slip(target).stale == ()
    assert place.live() == [under(URL, {**NEW, "more": b"2"})] * len(place.trees)


def test_without_a_release_it_expires(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    before = live_slip(target)
    assert expire(target, queue) == []
    queue.now += GRACE + SEEN
    assert expire(target, queue) == ["css/a.css"]
    after = live_slip(target)
    assert (after.serial, after.version, after.stale) == (before.serial, before.version, ())
    assert place.live() == [under(URL, NEW)] * len(place.trees)
    assert place.residue() == []
    assert expire(target, queue) == []


def test_the_last_one_takes_its_folder_along(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    publish(target, URL, {"index.htm": b"new"}, queue.claim())
    queue.now += GRACE + SEEN
    assert expire(target, queue) == ["css/a.css", "css/b.css"]
    assert not any(f"{URL.strip('/')}/css" in tree.folders() for tree in place.trees)


def test_each_counts_from_its_own_release(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    queue.now += GRACE
    publish(target, URL, {"index.htm": b"new"}, queue.claim())
    queue.now += SEEN
    assert expire(target, queue) == ["css/a.css"]
    assert [file.path for file in live_slip(target).stale] == ["css/b.css"]


def test_one_that_is_listed_again_is_not_put_again(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    moved = publish(target, URL, {**NEW, "css/a.css": b"a"}, queue.claim())
    assert moved == Moved()
    assert live_slip(target).stale == ()
    queue.now += 10 * GRACE
    assert expire(target, queue) == []
    assert place.live() == [under(URL, {**NEW, "css/a.css": b"a"})] * len(place.trees)


def test_one_that_is_listed_again_with_other_bytes_is_replaced(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    publish(target, URL, {**NEW, "css/a.css": b"A"}, queue.claim())
    assert live_slip(target).stale == ()
    assert place.live() == [under(URL, {**NEW, "css/a.css": b"A"})] * len(place.trees)


@pytest.mark.needs("folders")
def test_one_in_the_way_goes_at_once(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    publish(target, URL, {"index.htm": b"new", "css/a.css/x": b"x"}, queue.claim())
    assert [file.path for file in live_slip(target).stale] == ["css/b.css"]
    publish(target, URL, {"index.htm": b"new", "css": b"a file"}, queue.claim())
    assert live_slip(target).stale == ()
    assert place.live() == [under(URL, {"index.htm": b"new", "css": b"a file"})] * len(place.trees)


def test_an_unpublish_takes_everything(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    unpublish(target, URL, queue.claim())
    assert place.live() == [{}] * len(place.trees)
    assert target.slip(URL) is None
    assert place.residue() == []


def test_what_must_go_at_once_goes_at_once(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    stone = {"index.htm": b"gone"}
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, stone), at_once=True) as release:
        release.put(changed(present, stone))
        release.prepare()
        release.switch()
    assert live_slip(target).stale == ()
    assert place.live() == [under(URL, stone)] * len(place.trees)


def test_a_target_whose_grace_was_taken_away_drops_what_it_has(place: Place, queue: TestQueue) -> None:
    replaced(place, queue)
    target = place.open()
    assert expire(target, queue) == ["css/a.css"]
    assert place.live() == [under(URL, NEW)] * len(place.trees)


def test_what_belongs_to_a_deeper_module_now_is_left_alone(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    adopted = slip_of(f"{URL}/css", {"a.css": b"a"})
    deeper = target.present(f"{URL}/css", queue.claim())
    with target.release(deeper, adopted, adopted=["a.css"]) as release:
        release.prepare()
        release.switch()
    publish(target, URL, {"index.htm": b"new"}, queue.claim())
    queue.now += GRACE + SEEN
    expire(target, queue)
    assert live_slip(target).stale == ()
    assert all(under(URL, {"css/a.css": b"a", "css/b.css": b"b"}).items() <= live.items() for live in place.live())


def test_a_clock_that_was_put_back_keeps_nothing_for_years(place: Place, queue: TestQueue) -> None:
    target = replaced(place, queue)
    queue.now -= 100 * GRACE
    publish(target, URL, {**NEW, "more": b"1"}, queue.claim())
    assert [file.since for file in live_slip(target).stale] == [queue.now + SEEN]


def test_a_release_that_is_finished_late_counts_its_grace_from_then(place: Place, queue: TestQueue) -> None:
    target = place.open(OPTIONS)
    publish(target, URL, OLD, queue.claim())
    present = target.present(URL, queue.claim())
    with pytest.raises(RuntimeError), target.release(present, slip_of(URL, NEW)) as release:  # noqa: PT012
        release.put(changed(present, NEW))
        release.prepare()
        raise RuntimeError("the engine dies here")
    queue.now += GRACE + SEEN
    heir = place.open(OPTIONS)
    assert heir.expire(heir.present(URL, queue.claim())) in ([], ())
    assert place.live() == [under(URL, {**NEW, "css/a.css": b"a"})] * len(place.trees)
    assert [file.since for file in live_slip(heir).stale] == [queue.now]
    assert place.residue() == []
    queue.now += GRACE
    assert expire(heir, queue) == ["css/a.css"]
