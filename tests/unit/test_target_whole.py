"""A module's first publication at servers that refuse, fold, spell and lose; every order of calls has its tests elsewhere."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence

import pytest

from support.claims import TestQueue
from support.releases import FILES as MANY_KINDS
from support.releases import Files, changed, publish, slip_of
from support.target_kinds import MemoryTree, leftovers, visible
from targets import (
    MemoryDisk,
    MemoryFiles,
    OrderedTarget,
    PermissionRefused,
    PlacedOptions,
    TargetBusy,
)
from targets.disk import Answer, Call, Entry, Looks, Op, Seen

URL = "/x/m"
FILES = {"index.htm": b"i", "img/a.png": b"a", "img/b.png": b"b"}
LIVE = {f"x/m/{path}": content for path, content in FILES.items()}


class Server(MemoryDisk):
    """Answers some calls itself, and keeps all of them."""

    def __init__(self, files: MemoryFiles, say: Callable[[Call], Answer | None] = lambda call: None) -> None:
        super().__init__(files)
        self._say = say
        self.calls: list[Call] = []
        self.looks: list[Looks] = []

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        self.calls += calls
        return [self._say(call) or super(Server, self).run([call])[0] for call in calls]

    def look(self, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()) -> tuple[Sequence[Answer], Seen]:
        self.looks.append(looks)
        return super().look(looks, after, otherwise)

    def moved(self) -> list[str]:
        """Where something was renamed to that visitors see."""
        return [call.to for call in self.calls if call.op is Op.RENAME and not call.to.startswith(".slipway")]


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


def prepare(
    server: MemoryDisk, queue: TestQueue, files: Files = FILES, options: PlacedOptions | None = None
) -> Callable[[], object]:
    """A first publication up to its note; what is left is its switch."""
    target = OrderedTarget("t", server, options)
    present = target.present(URL, queue.claim())
    release = target.release(present, slip_of(URL, files))
    release.put(changed(present, files))
    release.prepare()
    return release.switch


def test_one_rename_brings_all_of_it(files: MemoryFiles, queue: TestQueue) -> None:
    server = Server(files)
    publish(OrderedTarget("t", server), URL, FILES, queue.claim())
    assert server.moved() == ["x", "x/m"]
    assert visible(MemoryTree(files)) == LIVE


def test_where_its_folder_is_there_already_each_file_comes_by_itself(files: MemoryFiles, queue: TestQueue) -> None:
    MemoryTree(files).make_folder("x/m")
    server = Server(files)
    publish(OrderedTarget("t", server), URL, FILES, queue.claim())
    assert server.moved() == ["x/m/img", "x/m/img/a.png", "x/m/img/b.png", "x/m/index.htm", "x/m/packageslip.xml"]


def test_a_folder_that_the_account_may_not_move_is_waited_for_and_then_filled(files: MemoryFiles, queue: TestQueue) -> None:
    def deny(call: Call) -> Answer | None:
        return Answer.DENIED if call.to == "x/m" else None

    MemoryTree(files).make_folder("x")
    with pytest.raises(PermissionRefused, match=r"account may not rename .* to x/m"):
        publish(OrderedTarget("t", Server(files, deny)), URL, FILES, queue.claim())
    assert visible(MemoryTree(files)) == {}
    # A server that may not rename says so before it says that something is there.
    MemoryTree(files).make_folder("x/m")
    publish(OrderedTarget("t", Server(files, deny)), URL, FILES, queue.claim())
    assert visible(MemoryTree(files)) == LIVE
    assert leftovers(MemoryTree(files)) == []


def test_a_folder_above_it_that_vanishes_is_no_reason_to_take_it_apart(files: MemoryFiles, queue: TestQueue) -> None:
    times: list[str] = []

    def vanish(call: Call) -> None:
        if call.to == "x/m" and not times:
            times.append(call.path)
            files.call(Call(Op.RMDIR, "x"))

    server = Server(files, vanish)
    publish(OrderedTarget("t", server), URL, FILES, queue.claim())
    assert times
    assert server.moved() == ["x", "x/m", "x", "x/m"]
    assert visible(MemoryTree(files)) == LIVE


@pytest.mark.parametrize("appears", [False, True])
def test_folders_that_differ_by_case_alone_are_one_where_the_server_says_so(queue: TestQueue, appears: bool) -> None:
    files = MemoryFiles(case_sensitive=False)
    twins = {"index.htm": b"i", "Img/a.png": b"a", "img/b.png": b"b"}
    switch = prepare(MemoryDisk(files), queue, twins, PlacedOptions(case_sensitive=False))
    if appears:
        MemoryTree(files).write("x/m/foreign", b"theirs")
    switch()
    assert set(visible(MemoryTree(files)).values()) == {b"i", b"a", b"b"} | ({b"theirs"} if appears else set())


class Respelling(MemoryDisk):
    """Lists names in Unicode's decomposed form, and finds them in any: as HFS+ does."""

    def list(self, folder: str) -> Mapping[str, Entry]:
        return {unicodedata.normalize("NFD", name): entry for name, entry in super().list(folder).items()}


def test_names_that_a_server_lists_in_another_form_are_not_lost(files: MemoryFiles, queue: TestQueue) -> None:
    spelled = {"index.htm": b"i", "Übung/blatt.pdf": b"a", "img/é.png": b"b"}
    switch = prepare(Respelling(files), queue, spelled)
    MemoryTree(files).write("x/m/foreign", b"theirs")
    switch()
    assert set(visible(MemoryTree(files)).values()) == {b"i", b"a", b"b", b"theirs"}


@pytest.mark.parametrize(("durability", "least"), [("commit", 1), ("file", 4), ("none", 0)])
def test_who_finishes_it_syncs_what_a_dead_engine_had_renamed(
    files: MemoryFiles, queue: TestQueue, durability: str, least: int
) -> None:
    class Dead(Exception):
        pass

    def die(call: Call) -> None:
        if call.path.startswith("x/m") or call.to.endswith("/slip.xml"):
            raise Dead

    options = PlacedOptions(durability=durability)  # type: ignore[arg-type]
    switch = prepare(Server(files, die), queue, options=options)
    with pytest.raises(Dead):
        switch()
    assert visible(MemoryTree(files)) == LIVE
    server = Server(files)
    OrderedTarget("t", server, options).present(URL, queue.claim())
    synced = [call.path for call in server.calls if call.op is Op.SYNC and call.path.startswith("x/m")]
    assert len(synced) == least
    assert durability != "file" or {*synced} == {*LIVE, "x/m/packageslip.xml"}


def test_many_folders_are_thrown_away_in_one_look_for_each_level(files: MemoryFiles, queue: TestQueue) -> None:
    server = Server(files)
    target = OrderedTarget("t", server)
    present = target.present(URL, queue.claim())
    many = {f"a/{number}/index.htm": b"i" for number in range(100)}
    with target.release(present, slip_of(URL, many)) as release:
        release.put(changed(present, many))
        server.looks.clear()
    assert [len(looks.lists) for looks in server.looks] == [1, 1, 100]
    assert leftovers(MemoryTree(files)) == []


def test_a_file_that_is_put_again_replaces_what_was_staged(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files))
    present = target.present(URL, queue.claim())
    with target.release(present, slip_of(URL, MANY_KINDS)) as release:
        for _ in range(2):
            release.put(changed(present, MANY_KINDS))
        release.prepare()
        release.switch()
    assert visible(MemoryTree(files)) == {f"x/m/{path}": content for path, content in MANY_KINDS.items()}


def test_nothing_that_came_to_lie_there_since_it_was_taken_over_is_written_over(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files))
    present = target.present(URL, queue.claim())
    assert present.vacant
    MemoryTree(files).write("x/m/img/b.png", b"theirs")
    with pytest.raises(TargetBusy, match=r"x/m/img/b\.png has come to lie there"):
        target.release(present, slip_of(URL, FILES))
    again = target.present(URL, queue.claim())
    assert not again.vacant
    assert target.strangers(URL, FILES).keys() == {"img/b.png"}
    assert visible(MemoryTree(files)) == {"x/m/img/b.png": b"theirs"}


def test_what_is_not_in_its_way_may_come_to_lie_there(files: MemoryFiles, queue: TestQueue) -> None:
    target = OrderedTarget("t", MemoryDisk(files))
    present = target.present(URL, queue.claim())
    MemoryTree(files).write("x/m/other", b"theirs")
    with target.release(present, slip_of(URL, FILES)) as release:
        release.put(changed(present, FILES))
        release.prepare()
        release.switch()
    assert visible(MemoryTree(files)) == {**LIVE, "x/m/other": b"theirs"}


@pytest.mark.parametrize("there", ["folder", "link above", "published", "taken over before", "link"])
def test_only_a_place_where_nothing_lies_is_vacant(files: MemoryFiles, queue: TestQueue, there: str) -> None:
    target, tree = OrderedTarget("t", MemoryDisk(files)), MemoryTree(files)
    match there:
        case "folder":
            tree.make_folder("x/m")
        case "link":
            tree.make_folder("x")
            tree.link("x/m", "elsewhere")
        case "link above":
            tree.link("x", "elsewhere")
        case "published":
            publish(target, URL, FILES, queue.claim())
        case _:
            # Whoever held it may have had a file of it put there meanwhile.
            target.present(URL, queue.claim())
    assert not target.present(URL, queue.claim()).vacant
    assert not target.present("/", queue.claim()).vacant


def test_an_account_that_may_not_look_there_takes_the_module_over_all_the_same(files: MemoryFiles, queue: TestQueue) -> None:
    class Shut(MemoryDisk):
        def stat(self, paths: Sequence[str]) -> Sequence[Entry | None]:
            if any(path.startswith("x/") for path in paths):
                raise PermissionRefused("t: the account may not look there", target="t")
            return super().stat(paths)

    target = OrderedTarget("t", Shut(files))
    present = target.present(URL, queue.claim())
    assert present.slip is None
    assert not present.vacant
    with pytest.raises(PermissionRefused):
        target.release(present, slip_of(URL, FILES))
