"""What a folder of this machine does that others do not, and opening targets by configuration."""

import errno
import io
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import Secret, Settings
from support.claims import TestQueue
from support.releases import URL, digest, publish, unpublish
from targets import (
    KINDS,
    CorruptTransfer,
    GroupTarget,
    LocalDisk,
    MemoryDisk,
    MemoryFiles,
    NoSpace,
    OrderedTarget,
    PathBlocked,
    PermissionRefused,
    TargetError,
    TargetUnfit,
    TransientTargetError,
    open_target,
)
from targets.disk import Answer, Call, Disk, EntryType, Looks, Op, Write
from targets.faults import as_target_errors, target_error
from targets.s3 import BucketTarget


def write_of(path: str, content: bytes, **more: bool | int) -> Write:
    return Write(path, lambda: io.BytesIO(content), len(content), digest(content), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, NoSpace),
        (errno.EDQUOT, NoSpace),
        (errno.EROFS, PermissionRefused),
        (errno.EACCES, PermissionRefused),
        (errno.EPERM, PermissionRefused),
        (errno.EXDEV, TargetUnfit),
        (errno.EIO, TransientTargetError),
    ],
)
def test_errors_of_the_system_become_ours(number: int, kind: type[TargetError]) -> None:
    error = target_error(OSError(number, os.strerror(number), "some/file"), "t")
    assert type(error) is kind
    assert "t: some/file: " in str(error)
    assert error.target == "t"
    with pytest.raises(kind), as_target_errors("t"):
        raise OSError(number, os.strerror(number), "some/file")


def test_a_file_on_the_way_counts_as_absent(tmp_path: Path) -> None:
    tmp_path.joinpath("f").write_bytes(b"")
    with pytest.raises(FileNotFoundError), as_target_errors("t"):
        tmp_path.joinpath("f/x").stat()


def test_a_fifo_neither_hangs_nor_counts_as_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    disk = LocalDisk(tmp_path)
    with pytest.raises(FileNotFoundError, match="regular"):
        disk.open("pipe")
    assert list(disk.digests(["pipe"])) == [None]
    [entry] = disk.stat(["pipe"])
    assert entry is not None
    assert entry.type is EntryType.OTHER


def test_no_link_is_followed_at_the_last_name(tmp_path: Path) -> None:
    tmp_path.joinpath("secret").write_bytes(b"s")
    tmp_path.joinpath("link").symlink_to("secret")
    disk = LocalDisk(tmp_path)
    with pytest.raises(FileNotFoundError):
        disk.read("link")
    with pytest.raises(PathBlocked):
        list(disk.write([write_of("link", b"x")]))
    assert tmp_path.joinpath("secret").read_bytes() == b"s"


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_calls_are_answered(tmp_path: Path, kind: str) -> None:
    disk: Disk = LocalDisk(tmp_path) if kind == "local" else MemoryDisk(MemoryFiles())
    list(disk.write([write_of("file", b"f")]))
    calls = {
        Call(Op.MKDIR, "folder"): Answer.OK,
        Call(Op.MKDIR, "folder", mode=0o700): Answer.REFUSED,
        Call(Op.MKDIR, "no/folder"): Answer.ABSENT,
        Call(Op.MKDIR, "file/folder"): Answer.ABSENT,
        Call(Op.RENAME, "file", "folder"): Answer.REFUSED,
        Call(Op.RENAME, "absent", "x"): Answer.ABSENT,
        Call(Op.RENAME, "file", "no/folder"): Answer.ABSENT,
        Call(Op.RENAME, "folder", "folder/in-itself"): Answer.REFUSED,
        Call(Op.RMDIR, "file"): Answer.REFUSED,
        Call(Op.RENAME, "folder", "file"): Answer.REFUSED,
        Call(Op.RENAME, "file", "file"): Answer.OK,
        Call(Op.RENAME, "file", "folder/file"): Answer.OK,
        Call(Op.RMDIR, "folder"): Answer.REFUSED,
        Call(Op.SYNC, "folder/file"): Answer.OK,
        Call(Op.SYNC, "absent"): Answer.ABSENT,
        Call(Op.UNLINK, "folder"): Answer.REFUSED,
        Call(Op.UNLINK, "folder/file"): Answer.OK,
        Call(Op.RMDIR, "folder", "x"): Answer.OK,
    }
    assert disk.run(list(calls)) == list(calls.values())
    with pytest.raises(PathBlocked):
        list(disk.write([write_of("twice", b"1"), write_of("twice", b"2")]))


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_looks_see_what_the_calls_before_them_did(tmp_path: Path, kind: str) -> None:
    disk: Disk = LocalDisk(tmp_path) if kind == "local" else MemoryDisk(MemoryFiles())
    list(disk.write([write_of("old", b"12")]))
    looks = Looks(lists=("", "new", "no"), stats=("old", "new"), documents=(("new/moved", None), ("old", 2)), space=True)
    answers, seen = disk.look(looks, [Call(Op.MKDIR, "new"), Call(Op.RENAME, "old", "new/moved"), Call(Op.UNLINK, "no")])
    assert list(answers) == [Answer.OK, Answer.OK, Answer.ABSENT]
    assert [found and list(found) for found in seen.lists] == [["new"], ["moved"], None]
    assert [entry and entry.type for entry in seen.stats] == [None, EntryType.FOLDER]
    assert list(seen.documents) == [b"12", None]
    assert seen.space == disk.space()


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_second_names_and_links_are_made_read_and_replaced(tmp_path: Path, kind: str) -> None:
    disk: Disk = LocalDisk(tmp_path) if kind == "local" else MemoryDisk(MemoryFiles())
    list(disk.write([write_of("file", b"f")]))
    calls = {
        Call(Op.LINK, "file", "again"): Answer.OK,
        Call(Op.LINK, "file", "again", mode=0): Answer.REFUSED,
        Call(Op.LINK, "absent", "x"): Answer.ABSENT,
        Call(Op.LINK, "file", "no/folder"): Answer.ABSENT,
        Call(Op.SYMLINK, "link", "away/tree"): Answer.OK,
        Call(Op.SYMLINK, "link", "elsewhere"): Answer.REFUSED,
        Call(Op.SYMLINK, "no/folder", "x"): Answer.ABSENT,
        Call(Op.SYMLINK, "newer", "../other"): Answer.OK,
        Call(Op.LINK, "newer", "same"): Answer.OK,
        Call(Op.RENAME, "newer", "link"): Answer.OK,
        Call(Op.UNLINK, "file"): Answer.OK,
    }
    assert disk.run(list(calls)) == list(calls.values())
    assert [disk.lead(name) for name in ("link", "same", "again", "absent")] == ["../other", "../other", None, None]
    assert [entry and entry.type for entry in disk.stat(["link", "again", "file"])] == [EntryType.LINK, EntryType.FILE, None]
    assert disk.read("again") == b"f"


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_link_that_cannot_be_read_is_not_taken_for_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "link").symlink_to("away/tree")
    (tmp_path / "file").write_bytes(b"")

    def failing(path: str) -> str:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(os, "readlink", failing)
    assert LocalDisk(tmp_path).lead("file") is None
    with pytest.raises(TransientTargetError if number == errno.EIO else PermissionRefused):
        LocalDisk(tmp_path).lead("link")


@pytest.mark.parametrize("number", [errno.ENOTEMPTY, errno.EACCES])
def test_a_folder_that_could_not_be_removed_for_a_moment_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    target, queue, removing, refused = OrderedTarget("t", LocalDisk(tmp_path)), TestQueue(), os.rmdir, set[str]()
    publish(target, URL, {"index.htm": b"page", "img/a.png": b"picture"}, queue.claim())

    def refusing(path: str) -> None:
        if ".slipway" not in path and path not in refused:
            refused.add(path)
            raise OSError(number, os.strerror(number), path)
        removing(path)

    monkeypatch.setattr(os, "rmdir", refusing)
    unpublish(target, URL, queue.claim())
    assert len(refused) >= 2
    assert list((tmp_path / "courses").iterdir()) == []


def test_an_area_on_another_file_system_is_unfit(tmp_path: Path) -> None:
    if os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:  # noqa: PTH116
        pytest.skip("one file system here")
    disk = LocalDisk(tmp_path)
    list(disk.write([write_of("file", b"f")]))
    with pytest.raises(TargetUnfit, match="one file system"):
        disk.run([Call(Op.RENAME, "file", f"/dev/shm/slipway-{os.getpid()}")])


def test_what_the_system_forbids_is_denied(tmp_path: Path) -> None:
    assert LocalDisk(tmp_path).run([Call(Op.UNLINK, "/proc/self/stat")]) == [Answer.DENIED]


def test_a_folder_that_is_gone_does_not_stop_a_sync(tmp_path: Path) -> None:
    disk = LocalDisk(tmp_path)
    disk.run([Call(Op.MKDIR, "a"), Call(Op.MKDIR, "a/b"), Call(Op.RMDIR, "a/b"), Call(Op.RMDIR, "a")])
    list(disk.write([write_of("f", b"f", sync=True, mode=0o600, modified=5)]))
    assert disk.run([Call(Op.SYNC, "f")]) == [Answer.OK]


@contextmanager
def small_files() -> Iterator[None]:
    """No file may grow beyond 1,000 bytes, not even the log that the test runner writes: only for the call itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_does_not_fit_is_no_space_and_leaves_no_half(tmp_path: Path) -> None:
    with small_files(), pytest.raises(NoSpace, match="File too large"):
        list(LocalDisk(tmp_path).write([write_of("f", b"x" * 5000)]))
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_the_source_is_not_the_targets(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "the source's own trouble")

    with pytest.raises(OSError, match="the source's own trouble"):
        list(LocalDisk(tmp_path).write([Write("f", Broken, 1, digest(b"x"))]))
    assert list(tmp_path.iterdir()) == []


def test_what_reads_back_differently_is_corrupt(tmp_path: Path) -> None:
    class Rotten(LocalDisk):
        def _digest(self, path: str) -> tuple[int, bytes] | None:
            return (1, b"other")

    with pytest.raises(CorruptTransfer, match="reads back"):
        list(Rotten(tmp_path).write([write_of("f", b"x", read_back=True)]))
    assert list(tmp_path.iterdir()) == []


def test_room_is_what_the_file_system_says(tmp_path: Path) -> None:
    room = LocalDisk(tmp_path).space()
    assert room is not None
    assert min(room) > 0


class NoSecrets:
    def read(self, secret: Secret, /) -> str:
        raise AssertionError(secret)


def settings(tmp_path: Path) -> Settings:
    tmp_path.joinpath("site").mkdir()
    local = {"kind": "local", "root": str(tmp_path / "site"), "file_mode": "0640", "area": str(tmp_path / "private")}
    sftp = {"kind": "sftp", "host": "127.0.0.1", "user": "u", "key": "/nowhere", "root": "/r", "host_key": "ssh-ed25519 AAAA"}
    s3 = {"kind": "s3", "bucket": "b"}
    group = {"kind": "group", "members": ["here", "there"], "quorum": 1}
    targets = {"here": local, "there": sftp, "bucket": s3, "ram": {"kind": "memory"}, "all": group}
    return Settings.model_validate({"targets": targets})


def test_every_configured_kind_can_be_opened(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    for name in configured.targets:
        target = open_target(name, configured, secrets=NoSecrets())
        assert target.name == name
        assert isinstance(target, {"all": GroupTarget, "bucket": BucketTarget}.get(name, OrderedTarget))
        target.close()
    assert {target.kind for target in configured.targets.values()} == KINDS.keys()
    with pytest.raises(KeyError):
        open_target("nowhere", configured, secrets=NoSecrets())


def test_settings_reach_the_target(tmp_path: Path) -> None:
    target = open_target("here", settings(tmp_path), secrets=NoSecrets())
    publish(target, "/m", {"a": b"1"}, TestQueue().claim())
    assert tmp_path.joinpath("site/m/a").stat().st_mode & 0o777 == 0o640
    assert tmp_path.joinpath("private").is_dir()
    assert [path.name for path in tmp_path.joinpath("site").iterdir()] == ["m"]


def test_memory_targets_of_one_name_can_share_what_they_hold(tmp_path: Path) -> None:
    configured, held = settings(tmp_path), {"ram": MemoryFiles()}
    publish(open_target("ram", configured, secrets=NoSecrets(), memory=held), "/m", {"a": b"1"}, TestQueue().claim())
    assert open_target("ram", configured, secrets=NoSecrets(), memory=held).slip("/m") is not None
    assert open_target("ram", configured, secrets=NoSecrets()).slip("/m") is None
