"""What every kind of target promises about what is staged: nothing is visible before the switch, nothing wrong ever."""

# The errors that matter here come at one step of a release, inside its `with` block.
# ruff: noqa: PT012

import io

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, changed, digest, file_put, publish, slip_of, under
from support.target_kinds import Place
from targets import (
    CorruptTransfer,
    FilePut,
    Recovered,
)


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def test_nothing_is_visible_before_the_switch(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    newer = {"index.htm": b"newer"}
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, newer)) as release:
        release.put(changed(present, newer))
        assert place.live() == [under(URL, FILES)] * len(place.trees)
        release.prepare()
        assert place.live() == [under(URL, FILES)] * len(place.trees)
        release.switch()
    assert place.live() == [under(URL, newer)] * len(place.trees)


@pytest.mark.needs("guests")
@pytest.mark.parametrize("by", ["its own engine", "the next one"])
def test_a_folder_that_somebody_makes_before_a_first_switch(place: Place, queue: TestQueue, by: str) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        for tree in place.trees:
            tree.write("courses/physics/notes/by-hand.txt", b"theirs")
        if by == "its own engine":
            release.switch()
    place.open().present(URL, queue.claim())
    assert place.live() == [under(URL, {**FILES, "notes/by-hand.txt": b"theirs"})] * len(place.trees)
    assert place.residue() == []


def test_leaving_before_prepare_discards_what_was_staged(place: Place, queue: TestQueue) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    with pytest.raises(RuntimeError, match="stop here"), target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        assert place.residue() != []
        raise RuntimeError("stop here")
    assert place.live() == [{}] * len(place.trees)
    assert place.residue() == []


def test_an_error_after_prepare_leaves_the_note_and_the_next_holder_finishes(place: Place, queue: TestQueue) -> None:
    target = place.open()
    claim = queue.claim()
    present = target.present(URL, claim)
    with pytest.raises(RuntimeError, match="crash"), target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        raise RuntimeError("crash")
    assert place.live() == [{}] * len(place.trees)
    found = place.open().present(URL, queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)
    assert found.recovered is not None
    assert found.recovered.serial == claim.serial
    assert found.recovered.slip is not None
    assert found.slip == found.recovered.slip
    assert place.residue() == []


def test_an_unfinished_unpublish_is_finished(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    claim = queue.claim()
    with target.release(target.present(URL, claim), None) as release:
        release.prepare()
    found = place.open().present(URL, queue.claim())
    assert found.slip is None
    assert [one.recovered for one in found.each()] == [Recovered(None, claim.serial)] * len(place.trees)
    assert place.live() == [{}] * len(place.trees)


def test_a_release_is_refused_unless_everything_in_the_slip_is_there(place: Place, queue: TestQueue) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put([file_put("index.htm", FILES["index.htm"])])
        with pytest.raises(ValueError, match="neither put nor kept nor adopted"):
            release.prepare()
        with pytest.raises(ValueError, match="prepare"):
            release.switch()
    assert place.live() == [{}] * len(place.trees)


def test_a_lazy_put_is_still_a_put(place: Place, queue: TestQueue) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    done: list[str] = []
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put((file_put(path, content) for path, content in list(FILES.items())[:2]), lambda file: done.append(file.path))
        release.put((file_put(path, content) for path, content in list(FILES.items())[2:]), lambda file: done.append(file.path))
        release.prepare()
        release.switch()
    assert sorted(done) == sorted(FILES)
    assert place.live() == [under(URL, FILES)] * len(place.trees)


def test_a_put_replaces_even_what_could_be_kept(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    for tree in place.trees:
        tree.write("courses/physics/index.htm", b"damaged by hand")
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put([file_put("index.htm", FILES["index.htm"])])
        release.prepare()
        release.switch()
    assert place.live() == [under(URL, FILES)] * len(place.trees)


def wrong(path: str, promised: bytes, given: bytes) -> FilePut:
    return FilePut(path, digest(promised), len(promised), lambda: io.BytesIO(given))


@pytest.mark.parametrize("given", [b"", b"short", b"wrong!!", b"welcome and more"])
def test_wrong_bytes_are_an_error_and_are_never_staged(place: Place, queue: TestQueue, given: bytes) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, {"index.htm": b"welcome"})) as release:
        with pytest.raises(CorruptTransfer):
            release.put([wrong("index.htm", b"welcome", given)])
        with pytest.raises(ValueError, match="neither put"):
            release.prepare()
        release.put([file_put("index.htm", b"welcome")])
        release.prepare()
        release.switch()
    assert place.live() == [under(URL, {"index.htm": b"welcome"})] * len(place.trees)
    assert place.residue() == []


def test_wrong_bytes_among_many_leave_the_live_module_alone(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    newer = {f"f{number}": b"%d" % number for number in range(30)}
    puts = [file_put(path, content) for path, content in newer.items()]
    puts[17] = wrong("f17", newer["f17"], b"xx")
    present = target.present(URL, queue.claim())
    with pytest.raises(CorruptTransfer), target.release(present, slip_of(URL, newer)) as release:
        release.put(puts)
    assert place.live() == [under(URL, FILES)] * len(place.trees)
    assert place.residue() == []


def test_a_file_that_the_slip_does_not_list_is_refused(place: Place, queue: TestQueue) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        for stray in (file_put("stray", b"x"), file_put("index.htm", b"not these bytes")):
            with pytest.raises(ValueError, match="does not list"):
                release.put([stray])
    assert place.residue() == []


def test_bytes_that_cannot_be_opened_are_not_taken_for_a_lost_hold(place: Place, queue: TestQueue) -> None:
    def vanished() -> io.BytesIO:
        raise FileNotFoundError("blob")

    target = place.open()
    present = target.present(URL, queue.claim())
    with pytest.raises(FileNotFoundError, match="blob"), target.release(present, slip_of(URL, {"a": b"1"})) as release:
        release.put([FilePut("a", digest(b"1"), 1, vanished)])
    assert place.residue() == []
