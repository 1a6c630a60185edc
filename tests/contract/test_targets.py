"""What every kind of target promises about publishing. No test names a transport."""

# The errors that matter here come at one step of a release, inside its `with` block.

import dataclasses

import pytest

from packageslip import Packageslip, Resource, UnsafePath, version_of
from support.claims import TestQueue
from support.releases import FILES, URL, digest, file_put, publish, slip_of, under, unpublish
from support.target_kinds import PLACES, Place
from targets import (
    KINDS,
    PathBlocked,
    PlacedOptions,
    TargetError,
)


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def test_every_kind_has_a_place() -> None:
    assert PLACES.keys() == KINDS.keys()


def test_publish_makes_the_tree_and_says_so(place: Place, queue: TestQueue) -> None:
    target = place.open()
    moved = publish(target, URL, FILES, queue.claim())
    members = len(place.trees)
    assert place.live() == [under(URL, FILES)] * members
    assert (moved.files, moved.bytes, moved.dropped) == (len(FILES) * members, sum(map(len, FILES.values())) * members, 0)
    assert place.residue() == []


def test_the_slip_on_the_target_is_the_commit_record(place: Place, queue: TestQueue) -> None:
    target = place.open()
    claim = queue.claim()
    publish(target, URL, FILES, claim, views={"index.json": b"{}"})
    slip = place.open().slip(URL)
    assert slip is not None
    assert [file.path for file in slip.resources] == sorted(FILES)
    assert [view.path for view in slip.views] == ["index.json"]
    assert (slip.serial, slip.queue, slip.version) == (claim.serial, queue.id, version_of(slip_of(URL, FILES)))
    assert {file.path: file.digest for file in slip.resources} == {path: digest(content) for path, content in FILES.items()}


def test_republish_moves_what_differs_and_drops_what_is_stale(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    newer = {"index.htm": b"changed", "readme": FILES["readme"], "more/x.css": b"new"}
    moved = publish(target, URL, newer, queue.claim())
    members = len(place.trees)
    assert place.live() == [under(URL, newer)] * members
    assert (moved.files, moved.dropped) == (2 * members, 2 * members)
    assert not any(f"courses/physics/{folder}" in tree.folders() for tree in place.trees for folder in ("notes", "notes/img"))
    assert place.residue() == []


def test_the_same_again_moves_nothing(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    moved = publish(target, URL, FILES, queue.claim())
    assert (moved.files, moved.bytes, moved.dropped) == (0, 0, 0)
    assert place.live() == [under(URL, FILES)] * len(place.trees)


@pytest.mark.needs("guests")
def test_unpublish_takes_the_module_and_nothing_else(place: Place, queue: TestQueue) -> None:
    target = place.open()
    for tree in place.trees:
        tree.write("courses/physics/foreign.txt", b"theirs")
    publish(target, URL, FILES, queue.claim())
    publish(target, "/courses/maths", {"index.htm": b"maths"}, queue.claim())
    unpublish(target, URL, queue.claim())
    assert place.live() == [{"courses/physics/foreign.txt": b"theirs", "courses/maths/index.htm": b"maths"}] * len(place.trees)
    assert target.slip(URL) is None
    assert [entry.url for entry in target.modules()] == ["/courses/maths"]
    assert place.residue() == []


def test_unpublish_removes_the_folder_that_it_emptied(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    unpublish(target, URL, queue.claim())
    assert all("courses/physics" not in tree.folders() for tree in place.trees)
    assert not any(path.endswith("packageslip.xml") for tree in place.trees for path in tree.files())


def test_unpublishing_what_is_not_there_is_done_at_once(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert unpublish(target, URL, queue.claim()).dropped == 0
    publish(target, URL, FILES, queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)


def test_publish_after_unpublish(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    unpublish(target, URL, queue.claim())
    publish(target, URL, {"index.htm": b"back"}, queue.claim())
    assert place.live() == [under(URL, {"index.htm": b"back"})] * len(place.trees)


def test_a_module_of_views_alone(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, "/feeds", {}, queue.claim(), views={"all.json": b"[]"})
    assert place.live() == [{"feeds/all.json": b"[]"}] * len(place.trees)


def test_the_root_module(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, "/", {"index.htm": b"home", "css/site.css": b"c"}, queue.claim())
    publish(target, URL, FILES, queue.claim())
    assert place.live() == [{"index.htm": b"home", "css/site.css": b"c", **under(URL, FILES)}] * len(place.trees)
    unpublish(target, "/", queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)
    assert all("css" not in tree.folders() for tree in place.trees)


def test_files_and_folders_change_places(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, {"a": b"file", "b/x/y": b"deep", "b/z": b"z", "index.htm": b"i"}, queue.claim())
    newer = {"a/one": b"now a folder", "b": b"now a file", "index.htm": b"i"}
    publish(target, URL, newer, queue.claim())
    assert place.live() == [under(URL, newer)] * len(place.trees)
    publish(target, URL, {"a": b"file", "b/x/y": b"deep"}, queue.claim())
    assert place.live() == [under(URL, {"a": b"file", "b/x/y": b"deep"})] * len(place.trees)
    assert place.residue() == []


def test_a_url_that_is_too_long_for_a_folder_name(place: Place, queue: TestQueue) -> None:
    target = place.open()
    url = "/" + "/".join(["ä" * 30, "b" * 100, "c" * 100])
    publish(target, url, {"index.htm": b"deep"}, queue.claim())
    assert [entry.url for entry in target.modules()] == [url]
    unpublish(target, url, queue.claim())
    assert place.live() == [{}] * len(place.trees)


def test_odd_names_are_kept_as_they_are(place: Place, queue: TestQueue) -> None:
    target = place.open()
    files = {"ä ö/ß & 'q'.htm": b"1", "-n": b"2", "a~b+c%20=d": b"3", "日本.txt": b"4"}
    publish(target, "/odd~name+x y", files, queue.claim())
    assert place.live() == [under("/odd~name+x y", files)] * len(place.trees)
    assert [entry.url for entry in target.modules()] == ["/odd~name+x y"]


@pytest.mark.parametrize(
    "path",
    [
        "../up",
        "a/../../b",
        "/abs",
        "a//b",
        "a/",
        "./a",
        "nul\0l",
        "line\nfeed",
        "back\\slash",
        "packageslip.xml",
        ".slipway/x",
        "e\u0301",
        "x" * 256,
    ],
)
def test_unsafe_paths_are_refused_at_the_target_too(place: Place, queue: TestQueue, path: str) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    with pytest.raises(UnsafePath):
        target.release(present, slip_of(URL, {path: b"x"}))
    assert place.live() == [{}] * len(place.trees)


@pytest.mark.parametrize("url", ["courses", "/courses/", "/../etc", "/a//b", "/.slipway"])
def test_unsafe_urls_are_refused(place: Place, queue: TestQueue, url: str) -> None:
    with pytest.raises(UnsafePath):
        place.open().present(url, queue.claim())


@pytest.mark.needs("nesting")
def test_a_module_inside_another_is_not_disturbed(place: Place, queue: TestQueue) -> None:
    target = place.open()
    outer = {"index.htm": b"all courses", "list/a.htm": b"a"}
    publish(target, "/courses", outer, queue.claim())
    publish(target, URL, FILES, queue.claim())
    publish(target, "/courses", {"index.htm": b"fewer"}, queue.claim())
    assert place.live() == [{"courses/index.htm": b"fewer", **under(URL, FILES)}] * len(place.trees)
    unpublish(target, "/courses", queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)
    publish(target, "/courses", outer, queue.claim())
    unpublish(target, URL, queue.claim())
    assert place.live() == [under("/courses", outer)] * len(place.trees)


@pytest.mark.needs("nesting")
def test_a_path_belongs_to_the_deepest_module(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, "/courses", {"index.htm": b"i", "physics/old.htm": b"outer's"}, queue.claim())
    publish(target, URL, {**FILES, "old.htm": b"now the inner one's"}, queue.claim())
    with pytest.raises(PathBlocked, match="lies in the module /courses/physics"):
        publish(target, "/courses", {"index.htm": b"i", "physics/new.htm": b"n"}, queue.claim())
    publish(target, "/courses", {"index.htm": b"j"}, queue.claim())
    live = {"courses/index.htm": b"j", "courses/physics/old.htm": b"now the inner one's", **under(URL, FILES)}
    assert place.live() == [live] * len(place.trees)


@pytest.mark.needs("modes", "times")
def test_modes_and_times_are_as_configured(place: Place, queue: TestQueue) -> None:
    target = place.open(PlacedOptions(file_mode=0o640, folder_mode=0o2750))
    slip = slip_of(URL, {"notes/l1.pdf": b"l"})
    present = target.present(URL, queue.claim())
    with target.release(present, slip) as release:
        release.put([file_put("notes/l1.pdf", b"l", modified=1_234_567_890)])
        release.prepare()
        release.switch()
    for tree in place.trees:
        assert tree.mode("courses/physics/notes/l1.pdf") == 0o640
        assert tree.modified("courses/physics/notes/l1.pdf") == 1_234_567_890
        assert [tree.mode(path) for path in ("courses", "courses/physics", "courses/physics/notes")] == [0o2750] * 3
        assert tree.mode("courses/physics/packageslip.xml") == 0o640


@pytest.mark.needs("times")
def test_times_can_be_left_to_the_server(place: Place, queue: TestQueue) -> None:
    target = place.open(PlacedOptions(times=False))
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, {"a": b"1"})) as release:
        release.put([file_put("a", b"1", modified=1_234_567_890)])
        release.prepare()
        release.switch()
    assert all(tree.modified("courses/physics/a") != 1_234_567_890 for tree in place.trees)


@pytest.mark.parametrize(
    "options", [PlacedOptions(durability="none"), PlacedOptions(durability="file"), PlacedOptions(verify="readback")]
)
def test_every_durability_gives_the_same_tree(place: Place, queue: TestQueue, options: PlacedOptions) -> None:
    target = place.open(options)
    publish(target, URL, FILES, queue.claim())
    publish(target, URL, {"index.htm": b"2"}, queue.claim())
    assert place.live() == [under(URL, {"index.htm": b"2"})] * len(place.trees)
    assert place.residue() == []


def test_a_damaged_commit_record_stops_for_a_person(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, FILES, queue.claim())
    for tree in place.trees:
        [record] = [path for path in tree.files() if path.endswith("/slip.xml")]
        tree.write(record, tree.files()[record][:-20])
    for ask in (lambda: target.present(URL, queue.claim()), lambda: target.slip(URL), lambda: list(target.modules())):
        with pytest.raises(TargetError, match="commit record"):
            ask()
    assert place.live() == [under(URL, FILES)] * len(place.trees)


def test_a_slip_with_unknown_sizes_is_refused(place: Place, queue: TestQueue) -> None:
    target = place.open()
    present = target.present(URL, queue.claim())
    unknown = Packageslip(URL, (Resource("a"),))
    with target.release(present, unknown) as release, pytest.raises(ValueError, match="neither put"):
        release.prepare()
    with (
        target.release(target.present(URL, queue.claim()), dataclasses.replace(unknown), adopted=["a"]) as release,
        pytest.raises(ValueError),
    ):
        release.prepare()
