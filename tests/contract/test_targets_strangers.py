"""What every kind of target promises about what others put there."""

# The errors that matter here come at one step of a release, inside its `with` block.

import pytest

from support.claims import TestQueue
from support.releases import FILES, URL, digest, publish, under, unpublish
from support.target_kinds import Place, followed
from targets import (
    PathBlocked,
    PlacedOptions,
)


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.mark.needs("links")
def test_strangers_are_seen_with_their_digests(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("courses/physics/index.htm", b"theirs")
        tree.make_folder("courses/physics/notes")
        tree.write("other", b"")
        tree.link("courses/physics/link", "other")
    target = place.open()
    paths = ["index.htm", "notes", "link", "absent", "index.htm/below", "no/such/folder"]
    assert target.strangers(URL, paths) == {"index.htm": digest(b"theirs"), "notes": None, "link": None}
    assert target.strangers("/elsewhere", paths) == {}
    assert target.strangers(URL, []) == {}


def test_foreign_files_are_seen_with_their_digests(place: Place, queue: TestQueue) -> None:
    many = [f"list/{number:03d}" for number in range(80)]
    for tree in place.trees:
        tree.write("courses/physics/index.htm", b"theirs")
        tree.write("courses/physics/list/007", b"")
    target = place.open()
    assert target.strangers(URL, ["absent", "index.htm", "index.htm/below"]) == {"index.htm": digest(b"theirs")}
    assert target.strangers(URL, many) == {"list/007": digest(b"")}


def test_files_that_no_slip_lists_are_found(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert list(target.unclaimed()) == []
    publish(target, URL, FILES, queue.claim())
    for tree in place.trees:
        tree.write("courses/physics/notes/by-hand.txt", b"theirs")
        tree.write("old/index.htm", b"theirs")
    assert sorted(place.open().unclaimed()) == ["courses/physics/notes/by-hand.txt", "old/index.htm"]


def test_adopted_files_are_left_where_they_lie(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("courses/physics/index.htm", FILES["index.htm"])
        tree.write("courses/physics/readme", FILES["readme"])
    target = place.open()
    moved = publish(target, URL, FILES, queue.claim(), adopted=["index.htm", "readme"])
    assert moved.files == 2 * len(place.trees)
    assert place.live() == [under(URL, FILES)] * len(place.trees)
    unpublish(target, URL, queue.claim())
    assert place.live() == [{}] * len(place.trees)


def test_a_foreign_public_slip_is_replaced_on_publish(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("courses/physics/packageslip.xml", b"<old/>")
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    for tree in place.trees:
        files = followed(tree)
        [record] = [content for path, content in files.items() if path.endswith("/slip.xml")]
        assert files["courses/physics/packageslip.xml"] == record


@pytest.mark.needs("guests")
def test_a_foreign_public_slip_survives_where_we_write_none(place: Place, queue: TestQueue) -> None:
    target = place.open(PlacedOptions(public_slip=False))
    for tree in place.trees:
        tree.write("courses/physics/packageslip.xml", b"<old/>")
    publish(target, URL, FILES, queue.claim())
    unpublish(target, URL, queue.claim())
    assert [tree.files()["courses/physics/packageslip.xml"] for tree in place.trees] == [b"<old/>"] * len(place.trees)


def test_our_public_slip_goes_when_it_is_no_longer_wanted(place: Place, queue: TestQueue) -> None:
    publish(place.open(), URL, FILES, queue.claim())
    publish(place.open(PlacedOptions(public_slip=False)), URL, FILES, queue.claim())
    assert not any("courses/physics/packageslip.xml" in followed(tree) for tree in place.trees)


@pytest.mark.needs("links")
@pytest.mark.parametrize("way", ["courses", "courses/physics", "courses/physics/notes"])
def test_a_link_on_the_way_is_refused(place: Place, queue: TestQueue, way: str) -> None:
    for tree in place.trees:
        tree.make_folder("elsewhere")
        tree.make_folder(way.rpartition("/")[0])
        tree.link(way, "elsewhere")
    target = place.open()
    with pytest.raises(PathBlocked, match="symbolic link"):
        publish(target, URL, FILES, queue.claim())
    assert place.residue() == []
    assert not any(path.startswith("elsewhere/") for tree in place.trees for path in tree.files())


@pytest.mark.needs("links", "guests")
def test_nothing_is_dropped_through_a_link(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    for tree in place.trees:
        tree.write("theirs/l1.pdf", b"theirs")
        tree.rename("courses/physics/notes", "courses/physics/moved")
        tree.link("courses/physics/notes", "theirs")
    with pytest.raises(PathBlocked, match="symbolic link"):
        unpublish(target, URL, queue.claim())
    assert all(tree.files()["theirs/l1.pdf"] == b"theirs" for tree in place.trees)


@pytest.mark.needs("links")
def test_a_link_in_a_files_place_is_refused(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("secret", b"s")
        tree.make_folder("courses/physics")
        tree.link("courses/physics/index.htm", "secret")
    with pytest.raises(PathBlocked, match="link"):
        publish(place.open(), URL, FILES, queue.claim())
    assert all(tree.files()["secret"] == b"s" for tree in place.trees)


@pytest.mark.needs("folders")
def test_a_foreign_folder_in_a_files_place_is_refused(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("courses/physics/readme/theirs", b"t")
    with pytest.raises(PathBlocked, match="theirs"):
        publish(place.open(), URL, FILES, queue.claim())
    assert place.live() == [{"courses/physics/readme/theirs": b"t"}] * len(place.trees)


@pytest.mark.needs("folders")
def test_an_empty_folder_in_a_files_place_goes(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.make_folder("courses/physics/readme/hollow")
    publish(place.open(), URL, FILES, queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)


@pytest.mark.needs("folders")
def test_a_foreign_file_in_a_folders_place_is_refused(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("courses/physics/notes", b"theirs")
    with pytest.raises(PathBlocked, match="folder must be"):
        publish(place.open(), URL, FILES, queue.claim())
    assert place.live() == [{"courses/physics/notes": b"theirs"}] * len(place.trees)


@pytest.mark.needs("guests")
def test_a_listed_file_that_somebody_made_a_folder_is_not_dropped(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, {"index.htm": b"i", "gone": b"g"}, queue.claim())
    for tree in place.trees:
        tree.rename("courses/physics/gone", "courses/physics/kept")
        tree.write("courses/physics/gone/theirs", b"t")
    publish(target, URL, {"index.htm": b"i"}, queue.claim())
    assert all(tree.files()["courses/physics/gone/theirs"] == b"t" for tree in place.trees)


@pytest.mark.needs("guests")
def test_what_is_gone_already_is_dropped_without_a_word(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, {"index.htm": b"i", "old/a.htm": b"a", "old/b.htm": b"b"}, queue.claim())
    for tree in place.trees:
        tree.rename("courses/physics/old/a.htm", "courses/physics/old/theirs.htm")
    publish(target, URL, {"index.htm": b"i"}, queue.claim())
    assert place.live() == [{"courses/physics/index.htm": b"i", "courses/physics/old/theirs.htm": b"a"}] * len(place.trees)
    assert place.residue() == []
