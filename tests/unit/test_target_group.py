"""Several targets that switch together."""

from collections.abc import Callable, Sequence

import pytest

from packageslip import Digest
from support.claims import TestQueue
from support.releases import changed, digest, file_put, publish, slip_of
from support.target_kinds import MemoryTree, leftovers, visible
from targets import FilePut, GroupTarget, MemoryDisk, MemoryFiles, OrderedTarget, PathBlocked, TargetUnreachable
from targets.disk import Answer, Call

URL = "/m"
FILES = {"index.htm": b"i", "img/a.png": b"a"}


class Flaky(MemoryDisk):
    """Unreachable as long as somebody says so."""

    def __init__(self, files: MemoryFiles, down: Callable[[str], bool]) -> None:
        def look(verb: str, path: str, to: str) -> None:
            if down(f"{verb} {path} {to}"):
                raise TargetUnreachable("cut")

        super().__init__(files, look)


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture
def trees() -> list[MemoryFiles]:
    return [MemoryFiles(), MemoryFiles(), MemoryFiles()]


def never(_: str) -> bool:
    return False


def group(trees: Sequence[MemoryFiles], down: Callable[[str], bool] = never, quorum: int | None = None) -> GroupTarget:
    """The last member is the one that can be down."""
    downs = [never] * (len(trees) - 1) + [down]
    members = [
        OrderedTarget(f"m{number}", Flaky(files, down)) for number, (files, down) in enumerate(zip(trees, downs, strict=True))
    ]
    return GroupTarget("g", members, quorum)


def lives(trees: Sequence[MemoryFiles]) -> list[dict[str, bytes]]:
    return [{path.removeprefix("m/"): content for path, content in visible(MemoryTree(files)).items()} for files in trees]


def test_each_member_gets_what_it_lacks(trees: list[MemoryFiles], queue: TestQueue) -> None:
    publish(group(trees[:2]), URL, FILES, queue.claim())
    moved = publish(group(trees), URL, FILES, queue.claim())
    assert lives(trees) == [FILES] * 3
    assert moved.files == 2


def test_a_file_that_no_member_lacks_is_repaired_on_all(trees: list[MemoryFiles], queue: TestQueue) -> None:
    target = group(trees)
    publish(target, URL, FILES, queue.claim())
    MemoryTree(trees[1]).write("m/index.htm", b"damaged")
    done: list[FilePut] = []
    with target.release(target.present(URL, queue.claim()), slip_of(URL, FILES)) as release:
        release.put([file_put("index.htm", b"i")], done.append)
        release.prepare()
        assert release.switch().files == 3
    assert len(done) == 1
    assert lives(trees) == [FILES] * 3


def test_one_that_cannot_prepare_makes_the_others_take_their_notes_back(trees: list[MemoryFiles], queue: TestQueue) -> None:
    publish(group(trees), URL, {"index.htm": b"old"}, queue.claim())
    down = [False]
    target = group(trees, lambda call: down[0] and "note.tmp" in call)
    present = target.present(URL, queue.claim())
    with pytest.raises(TargetUnreachable), target.release(present, slip_of(URL, FILES)) as release:  # noqa: PT012
        release.put(changed(present, FILES))
        down[0] = True
        release.prepare()
    assert lives(trees) == [{"index.htm": b"old"}] * 3
    assert not any(path.endswith("next.xml") for files in trees for path in files.tree())
    assert [leftovers(MemoryTree(files)) for files in trees[:2]] == [[], []]


def test_a_note_that_cannot_be_taken_back_does_not_hide_why(queue: TestQueue) -> None:
    trees = [MemoryFiles(), MemoryFiles()]

    class Stuck(MemoryDisk):
        def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
            if any("next.xml" in call.path and not call.to for call in calls):
                raise TargetUnreachable("the first")
            return super().run(calls)

    members = [OrderedTarget("m0", Stuck(trees[0])), OrderedTarget("m1", Flaky(trees[1], lambda call: "note.tmp" in call))]
    target = GroupTarget("g", members)
    present = target.present(URL, queue.claim())
    with pytest.raises(TargetUnreachable, match="cut"), target.release(present, slip_of(URL, FILES)) as release:  # noqa: PT012
        release.put(changed(present, FILES))
        release.prepare()
    assert lives(trees) == [{}, {}]


def test_a_member_that_is_cut_in_the_switch_is_rolled_forward_by_its_own_note(trees: list[MemoryFiles], queue: TestQueue) -> None:
    down = [False]
    target = group(trees, lambda call: down[0])
    present = target.present(URL, queue.claim())
    with pytest.raises(TargetUnreachable), target.release(present, slip_of(URL, FILES)) as release:  # noqa: PT012
        release.put(changed(present, FILES))
        release.prepare()
        down[0] = True
        release.switch()
    assert lives(trees) == [FILES, FILES, {}]
    down[0] = False
    found = target.present(URL, queue.claim())
    assert [one.recovered is not None for one in found.each()] == [False, False, True]
    assert found.recovered is not None
    assert lives(trees) == [FILES] * 3


@pytest.mark.parametrize("when", ["list", "create", "note.tmp", "rename"])
def test_with_a_quorum_one_may_lag_and_is_brought_up_to_date_later(trees: list[MemoryFiles], queue: TestQueue, when: str) -> None:
    publish(group(trees), URL, {"index.htm": b"old"}, queue.claim())
    publish(group(trees, lambda call: when in call, quorum=2), URL, FILES, queue.claim())
    assert lives(trees) == [FILES, FILES, {"index.htm": b"old"}]
    publish(group(trees, quorum=2), URL, FILES, queue.claim())
    assert lives(trees) == [FILES] * 3


def test_below_the_quorum_nothing_is_published(queue: TestQueue) -> None:
    trees = [MemoryFiles(), MemoryFiles()]
    with pytest.raises(TargetUnreachable):
        publish(group(trees, lambda call: True, quorum=2), URL, FILES, queue.claim())
    assert lives(trees) == [{}, {}]


def test_a_permanent_fault_of_one_member_stops_all(trees: list[MemoryFiles], queue: TestQueue) -> None:
    MemoryTree(trees[1]).write("m/index.htm/theirs", b"t")
    with pytest.raises(PathBlocked):
        publish(group(trees, quorum=1), URL, FILES, queue.claim())
    assert [lives(trees)[0], lives(trees)[2]] == [{}, {}]


def test_what_one_member_has_adopted_is_copied_to_the_others(trees: list[MemoryFiles], queue: TestQueue) -> None:
    MemoryTree(trees[1]).write("m/index.htm", b"i")
    target = group(trees)
    lying = target.strangers(URL, list(FILES))
    assert lying == {"index.htm": digest(b"i")}
    publish(target, URL, FILES, queue.claim(), adopted=list(lying))
    assert lives(trees) == [FILES] * 3


def test_members_that_disagree_about_a_stranger_give_no_digest(trees: list[MemoryFiles]) -> None:
    for files, content in zip(trees, (b"1", b"2", b"1"), strict=True):
        MemoryTree(files).write("m/index.htm", content)
    expected: dict[str, Digest | None] = {"index.htm": None}
    assert group(trees).strangers(URL, list(FILES)) == expected


def test_a_file_that_differs_on_one_member_has_no_digest(trees: list[MemoryFiles], queue: TestQueue) -> None:
    target = group(trees)
    publish(target, URL, FILES, queue.claim())
    MemoryTree(trees[2]).write("m/index.htm", b"drifted")
    answers = list(target.digests(URL, ["index.htm", "img/a.png"]))
    assert answers == [("index.htm", None, None), ("img/a.png", 1, digest(b"a"))]


def test_digests_of_a_member_that_is_down_are_not_assumed(trees: list[MemoryFiles], queue: TestQueue) -> None:
    publish(group(trees), URL, FILES, queue.claim())
    with pytest.raises(TargetUnreachable):
        list(group(trees, lambda _: True, quorum=1).digests(URL, list(FILES)))


def test_reading_goes_on_while_one_member_is_down(trees: list[MemoryFiles], queue: TestQueue) -> None:
    publish(group(trees), URL, FILES, queue.claim())
    down = group(list(reversed(trees)), lambda call: True, quorum=2)
    reading = GroupTarget("g", list(reversed(down._members)), 2)
    with reading.open(URL, "index.htm") as stream:
        assert stream.read() == b"i"
    assert reading.slip(URL) is not None
    assert [entry.url for entry in reading.modules()] == [URL]
    with pytest.raises(FileNotFoundError):
        reading.open(URL, "absent")


def test_probe_adopt_and_reap_ask_every_member(trees: list[MemoryFiles], queue: TestQueue) -> None:
    target = group(trees)
    publish(group(trees[:1]), URL, FILES, queue.claim())
    assert target.adopt("f" * 32) == queue.id
    assert {check.what.partition(":")[0] for check in target.probe()} == {"m0", "m1", "m2"}
    assert target.reap(0) == 0
    assert target.name == "g"


def test_closing_one_that_cannot_be_closed_closes_the_others(trees: list[MemoryFiles]) -> None:
    closed: list[str] = []

    class Closing(MemoryDisk):
        def close(self) -> None:
            closed.append("closed")
            raise TargetUnreachable("gone")

    GroupTarget("g", [OrderedTarget("m", Closing(files)) for files in trees]).close()
    assert closed == ["closed"] * 3


def test_nothing_is_known_about_an_unpublished_module(trees: list[MemoryFiles]) -> None:
    assert group(trees).slip(URL) is None
    assert list(group(trees).modules()) == []
