"""A server of which nobody has said whether it takes streams: many files go as one where it does, and by SFTP where not."""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engines.workshop import Targets
from support.receiving import a_write
from support.sftp_pipe import PlainLink, SocketPipe, by_shell, plain, plain_settings
from support.sshd import IS_ROOT, SFTP_SERVER
from targets import TargetUnfit, TargetUnreachable, Verdicts
from targets.disk import Answer, Call, Looks, Op, Script
from targets.sftp import SftpDisk
from targets.sftp.disk import MANY

Program = Callable[[str], Sequence[str]]
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


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
    return [str(SFTP_SERVER)]


def small_files_alone(command: str) -> Sequence[str]:
    """An account that may write 512 bytes by its programs, and is killed at the next one."""
    return ["/bin/sh", "-c", f"ulimit -f 1; exec {command}"]


def somebody_else(command: str) -> Sequence[str]:
    return [*NOBODY, *by_shell(command)]


class Server:
    """A disk at a server that leaves it open, and the connections to it."""

    def __init__(
        self, root: Path, program: Program, wrap: Callable[[SocketPipe], Any], verdicts: Verdicts | None, **settings: object
    ) -> None:
        self.links: list[PlainLink] = []
        connecting = plain(wrap=wrap, program=program)

        def connect(*args: Any, **named: Any) -> PlainLink:
            self.links.append(connecting(*args, **named))
            return self.links[-1]

        chosen = plain_settings(root, **{"transfer": "auto", "durability": "none"} | settings)
        self.disk = SftpDisk(chosen, target="origin", connecting=connect, verdicts=verdicts)

    @property
    def programs(self) -> int:
        return sum(len(link.programs) for link in self.links)

    @property
    def streams(self) -> bool:
        return self.disk._stream.begun

    def kill_program(self) -> None:
        pipe = self.links[-1].programs[-1]
        pipe.server.kill()
        pipe.server.wait()

    def cut(self) -> None:
        for pipe in (*self.links[-1]._pipes, *self.links[-1].programs):
            pipe.server.kill()
            pipe.server.wait()

    def put(self, prefix: str, count: int = MANY, size: int = 7) -> None:
        files = [a_write(f"{prefix}{number}", b"x" * size) for number in range(count)]
        assert list(self.disk.write(files)) == files


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def start_one(
        program: Program = by_shell,
        wrap: Callable[[SocketPipe], Any] = lambda pipe: pipe,
        *,
        root: Path = tmp_path,
        verdicts: Verdicts | None = None,
        **settings: object,
    ) -> Server:
        servers.append(Server(root, program, wrap, verdicts, **settings))
        return servers[-1]

    yield start_one
    for server in servers:
        server.disk.close()


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_server_that_can_takes_many_files_as_a_stream(start: Start, tmp_path: Path) -> None:
    server = start()
    server.put("few", MANY - 1)
    assert server.programs == 0
    server.put("many")
    server.put("more", 1)
    assert server.streams
    assert server.programs == 1
    assert len(there(tmp_path)) == 2 * MANY


def test_calls_alone_are_not_worth_one(start: Start, tmp_path: Path) -> None:
    server = start()
    assert server.disk.run([Call(Op.UNLINK, "gone")] * MANY) == [Answer.ABSENT] * MANY
    assert server.programs == 0


@pytest.mark.parametrize("program", [closed, greeter, without_perl, sftp_for_all], ids=lambda found: found.__name__)
def test_one_that_cannot_takes_them_by_sftp_and_is_not_asked_again(program: Program, start: Start, tmp_path: Path) -> None:
    server = start(program)
    server.put("f")
    assert server.links[0].programs[0].closed
    server.put("g")
    assert server.disk.run([Call(Op.UNLINK, f"f{number}") for number in range(MANY)]) == [Answer.OK] * MANY
    assert (server.programs, len(server.links)) == (1, 1)
    assert {name[0] for name in there(tmp_path)} == {"g"}


def test_what_one_connection_found_holds_for_all_of_them(start: Start) -> None:
    verdicts = Verdicts()
    first, second = start(closed, verdicts=verdicts), start(verdicts=verdicts)
    first.put("f")
    second.put("g")
    assert (first.programs, second.programs) == (1, 0)


def test_a_proof_holds_for_all_of_them(start: Start, tmp_path: Path) -> None:
    """One file less to write and to remove."""
    sent: list[bytes] = []

    class Heard:
        def __init__(self, pipe: SocketPipe) -> None:
            self._pipe = pipe

        def send(self, data: bytes, /) -> int:
            sent.append(bytes(data))
            return self._pipe.send(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._pipe, name)

    verdicts = Verdicts()
    for prefix, proofs in (("f", True), ("g", False)):
        sent.clear()
        start(wrap=Heard, verdicts=verdicts).put(prefix)
        assert (b"/.slipway-" in b"".join(sent)) is proofs
    assert len(there(tmp_path)) == 2 * MANY


def test_a_proof_is_asked_for_again_after_a_while(start: Start, tmp_path: Path) -> None:
    """However many connections were made meanwhile: somebody may have shut SFTP in a folder since."""
    (tmp_path / "site").mkdir()
    now, shut = [0.0], False
    verdicts = Verdicts(lambda: now[0])

    def wrap(pipe: SocketPipe) -> Any:
        return Elsewhere(pipe) if shut else pipe

    for prefix in "fg":
        server = start(wrap=wrap, verdicts=verdicts)
        server.put(f"site/{prefix}")
        assert server.streams
        now[0] += 300
    shut = True
    server = start(wrap=wrap, verdicts=verdicts)
    server.put("site/h")
    assert not server.streams
    assert len(there(tmp_path / "site")) == 3 * MANY


def test_trouble_of_sftp_alone_leaves_the_stream_as_it_is(start: Start, tmp_path: Path) -> None:
    """Also behind a stream that was in no trouble but the files' own."""
    verdicts = Verdicts()
    server = start(verdicts=verdicts)
    server.put("f")
    with pytest.raises(FileNotFoundError):
        server.put("nowhere/f")
    server.cut()
    broken = Server(tmp_path, by_shell, lambda pipe: pipe, verdicts)
    broken.disk.list("")
    broken.links[0]._pipes[0].server.send_signal(signal.SIGSTOP)
    broken.disk._lanes.sessions[0]._pipe.settimeout(0.2)  # type: ignore[attr-defined]
    with pytest.raises(TargetUnreachable):
        broken.disk.list("")
    broken.disk.close()
    server.put("g")
    assert server.streams


def test_it_is_asked_again_after_a_while(start: Start) -> None:
    able, now = False, [0.0]
    verdicts = Verdicts(lambda: now[0])
    server = start(lambda command: by_shell(command) if able else closed(command), verdicts=verdicts)
    server.put("f")
    able = True
    now[0] = 599
    server.put("g")
    assert server.programs == 1
    now[0] = 600
    server.put("h")
    assert server.streams
    assert server.programs == 2


def test_a_menu_is_waited_for_as_long_as_for_a_login(start: Start) -> None:
    server = start(menu, connect_timeout=0.2, idle_timeout=60)
    began = time.monotonic()
    server.put("f")
    assert time.monotonic() - began < 30
    assert (server.programs, len(server.links)) == (1, 1)


def test_a_menu_is_waited_for_no_longer_than_for_any_answer(start: Start) -> None:
    server = start(menu, connect_timeout=60, idle_timeout=0.5)
    began = time.monotonic()
    server.put("f")
    assert time.monotonic() - began < 30


def test_a_stream_waits_for_a_slow_disk_as_long_as_sftp(start: Start) -> None:
    """The patience of its beginning ends with it."""
    server = start(connect_timeout=2, idle_timeout=60)
    server.put("f")
    [program] = server.links[0].programs
    program.server.send_signal(signal.SIGSTOP)
    timer = threading.Timer(3, program.server.send_signal, [signal.SIGCONT])
    timer.start()
    server.put("g")
    timer.join()
    assert server.programs == 1


def hangs_up(found: list[Server]) -> Program:
    """What appliances do that know SFTP alone."""

    def program(_: str) -> Sequence[str]:
        for pipe in found[0].links[-1]._pipes:
            pipe.server.kill()
            pipe.server.wait()
        return ["/bin/false"]

    return program


def test_a_server_that_ends_the_connection_over_it(start: Start, tmp_path: Path) -> None:
    found: list[Server] = []
    server = start(hangs_up(found))
    found.append(server)
    server.put("f")
    server.put("g")
    assert (server.programs, len(server.links)) == (1, 2)
    assert len(there(tmp_path)) == 2 * MANY


def test_a_connection_that_is_lost_over_it(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start()
    server.disk.list("")

    def lost(_: str) -> SocketPipe:
        server.cut()
        raise TargetUnreachable("the server closed the connection.")

    monkeypatch.setattr(server.links[0], "program", lost)
    server.put("f")
    assert (server.programs, len(server.links)) == (0, 2)
    must = start(transfer="stream")
    must.disk.list("")
    monkeypatch.setattr(must.links[0], "program", lost)
    with pytest.raises(TargetUnreachable, match="origin"):
        must.put("g")


def test_a_worker_gets_on_where_programs_are_killed(start: Start, tmp_path: Path) -> None:
    """After each trouble it opens its targets anew."""
    verdicts = Verdicts()
    targets = Targets(lambda _: start(small_files_alone, verdicts=verdicts).disk)  # type: ignore[arg-type,return-value]
    files = [[a_write(f"{prefix}{number}", b"x" * 5000) for number in range(MANY)] for prefix in "fg"]
    with pytest.raises(TargetUnreachable, match="origin"):
        list(targets.get("origin").write(files[0]))  # type: ignore[attr-defined]
    targets.close()
    assert list(targets.get("origin").write(files[1])) == files[1]  # type: ignore[attr-defined]
    assert {path.stat().st_size for path in tmp_path.glob("g*")} == {5000}


def test_one_that_must_is_begun_again(start: Start) -> None:
    server = start(small_files_alone, transfer="stream")
    for prefix in "fg":
        with pytest.raises(TargetUnreachable, match="origin"):
            server.put(prefix, size=5000)
    assert server.programs == 2


def test_after_a_cut_connection_it_is_begun_again(start: Start) -> None:
    server = start()
    server.put("f")
    server.cut()
    server.put("g")
    assert (server.programs, len(server.links)) == (2, 2)


def test_a_program_that_ended_while_nothing_was_under_way_is_begun_again(start: Start) -> None:
    server = start()
    for prefix in "fgh":
        server.put(prefix)
        server.kill_program()
    assert (server.programs, len(server.links)) == (3, 1)


def test_a_script_after_a_cut_is_left_to_sftp(start: Start) -> None:
    able = True
    server = start(lambda command: by_shell(command) if able else closed(command))
    server.put("f")
    assert server.disk.carry_out(Script([Call(Op.UNLINK, "f0")])) is not None
    able = False
    server.cut()
    assert server.disk.carry_out(Script([Call(Op.UNLINK, "f1")])) is None


def test_a_look_behind_many_calls_after_a_cut(start: Start) -> None:
    server = start()
    server.put("f")
    server.cut()
    answers, seen = server.disk.look(Looks(lists=[""]), after=[Call(Op.UNLINK, f"f{number}") for number in range(MANY)])
    assert set(answers) == {Answer.OK}
    assert seen.lists == [{}]


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


@pytest.mark.parametrize("alike", [False, True])
def test_a_program_that_sees_another_tree_writes_nothing(start: Start, tmp_path: Path, alike: bool) -> None:
    """Also where a folder of that name is in both."""
    (tmp_path / "site" / "new").mkdir(parents=True)
    if alike:
        (tmp_path / "tree" / "new").mkdir(parents=True)
    server = start(wrap=Elsewhere)
    server.put("site/new/f")
    assert server.programs == 1
    assert len(there(tmp_path / "site" / "new")) == MANY
    # What was to show it is empty, and somewhere where Slipway may not remove it.
    assert not alike or [path.stat().st_size for path in (tmp_path / "tree" / "new").iterdir()] == [0]


def test_one_that_must_says_that_its_program_sees_another_tree(start: Start, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    server = start(wrap=Elsewhere, transfer="stream")
    with pytest.raises(TargetUnfit, match=r"write elsewhere, or as somebody else, .*/site'.*Set transfer = .sftp."):
        server.put("site/f")
    assert not there(tmp_path / "site")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One into which everybody can look."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not IS_ROOT, reason="another account's programs are root's to start")
@pytest.mark.parametrize("may_write", [False, True])
def test_a_program_that_is_another_accounts_writes_nothing(start: Start, open_folder: Path, may_write: bool) -> None:
    """Its files would not be those of the account that SFTP writes for."""
    open_folder.chmod(0o777 if may_write else 0o755)
    server = start(somebody_else, root=open_folder)
    server.put("f")
    assert server.programs == 1
    assert len(there(open_folder)) == MANY
    assert {path.stat().st_uid for path in open_folder.iterdir()} == {os.getuid()}


@pytest.mark.parametrize("transfer", ["auto", "stream"])
def test_a_folder_that_is_missing_for_both_is_the_files_trouble(start: Start, transfer: str) -> None:
    server = start(transfer=transfer)
    with pytest.raises(FileNotFoundError):
        server.put("nowhere/f")
    # And no reason to do without streams.
    server.put("f")
    assert server.streams


@pytest.mark.parametrize("count", [MANY, MANY - 1])
@pytest.mark.parametrize("program", [by_shell, closed])
def test_folders_go_ahead_however_the_files_follow(start: Start, tmp_path: Path, program: Program, count: int) -> None:
    server = start(program)
    for name in ("one", "two"):
        answers = server.disk.ahead([Call(Op.MKDIR, name, mode=0o755)])
        server.put(f"{name}/f", count)
        assert answers() == [Answer.OK]
        assert len(there(tmp_path / name)) == count
    assert server.streams is (program is by_shell and count == MANY)


def test_a_source_that_uses_its_own_disk_meanwhile_begins_no_second_program(start: Start, tmp_path: Path) -> None:
    server = start()

    def files() -> Iterator[Any]:
        yield from (a_write(f"f{number}") for number in range(MANY))
        server.put("within")
        yield a_write("last")

    assert len(list(server.disk.write(files()))) == MANY + 1
    assert server.programs == 1
    assert len(there(tmp_path)) == 2 * MANY + 1


@pytest.mark.parametrize(
    ("program", "transfer", "said"),
    [
        (by_shell, "auto", "many files go as one stream"),
        (by_shell, "stream", "many files go as one stream"),
        (closed, "auto", "many files go one by one, since the server runs no program for this account"),
        (menu, "auto", "many files go one by one, since the server runs no program for this account"),
    ],
)
def test_the_probe_says_how_files_go(start: Start, tmp_path: Path, program: Program, transfer: str, said: str) -> None:
    (tmp_path / "scratch").mkdir()
    *_, (what, works, remedy) = start(program, transfer=transfer, connect_timeout=2).disk.probe("scratch")
    assert what.startswith(said)
    assert (works, remedy) == (True, "")
    assert not there(tmp_path / "scratch")


def test_the_probe_of_one_that_does_not_want_to_tries_nothing(start: Start, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    server = start(transfer="sftp")
    assert not [what for what, _, _ in server.disk.probe("scratch") if "many files" in what]
    assert server.programs == 0


def test_the_probe_of_one_that_must_says_what_is_missing(start: Start, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    *_, (what, works, remedy) = start(closed, transfer="stream").disk.probe("scratch")
    assert (what, works) == ("many files go as one stream", False)
    assert 'set transfer = "sftp"' in remedy
