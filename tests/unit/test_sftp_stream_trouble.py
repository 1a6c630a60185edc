"""A stream in trouble: slow disks, silent servers, callers that stop or do two things at once, odd surroundings of the program."""

import io
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.receiving import Liar, a_write, many_writes
from support.sftp_pipe import PlainLink, SocketPipe, by_shell, plain, plain_settings
from targets.disk import Answer, Call, Op, Write
from targets.errors import CorruptTransfer, PathBlocked, TargetUnfit, TargetUnreachable
from targets.sftp import SftpDisk
from targets.sftp.receiver import GREETING, PROGRAM, Receiver
from targets.sftp.stream import LANES, Stream

MANY = 40
ALL_GONE = [Call(Op.UNLINK, "gone")] * MANY


@contextmanager
def disk(root: Path, connecting: Callable[..., PlainLink] | None = None, **settings: object) -> Iterator[SftpDisk]:
    wanted = plain_settings(root, transfer="stream", **settings)
    with closing(SftpDisk(wanted, target="origin", connecting=connecting or plain())) as found:
        yield found


class Zeros(io.RawIOBase):
    """A large file that takes no room, and says how much of it was read."""

    def __init__(self, size: int) -> None:
        self._left, self.given = size, 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = bytes(min(size, self._left))
        self._left -= len(chunk)
        self.given += len(chunk)
        return chunk


def test_a_refusal_stops_a_large_file_early(tmp_path: Path) -> None:
    size = 1 << 30
    source = Zeros(size)
    (tmp_path / "large").write_bytes(b"theirs")
    large = Write("large", lambda: source, size, bytes(32))  # type: ignore[arg-type,return-value]
    with disk(tmp_path) as origin, pytest.raises(PathBlocked, match="large"):
        list(origin.write([*many_writes(MANY), large]))
    assert source.given < size / 10


def test_refusals_that_no_pipe_holds_are_read_as_they_come(tmp_path: Path) -> None:
    with disk(tmp_path) as origin:
        assert set(origin.run([Call(Op.UNLINK, "gone")] * 12_000)) == {Answer.ABSENT}


def test_calls_after_a_corrupt_file_have_their_own_answers(tmp_path: Path) -> None:
    """The error still holds what wrote the files, with others of them on their way."""
    first = a_write("first", os.urandom(300_000), read_back=True)

    def files() -> Iterator[Write]:
        yield first
        yield from many_writes(MANY)
        while not (tmp_path / "f0").exists():
            yield a_write(f"more{os.urandom(4).hex()}", os.urandom(100_000))
        (tmp_path / "first").write_bytes(bytes(300_000))
        yield from many_writes(200, "after")

    with disk(tmp_path) as origin:
        with pytest.raises(CorruptTransfer) as caught:
            list(origin.write(files()))
        assert caught.value.__traceback__ is not None
        before = sorted(tmp_path.iterdir())
        assert origin.run(ALL_GONE) == [Answer.ABSENT] * MANY
        assert sorted(tmp_path.iterdir()) == before


def test_calls_between_two_files_have_their_own_answers(tmp_path: Path) -> None:
    with disk(tmp_path) as origin:
        writing = origin.write(many_writes(3000))
        found = [next(writing)]
        assert origin.run(ALL_GONE) == [Answer.ABSENT] * MANY
        assert len([*found, *writing]) == 3000
        assert origin.run(ALL_GONE) == [Answer.ABSENT] * MANY


def test_files_go_nowhere_once_the_disk_was_closed(tmp_path: Path) -> None:
    with disk(tmp_path) as origin:
        writing = origin.write(many_writes(3000))
        next(writing)
        origin.close()
        before = sorted(tmp_path.iterdir())
        with pytest.raises(TargetUnreachable):
            list(writing)
        assert sorted(tmp_path.iterdir()) == before
        assert len(list(origin.write(many_writes(MANY, "g")))) == MANY


def test_whoever_stops_early_leaves_only_whole_files(tmp_path: Path) -> None:
    with disk(tmp_path) as origin:
        writing = origin.write(a_write(f"f{number}", b"x" * 50_000) for number in range(1000))
        next(writing)
        writing.close()  # type: ignore[attr-defined]
        sizes = {path.stat().st_size for path in tmp_path.iterdir()}
        assert sizes == {50_000}
        assert origin.run(ALL_GONE) == [Answer.ABSENT] * MANY


@pytest.mark.parametrize(("name", "value"), [("PERL_UNICODE", "SDA"), ("PERL5OPT", "-Mopen=:std,:encoding(UTF-8)")])
def test_an_account_whose_perl_writes_another_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    content = bytes(range(256)) * 3000
    with disk(tmp_path) as origin:
        assert len(list(origin.write([a_write("caf\u00e9", content), *many_writes(MANY)]))) == MANY + 1
    assert (tmp_path / "caf\u00e9").read_bytes() == content


def test_a_slow_disk_is_no_dead_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All calls together take longer than silence may last."""
    module = "package Slow; BEGIN { *CORE::GLOBAL::unlink = sub { select undef, undef, undef, 0.08; CORE::unlink $_[0] } } 1;"
    (tmp_path / "Slow.pm").write_text(module)
    monkeypatch.setenv("PERL5LIB", str(tmp_path))
    monkeypatch.setenv("PERL5OPT", "-MSlow")
    with disk(tmp_path, idle_timeout=2) as origin:
        assert origin.run(ALL_GONE) == [Answer.ABSENT] * MANY


@pytest.mark.parametrize(
    "said", [b"X 4 0\nfile", b"U 4\nfile", b"u 4 0\nfile", b" U 4 0\nfile", b"F 644 - 0 1 2\nabxxU 4 0\nfile", b"\nU 4 0\nfile"]
)
def test_what_is_no_request_ends_the_program_and_does_nothing(tmp_path: Path, said: bytes) -> None:
    (tmp_path / "file").touch()
    ended = subprocess.run(["perl", "-e", PROGRAM.decode()], input=said, capture_output=True, check=False, cwd=tmp_path)
    assert ended.returncode != 0
    assert ended.stdout == GREETING
    assert b"where one belongs" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("cut", range(len(b"F - - 0 4 1\nafourkR 1 1\nab")))
def test_a_request_that_is_cut_anywhere_does_nothing(tmp_path: Path, cut: int) -> None:
    requests = b"F - - 0 4 1\nafourkR 1 1\nab"
    subprocess.run(["perl", "-e", PROGRAM.decode()], input=requests[:cut], capture_output=True, check=True, cwd=tmp_path)
    whole = len(b"F - - 0 4 1\nafourk")
    assert [path.name for path in tmp_path.iterdir()] == (["a"] if cut >= whole else [])


class Mute:
    """A session that is answered no more once it is told so."""

    def __init__(self, pipe: SocketPipe) -> None:
        self._pipe, self.muted = pipe, False

    def recv(self, count: int, /) -> bytes:
        if self.muted:
            raise TimeoutError
        return self._pipe.recv(count)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


@pytest.mark.parametrize(("muted", "error"), [(True, TargetUnreachable), (False, TargetUnfit)])
def test_a_server_that_stands_still_is_unreachable_and_not_unfit(tmp_path: Path, muted: bool, error: type[Exception]) -> None:
    sessions: list[Mute] = []

    def wrap(pipe: SocketPipe) -> Any:
        if sessions:
            return Liar()
        sessions.append(Mute(pipe))
        return sessions[0]

    def files() -> Iterator[Write]:
        sessions[0].muted = muted
        yield from many_writes(MANY)

    with disk(tmp_path, plain(wrap=wrap)) as origin, pytest.raises(error):
        list(origin.write(files()))


def test_a_program_that_is_killed_as_it_begins_is_begun_again(tmp_path: Path) -> None:
    begun: list[str] = []

    def program(line: str) -> list[str]:
        begun.append(line)
        return ["/bin/false"] if len(begun) == 1 else by_shell(line)

    with disk(tmp_path, plain(program=program)) as origin:
        assert len(list(origin.write(many_writes(MANY)))) == MANY
    assert len(begun) == 2


def silent() -> tuple[Liar, Receiver]:
    liar = Liar(GREETING)
    return liar, Receiver(liar, "there", patience=1)


def test_whoever_was_waited_for_in_vain_is_waited_for_no_more() -> None:
    liars: list[Liar] = []

    def begin() -> Receiver:
        liar, receiver = silent()
        liars.append(liar)
        return receiver

    files = ((a_write(f"f{number}", sync=True), b"f") for number in range(100))
    with pytest.raises(TargetUnreachable, match="did not answer"):
        list(Stream(begin, "origin").write(files))
    assert len(liars) == LANES
    assert sum(liar.in_vain for liar in liars) == 1
    assert all(liar.closed for liar in liars)


def test_an_answer_that_only_drips_is_given_up() -> None:
    clock = itertools.count(step=0.4)
    receiver = Receiver(Liar(GREETING, *[b"!", *[b"a"] * 100]), "there", patience=1, clock=lambda: next(clock))
    list(receiver.write([(a_write("f"), b"f")]))
    with pytest.raises(TargetUnreachable, match="bytes of an answer in 1 s, and no more"):
        list(receiver.answers(all_of_them=True))


def test_the_end_of_a_program_that_never_ends_is_not_awaited() -> None:
    class Endless(Liar):
        def recv(self, count: int, /) -> bytes:
            return super().recv(count) if self._answers else b"." * min(count, 100)

    liar = Endless(GREETING)
    receiver = Receiver(liar, "there", patience=1)
    list(receiver.write([(a_write("f"), b"f")]))
    receiver.end()
    assert receiver.lost
    assert liar.closed


def test_a_program_that_has_nothing_to_do_is_not_waited_for_at_its_end() -> None:
    liar, receiver = silent()
    receiver.end()
    assert (liar.in_vain, liar.closed) == (0, True)
