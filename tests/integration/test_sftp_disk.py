"""A disk over a real OpenSSH server, chrooted and not, keeps every promise of its contract."""

import errno
import hashlib
import io
import os
import random
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from packageslip import UnsafePath
from support.sshd import IS_ROOT, Sshd, StartSshd
from targets.disk import Answer, Call, Entry, EntryType, Looks, Op, Write
from targets.errors import CorruptTransfer, PathBlocked, PermissionRefused
from targets.sftp import SftpDisk

NAMES = ["with space", "ünï ☃", 'it\'s "quoted"', "-rf", "$(reboot)", "a;b|c&d", "tab\there", "[x]*?", "e\u0301", "x" * 255]


@dataclass(frozen=True, slots=True)
class Place:
    """A disk, and the same folder on this machine."""

    disk: SftpDisk
    root: Path


@pytest.fixture(params=["plain", "chrooted"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    server: Sshd = request.getfixturevalue("sshd" if request.param == "plain" else "chrooted_sshd")
    site = server.fresh_site()
    disk = SftpDisk(server.settings(root=site.remote_root), target="origin")
    yield Place(disk, site.root)
    disk.close()


def write(path: str, content: bytes = b"content", **more: object) -> Write:
    return Write(path, lambda: io.BytesIO(content), len(content), hashlib.sha256(content).digest(), **more)  # type: ignore[arg-type]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def store(place: Place, *writes: Write) -> list[str]:
    return sorted(done.path for done in place.disk.write(writes))


def test_stored_bytes_modes_and_times_are_exact(place: Place) -> None:
    wanted = [write("page", b"<p>", mode=0o664, modified=1_000_000_000), write("empty", b""), write("tight", b"!", mode=0o400)]
    assert store(place, *wanted) == ["empty", "page", "tight"]
    page = (place.root / "page").stat()
    assert (stat.S_IMODE(page.st_mode), page.st_mtime) == (0o664, 1_000_000_000)
    assert (place.root / "page").read_bytes() == b"<p>"
    assert (place.root / "empty").read_bytes() == b""
    assert stat.S_IMODE((place.root / "tight").stat().st_mode) == 0o400


@pytest.mark.parametrize("moment", [-5, 0, 2**31, 2**32 - 1, 2**40])
def test_times_outside_the_protocols_range_become_the_nearest(place: Place, moment: int) -> None:
    store(place, write("f", modified=moment))
    assert (place.root / "f").stat().st_mtime == min(max(moment, 0), 2**32 - 1)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_that_is_not_refused_arrives_as_it_is(place: Place, name: str) -> None:
    assert place.disk.run([Call(Op.MKDIR, "d")]) == [Answer.OK]
    assert store(place, write(f"d/{name}", name.encode())) == [f"d/{name}"]
    assert names(place.root / "d") == {name}
    assert place.disk.read(f"d/{name}") == name.encode()
    assert list(place.disk.list("d")) == [name]


def test_a_name_that_is_not_utf_8_can_be_listed_and_removed(place: Place) -> None:
    (place.root / os.fsdecode(b"caf\xe9")).write_bytes(b"")
    (name,) = place.disk.list("")
    assert os.fsencode(name) == b"caf\xe9"
    assert place.disk.run([Call(Op.UNLINK, name)]) == [Answer.OK]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_poisonous_name_never_reaches_the_wire(place: Place, name: str) -> None:
    for attempt in (
        lambda: place.disk.list(name),
        lambda: place.disk.stat([name]),
        lambda: place.disk.read(name),
        lambda: place.disk.run([Call(Op.UNLINK, name)]),
        lambda: place.disk.run([Call(Op.RENAME, "fine", name)]),
        lambda: list(place.disk.write([write(name)])),
    ):
        with pytest.raises(UnsafePath):
            attempt()
    assert place.disk.list("") == {}


def test_a_name_that_is_too_long_is_refused_in_words(place: Place) -> None:
    with pytest.raises(Exception, match="cannot take this name"):
        store(place, write("x" * 256))
    assert place.disk.run([Call(Op.UNLINK, "x" * 256)]) == [Answer.REFUSED]


def test_listing_tells_types_sizes_and_times(place: Place) -> None:
    (place.root / "folder").mkdir()
    (place.root / "file").write_bytes(b"12345")
    os.utime(place.root / "file", (1, 1_234_567_890))
    (place.root / "link").symlink_to("file")
    os.mkfifo(place.root / "pipe")
    listed = place.disk.list("")
    assert {name: entry.type for name, entry in listed.items()} == {
        "folder": EntryType.FOLDER, "file": EntryType.FILE, "link": EntryType.LINK, "pipe": EntryType.OTHER,
    }  # fmt: skip
    assert listed["file"] == Entry(EntryType.FILE, 5, 1_234_567_890)
    assert place.disk.stat(["file", "nothing", "nothing/below", "file/below", "folder"])[:4] == [listed["file"], None, None, None]


def test_a_folder_of_thousands_is_listed_whole(place: Place) -> None:
    for number in range(3_000):
        (place.root / f"file {number:05}").touch()
    assert sorted(place.disk.list("")) == [f"file {number:05}" for number in range(3_000)]


@pytest.mark.parametrize("path", ["nothing", "file", "file/below"])
def test_listing_what_is_no_folder_is_file_not_found(place: Place, path: str) -> None:
    (place.root / "file").touch()
    with pytest.raises(FileNotFoundError, match="list"):
        place.disk.list(path)


@pytest.mark.parametrize("path", ["nothing", "nothing/below", "folder", "link", "pipe", "dangling"])
def test_only_regular_files_are_read(place: Place, path: str) -> None:
    (place.root / "folder").mkdir()
    (place.root / "target").write_bytes(b"secret")
    (place.root / "link").symlink_to("target")
    (place.root / "dangling").symlink_to("nowhere")
    os.mkfifo(place.root / "pipe")
    with pytest.raises(FileNotFoundError, match=path):
        place.disk.open(path)
    with pytest.raises(FileNotFoundError):
        place.disk.read(path)
    assert list(place.disk.digests([path, "target"])) == [None, (6, hashlib.sha256(b"secret").digest())]


def test_calls_are_answered_each_in_order(place: Place) -> None:
    store(place, write("a", b"a"), write("b", b"b"), write("c", b"c"))
    answers = place.disk.run([
        Call(Op.RENAME, "a", "b"),
        Call(Op.RENAME, "a", "b"),
        Call(Op.MKDIR, "folder"),
        Call(Op.MKDIR, "folder"),
        Call(Op.MKDIR, "no/where"),
        Call(Op.RENAME, "c", "folder"),
        Call(Op.RENAME, "c", "folder/c"),
        Call(Op.RMDIR, "folder"),
        Call(Op.UNLINK, "folder"),
        Call(Op.SYNC, "folder/c"),
        Call(Op.SYNC, "nothing"),
        Call(Op.UNLINK, "folder/c"),
        Call(Op.RMDIR, "folder"),
        Call(Op.RMDIR, "folder"),
    ])  # fmt: skip
    ok, absent, refused = Answer.OK, Answer.ABSENT, Answer.REFUSED
    assert answers == [ok, absent, ok, refused, absent, refused, ok, refused, refused, ok, absent, ok, ok, absent]
    assert names(place.root) == {"b"}
    assert (place.root / "b").read_bytes() == b"a"


def test_looks_see_what_the_calls_before_them_did(place: Place) -> None:
    store(place, write("old", b"12"), write("long", bytes(3_000_000)))
    place.disk.run([Call(Op.MKDIR, "new")])
    documents = (("new/moved", None), ("old", 2), ("new/moved", 7), ("long", 3_000_000), ("new", None), ("long", None))
    looks = Looks(lists=("new", "no", "long"), stats=("old", "new/moved"), documents=documents, space=True)
    answers, seen = place.disk.look(looks, [Call(Op.RENAME, "old", "new/moved"), Call(Op.UNLINK, "no")])
    assert list(answers) == [Answer.OK, Answer.ABSENT]
    assert [found and list(found) for found in seen.lists] == [["moved"], None, None]
    assert [entry and entry.type for entry in seen.stats] == [None, EntryType.FILE]
    assert list(seen.documents) == [b"12", None, b"12", bytes(3_000_000), None, bytes(3_000_000)]
    assert seen.space


def test_calls_that_need_looks_of_their_own_come_before_all_others(place: Place) -> None:
    answers, seen = place.disk.look(Looks(lists=("d",)), [Call(Op.MKDIR, "d", mode=0o777), Call(Op.MKDIR, "d/e", mode=0o700)])
    assert list(answers) == [Answer.OK, Answer.OK]
    assert [found and list(found) for found in seen.lists] == [["e"]]
    assert stat.S_IMODE((place.root / "d").stat().st_mode) == 0o777


def test_a_look_that_is_refused_is_raised_and_what_came_before_it_is_done(place: Place) -> None:
    store(place, write("old"))
    place.disk.run([Call(Op.MKDIR, "closed", mode=0)])
    with pytest.raises(PermissionRefused, match=r"^origin: .*closed"):
        place.disk.look(Looks(lists=("closed",), stats=("old",)), [Call(Op.RENAME, "old", "new")])
    assert place.disk.read("new") == b"content"


def test_a_folder_is_renamed_over_an_empty_one_only(place: Place) -> None:
    place.disk.run([Call(Op.MKDIR, name) for name in ("one", "two", "two/full", "empty")])
    assert place.disk.run([Call(Op.RENAME, "one", "two"), Call(Op.RENAME, "one", "empty")]) == [Answer.REFUSED, Answer.OK]


def test_no_calls_are_no_trouble(place: Place) -> None:
    assert place.disk.run([]) == []
    assert place.disk.stat([]) == []
    assert list(place.disk.write([])) == []
    assert list(place.disk.digests([])) == []


def test_thousands_of_calls_are_carried_out_in_their_order(place: Place) -> None:
    store(place, write("0", b"wanders"))
    assert set(place.disk.run([Call(Op.RENAME, str(number), str(number + 1)) for number in range(5_000)])) == {Answer.OK}
    assert names(place.root) == {"5000"}


def test_folder_modes_are_exact_whatever_the_umask(place: Place) -> None:
    modes = [0o700, 0o755, 0o775, 0o777, 0o500]
    assert set(place.disk.run([Call(Op.MKDIR, f"d{mode:o}", mode=mode) for mode in modes])) == {Answer.OK}
    assert {name: stat.S_IMODE((place.root / name).stat().st_mode) for name in names(place.root)} == {f"d{m:o}": m for m in modes}


def test_a_folder_keeps_the_group_bit_of_its_parent(place: Place) -> None:
    place.root.chmod(0o2755)
    place.disk.run([Call(Op.MKDIR, "shared", mode=0o775)])
    assert stat.S_IMODE((place.root / "shared").stat().st_mode) == 0o2775


def test_the_mode_of_a_folder_that_was_there_is_left_alone(place: Place) -> None:
    (place.root / "old").mkdir(mode=0o700)
    assert place.disk.run([Call(Op.MKDIR, "old", mode=0o755)]) == [Answer.REFUSED]
    assert stat.S_IMODE((place.root / "old").stat().st_mode) == 0o700


def test_an_existing_file_is_never_opened_for_writing(place: Place) -> None:
    store(place, write("live", b"old"))
    with pytest.raises(PathBlocked, match=r"live.*there already"):
        store(place, write("live", b"new"))
    assert (place.root / "live").read_bytes() == b"old"


def test_a_link_is_not_written_through(place: Place) -> None:
    (place.root / "victim").write_bytes(b"old")
    (place.root / "link").symlink_to("victim")
    with pytest.raises(PathBlocked):
        store(place, write("link", b"new"))
    assert (place.root / "victim").read_bytes() == b"old"


def test_a_missing_folder_is_file_not_found(place: Place) -> None:
    with pytest.raises(FileNotFoundError, match="folder on the way"):
        store(place, write("no/where"))


@pytest.mark.parametrize(
    ("source", "promised"),
    [(b"short", b"shorter"), (b"longer", b"long"), (b"wrong", b"right"), (b"", b"something"), (b"something", b"")],
)
def test_bytes_that_are_not_what_was_promised_leave_nothing(place: Place, source: bytes, promised: bytes) -> None:
    wrong = Write("wrong", lambda: io.BytesIO(source), len(promised), hashlib.sha256(promised).digest())
    with pytest.raises(CorruptTransfer, match="wrong"):
        store(place, wrong)
    assert names(place.root) == set()


def test_a_source_that_fails_raises_its_own_error_and_leaves_nothing(place: Place) -> None:
    def broken() -> io.BytesIO:
        raise OSError(errno.EIO, "the blob vanished")

    with pytest.raises(OSError, match="vanished"):
        store(place, *(write(f"fine {number}") for number in range(5)), Write("bad", broken, 1, b""))
    assert "bad" not in names(place.root)
    assert place.disk.list("") is not None


def test_an_iterator_of_writes_that_fails_stops_the_rest(place: Place) -> None:
    def writes() -> Iterator[Write]:
        yield write("first")
        raise LookupError("no more")

    with pytest.raises(LookupError):
        list(place.disk.write(writes()))
    assert place.disk.stat(["other"]) == [None]


def test_writing_that_is_given_up_half_way_leaves_only_what_was_answered(place: Place) -> None:
    stream = place.disk.write(write(f"{number}", bytes(200_000)) for number in range(200))
    answered = {next(stream).path for _ in range(3)}
    stream.close()  # type: ignore[attr-defined]
    assert answered <= names(place.root)
    for name in names(place.root):
        assert (place.root / name).stat().st_size == 200_000


def test_sources_are_opened_only_as_they_are_sent_and_closed_again(place: Place) -> None:
    open_now, most = 0, 0

    class Counted(io.BytesIO):
        def __init__(self) -> None:
            nonlocal open_now, most
            super().__init__(b"x")
            open_now += 1
            most = max(most, open_now)

        def close(self) -> None:
            nonlocal open_now
            open_now -= not self.closed
            super().close()

    digest = hashlib.sha256(b"x").digest()
    store(place, *(Write(str(number), Counted, 1, digest) for number in range(500)))
    assert (open_now, most) == (0, 1)


def test_five_thousand_small_files_are_all_there(place: Place) -> None:
    rng = random.Random(5)
    contents = {f"d{number % 7}/{number}": rng.randbytes(rng.randrange(3_000)) for number in range(5_000)}
    place.disk.run([Call(Op.MKDIR, f"d{number}") for number in range(7)])
    assert store(place, *(write(path, content) for path, content in contents.items())) == sorted(contents)
    assert {path: (place.root / path).read_bytes() for path in contents} == contents
    digests = dict(zip(contents, place.disk.digests(list(contents)), strict=True))
    assert digests == {path: (len(content), hashlib.sha256(content).digest()) for path, content in contents.items()}


def test_a_large_file_goes_there_and_back(place: Place) -> None:
    content = random.Random(64).randbytes(64 * 1024 * 1024)
    store(place, write("film", content, sync=True, read_back=True))
    assert hashlib.sha256((place.root / "film").read_bytes()).digest() == hashlib.sha256(content).digest()
    with place.disk.open("film") as stream:
        assert hashlib.file_digest(stream, "sha256").digest() == hashlib.sha256(content).digest()  # type: ignore[arg-type]


def test_two_streams_and_other_calls_take_turns_on_one_connection(place: Place) -> None:
    contents = {name: random.Random(name).randbytes(3_000_000) for name in ("one", "two")}
    store(place, *(write(name, content) for name, content in contents.items()))
    with place.disk.open("one") as one, place.disk.open("two") as two:
        seen = {"one": b"", "two": b""}
        while len(seen["one"]) < 3_000_000:
            seen["one"] += one.read(700_001)
            assert place.disk.stat(["one"])[0] is not None
            seen["two"] += two.read(700_001)
    assert seen == contents
    place.disk.run([Call(Op.UNLINK, "one")])


def test_a_stream_that_nobody_closed_does_not_keep_the_file_open(place: Place) -> None:
    store(place, write("f"))
    for _ in range(2_000):
        place.disk.open("f")
    assert place.disk.read("f") == b"content"


def test_a_file_that_grows_or_shrinks_while_it_is_read_is_read_to_its_end(place: Place) -> None:
    (place.root / "log").write_bytes(b"a" * 3_000_000)
    with place.disk.open("log") as stream:
        first = stream.read(10)
        os.truncate(place.root / "log", 2_500_000)
        shrunk = first + stream.read()
        assert set(shrunk) == {ord("a")}
        assert len(shrunk) <= 3_000_000
    with place.disk.open("log") as stream:
        first = stream.read(10)
        with (place.root / "log").open("ab") as log:
            log.write(b"b" * 1_000_000)
        assert len(first + stream.read()) == 3_500_000


def test_space_is_what_the_file_system_says(place: Place) -> None:
    space = place.disk.space()
    assert space is not None
    real = os.statvfs(place.root)
    assert abs(space[0] - real.f_bavail * real.f_frsize) < 1 << 30
    assert abs(space[1] - real.f_favail) < 100_000


def test_the_probe_finds_everything_and_leaves_nothing(place: Place) -> None:
    place.disk.run([Call(Op.MKDIR, "scratch")])
    findings = list(place.disk.probe("scratch"))
    assert len(findings) == 9
    assert [finding for finding in findings if not finding[1]] == []
    assert list(place.root.rglob("*")) == [place.root / "scratch"]


def test_paths_of_the_servers_own_are_taken_as_they_are(place: Place) -> None:
    outside = place.root.parent / f"{place.root.name}-area"
    remote = f"{place.disk._lanes.settings.root}-area"
    assert place.disk.run([Call(Op.MKDIR, remote)]) == [Answer.OK]
    assert store(place, write(f"{remote}/slip.xml")) == [f"{remote}/slip.xml"]
    assert (outside / "slip.xml").read_bytes() == b"content"


def test_closing_twice_is_safe_and_the_next_call_connects_anew(place: Place) -> None:
    place.disk.close()
    place.disk.close()
    assert place.disk.list("") == {}


@pytest.mark.skipif(not IS_ROOT, reason="a folder that the account may not write needs another account")
def test_what_the_account_may_not_do_is_said_with_the_remedy(place: Place) -> None:
    forbidden = place.root / "forbidden"
    forbidden.mkdir(mode=0o755)
    (forbidden / "f").touch(mode=0o600)
    with pytest.raises(PermissionRefused, match=r"forbidden/new.*give it the right"):
        store(place, write("forbidden/new"))
    with pytest.raises(PermissionRefused, match="forbidden/f"):
        place.disk.open("forbidden/f")
    assert (
        place.disk.run([Call(Op.MKDIR, "forbidden/d"), Call(Op.UNLINK, "forbidden/f"), Call(Op.SYNC, "forbidden/f")])
        == [Answer.DENIED] * 3
    )
    forbidden.chmod(0o700)
    with pytest.raises(PermissionRefused):
        place.disk.list("forbidden")
    with pytest.raises(PermissionRefused):
        place.disk.stat(["forbidden/f"])


def test_durability_none_makes_sync_a_no_op(sshd: Sshd) -> None:
    site = sshd.fresh_site()
    disk = SftpDisk(sshd.settings(root=site.remote_root, durability="none"), target="origin")
    assert disk.run([Call(Op.SYNC, "nothing")]) == [Answer.OK]
    disk.close()


@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "aes256-ctr"])
def test_keys_are_renewed_while_files_move(start_sshd: StartSshd, cipher: str) -> None:
    server = start_sshd(options=["RekeyLimit 512K", "LogLevel DEBUG", f"Ciphers {cipher}"])
    disk = SftpDisk(server.settings(), target="origin")
    content = random.Random(1).randbytes(8_000_000)
    list(disk.write([write("big", content), *(write(f"f{number}") for number in range(500))]))
    assert disk.read("big") == content
    disk.close()
    assert server.log.count("SSH2_MSG_KEXINIT sent") > 5


def test_folders_made_and_moved_one_by_one_get_their_modes_before_they_move(place: Place) -> None:
    place.disk.run([Call(Op.MKDIR, "token", mode=0o700)])
    calls = [
        call
        for number in range(50)
        for call in (
            Call(Op.MKDIR, f"token/{number}", mode=0o775 if number % 3 else 0o755),
            Call(Op.RENAME, f"token/{number}", f"{number}"),
        )
    ]
    assert set(place.disk.run(calls)) == {Answer.OK}
    modes = {number: stat.S_IMODE((place.root / str(number)).stat().st_mode) for number in range(50)}
    assert modes == {number: 0o775 if number % 3 else 0o755 for number in range(50)}
