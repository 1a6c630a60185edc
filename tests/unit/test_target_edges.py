"""What a target does when its server answers what it seldom answers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from support.claims import TestQueue
from support.releases import changed, publish, slip_of, unpublish
from support.target_kinds import MemoryTree, leftovers, visible
from targets import (
    AreaMissing,
    Fenced,
    LocalDisk,
    MemoryDisk,
    MemoryFiles,
    NoSpace,
    OrderedTarget,
    PathBlocked,
    PermanentTargetError,
    PermissionRefused,
    PlacedOptions,
    TargetBusy,
    TargetUnfit,
    TargetUnreachable,
    TransientTargetError,
)
from targets.disk import Answer, Call, Entry, Op, Write

URL = "/m"
FILES = {"index.htm": b"i", "img/a.png": b"a"}


class AnsweringDisk(MemoryDisk):
    """Answers some calls itself, without making them."""

    def __init__(self, files: MemoryFiles, say: Callable[[Call], Answer | None]) -> None:
        super().__init__(files)
        self._say = say

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [self._say(call) or super(AnsweringDisk, self).run([call])[0] for call in calls]


def target_that(files: MemoryFiles, say: Callable[[Call], Answer | None]) -> OrderedTarget:
    return OrderedTarget("t", AnsweringDisk(files, say))


def live(files: MemoryFiles) -> dict[str, bytes]:
    return visible(MemoryTree(files))


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def folder(files: MemoryFiles) -> str:
    """The module's own folder: it is there, so that the module's files come one by one."""
    MemoryTree(files).make_folder("m")
    return "m"


def published(files: MemoryFiles, queue: TestQueue) -> OrderedTarget:
    target = OrderedTarget("t", MemoryDisk(files))
    publish(target, URL, FILES, queue.claim())
    return target


@pytest.mark.parametrize(
    ("op", "part"),
    [
        (Op.MKDIR, ".slipway"),
        (Op.MKDIR, "/new/"),
        (Op.RENAME, "m/index.htm"),
        (Op.RENAME, "/d:"),
        (Op.RENAME, "note.tmp"),
        (Op.UNLINK, "next.xml"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_denied_call_names_itself_and_leaves_the_rest_for_later(
    files: MemoryFiles, queue: TestQueue, op: Op, part: str
) -> None:
    def deny(call: Call) -> Answer | None:
        return Answer.DENIED if call.op is op and part in f"{call.path} {call.to}" else None

    with pytest.raises(PermissionRefused, match="account may not"):
        publish(target_that(files, deny), URL, FILES, queue.claim())
    publish(OrderedTarget("t", MemoryDisk(files)), URL, FILES, queue.claim())
    assert live(files) == {f"m/{path}": content for path, content in FILES.items()}
    assert leftovers(MemoryTree(files)) == []


def test_a_token_that_may_not_be_renamed(files: MemoryFiles, queue: TestQueue) -> None:
    published(files, queue)
    with pytest.raises(PermissionRefused, match="rename"):
        target_that(files, lambda call: Answer.DENIED if call.op is Op.RENAME else None).present(URL, queue.claim())


def test_a_folder_that_may_not_be_removed_is_left(files: MemoryFiles, queue: TestQueue) -> None:
    published(files, queue)
    unpublish(
        target_that(files, lambda call: Answer.DENIED if (call.op, call.path) == (Op.RMDIR, "m") else None), URL, queue.claim()
    )
    assert live(files) == {}


def test_an_empty_folder_that_the_server_will_not_remove_is_tried_again_later(files: MemoryFiles, queue: TestQueue) -> None:
    published(files, queue)
    target = target_that(files, lambda call: Answer.REFUSED if (call.op, call.path) == (Op.RMDIR, "m/img") else None)
    with pytest.raises(TransientTargetError, match="server refuses to rmdir m/img"):
        unpublish(target, URL, queue.claim())
    OrderedTarget("t", MemoryDisk(files)).present(URL, queue.claim())
    assert live(files) == {}
    assert not MemoryTree(files).folders() & {"m", "m/img"}


def test_adopting_without_the_right_to_rename(files: MemoryFiles, queue: TestQueue) -> None:
    published(files, queue)
    with pytest.raises(PermissionRefused, match="renamed"):
        target_that(files, lambda call: Answer.DENIED if call.op is Op.RENAME else None).adopt("f" * 32)


@pytest.mark.usefixtures("folder")
def test_a_put_that_the_server_always_refuses_is_tried_again_later(files: MemoryFiles, queue: TestQueue) -> None:
    target = target_that(files, lambda call: Answer.REFUSED if call.to == "m/index.htm" else None)
    with pytest.raises(TransientTargetError, match=r"server refuses to rename .* to m/index.htm"):
        publish(target, URL, FILES, queue.claim())
    found = OrderedTarget("t", MemoryDisk(files)).present(URL, queue.claim())
    assert found.recovered is not None
    assert live(files) == {f"m/{path}": content for path, content in FILES.items()}


@pytest.mark.usefixtures("folder")
def test_a_folder_that_appears_in_a_files_place_is_named(files: MemoryFiles, queue: TestQueue) -> None:
    def appear(call: Call) -> None:
        if call.to == "m/index.htm":
            MemoryTree(files).make_folder("m/index.htm")

    with pytest.raises(PathBlocked, match="a folder is in its place"):
        publish(target_that(files, appear), URL, FILES, queue.claim())


def test_what_the_server_does_not_move_out_of_a_files_way_is_named_and_no_person_asked(
    files: MemoryFiles, queue: TestQueue
) -> None:
    publish(target_that(files, lambda call: None), URL, {"box/in.htm": b"old"}, queue.claim())
    target = target_that(files, lambda call: Answer.REFUSED if call.path == "m/box/in.htm" else None)
    with pytest.raises(TransientTargetError, match=r"server refuses to rename m/box/in.htm"):
        publish(target, URL, {"box": b"new"}, queue.claim())
    publish(OrderedTarget("t", MemoryDisk(files)), URL, {"box": b"new"}, queue.claim())
    assert live(files) == {"m/box": b"new"}


def test_an_empty_folder_of_ours_that_stays_in_a_files_way_is_named_and_no_person_asked(
    files: MemoryFiles, queue: TestQueue
) -> None:
    publish(target_that(files, lambda call: None), URL, {"box/in.htm": b"old"}, queue.claim())
    target = target_that(files, lambda call: Answer.REFUSED if (call.op, call.path) == (Op.RMDIR, "m/box") else None)
    with pytest.raises(TransientTargetError, match=r"server refuses to rmdir m/box"):
        publish(target, URL, {"box": b"new"}, queue.claim())
    publish(OrderedTarget("t", MemoryDisk(files)), URL, {"box": b"new"}, queue.claim())
    assert live(files) == {"m/box": b"new"}


@pytest.mark.usefixtures("folder")
def test_a_file_that_appears_in_a_folders_place_is_named(files: MemoryFiles, queue: TestQueue) -> None:
    def appear(call: Call) -> None:
        if call.to == "m/img":
            MemoryTree(files).write("m/img", b"theirs")

    with pytest.raises(PathBlocked, match="a file is in the place of the folder m/img"):
        publish(target_that(files, appear), URL, FILES, queue.claim())


@pytest.mark.usefixtures("folder")
def test_a_folder_that_vanishes_is_made_again(files: MemoryFiles, queue: TestQueue) -> None:
    times = [0]

    def vanish(call: Call) -> None:
        if call.to == "m/img/a.png" and not times[0]:
            times[0] += 1
            files.call(Call(Op.RMDIR, "m/img"))

    publish(target_that(files, vanish), URL, FILES, queue.claim())
    assert times == [1]
    assert live(files) == {f"m/{path}": content for path, content in FILES.items()}


def test_a_module_that_keeps_changing_hands_is_busy(files: MemoryFiles, queue: TestQueue) -> None:
    published(files, queue)
    with pytest.raises(TargetBusy):
        target_that(files, lambda call: Answer.ABSENT if call.op is Op.RENAME else None).present(URL, queue.claim())


def test_a_module_folder_without_a_token_is_for_a_person(files: MemoryFiles, queue: TestQueue) -> None:
    target = published(files, queue)
    token = next(path for path in files.nodes if path.count("/") == 4 and not path.endswith(".xml"))
    files.call(Call(Op.RMDIR, token))
    with pytest.raises(PermanentTargetError, match="no holder's folder"):
        target.present(URL, queue.claim())


def test_a_damaged_note_is_for_a_person(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files))
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
    note = next(node for path, node in files.nodes.items() if path.endswith("/next.xml"))
    note.content = note.content[:-9]
    with pytest.raises(PermanentTargetError, match="cannot be read"):
        target.present(URL, queue.claim())
    assert live(files) == {}


def test_a_note_that_is_gone_when_it_is_read_means_that_somebody_took_over(files: MemoryFiles, queue: TestQueue) -> None:
    class Vanishing(MemoryDisk):
        def read(self, path: str) -> bytes:
            if path.endswith("next.xml"):
                raise FileNotFoundError(path)
            return super().read(path)

    target = OrderedTarget("t", MemoryDisk(files))
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
    with pytest.raises(Fenced):
        OrderedTarget("t", Vanishing(files)).present(URL, queue.claim())


def test_staging_the_slip_after_a_takeover_is_fenced(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files))
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, {})) as release:
        OrderedTarget("t", MemoryDisk(files)).present(URL, queue.claim())
        with pytest.raises(Fenced):
            release.prepare()


def test_a_file_system_that_is_not_mounted_any_more_is_nobodys_takeover(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files))
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        files.nodes.clear()
        with pytest.raises(TargetUnreachable, match="is the file system mounted"):
            release.switch()


def test_a_long_life_remembers_only_what_is_in_hand(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files))
    presents = [target.present(f"/m{number}", queue.claim()) for number in range(300)]
    target.release(presents[-1], None)
    with pytest.raises(ValueError, match="presented"):
        target.release(presents[0], None)


def test_after_a_cut_nothing_is_discarded(files: MemoryFiles, queue: TestQueue) -> None:
    class Cut(MemoryDisk):
        def write(self, writes: Iterable[Write]) -> Iterator[Write]:
            yield from list(super().write(writes))[:1]
            raise TargetUnreachable("cut")

    with pytest.raises(TargetUnreachable):
        publish(OrderedTarget("t", Cut(files)), URL, FILES, queue.claim())
    assert [path for path in files.tree() if "/s:" in path] != []
    publish(OrderedTarget("t", MemoryDisk(files)), URL, FILES, queue.claim())
    assert leftovers(MemoryTree(files)) == []


def test_what_cannot_be_discarded_does_not_hide_why(files: MemoryFiles, queue: TestQueue) -> None:
    target = target_that(files, lambda call: Answer.DENIED if call.op is Op.UNLINK else None)
    present = target.present(URL, queue.claim())
    with pytest.raises(RuntimeError, match="why"), target.release(present, slip_of(URL, FILES)) as release:  # noqa: PT012
        release.put(changed(present, FILES))
        raise RuntimeError("why")


def test_a_note_that_cannot_be_put_in_its_place_means_that_somebody_took_over(files: MemoryFiles, queue: TestQueue) -> None:
    target = target_that(files, lambda call: Answer.ABSENT if call.path.endswith("note.tmp") else None)
    with pytest.raises(Fenced):
        publish(target, URL, FILES, queue.claim())


def test_a_slip_of_an_older_queue_that_outranks_the_task_makes_it_renew(files: MemoryFiles, queue: TestQueue) -> None:
    queue.counter = 500
    target = published(files, queue)
    newer = TestQueue("f" * 32)
    target.adopt(newer.id)
    token = next(path for path in files.nodes if path.count("/") == 4 and not path.endswith(".xml"))
    files.call(Call(Op.RENAME, token, f"{token.rpartition('/')[0]}/{1:019d}.00000000"))
    newer.counter = 10
    claim = newer.claim()
    publish(target, URL, FILES, claim)
    assert claim.serial == 502


def test_a_missing_root_is_not_made(queue: TestQueue) -> None:
    class Rootless(MemoryDisk):
        def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
            return [None] * len(paths)

    target = OrderedTarget("t", Rootless(MemoryFiles()))
    with pytest.raises(TargetUnreachable, match="t: its root folder is not there; is it mounted") as outage:
        target.present(URL, queue.claim())
    assert outage.value.target == "t"


def test_a_missing_root_is_not_a_target_without_modules(tmp_path: Path) -> None:
    target = OrderedTarget("t", LocalDisk(tmp_path / "unmounted", "t"))
    for read in (target.slip, lambda _: target.modules()):
        with pytest.raises(TargetUnreachable, match="mounted"):
            read(URL)
    (tmp_path / "unmounted").mkdir()
    assert target.slip(URL) is None
    assert list(target.modules()) == []


def test_an_area_that_cannot_be_made_is_said(files: MemoryFiles, queue: TestQueue) -> None:
    with pytest.raises(TargetUnfit, match="cannot be made"):
        OrderedTarget("t", MemoryDisk(files), PlacedOptions(area="no/such/.slipway")).present(URL, queue.claim())


def test_two_queues_that_come_at_once_both_step_back(files: MemoryFiles, queue: TestQueue) -> None:
    def other(call: Call) -> None:
        if call.path.endswith("/new") and call.op is Op.MKDIR:
            MemoryTree(files).make_folder(".slipway/modules-other")

    with pytest.raises(AreaMissing):
        target_that(files, other).present(URL, queue.claim())
    assert sorted(path for path in files.nodes if "modules-" in path) == [".slipway/modules-other"]


def test_several_areas_are_for_a_person(files: MemoryFiles, queue: TestQueue) -> None:
    target = published(files, queue)
    MemoryTree(files).make_folder(".slipway/modules-other")
    assert target.slip(URL) is not None
    stranger = OrderedTarget("t", MemoryDisk(files))
    with pytest.raises(AreaMissing, match="several"):
        stranger.slip(URL)
    with pytest.raises(TargetUnfit, match="2 queues"):
        stranger.adopt("f" * 32)
    assert "failure" in {check.outcome for check in stranger.probe()}


def test_files_may_not_go_into_an_area_elsewhere_in_the_root(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files), PlacedOptions(area="private"))
    with pytest.raises(PathBlocked, match="keeps its own"):
        publish(target, "/", {"private/x": b"x"}, queue.claim())
    with pytest.raises(PathBlocked, match="keeps its own"):
        publish(target, "/private", {"x": b"x"}, queue.claim())


def test_room_is_asked_for_before_anything_is_staged(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files))
    files.room = (1000, 1000)
    publish(target, URL, {"a": b"x" * 900}, queue.claim())
    with pytest.raises(NoSpace, match="1100 bytes and 1 files are needed"):
        publish(target, URL, {"a": b"y" * 1000}, queue.claim())
    files.room = (10**9, 1)
    with pytest.raises(NoSpace, match="2 files"):
        publish(target, URL, {"b": b"1", "c": b"2"}, queue.claim())
    assert live(files) == {"m/a": b"x" * 900}
    assert "warning" in {check.outcome for check in target.probe()}


def test_a_disk_that_fills_up_meanwhile_leaves_the_live_module_alone(files: MemoryFiles, queue: TestQueue) -> None:
    target = published(files, queue)
    present = target.present(URL, queue.claim())
    with pytest.raises(NoSpace), target.release(present, slip_of(URL, {"big": b"b" * 50})) as release:  # noqa: PT012
        files.room = (10, 10)
        release.put(changed(present, {"big": b"b" * 50}))
    assert live(files) == {f"m/{path}": content for path, content in FILES.items()}
    assert leftovers(MemoryTree(files)) == []


def test_twins_by_case_change_places_where_they_are_one_file(queue: TestQueue) -> None:
    files = MemoryFiles(case_sensitive=False)
    target = OrderedTarget("t", MemoryDisk(files), PlacedOptions(case_sensitive=False))
    publish(target, URL, {"A.HTM": b"upper", "Img/x.png": b"x", "keep": b"k"}, queue.claim())
    publish(target, URL, {"a.htm": b"lower", "img/x.png": b"y", "keep": b"k"}, queue.claim())
    assert live(files) == {"m/a.htm": b"lower", "m/img/x.png": b"y", "m/keep": b"k"}
    assert leftovers(MemoryTree(files)) == []


def test_a_twin_that_is_adopted_is_not_dropped(queue: TestQueue) -> None:
    files = MemoryFiles(case_sensitive=False)
    target = OrderedTarget("t", MemoryDisk(files), PlacedOptions(case_sensitive=False))
    publish(target, URL, {"A.HTM": b"same"}, queue.claim())
    publish(target, URL, {"a.htm": b"same"}, queue.claim(), adopted=["a.htm"])
    assert list(live(files).values()) == [b"same"]


def test_what_is_known_of_a_first_release_is_not_listed(files: MemoryFiles, queue: TestQueue) -> None:
    calls: list[str] = []
    target = OrderedTarget("t", MemoryDisk(files, lambda verb, _path, _to: calls.append(verb)))
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        calls.clear()
        release.switch()
    assert live(files) == {f"m/{path}": content for path, content in FILES.items()}
    assert "list" not in calls
    assert "stat" not in calls[:-1]
    calls.clear()
    assert target.mark(present)
    assert not calls
    assert leftovers(MemoryTree(files)) == []


def test_a_folder_that_somebody_else_makes_meanwhile_leaves_nothing_of_ours_behind(files: MemoryFiles, queue: TestQueue) -> None:
    def meanwhile(verb: str, path: str, _to: str) -> None:
        if verb == "mkdir" and "/d:" in path and files.find("m/img") is None:
            MemoryTree(files).make_folder("m/img/theirs")

    target = OrderedTarget("t", MemoryDisk(files, meanwhile))
    publish(target, URL, FILES, queue.claim())
    assert live(files) == {f"m/{path}": content for path, content in FILES.items()}
    assert leftovers(MemoryTree(files)) == []


def test_a_probe_says_what_fails_and_how_to_mend_it(files: MemoryFiles) -> None:
    checks = target_that(files, lambda call: Answer.REFUSED if call.op is Op.SYNC else None).probe()
    assert [(check.outcome, check.what) for check in checks][-1] == ("failure", "files can be synced")
    assert "durability" in checks[-1].remedy
    assert files.nodes == {}


def test_a_probe_of_what_cannot_be_reached_is_a_failure() -> None:
    class Gone(MemoryDisk):
        def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
            raise TargetUnreachable("no route to t")

    [check] = OrderedTarget("t", Gone(MemoryFiles())).probe()
    assert (check.outcome, check.remedy) == ("failure", "no route to t")


def test_a_probe_of_a_missing_root() -> None:
    class Rootless(MemoryDisk):
        def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
            return [None] * len(paths)

    [check] = OrderedTarget("t", Rootless(MemoryFiles())).probe()
    assert check.outcome == "failure"
    assert "mount" in check.remedy
