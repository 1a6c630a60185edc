"""A module that is one file, at its own URL: a sitemap, a feed, a list. No test names a transport."""

import pytest

from packageslip import ITSELF
from support.claims import TestQueue
from support.releases import digest, publish, unpublish
from support.target_kinds import Place
from targets import PathBlocked

URL = "/rss/all/news.xml"


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def test_it_lies_at_its_url_and_nothing_beside_it(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, {ITSELF: b"<rss/>"}, queue.claim())
    assert [tree.files().get("rss/all/news.xml") for tree in place.trees] == [b"<rss/>"] * len(place.trees)
    assert place.live() == [{"rss/all/news.xml": b"<rss/>"}] * len(place.trees)
    assert not any("news.xml/packageslip.xml" in path for tree in place.trees for path in tree.files())
    assert place.residue() == []


def test_it_is_read_listed_and_replaced_like_any_module(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, {ITSELF: b"old"}, queue.claim())
    publish(target, URL, {ITSELF: b"new"}, queue.claim())
    with target.open(URL, ITSELF) as stream:
        assert stream.read() == b"new"
    assert list(target.digests(URL, [ITSELF])) == [(ITSELF, 3, digest(b"new"))]
    assert [entry.url for entry in target.modules()] == [URL]
    assert list(target.unclaimed()) == []
    slip = target.slip(URL)
    assert slip is not None
    assert slip.is_file


@pytest.mark.needs("nesting")
def test_it_goes_without_a_trace(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, "/rss/all", {"index.htm": b"feeds"}, queue.claim())
    publish(target, URL, {ITSELF: b"<rss/>"}, queue.claim())
    unpublish(target, URL, queue.claim())
    assert place.live() == [{"rss/all/index.htm": b"feeds"}] * len(place.trees)
    assert target.slip(URL) is None
    assert place.residue() == []


@pytest.mark.needs("nesting")
def test_a_file_that_is_a_module_now_is_not_dropped_by_the_module_above(place: Place, queue: TestQueue) -> None:
    """Whatever the slip above it said before."""
    target = place.open()
    publish(target, "/rss/all", {"index.htm": b"feeds", "news.xml": b"<rss/>"}, queue.claim())
    publish(target, URL, {ITSELF: b"<rss/>"}, queue.claim())
    publish(target, "/rss/all", {"index.htm": b"feeds"}, queue.claim())
    assert place.live() == [{"rss/all/index.htm": b"feeds", "rss/all/news.xml": b"<rss/>"}] * len(place.trees)
    unpublish(target, "/rss/all", queue.claim())
    assert place.live() == [{"rss/all/news.xml": b"<rss/>"}] * len(place.trees)
    assert place.residue() == []


def test_a_stranger_at_its_url_is_seen(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("rss/all/news.xml", b"theirs")
    assert dict(place.open().strangers(URL, [ITSELF])) == {ITSELF: digest(b"theirs")}


@pytest.mark.parametrize(("first", "then"), [("index.htm", ITSELF), (ITSELF, "index.htm")])
def test_a_folder_becomes_a_file_only_after_it_was_unpublished(place: Place, queue: TestQueue, first: str, then: str) -> None:
    target = place.open()
    publish(target, URL, {first: b"one"}, queue.claim())
    with pytest.raises(PathBlocked, match="unpublish it first"):
        publish(target, URL, {then: b"other"}, queue.claim())
    unpublish(target, URL, queue.claim())
    publish(target, URL, {then: b"other"}, queue.claim())
    lies = "rss/all/news.xml" if then == ITSELF else f"rss/all/news.xml/{then}"
    assert place.live() == [{lies: b"other"}] * len(place.trees)
    assert place.residue() == []
