"""What becomes of things that others put among a versioned module's releases, into them, or in its link's place."""

import pytest

from config import Selection
from support.claims import TestQueue
from support.releases import FILES, URL, publish, slip_of, under, unpublish
from support.shelves import go_back, releases
from support.target_kinds import RELEASES, VERSIONED, Place
from targets import PathBlocked, PlacedOptions

ORDERED = PlacedOptions(versioned=Selection(types=("none",)))
NEWER = {"index.htm": b"newer", "notes/l1.pdf": FILES["notes/l1.pdf"], "more/x.css": b"new"}


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture(params=sorted(VERSIONED))
def place(request: pytest.FixtureRequest) -> Place:
    return VERSIONED[request.param](request)


def test_what_others_put_into_the_live_release_stops_the_next_one(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, NEWER, queue.claim())
    publish(target, URL, FILES, queue.claim())
    [tree] = place.trees
    tree.write("courses/physics/notes/by-hand.txt", b"theirs")
    with pytest.raises(PathBlocked, match=r"courses/physics/notes/by-hand.txt.*no slip of ours lists.*Move it away"):
        publish(target, URL, {**FILES, "index.htm": b"another"}, queue.claim())
    with pytest.raises(PathBlocked, match=r"by-hand.txt"):
        go_back(target, slip_of(URL, NEWER), queue)
    assert place.live() == [under(URL, {**FILES, "notes/by-hand.txt": b"theirs"})]
    tree.rename("courses/physics/notes/by-hand.txt", "moved-away")
    go_back(target, slip_of(URL, NEWER), queue)
    assert place.live() == [{**under(URL, NEWER), "moved-away": b"theirs"}]
    assert place.residue() == []


@pytest.mark.parametrize("options", [None, ORDERED], ids=["unpublished", "ordered"])
def test_files_of_others_outlive_the_link(place: Place, queue: TestQueue, options: PlacedOptions | None) -> None:
    target = place.open(options)
    publish(place.open(), URL, FILES, queue.claim())
    place.trees[0].write("courses/physics/notes/by-hand.txt", b"theirs")
    place.trees[0].write("courses/physics/theirs/deep/x.css", b"theirs too")
    if options is None:
        unpublish(target, URL, queue.claim())
    else:
        publish(target, URL, FILES, queue.claim())
    theirs = {"notes/by-hand.txt": b"theirs", "theirs/deep/x.css": b"theirs too"}
    assert place.live() == [under(URL, theirs if options is None else {**FILES, **theirs})]
    assert not place.trees[0].links()
    assert not [path for path in place.trees[0].folders() if path.startswith(RELEASES)]
    assert place.residue() == []


def test_what_others_put_there_and_no_folder_can_take_stops_an_unpublish(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    [tree], [release] = place.trees, releases(place)
    tree.link(f"{RELEASES}/+courses+physics/{release}/tree/notes/away", "theirs")
    with pytest.raises(PathBlocked, match=r"courses/physics/notes/away, a symbolic link"):
        unpublish(target, URL, queue.claim())
    assert "courses/physics" in tree.links()
    assert target.slip(URL) is not None


def test_an_unpublish_takes_what_somebody_put_in_the_links_place_from_a_release(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    [tree] = place.trees
    tree.rename("courses/physics", ".slipway/link")
    for path, content in {**FILES, "theirs": b"theirs"}.items():
        tree.write(f"courses/physics/{path}", content)
    unpublish(target, URL, queue.claim())
    assert place.live() == [{"courses/physics/theirs": b"theirs"}]
    assert not [path for path in tree.files() if path.startswith(RELEASES)]


def test_an_unpublish_goes_through_no_link_of_others(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    [tree] = place.trees
    tree.write("theirs/index.htm", b"theirs")
    tree.rename("courses/physics", ".slipway/link")
    tree.link("courses/physics", "theirs")
    with pytest.raises(PathBlocked, match="symbolic link"):
        unpublish(target, URL, queue.claim())
    assert target.slip(URL) is not None
    assert tree.files()["theirs/index.htm"] == b"theirs"


def test_a_link_that_was_turned_by_hand_gives_no_release_other_bytes(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    [tree] = place.trees
    tree.rename("courses/physics", ".slipway/link")
    newer = {path: each + b" newer" for path, each in FILES.items()}
    publish(target, URL, newer, queue.claim())
    tree.rename(".slipway/link", "courses/physics")
    wanted = {**newer, "index.htm": b"newest"}
    publish(target, URL, wanted, queue.claim())
    assert place.live() == [under(URL, wanted)]


def test_no_release_goes_where_a_link_leads(place: Place, queue: TestQueue) -> None:
    [tree] = place.trees
    tree.make_folder("elsewhere")
    tree.link(RELEASES, "elsewhere")
    with pytest.raises(PathBlocked, match=f"the folder {RELEASES} is a symbolic link"):
        publish(place.open(), URL, FILES, queue.claim())
    assert place.residue() == []


def test_no_release_goes_into_its_own_module(place: Place, queue: TestQueue) -> None:
    with pytest.raises(PathBlocked, match=r"releases in courses/physics/old.*in which /courses/physics itself"):
        publish(place.open(PlacedOptions(releases="courses/physics/old")), URL, FILES, queue.claim())
    assert place.residue() == []


def test_no_other_case_of_its_name_leads_among_the_releases(place: Place, queue: TestQueue) -> None:
    target = place.open(PlacedOptions(case_sensitive=False))
    with pytest.raises(PathBlocked, match="keeps its own"):
        publish(target, f"/{RELEASES.upper()}/x", FILES, queue.claim())
    assert place.live() == [{}]
