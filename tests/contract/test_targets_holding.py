"""What every kind of target promises about who may write, and which queue."""

# The errors that matter here come at one step of a release, inside its `with` block.
# ruff: noqa: PT012

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, changed, file_put, publish, slip_of, under
from support.target_kinds import Place
from targets import (
    AreaMissing,
    Fenced,
    SerialTooHigh,
    WrittenByNewer,
)


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def test_a_stale_engine_changes_nothing(place: Place, queue: TestQueue) -> None:
    stale, newer = place.open(), place.open()
    old_claim = queue.claim()
    present = stale.present(URL, old_claim)
    with stale.release(present, slip_of(URL, {"index.htm": b"stale"})) as release:
        release.put([file_put("index.htm", b"stale")])
        publish(newer, URL, FILES, queue.claim())
        with pytest.raises(Fenced):
            release.prepare()
    assert place.live() == [under(URL, FILES)] * len(place.trees)
    assert place.residue() == []


def test_a_stale_engine_that_had_prepared_changes_nothing(place: Place, queue: TestQueue) -> None:
    stale, newer = place.open(), place.open()
    present = stale.present(URL, queue.claim())
    with stale.release(present, slip_of(URL, {"index.htm": b"stale"})) as release:
        release.put([file_put("index.htm", b"stale")])
        release.prepare()
        publish(newer, URL, FILES, queue.claim())
        with pytest.raises(Fenced):
            release.switch()
    assert place.live() == [under(URL, FILES)] * len(place.trees)


def test_a_stale_engine_cannot_stage(place: Place, queue: TestQueue) -> None:
    stale, newer = place.open(), place.open()
    present = stale.present(URL, queue.claim())
    with pytest.raises(Fenced), stale.release(present, slip_of(URL, {"index.htm": b"stale"})) as release:
        newer.present(URL, queue.claim())
        release.put([file_put("index.htm", b"stale")])
    assert place.residue() == []


def test_a_lost_lease_stops_before_anything_is_visible(place: Place, queue: TestQueue) -> None:
    target = place.open()
    claim = queue.claim()
    present = target.present(URL, claim)
    with pytest.raises(Fenced), target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        claim.lost = True
        release.switch()
    assert place.live() == [{}] * len(place.trees)


def test_a_fence_that_is_not_lower_makes_the_holder_renew_his(place: Place, queue: TestQueue) -> None:
    target = place.open()
    target.present(URL, queue.claim())
    queue.counter = 0
    claim = queue.claim()
    target.present(URL, claim)
    assert claim.fence >= 2
    lost = queue.claim()
    lost.fence, lost.lost = 1, True
    with pytest.raises(Fenced):
        target.present(URL, lost)


def test_an_older_task_does_not_replace_what_a_newer_one_of_its_queue_published(place: Place, queue: TestQueue) -> None:
    target = place.open()
    old = queue.claim()
    publish(target, URL, FILES, queue.claim())
    with pytest.raises(SerialTooHigh):
        target.present(URL, queue.claim(serial=old.serial))
    assert place.live() == [under(URL, FILES)] * len(place.trees)


def test_a_restored_database_is_held_and_not_renewed(place: Place, queue: TestQueue) -> None:
    target = place.open()
    queue.counter = 1000
    publish(target, URL, FILES, queue.claim())
    queue.counter = 5
    with pytest.raises(SerialTooHigh, match="restored"):
        target.present(URL, queue.claim())


def test_a_present_of_before_is_refused(place: Place, queue: TestQueue) -> None:
    target = place.open()
    first = target.present(URL, queue.claim())
    target.present(URL, queue.claim())
    with pytest.raises(ValueError, match="presented"):
        target.release(first, slip_of(URL, FILES))


@pytest.mark.needs("parts")
def test_what_was_renamed_by_a_dead_task_is_not_kept_by_the_next(place: Place, queue: TestQueue) -> None:
    """A changed a and b and died; B wants the old a and a new b. By the slips alone B would keep A's a."""
    target = place.open()
    publish(target, URL, {"a": b"a1", "b": b"b1"}, queue.claim())
    dying = queue.claim()
    present = target.present(URL, dying)
    with target.release(present, slip_of(URL, {"a": b"a2", "b": b"b2"})) as release:
        release.put(changed(present, {"a": b"a2", "b": b"b2"}))
        release.prepare()
        for tree in place.trees:
            [staged] = [path for path, content in tree.files().items() if content == b"a2"]
            tree.rename(staged, "courses/physics/a")
    publish(target, URL, {"a": b"a1", "b": b"b3"}, queue.claim())
    assert place.live() == [under(URL, {"a": b"a1", "b": b"b3"})] * len(place.trees)
    assert place.residue() == []


def test_another_queue_is_refused_until_it_adopts(place: Place, queue: TestQueue) -> None:
    target = place.open()
    queue.counter = 500
    publish(target, URL, {**FILES, "stale.txt": b"s"}, queue.claim())
    other = TestQueue("f" * 32)
    with pytest.raises(AreaMissing, match="slipway target adopt"):
        target.present(URL, other.claim())
    assert target.adopt(other.id) == queue.id
    assert target.adopt(other.id) == other.id
    moved = publish(target, URL, FILES, other.claim())
    assert (moved.files, moved.dropped) == (0, len(place.trees))
    assert place.live() == [under(URL, FILES)] * len(place.trees)
    slip = target.slip(URL)
    assert slip is not None
    assert slip.queue == other.id


def test_an_engine_of_a_lost_database_changes_nothing_after_the_adoption(place: Place, queue: TestQueue) -> None:
    stale = place.open()
    publish(stale, URL, FILES, queue.claim())
    present = stale.present(URL, queue.claim())
    with pytest.raises(Fenced), stale.release(present, slip_of(URL, {"index.htm": b"stale"})) as release:
        release.put([file_put("index.htm", b"stale")])
        release.prepare()
        place.open().adopt("f" * 32)
        release.switch()
    with pytest.raises(AreaMissing):
        stale.present(URL, queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)


def test_adopting_an_empty_target_makes_its_area(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert target.adopt(queue.id) is None
    publish(target, URL, FILES, queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)


@pytest.mark.needs("modes")
def test_the_area_is_nobody_elses_business(place: Place, queue: TestQueue) -> None:
    publish(place.open(), URL, FILES, queue.claim())
    assert [tree.mode(".slipway") for tree in place.trees] == [0o700] * len(place.trees)


def test_a_note_of_another_version_is_left_to_its_engines(
    place: Place, queue: TestQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    with monkeypatch.context() as newer:
        newer.setattr("targets.note.NAMESPACE", "urn:slipway:release:9")
        newer.setattr("targets.note.OF_WHOLE", "urn:slipway:release:9")
        with target.release(present, slip_of(URL, FILES)) as release:
            release.put(changed(present, FILES))
            release.prepare()
    with pytest.raises(WrittenByNewer, match=r"another version of Slipway .*release:9"):
        place.open().present(URL, queue.claim())
    assert place.live() == [{}] * len(place.trees)
    monkeypatch.setattr("targets.note.NAMESPACE", "urn:slipway:release:9")
    monkeypatch.setattr("targets.note.OF_WHOLE", "urn:slipway:release:9")
    place.open().present(URL, queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)
