"""What every kind of target with a file tree promises in the versioned layout. No test names a transport."""

# The errors that matter here come at one step of a release, inside its `with` block.

from dataclasses import replace

import pytest

from config import Selection
from packageslip import files_digest
from support.claims import TestQueue
from support.releases import FILES, URL, changed, digest, file_put, publish, slip_of, under, unpublish
from support.shelves import content, go_back, lead, releases
from support.target_kinds import RELEASES, VERSIONED, Place, followed
from targets import Fenced, Moved, PathBlocked, PermanentTargetError, PlacedOptions

ORDERED = PlacedOptions(versioned=Selection(types=("none",)))
NEWER = {"index.htm": b"newer", "notes/l1.pdf": FILES["notes/l1.pdf"], "more/x.css": b"new"}


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture(params=sorted(VERSIONED))
def place(request: pytest.FixtureRequest) -> Place:
    return VERSIONED[request.param](request)


def test_a_module_is_a_relative_link_to_a_whole_tree(place: Place, queue: TestQueue) -> None:
    publish(place.open(), URL, FILES, queue.claim())
    [release] = releases(place)
    assert lead(place) == f"../{RELEASES}/+courses+physics/{release}/tree"
    assert set(content(place.trees[0], release)) == {*FILES, "packageslip.xml"}
    assert place.live() == [under(URL, FILES)]
    assert place.residue() == []


def test_each_release_is_whole_and_the_one_before_stays(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    moved = publish(target, URL, NEWER, queue.claim())
    assert (moved.files, moved.dropped) == (2, 2)
    first, second = releases(place)
    assert content(place.trees[0], first).items() >= FILES.items()
    assert content(place.trees[0], second).items() >= NEWER.items()
    assert place.live() == [under(URL, NEWER)]


def test_going_back_moves_nothing_but_the_link(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    publish(target, URL, NEWER, queue.claim())
    before = releases(place)
    assert go_back(target, slip_of(URL, FILES), queue) == Moved(0, 0, 1)
    assert place.live() == [under(URL, FILES)]
    assert releases(place) == before
    assert lead(place).split("/")[-2] == before[0]
    assert place.residue() == []
    slip = target.slip(URL)
    assert slip is not None
    assert slip.serial == 3
    public = followed(place.trees[0])["courses/physics/packageslip.xml"]
    assert public in [held for path, held in place.trees[0].files().items() if path.endswith("/slip.xml")]


def test_what_can_be_gone_back_to_is_said(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert target.present(URL, queue.claim()).held == frozenset()
    for files in (FILES, NEWER):
        publish(target, URL, files, queue.claim())
    slips = [slip_of(URL, files) for files in (FILES, NEWER)]
    assert target.present(URL, queue.claim()).held == {files_digest(slip) for slip in slips}
    views = slip_of(URL, FILES, {"index.json": b"{}"})
    assert files_digest(views) not in target.present(URL, queue.claim()).held


def test_no_more_releases_stay_than_are_wanted(place: Place, queue: TestQueue) -> None:
    target = place.open(PlacedOptions(keep_releases=3))
    for number in range(6):
        publish(target, URL, {"index.htm": b"%d" % number, "same": b"same"}, queue.claim())
    kept = [content(place.trees[0], release)["index.htm"] for release in releases(place)]
    assert kept == [b"3", b"4", b"5"]
    go_back(target, slip_of(URL, {"index.htm": b"3", "same": b"same"}), queue)
    publish(target, URL, {"index.htm": b"6", "same": b"same"}, queue.claim())
    kept = [content(place.trees[0], release)["index.htm"] for release in releases(place)]
    assert kept == [b"3", b"5", b"6"], "what was live last stays before all others"
    assert place.residue() == []


def test_only_one_release_stays_where_no_more_are_wanted(place: Place, queue: TestQueue) -> None:
    target = place.open(PlacedOptions(keep_releases=1))
    publish(target, URL, FILES, queue.claim())
    publish(target, URL, NEWER, queue.claim())
    assert len(releases(place)) == 1
    assert place.live() == [under(URL, NEWER)]


def test_nothing_of_the_module_is_left_after_unpublish(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    publish(target, URL, NEWER, queue.claim())
    assert unpublish(target, URL, queue.claim()).dropped == 3
    [tree] = place.trees
    assert not [path for path in {*tree.files(), *tree.folders(), *tree.links()} if path.startswith((RELEASES, "courses/"))]
    assert target.present(URL, queue.claim()).held == frozenset()
    publish(target, URL, FILES, queue.claim())
    assert place.live() == [under(URL, FILES)]


def test_a_file_that_is_put_again_makes_a_new_release(place: Place, queue: TestQueue) -> None:
    """The old one is damaged, most likely: it goes, although it has the same files by its slip."""
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    [before] = releases(place)
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put([file_put("index.htm", FILES["index.htm"])])
        release.put([file_put("index.htm", FILES["index.htm"])])
        release.prepare()
        release.switch()
    [after] = releases(place)
    assert before != after
    assert place.live() == [under(URL, FILES)]


def test_a_kept_file_that_is_gone_stops_the_release(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    place.trees[0].rename("courses/physics/notes/l1.pdf", "hidden")
    with pytest.raises(PermanentTargetError, match=r"l1.pdf.*verify --repair"):
        publish(target, URL, NEWER, queue.claim())
    assert place.residue() == []
    assert "courses/physics/readme" in place.live()[0]


def test_a_prepared_way_back_is_finished_by_the_next_holder(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    publish(target, URL, NEWER, queue.claim())
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.prepare()
    assert place.live() == [under(URL, NEWER)]
    found = place.open().present(URL, queue.claim())
    assert found.recovered is not None
    assert place.live() == [under(URL, FILES)]
    assert place.residue() == []


def test_a_release_of_the_same_files_can_be_taken_back_until_its_slip_is_there(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    present = target.present(URL, queue.claim())
    with target.release(present, replace(slip_of(URL, FILES), title="another")) as release:
        release.prepare()
    claim = queue.claim()
    found = place.open().unfinished(URL, claim)
    assert found is not None
    assert not found.begun
    target.take_back(URL, claim)
    assert target.present(URL, claim).slip == present.slip
    assert place.live() == [under(URL, FILES)]
    assert place.residue() == []


def test_a_stale_engine_turns_no_link(place: Place, queue: TestQueue) -> None:
    stale = place.open()
    publish(stale, URL, FILES, queue.claim())
    publish(stale, URL, NEWER, queue.claim())
    present = stale.present(URL, queue.claim())
    with stale.release(present, slip_of(URL, FILES)) as release:
        release.prepare()
        publish(place.open(), URL, {"index.htm": b"newest"}, queue.claim())
        with pytest.raises(Fenced):
            release.switch()
    assert place.live() == [{"courses/physics/index.htm": b"newest"}]


def test_a_folder_of_ours_becomes_a_link_and_a_folder_again(place: Place, queue: TestQueue) -> None:
    ordered = place.open(ORDERED)
    publish(ordered, URL, FILES, queue.claim())
    assert publish(place.open(), URL, NEWER, queue.claim()) == Moved(2, 8, 2)
    assert len(releases(place)) == 1
    assert place.live() == [under(URL, NEWER)]
    assert publish(ordered, URL, {**NEWER, "more/x.css": b"other"}, queue.claim()) == Moved(1, 5, 0)
    [tree] = place.trees
    assert not tree.links()
    assert not [path for path in {*tree.files(), *tree.folders()} if path.startswith(RELEASES)]
    assert place.live() == [under(URL, {**NEWER, "more/x.css": b"other"})]
    assert place.residue() == []


def test_a_kept_release_becomes_a_folder_without_a_byte(place: Place, queue: TestQueue) -> None:
    publish(place.open(), URL, FILES, queue.claim())
    publish(place.open(), URL, NEWER, queue.claim())
    go_back(place.open(PlacedOptions(versioned=Selection(urls=("/other",)))), slip_of(URL, FILES), queue)
    assert not place.trees[0].links()
    assert place.live() == [under(URL, FILES)]


def test_files_of_others_keep_a_folder_from_becoming_a_link(place: Place, queue: TestQueue) -> None:
    publish(place.open(ORDERED), URL, FILES, queue.claim())
    place.trees[0].write("courses/physics/theirs", b"theirs")
    with pytest.raises(PathBlocked, match=r"courses/physics/theirs, which no slip of ours lists.*versioned_modules"):
        publish(place.open(), URL, NEWER, queue.claim())
    assert place.live() == [{**under(URL, FILES), "courses/physics/theirs": b"theirs"}]
    assert place.residue() == []


def test_a_file_that_comes_meanwhile_is_not_taken_away(place: Place, queue: TestQueue) -> None:
    publish(place.open(ORDERED), URL, FILES, queue.claim())
    target = place.open()
    present = target.present(URL, queue.claim())
    [tree] = place.trees
    with target.release(present, slip_of(URL, NEWER)) as release:
        release.put(changed(present, NEWER))
        release.prepare()
        tree.write("courses/physics/theirs", b"theirs")
        with pytest.raises(PathBlocked, match="a folder is in its place"):
            release.switch()
    assert tree.files()["courses/physics/theirs"] == b"theirs"
    tree.rename("courses/physics/theirs", "moved-away")
    place.open().present(URL, queue.claim())
    assert place.live() == [{**under(URL, NEWER), "moved-away": b"theirs"}]


def test_a_link_of_somebody_else_is_left_alone(place: Place, queue: TestQueue) -> None:
    [tree] = place.trees
    tree.write("theirs/index.htm", b"theirs")
    tree.make_folder("courses")
    tree.link("courses/physics", "theirs")
    target = place.open()
    with pytest.raises(PathBlocked, match="symbolic link"):
        target.strangers(URL, ["index.htm"])
    with pytest.raises(PathBlocked, match="symbolic link"):
        publish(target, URL, FILES, queue.claim())
    with pytest.raises(FileNotFoundError):
        target.open(URL, "index.htm")
    assert list(target.digests(URL, ["index.htm"])) == [("index.htm", None, None)]
    assert tree.files()["theirs/index.htm"] == b"theirs"


def test_a_file_in_the_links_place_is_left_alone(place: Place, queue: TestQueue) -> None:
    place.trees[0].write("courses/physics", b"theirs")
    with pytest.raises(PathBlocked, match="a file lies at courses/physics"):
        publish(place.open(), URL, FILES, queue.claim())
    assert place.live() == [{"courses/physics": b"theirs"}]


def test_no_module_is_published_below_a_versioned_one(place: Place, queue: TestQueue) -> None:
    target = place.open(PlacedOptions(versioned=Selection(urls=(URL,))))
    publish(target, URL, FILES, queue.claim())
    inner = f"{URL}/labs"
    for attempt in (lambda: target.strangers(inner, ["index.htm"]), lambda: publish(target, inner, FILES, queue.claim())):
        with pytest.raises(PathBlocked, match=r"/courses/physics is published there in the versioned layout.*versioned_modules"):
            attempt()
    ordered = place.open(PlacedOptions(versioned=Selection(except_urls=(URL,))))
    with pytest.raises(PathBlocked, match="versioned_modules"):
        publish(ordered, inner, FILES, queue.claim())
    publish(ordered, URL, FILES, queue.claim())
    publish(ordered, inner, NEWER, queue.claim())
    assert place.live() == [{**under(URL, FILES), **under(inner, NEWER)}]


def test_a_module_with_others_below_it_is_not_versioned(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    with pytest.raises(PathBlocked, match=r"/courses is to be versioned.*/courses/physics is published below.*versioned_modules"):
        publish(target, "/courses", {"index.htm": b"list"}, queue.claim())
    unpublish(target, URL, queue.claim())
    publish(target, "/courses", {"index.htm": b"list"}, queue.claim())
    assert place.live() == [{"courses/index.htm": b"list"}]


def test_the_root_and_single_files_stay_as_they_are(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, "/", {"index.htm": b"home"}, queue.claim())
    publish(target, "/feed.xml", {".": b"<rss/>"}, queue.claim())
    publish(target, URL, FILES, queue.claim())
    assert list(place.trees[0].links()) == ["courses/physics"]
    assert place.live() == [{"index.htm": b"home", "feed.xml": b"<rss/>", **under(URL, FILES)}]
    assert [entry.url for entry in target.modules()] == ["/", URL, "/feed.xml"]
    assert list(target.unclaimed()) == []


def test_what_others_put_into_a_release_is_found(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    place.trees[0].write("courses/physics/notes/by-hand.txt", b"theirs")
    assert list(target.unclaimed()) == ["courses/physics/notes/by-hand.txt"]
    assert target.strangers(URL, ["notes/by-hand.txt"]) == {"notes/by-hand.txt": digest(b"theirs")}


def test_no_link_in_a_release_is_followed_when_it_goes(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    [tree] = place.trees
    [release] = releases(place)
    publish(target, URL, NEWER, queue.claim())
    tree.write("theirs/l1.pdf", b"theirs")
    tree.link(f"{RELEASES}/+courses+physics/{release}/tree/notes/away", "theirs")
    unpublish(target, URL, queue.claim())
    assert place.live() == [{"theirs/l1.pdf": b"theirs"}]


def test_an_unpublish_goes_on_where_the_link_is_gone_already(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    [tree] = place.trees
    tree.rename("courses/physics", ".slipway/link")
    unpublish(target, URL, queue.claim())
    assert target.slip(URL) is None
    assert not [path for path in tree.files() if path.startswith(RELEASES)]


def test_a_slip_that_is_not_public_is_not_readable_among_the_releases(place: Place, queue: TestQueue) -> None:
    target = place.open(PlacedOptions(public_slip=False))
    publish(target, URL, FILES, queue.claim())
    [release] = releases(place)
    assert place.trees[0].mode(f"{RELEASES}/+courses+physics/{release}/release.xml") == 0o600
    assert set(content(place.trees[0], release)) == set(FILES)
    assert files_digest(slip_of(URL, FILES)) not in place.open().present(URL, queue.claim()).held


def test_files_may_not_go_among_the_releases(place: Place, queue: TestQueue) -> None:
    with pytest.raises(PathBlocked, match="keeps its own"):
        publish(place.open(), f"/{RELEASES}/x", FILES, queue.claim())
