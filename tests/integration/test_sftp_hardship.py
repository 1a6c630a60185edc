"""A real server in trouble: killed connections, a full disk, no inodes, a read-only file system, a stopped process."""

import contextlib
import hashlib
import io
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.small_disk import small_disk as mounted
from support.sshd import Sshd, StartSshd
from targets.disk import Answer, Call, Op, Write
from targets.errors import NoSpace, PermissionRefused, TargetUnreachable
from targets.sftp import SftpDisk, bounds
from targets.sftp.connection import connect

CONTENT = random.Random(0).randbytes(1_000_000)


def write(path: str, content: bytes = CONTENT, **more: object) -> Write:
    return Write(path, lambda: io.BytesIO(content), len(content), hashlib.sha256(content).digest(), **more)  # type: ignore[arg-type]


@pytest.fixture
def server(start_sshd: StartSshd) -> Sshd:
    """A server whose connections nobody else uses."""
    return start_sshd()


@pytest.mark.parametrize("after", [0, 1, 30])
def test_a_connection_killed_while_files_move_leaves_what_was_answered(server: Sshd, after: int) -> None:
    disk = SftpDisk(server.settings(), target="origin")
    disk.list("")
    answered: list[str] = []

    def writes() -> Iterator[Write]:
        for number in range(100):
            if number == after:
                server.cut()
            yield write(f"{number}", CONTENT[: 200_000 + number])

    with pytest.raises(TargetUnreachable):
        answered.extend(done.path for done in disk.write(writes()))
    root = server.accounts[0].root
    assert all((root / name).stat().st_size == 200_000 + int(name) for name in answered)
    assert disk.list("").keys() == {path.name for path in root.iterdir()}
    disk.close()


def test_a_server_that_is_stopped_is_given_up_in_time_even_while_sending(server: Sshd) -> None:
    disk = SftpDisk(server.settings(idle_timeout=1), target="origin")
    disk.list("")
    stopped = server.sessions()
    server.cut(signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(TargetUnreachable):
            list(disk.write(write(f"{number}", CONTENT * 20) for number in range(10)))
        assert time.monotonic() - began < 30, "long before the usual 60 s"
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert isinstance(disk.list(""), dict)
    disk.close()


def test_a_restarted_server_is_reached_again(server: Sshd) -> None:
    disk = SftpDisk(server.settings(), target="origin")
    for _ in range(3):
        disk.run([Call(Op.MKDIR, "d")])
        stream = disk.write([write("d/f"), write("d/g")])
        assert next(stream).path in {"d/f", "d/g"}
        server.cut()
        with contextlib.suppress(TargetUnreachable):
            list(stream)
        time.sleep(0.3)  # until the cut is seen here
        assert Answer.OK in disk.run([Call(Op.UNLINK, "d/f"), Call(Op.UNLINK, "d/g"), Call(Op.RMDIR, "d")])
    disk.close()


def test_a_stream_over_a_cut_connection_says_so(server: Sshd) -> None:
    disk = SftpDisk(server.settings(), target="origin")
    list(disk.write([write("f", CONTENT * 10)]))
    with disk.open("f") as stream:
        stream.read(1000)
        server.cut()
        with pytest.raises(TargetUnreachable):
            stream.read()
    assert disk.read("f") == CONTENT * 10
    disk.close()


def test_disks_of_several_threads_do_not_disturb_each_other(server: Sshd) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        disk = SftpDisk(server.settings(), target="origin")
        try:
            disk.run([Call(Op.MKDIR, name)])
            assert (
                len(list(disk.write(write(f"{name}/{number}", os.urandom(0) + CONTENT[:number]) for number in range(300)))) == 300
            )
            assert [found[0] if found else None for found in disk.digests([f"{name}/{number}" for number in range(300)])] == list(
                range(300)
            )
        except BaseException as error:
            failures.append(error)
        finally:
            disk.close()

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.fixture
def small_disk(server: Sshd) -> Iterator[tuple[SftpDisk, Path]]:
    """A file system of 8 MB and 40 inodes on the server."""
    site = server.fresh_site()
    with mounted(site.root, size="8m", inodes=40):
        disk = SftpDisk(server.settings(root=site.remote_root), target="origin")
        yield disk, site.root
        disk.close()


@pytest.mark.parametrize("sync", [False, True])
def test_a_full_disk_is_no_space_and_what_was_live_stays(small_disk: tuple[SftpDisk, Path], sync: bool) -> None:
    disk, root = small_disk
    list(disk.write([write("live")]))
    with pytest.raises(NoSpace, match=r"full.*Make room there"):
        list(disk.write(write(f"film {number}", CONTENT * 3, sync=sync) for number in range(10)))
    assert (root / "live").read_bytes() == CONTENT
    assert all(path.stat().st_size in {1_000_000, 3_000_000} for path in root.iterdir())
    with pytest.raises(NoSpace):
        list(disk.write([write("too big", CONTENT * 9)]))
    space = disk.space()
    assert space is not None
    assert space[0] < 8 * 1024 * 1024


def test_no_inodes_left_is_no_space_for_files_and_folders(small_disk: tuple[SftpDisk, Path]) -> None:
    disk, _ = small_disk
    with pytest.raises(NoSpace, match=r" 0 inodes"):
        list(disk.write(write(f"{number}", b"") for number in range(100)))
    # The failed ones were removed again, so some are free.
    for number in range(disk.space()[1]):  # type: ignore[index]
        list(disk.write([write(f"more {number}", b"")]))
    with pytest.raises(NoSpace):
        disk.run([Call(Op.MKDIR, "folder", mode=0o755)])
    assert disk.run([Call(Op.MKDIR, "no/folder"), Call(Op.RMDIR, "nothing")]) == [Answer.ABSENT] * 2


def test_a_read_only_file_system_is_said_to_be_one(small_disk: tuple[SftpDisk, Path]) -> None:
    disk, root = small_disk
    subprocess.run(["mount", "-o", "remount,ro", root], check=True)
    with pytest.raises(PermissionRefused, match="read-only"):
        list(disk.write([write("f", b"")]))


def test_an_area_on_another_file_system_is_found_by_the_probe(small_disk: tuple[SftpDisk, Path], server: Sshd) -> None:
    disk, root = small_disk
    disk.run([Call(Op.MKDIR, "scratch")])
    outer = SftpDisk(server.settings(), target="origin")
    findings = {what: (works, remedy) for what, works, remedy in outer.probe(f"{root.name}/scratch")}
    assert findings["rename from the area into the root"][0] is False
    assert "same file system" in findings["rename from the area into the root"][1]
    assert disk.list("scratch") == {}
    outer.close()


def channels(server: Sshd) -> int:
    return server.log.count("Starting session: subsystem 'sftp'")


def test_many_synced_files_go_through_several_server_processes(server: Sshd) -> None:
    disk = SftpDisk(server.settings(), target="origin")
    list(disk.write(write(f"unsynced {number}", b"") for number in range(200)))
    list(disk.write(write(f"few {number}", b"", sync=True) for number in range(5)))
    assert channels(server) == 1
    contents = {f"f{number}": os.urandom(number * 50) for number in range(400)}
    done = {one.path for one in disk.write(write(path, content, sync=True, read_back=True) for path, content in contents.items())}
    assert done == contents.keys()
    assert channels(server) == 4
    assert {path: (server.accounts[0].root / path).read_bytes() for path in contents} == contents
    assert set(disk.run([Call(Op.SYNC, path) for path in contents])) == {Answer.OK}
    disk.close()
    list(disk.write(write(f"again {number}", b"", sync=True) for number in range(50)))
    assert channels(server) == 8
    disk.close()


def test_a_server_that_allows_one_channel_is_served_through_one(start_sshd: StartSshd) -> None:
    server = start_sshd(options=["MaxSessions 1"])
    disk = SftpDisk(server.settings(), target="origin")
    assert len(list(disk.write(write(f"{number}", b"x", sync=True) for number in range(100)))) == 100
    assert len(list(disk.write(write(f"again {number}", b"x", sync=True) for number in range(100)))) == 100
    assert channels(server) == 1
    disk.close()


@pytest.mark.parametrize("what", ["connection", "one process", "source"])
def test_trouble_on_one_of_several_channels_ends_them_all_and_leaves_nothing_half_done(server: Sshd, what: str) -> None:
    disk = SftpDisk(server.settings(), target="origin")

    def writes() -> Iterator[Write]:
        for number in range(400):
            if number == 200 and what == "connection":
                server.cut()
            if number == 200 and what == "one process":
                os.kill(server.sessions()[-1], signal.SIGKILL)
            if number == 200 and what == "source":
                raise LookupError
            yield write(f"{number}", CONTENT[:10_000], sync=True)

    answered: list[str] = []
    with pytest.raises(LookupError if what == "source" else TargetUnreachable):
        answered.extend(done.path for done in disk.write(writes()))
    time.sleep(0.3)
    root = server.accounts[0].root
    assert all((root / path).read_bytes() == CONTENT[:10_000] for path in answered)
    if what == "source":
        assert all(path.stat().st_size == 10_000 for path in root.iterdir())
    assert len(disk.list("")) >= len(answered)
    disk.close()


def test_one_silent_channel_of_several_is_noticed(server: Sshd) -> None:
    disk = SftpDisk(server.settings(idle_timeout=1), target="origin")
    list(disk.write(write(f"{number}", b"", sync=True) for number in range(100)))
    server.cut(signal.SIGSTOP)
    stopped = server.sessions()
    try:
        with pytest.raises(TargetUnreachable, match="did not answer for 1 s"):
            list(disk.write(write(f"more {number}", b"", sync=True) for number in range(100)))
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    disk.close()


@pytest.mark.parametrize(("near", "less"), [(60.0, True), (0.0, False)], ids=["near", "far"])
def test_all_comes_to_a_slow_program_however_much_is_under_way(
    server: Sshd, monkeypatch: pytest.MonkeyPatch, near: float, less: bool
) -> None:
    monkeypatch.setattr(bounds, "NEAR", near)
    with contextlib.closing(connect(server.settings(), target="origin", secrets=None)) as connection:
        program = connection.program("sleep 0.2; wc -c")
        assert (program.out_window_size == bounds.UNDER_WAY) == less
        left = 5_000_000
        while left:
            left -= program.send(bytes(left))
        program.shutdown_write()
        assert program.recv(100).split() == [b"5000000"]
