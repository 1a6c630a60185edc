"""A stream to a program on a real server over SSH: accounts that cannot have one, servers that refuse, and many engines' worth of it."""

import contextlib
import hashlib
import io
import os
import pwd
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from support.sshd import IS_ROOT, Sshd, StartSshd
from targets.disk import Answer, Call, Op, Write
from targets.errors import PermissionRefused, TargetUnfit, TargetUnreachable
from targets.sftp import SftpDisk
from targets.sftp.receiver import PROGRAM
from targets.sftp.stream import LANES

MANY = 40


@contextmanager
def disk(server: Sshd, root: str | None = None, durability: str = "none", transfer: str = "stream") -> Iterator[SftpDisk]:
    settings = server.settings(root=root or server.accounts[0].remote_root, transfer=transfer, durability=durability)
    with closing(SftpDisk(settings, target="origin")) as found:
        yield found


def write(path: str, content: bytes = b"content", *, sync: bool = False) -> Write:
    return Write(path, lambda: io.BytesIO(content), len(content), hashlib.sha256(content).digest(), 0o644, 1_000_000_000, sync)


def files(count: int = MANY, prefix: str = "f", *, sync: bool = False) -> list[Write]:
    return [write(f"{prefix}{number}", b"%d" % number, sync=sync) for number in range(count)]


def test_a_locked_in_account_is_told_what_to_set(chrooted_sshd: Sshd) -> None:
    with disk(chrooted_sshd) as origin:
        with pytest.raises(TargetUnfit, match='set transfer = "sftp"') as caught:
            list(origin.write(files()))
        assert "origin" in str(caught.value)
        # What needs no program goes on.
        assert len(list(origin.write(files(3, "few")))) == 3
        [said] = [check for check in origin.probe("") if check[0] == "many files go as one stream"]
        assert said[1] is False
        assert 'transfer = "sftp"' in said[2]


def test_a_locked_in_account_gets_files_by_sftp_where_that_was_left_open(chrooted_sshd: Sshd) -> None:
    site = chrooted_sshd.fresh_site()
    with disk(chrooted_sshd, site.remote_root, transfer="auto") as origin:
        for prefix in "fg":
            assert len(list(origin.write(files(prefix=prefix)))) == MANY
        assert origin.run([Call(Op.UNLINK, f"f{number}") for number in range(MANY)]) == [Answer.OK] * MANY
        *_, (what, works, _) = origin.probe("")
        assert works
        assert re.match("many files go one by one, since .* runs no program for this account", what)
    assert {path.name[0] for path in site.root.iterdir()} == {"g"}


def test_an_account_with_a_shell_gets_a_stream_where_that_was_left_open(sshd: Sshd) -> None:
    site = sshd.fresh_site()
    with disk(sshd, site.remote_root, transfer="auto") as origin:
        assert len(list(origin.write(files()))) == MANY
        assert _programs(sshd)
        assert ("many files go as one stream", True, "") in list(origin.probe(""))
    assert len(list(site.root.iterdir())) == MANY


def test_a_server_that_allows_one_session_gets_files_by_sftp_where_that_was_left_open(start_sshd: StartSshd) -> None:
    server = start_sshd(options=("MaxSessions 1",))
    with disk(server, transfer="auto") as origin:
        for prefix in "fg":
            assert len(list(origin.write(files(prefix=prefix)))) == MANY


@pytest.fixture
def login_shell(start_sshd: StartSshd) -> Iterator[Callable[[str], Sshd]]:
    """Starts a server where an account has a script for its shell."""
    with contextlib.ExitStack() as stack:

        def start(script: str) -> Sshd:
            server = start_sshd()
            user, folder = server.accounts[0].user, Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
            folder.chmod(0o755)
            shell = folder / "menu"
            shell.write_text(f"#!/bin/sh\n{script}\n")
            shell.chmod(0o755)
            stack.callback(subprocess.run, ["usermod", "--shell", pwd.getpwnam(user).pw_shell, user], check=True)
            subprocess.run(["usermod", "--shell", shell, user], check=True)
            return server

        yield start


@pytest.mark.skipif(not IS_ROOT, reason="an account's shell is root's to change")
@pytest.mark.parametrize("script", ["exec sleep 1000", "while :; do read x; done"])
def test_a_shell_that_hears_nothing_but_signals_does_not_stay(login_shell: Callable[[str], Sshd], script: str) -> None:
    """Many a shell that shows a menu would run for as long as the server does."""
    server = login_shell(script)
    settings = server.settings(transfer="auto", connect_timeout=1, durability="none")
    with closing(SftpDisk(settings, target="origin")) as origin:
        assert len(list(origin.write(files()))) == MANY
        deadline = time.monotonic() + 20
        while any(re.search("sleep|menu", _words(pid)) for pid in server.sessions()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # The connection goes on.
        assert len(list(origin.write(files(prefix="g")))) == MANY
    assert server.log.count("Accepted publickey") == 1


@pytest.mark.parametrize("shell", ["bash", "sh", "bash -i", "dash"])
def test_a_shell_that_takes_the_program_for_its_commands_ends(tmp_path: Path, shell: str) -> None:
    """Such as one that a login script has put in its own shell's place."""
    (tmp_path / "if").write_text("kept")
    subprocess.run(
        shell.split(),
        input=PROGRAM,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "HISTFILE": "/dev/null"},
        check=False,
    )
    assert [path.name for path in tmp_path.iterdir()] == ["if"]


def test_a_folder_in_which_the_account_may_not_write(sshd: Sshd) -> None:
    site = sshd.fresh_site()
    (site.root / "shut").mkdir(mode=0o555)
    with disk(sshd, site.remote_root) as origin, pytest.raises(PermissionRefused, match="give the account that right"):
        list(origin.write(files(prefix="shut/f")))


def test_a_hundred_megabytes_and_thousands_of_files(sshd: Sshd) -> None:
    """More than any window holds, with answers that nobody reads meanwhile."""
    site = sshd.fresh_site()
    big = os.urandom(1 << 20) * 60
    with disk(sshd, site.remote_root) as origin:
        wanted = [*files(4000), write("big", big), write("twin", big)]
        assert list(origin.write(wanted)) == wanted
        calls = [Call(Op.RENAME, f"f{number}", f"g{number}") for number in range(4000)]
        assert set(origin.run(calls)) == {Answer.OK}
    assert (site.root / "twin").read_bytes() == big
    assert sorted(path.name for path in site.root.iterdir()) == sorted(["big", "twin", *(f"g{number}" for number in range(4000))])
    assert (site.root / "big").stat().st_mtime == 1_000_000_000


@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "aes256-ctr"])
def test_keys_that_change_in_the_middle_of_a_stream(start_sshd: StartSshd, cipher: str) -> None:
    """Also where the packets are paramiko's, in which many sent together are one after the other."""
    server = start_sshd(options=("RekeyLimit 512K", "LogLevel DEBUG", f"Ciphers {cipher}"))
    content = os.urandom(100_000)
    with disk(server) as origin:
        wanted = [*files(1000), *(write(f"big{number}", content) for number in range(120))]
        assert list(origin.write(wanted)) == wanted
    assert {(server.accounts[0].root / f"big{number}").read_bytes() for number in range(120)} == {content}
    assert server.log.count("SSH2_MSG_KEXINIT sent") > 2


def test_fewer_programs_where_the_server_allows_few_sessions(start_sshd: StartSshd) -> None:
    server = start_sshd(options=("MaxSessions 3",))
    with disk(server, durability="file") as origin:
        assert len(list(origin.write(files(100, sync=True)))) == 100
    assert LANES > 2


def test_a_server_that_allows_one_session_alone(start_sshd: StartSshd) -> None:
    with disk(start_sshd(options=("MaxSessions 1",))) as origin, pytest.raises(TargetUnfit, match="MaxSessions to 6"):
        list(origin.write(files()))


def test_a_connection_that_is_closed_meanwhile_writes_nothing_more(sshd: Sshd) -> None:
    """The engine goes away in the middle of a file: the server's side removes the piece of it and ends."""
    site = sshd.fresh_site()
    began, content = threading.Event(), bytes(8 << 20)

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 4 << 20:
                began.set()
                raise OSError("cut")
            return super().read(size)

    half = Write("half", lambda: Slow(content), len(content), hashlib.sha256(content).digest())
    with disk(sshd, site.remote_root) as origin, pytest.raises(OSError, match="cut"):
        list(origin.write([*files(), half]))
    assert began.is_set()
    assert "half" not in {path.name for path in site.root.iterdir()}


def test_a_server_process_that_is_killed_is_a_cut_connection(start_sshd: StartSshd) -> None:
    server = start_sshd()

    def killed() -> Iterator[Write]:
        yield from files()
        for pid in _programs(server):
            os.kill(pid, 9)
        yield from files(prefix="g")

    with disk(server) as origin:
        with pytest.raises(TargetUnreachable, match="origin"):
            list(origin.write(killed()))
        assert len(list(origin.write(files(prefix="h")))) == MANY


def _words(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def _programs(server: Sshd) -> list[int]:
    found = [pid for pid in server.sessions() if Path(f"/proc/{pid}/comm").read_text().strip() == "perl"]
    assert found
    return found
