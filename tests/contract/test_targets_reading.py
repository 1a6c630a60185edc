"""What every kind of target promises to whoever reads, probes or tidies it."""

# The errors that matter here come at one step of a release, inside its `with` block.

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, digest, publish
from support.target_kinds import Place


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def test_live_files_are_read(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    with target.open(URL, "notes/l1.pdf") as stream:
        assert stream.read() == b"lecture one"
    for absent in ("nothing", "notes", "index.htm/below", "no/folder/x"):
        with pytest.raises(FileNotFoundError):
            target.open(URL, absent)


def test_digests_come_in_the_order_asked_for(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    asked = ["readme", "absent", "index.htm", "notes", "notes/img/a b.png", "index.htm/x"]
    expected = [(path, len(FILES[path]), digest(FILES[path])) if path in FILES else (path, None, None) for path in asked]
    assert list(target.digests(URL, asked)) == expected


@pytest.mark.needs("nesting")
def test_modules_are_listed_by_url(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert list(target.modules()) == []
    for url in ("/z", "/a/b", "/", "/a"):
        publish(target, url, {"index.htm": url.encode()}, queue.claim())
    entries = list(place.open().modules())
    assert [entry.url for entry in entries] == ["/", "/a", "/a/b", "/z"]
    assert [entry.serial for entry in entries] == [3, 4, 2, 1]
    assert all(entry.version is not None for entry in entries)


def test_what_is_not_published_has_no_slip(place: Place, queue: TestQueue) -> None:
    assert place.open().slip(URL) is None
    publish(place.open(), "/other", FILES, queue.claim())
    assert place.open().slip(URL) is None


def test_a_probe_leaves_nothing_behind(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert {check.outcome for check in target.probe()} <= {"ok", "warning"}
    assert all(not tree.files() and not tree.folders() for tree in place.trees)
    publish(target, URL, FILES, queue.claim())
    before = [(tree.files(), tree.folders()) for tree in place.trees]
    assert {check.outcome for check in target.probe()} <= {"ok", "warning"}
    assert [(tree.files(), tree.folders()) for tree in place.trees] == before


@pytest.mark.needs("births")
def test_abandoned_births_are_reaped_when_they_are_old(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert target.reap(0) == 0
    publish(target, URL, FILES, queue.claim())
    for tree in place.trees:
        tree.make_folder(f".slipway/modules-{queue.id}/new/+x~{7:019d}.00000007/{7:019d}.00000007")
        tree.write(".slipway/probe-0/one", b"left")
    assert target.reap(3600) == 0
    assert target.reap(-1) == 2 * len(place.trees)
    assert place.residue() == []
    assert target.slip(URL) is not None


def test_close_may_be_called_twice(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    target.close()
    target.close()


def test_the_highest_fence_of_a_queue_is_told_where_the_target_knows_it(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert target.highest_fence(queue.id) == 0
    for url in ("/a", "/b"):
        publish(target, url, {"index.htm": url.encode()}, queue.claim())
    queue.counter = 40
    publish(target, "/a", {"index.htm": b"later"}, queue.claim())
    target.present("/new", queue.claim())
    # In a bucket every record would have to be asked for by itself.
    assert place.open().highest_fence(queue.id) == (0 if place.kind == "s3" else 41)
    target.adopt("e" * 32)
    assert place.open().highest_fence("e" * 32) == 0, "what another queue wrote says nothing about this one"
    assert place.open().highest_fence("f" * 32) == 0
