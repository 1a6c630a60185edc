"""What every kind of target promises. No test names a transport."""

# The errors that matter here come at one step of a release, inside its `with` block.
# ruff: noqa: PT012

import dataclasses
import io

import pytest

from packageslip import Packageslip, Resource, UnsafePath, version_of
from support.claims import TestQueue
from support.releases import changed, digest, file_put, publish, slip_of, unpublish
from support.target_kinds import PLACES, Place
from targets import (
    KINDS,
    AreaMissing,
    CorruptTransfer,
    Fenced,
    FilePut,
    PathBlocked,
    PlacedOptions,
    Recovered,
    SerialTooHigh,
    TargetError,
)

URL = "/courses/physics"
FILES = {"index.htm": b"welcome", "notes/l1.pdf": b"lecture one", "notes/img/a b.png": b"", "readme": b"x" * 100_000}


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


def under(url: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{url}/{path}".strip("/"): content for path, content in files.items()}


def test_every_kind_has_a_place() -> None:
    assert PLACES.keys() == KINDS.keys()


# ---- publish, republish, unpublish ----


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


# ---- nothing is visible before the switch, nothing is lost before the note ----


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


# ---- wrong bytes ----


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


# ---- one writer ----


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


# ---- queues and areas ----


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


def test_the_area_is_nobody_elses_business(place: Place, queue: TestQueue) -> None:
    publish(place.open(), URL, FILES, queue.claim())
    assert [tree.mode(".slipway") for tree in place.trees] == [0o700] * len(place.trees)


# ---- what others put there ----


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
        files = tree.files()
        [record] = [content for path, content in files.items() if path.endswith("/slip.xml")]
        assert files["courses/physics/packageslip.xml"] == record


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
    assert not any("courses/physics/packageslip.xml" in tree.files() for tree in place.trees)


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


def test_a_link_in_a_files_place_is_refused(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("secret", b"s")
        tree.make_folder("courses/physics")
        tree.link("courses/physics/index.htm", "secret")
    with pytest.raises(PathBlocked, match="link"):
        publish(place.open(), URL, FILES, queue.claim())
    assert all(tree.files()["secret"] == b"s" for tree in place.trees)


def test_a_foreign_folder_in_a_files_place_is_refused(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("courses/physics/readme/theirs", b"t")
    with pytest.raises(PathBlocked, match="theirs"):
        publish(place.open(), URL, FILES, queue.claim())
    assert place.live() == [{"courses/physics/readme/theirs": b"t"}] * len(place.trees)


def test_an_empty_folder_in_a_files_place_goes(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.make_folder("courses/physics/readme/hollow")
    publish(place.open(), URL, FILES, queue.claim())
    assert place.live() == [under(URL, FILES)] * len(place.trees)


def test_a_foreign_file_in_a_folders_place_is_refused(place: Place, queue: TestQueue) -> None:
    for tree in place.trees:
        tree.write("courses/physics/notes", b"theirs")
    with pytest.raises(PathBlocked, match="folder must be"):
        publish(place.open(), URL, FILES, queue.claim())
    assert place.live() == [{"courses/physics/notes": b"theirs"}] * len(place.trees)


def test_a_listed_file_that_somebody_made_a_folder_is_not_dropped(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, URL, {"index.htm": b"i", "gone": b"g"}, queue.claim())
    for tree in place.trees:
        tree.rename("courses/physics/gone", "courses/physics/kept")
        tree.write("courses/physics/gone/theirs", b"t")
    publish(target, URL, {"index.htm": b"i"}, queue.claim())
    assert all(tree.files()["courses/physics/gone/theirs"] == b"t" for tree in place.trees)


# ---- names ----


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


# ---- modules in modules ----


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


def test_a_path_belongs_to_the_deepest_module(place: Place, queue: TestQueue) -> None:
    target = place.open()
    publish(target, "/courses", {"index.htm": b"i", "physics/old.htm": b"outer's"}, queue.claim())
    publish(target, URL, {**FILES, "old.htm": b"now the inner one's"}, queue.claim())
    with pytest.raises(PathBlocked, match="lies in the module /courses/physics"):
        publish(target, "/courses", {"index.htm": b"i", "physics/new.htm": b"n"}, queue.claim())
    publish(target, "/courses", {"index.htm": b"j"}, queue.claim())
    live = {"courses/index.htm": b"j", "courses/physics/old.htm": b"now the inner one's", **under(URL, FILES)}
    assert place.live() == [live] * len(place.trees)


# ---- reading ----


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


# ---- probe, reap, close ----


def test_a_probe_leaves_nothing_behind(place: Place, queue: TestQueue) -> None:
    target = place.open()
    assert {check.outcome for check in target.probe()} <= {"ok", "warning"}
    assert all(not tree.files() and not tree.folders() for tree in place.trees)
    publish(target, URL, FILES, queue.claim())
    before = [(tree.files(), tree.folders()) for tree in place.trees]
    assert {check.outcome for check in target.probe()} <= {"ok", "warning"}
    assert [(tree.files(), tree.folders()) for tree in place.trees] == before


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


# ---- modes, times, durability ----


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
