"""A server of which nobody has said whether it takes streams: many files go as one where it does, and by SFTP where not."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from support.receiving import a_write
from support.sftp_pipe import PlainLink, SocketPipe, by_shell, plain, plain_settings
from targets.disk import Answer, Call, Op
from targets.errors import TargetUnfit, TargetUnreachable
from targets.sftp import SftpDisk
from targets.sftp.disk import MANY

Program = Callable[[str], Sequence[str]]


def closed(_: str) -> Sequence[str]:
    """An account without a shell."""
    return ["/bin/sh", "-c", "echo This service allows sftp connections only. >&2; exit 1"]


def greeter(command: str) -> Sequence[str]:
    """A shell that says something first."""
    return ["/bin/sh", "-c", f"echo Welcome; {command}"]


def without_perl(command: str) -> Sequence[str]:
    return by_shell(command.replace("perl ", "no-such-program "))


def menu(_: str) -> Sequence[str]:
    """A shell that waits for somebody to choose."""
    return ["/bin/sh", "-c", "exec cat > /dev/null"]


def sftp_for_all(_: str) -> Sequence[str]:
    """What ForceCommand makes of it."""
    return ["/usr/lib/openssh/sftp-server"]


class Server:
    """A disk at a server that leaves it open, and the connections to it."""

    def __init__(self, root: Path, program: Program, wrap: Callable[[SocketPipe], Any], **settings: object) -> None:
        self.links: list[PlainLink] = []
        connecting = plain(wrap=wrap, program=program)

        def connect(*args: Any, **named: Any) -> PlainLink:
            self.links.append(connecting(*args, **named))
            return self.links[-1]

        self.disk = SftpDisk(
            plain_settings(root, **{"transfer": "auto", "durability": "none"} | settings), target="origin", connecting=connect
        )

    @property
    def programs(self) -> int:
        return sum(len(link.programs) for link in self.links)


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def start_one(
        program: Program = by_shell, wrap: Callable[[SocketPipe], Any] = lambda pipe: pipe, **settings: object
    ) -> Server:
        servers.append(Server(tmp_path, program, wrap, **settings))
        return servers[-1]

    yield start_one
    for server in servers:
        server.disk.close()


def put(server: Server, prefix: str, count: int = MANY) -> None:
    files = [a_write(f"{prefix}{number}") for number in range(count)]
    assert list(server.disk.write(files)) == files


def test_a_server_that_can_takes_many_files_as_a_stream(start: Start, tmp_path: Path) -> None:
    server = start()
    put(server, "few", MANY - 1)
    assert server.programs == 0
    put(server, "many")
    put(server, "more", 1)
    assert server.programs == 1
    assert len(list(tmp_path.iterdir())) == 2 * MANY


def test_many_calls_begin_one_too(start: Start, tmp_path: Path) -> None:
    server = start()
    put(server, "f", MANY - 1)
    for calls in ([Call(Op.RENAME, f"f{number}", f"g{number}") for number in range(MANY - 1)], [Call(Op.UNLINK, "gone")] * MANY):
        server.disk.run(calls)
    assert server.programs == 1
    assert {path.name[0] for path in tmp_path.iterdir()} == {"g"}


@pytest.mark.parametrize("program", [closed, greeter, without_perl, sftp_for_all], ids=lambda found: found.__name__)
def test_one_that_cannot_takes_them_by_sftp_and_is_not_asked_again(program: Program, start: Start, tmp_path: Path) -> None:
    server = start(program)
    put(server, "f")
    put(server, "g")
    assert server.disk.run([Call(Op.UNLINK, f"f{number}") for number in range(MANY)]) == [Answer.OK] * MANY
    assert (server.programs, len(server.links)) == (1, 1)
    assert {path.name[0] for path in tmp_path.iterdir()} == {"g"}


def test_it_is_asked_again_after_a_while(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    able = False
    server = start(lambda command: by_shell(command) if able else closed(command))
    monkeypatch.setattr("targets.sftp.trial._REST", 0.2)
    put(server, "f")
    able = True
    put(server, "g")
    assert server.programs == 1
    time.sleep(0.3)
    put(server, "h")
    put(server, "i")
    assert server.programs == 2


def test_a_menu_is_waited_for_as_long_as_for_a_login(start: Start) -> None:
    server = start(menu, connect_timeout=0.2, idle_timeout=30)
    put(server, "f")
    assert (server.programs, len(server.links)) == (1, 1)


def test_a_stream_waits_for_a_slow_disk_as_long_as_sftp(start: Start) -> None:
    """The patience of its beginning ends with it."""
    server = start(connect_timeout=0.2, idle_timeout=30)
    put(server, "f")
    [program] = server.links[0].programs
    program.server.send_signal(signal.SIGSTOP)
    timer = threading.Timer(0.6, program.server.send_signal, [signal.SIGCONT])
    timer.start()
    put(server, "g")
    timer.join()
    assert server.programs == 1


def test_a_server_that_ends_the_connection_over_it(start: Start, tmp_path: Path) -> None:
    """As appliances do that know SFTP alone."""

    def hang_up(_: str) -> Sequence[str]:
        for pipe in server.links[-1]._pipes:
            pipe.server.kill()
            pipe.server.wait()
        return ["/bin/false"]

    server = start(hang_up)
    put(server, "f")
    put(server, "g")
    assert (server.programs, len(server.links)) == (1, 2)
    assert len(list(tmp_path.iterdir())) == 2 * MANY


def test_a_program_that_was_killed_is_not_begun_again_at_once(start: Start, tmp_path: Path) -> None:
    """A bound on what the account may use, for one."""
    server = start()
    put(server, "f")
    [program] = server.links[0].programs
    program.server.kill()
    program.server.wait()
    with pytest.raises(TargetUnreachable, match="origin"):
        put(server, "g")
    put(server, "h")
    assert server.programs == 1
    assert {f"h{number}" for number in range(MANY)} < {path.name for path in tmp_path.iterdir()}


def test_after_a_cut_connection_it_is_begun_again(start: Start) -> None:
    server = start()
    put(server, "f")
    for pipe in (*server.links[0]._pipes, *server.links[0].programs):
        pipe.server.kill()
        pipe.server.wait()
    put(server, "g")
    assert (server.programs, len(server.links)) == (2, 2)


class Elsewhere:
    """A program that finds another tree under each name, as where SFTP alone is shut in a folder."""

    def __init__(self, pipe: SocketPipe) -> None:
        self._pipe = pipe
        self._program = any("perl" in str(word) for word in pipe.server.args)  # type: ignore[union-attr]

    def send(self, data: bytes, /) -> int:
        other = bytes(data).replace(b"/site", b"/tree") if self._program else data
        self._pipe.send(other)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


@pytest.mark.parametrize("there_too", [False, True])
def test_a_program_that_sees_another_tree_writes_nothing(start: Start, tmp_path: Path, there_too: bool) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "new").mkdir()
    if there_too:
        (tmp_path / "tree").mkdir()
    server = start(wrap=Elsewhere)
    put(server, "site/new/f")
    assert server.programs == 1
    assert len(list((tmp_path / "site" / "new").iterdir())) == MANY
    assert not there_too or not list((tmp_path / "tree").iterdir())


def test_one_that_must_says_that_its_program_sees_another_tree(start: Start, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    server = start(wrap=Elsewhere, transfer="stream")
    with pytest.raises(TargetUnfit, match=r"shows other files to programs than by SFTP: .*/site'.*Set transfer = .sftp."):
        put(server, "site/f")
    assert not list((tmp_path / "site").iterdir())


def test_a_folder_that_is_missing_for_both_is_the_files_trouble(start: Start) -> None:
    server = start()
    with pytest.raises(FileNotFoundError):
        put(server, "nowhere/f")


def test_folders_go_ahead_by_sftp_where_there_is_no_stream(start: Start, tmp_path: Path) -> None:
    server = start(closed)
    put(server, "f")
    answers = server.disk.ahead([Call(Op.MKDIR, "folder", mode=0o755)])
    put(server, "folder/f")
    assert answers() == [Answer.OK]
    assert (tmp_path / "folder" / "f0").exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [(by_shell, "run the program that takes a stream"), (closed, "many files go one by one: no program for a stream runs there")],
)
def test_the_probe_says_how_files_go(start: Start, tmp_path: Path, program: Program, said: str) -> None:
    (tmp_path / "scratch").mkdir()
    assert list(start(program).disk.probe("scratch"))[-1] == (said, True, "")


def test_a_menu_costs_no_probe_its_good_end(start: Start, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    assert all(works for _, works, _ in start(menu, connect_timeout=0.2).disk.probe("scratch"))
