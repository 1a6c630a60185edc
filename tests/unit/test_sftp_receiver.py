"""Files and calls as one stream: the real program under this machine's Perl, and servers that answer what they like."""

import fcntl
import hashlib
import io
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from support.killing import may_trace
from support.receiving import Liar, a_write, many_writes
from support.sftp_pipe import PlainLink, SocketPipe, by_shell, plain, plain_settings
from targets.disk import Answer, Call, Op, Write
from targets.errors import CorruptTransfer, PathBlocked, TargetUnfit, TargetUnreachable
from targets.sftp import SftpDisk
from targets.sftp.receiver import GREETING, PROGRAM, Receiver, command

MANY = 40


class Watched:
    """A disk that streams, and its connections."""

    def __init__(self, root: Path, wrap: Callable[[SocketPipe], Any] = lambda pipe: pipe, **settings: object) -> None:
        self.links: list[PlainLink] = []
        connecting = plain(wrap=wrap)

        def connect(*args: Any, **named: Any) -> PlainLink:
            self.links.append(connecting(*args, **named))
            return self.links[-1]

        self.disk = SftpDisk(plain_settings(root, transfer="stream", **settings), target="origin", connecting=connect)

    @property
    def programs(self) -> list[SocketPipe]:
        return self.links[-1].programs


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.disk.close()


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_arrive_with_their_bytes_modes_and_times(site: Watched, tmp_path: Path) -> None:
    big = os.urandom(700_001)
    files = [
        *many_writes(MANY),
        a_write("big", big, mode=0o640, modified=1_000_000_000),
        a_write("none", b"", mode=0o600),
        a_write("old\n name", b"x"),
    ]
    assert list(site.disk.write(files)) == files
    assert (tmp_path / "big").read_bytes() == big
    assert (tmp_path / "f7").read_bytes() == b"7"
    assert (tmp_path / "none").read_bytes() == b""
    assert (tmp_path / "old\n name").read_bytes() == b"x"
    assert (tmp_path / "big").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "big").stat().st_mtime == 1_000_000_000
    assert (tmp_path / "none").stat().st_mode & 0o777 == 0o600
    assert len(site.programs) == 1


def test_few_files_take_no_program(site: Watched) -> None:
    list(site.disk.write(many_writes(5)))
    assert not site.programs


def test_one_program_serves_all_that_follows(site: Watched, tmp_path: Path) -> None:
    list(site.disk.write(many_writes(MANY, "a")))
    list(site.disk.write(many_writes(MANY, "b")))
    assert site.disk.run([Call(Op.RENAME, f"a{n}", f"c{n}") for n in range(MANY)]) == [Answer.OK] * MANY
    assert site.disk.run([Call(Op.LINK, f"b{n}", f"d{n}") for n in range(MANY)]) == [Answer.OK] * MANY
    assert site.disk.run([Call(Op.UNLINK, f"b{n}") for n in range(MANY)]) == [Answer.OK] * MANY
    assert there(tmp_path) == sorted(f"{letter}{n}" for letter in "cd" for n in range(MANY))
    assert len(site.programs) == 1


def test_each_call_has_its_own_answer(site: Watched, tmp_path: Path) -> None:
    (tmp_path / "full" / "inner").mkdir(parents=True)
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "other").write_bytes(b"2")
    calls = [
        Call(Op.RENAME, "gone", "x"),
        Call(Op.RENAME, "file", "no/such/folder"),
        Call(Op.RENAME, "file", "full"),
        Call(Op.LINK, "file", "other"),
        Call(Op.UNLINK, "full"),
        Call(Op.UNLINK, "gone"),
        Call(Op.RENAME, "file", "other"),
    ]
    list(site.disk.write(many_writes(MANY)))
    answers = site.disk.run([*calls, *[Call(Op.UNLINK, "gone")] * MANY])
    assert answers[:7] == [
        Answer.ABSENT,
        Answer.ABSENT,
        Answer.REFUSED,
        Answer.REFUSED,
        Answer.REFUSED,
        Answer.ABSENT,
        Answer.OK,
    ]
    assert set(answers[7:]) == {Answer.ABSENT}
    assert (tmp_path / "other").read_bytes() == b"1"
    assert len(site.programs) == 1


def test_a_name_that_is_there_is_never_written_over(site: Watched, tmp_path: Path) -> None:
    (tmp_path / "f3").write_bytes(b"theirs")
    (tmp_path / "f4").symlink_to(tmp_path / "outside")
    with pytest.raises(PathBlocked, match=r"f3.*there already"):
        list(site.disk.write(many_writes(MANY)))
    assert (tmp_path / "f3").read_bytes() == b"theirs"
    assert not (tmp_path / "outside").exists()


def test_a_folder_that_was_renamed_meanwhile_is_not_there(site: Watched, tmp_path: Path) -> None:
    """The fence of the commit protocol: whoever was taken over finds nothing at the old name, and writes nothing at the new one."""
    (tmp_path / "mine").mkdir()
    list(site.disk.write(many_writes(MANY, "mine/a")))
    (tmp_path / "mine").rename(tmp_path / "theirs")
    with pytest.raises(FileNotFoundError, match="mine/b"):
        list(site.disk.write(many_writes(MANY, "mine/b")))
    assert not (tmp_path / "mine").exists()
    assert there(tmp_path / "theirs") == sorted(f"a{n}" for n in range(MANY))


def test_after_an_error_the_next_call_begins_anew(site: Watched, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(site.disk.write(many_writes(MANY, "no-such-folder/f")))
    list(site.disk.write(many_writes(MANY)))
    assert len(there(tmp_path)) == MANY
    assert [program.server.poll() is None for program in site.programs] == [False, True]


@pytest.mark.parametrize("size", [100, 600_000])
@pytest.mark.parametrize("given", ["shorter", "longer", "other"])
def test_a_source_with_other_bytes_leaves_no_file(site: Watched, tmp_path: Path, size: int, given: str) -> None:
    promised = bytes(size)
    sent = {"shorter": promised[:-1], "longer": promised + b"x", "other": promised[:-1] + b"x"}[given]
    wrong = Write("wrong", lambda: io.BytesIO(sent), size, hashlib.sha256(promised).digest())
    with pytest.raises(CorruptTransfer, match="wrong was not stored"):
        list(site.disk.write([*many_writes(MANY), wrong, a_write("after")]))
    assert "wrong" not in there(tmp_path)
    assert "after" not in there(tmp_path)


@pytest.mark.parametrize("given", ["shorter", "longer", "other"])
def test_a_source_that_reads_other_bytes_at_once_leaves_no_file(site: Watched, tmp_path: Path, given: str) -> None:
    promised = bytes(100)
    sent = {"shorter": promised[:-1], "longer": promised + b"x", "other": promised[:-1] + b"x"}[given]
    wrong = a_write("wrong", promised)._replace(read=lambda most: sent[:most])
    with pytest.raises(CorruptTransfer, match="wrong was not stored"):
        list(site.disk.write([*many_writes(MANY), wrong, a_write("after")]))
    assert not {"wrong", "after"} & set(there(tmp_path))


def test_small_files_are_read_at_once_and_large_ones_as_a_stream(site: Watched, tmp_path: Path) -> None:
    content, large = {f"s{number}": os.urandom(number) for number in range(MANY)}, os.urandom(300_000)
    asked: list[int] = []

    def reading(whole: bytes) -> Callable[[int], bytes]:
        return lambda most: asked.append(most) or whole[:most]  # type: ignore[func-returns-value]

    files = [a_write(name, whole)._replace(read=reading(whole)) for name, whole in content.items()]
    assert len(list(site.disk.write([*files, a_write("large", large)._replace(read=reading(large))]))) == MANY + 1
    assert asked == [number + 1 for number in range(MANY)], "one byte more than promised"
    assert {name: (tmp_path / name).read_bytes() for name in there(tmp_path)} == content | {"large": large}


def test_packets_are_full_until_the_last_one() -> None:
    sizes: list[int] = []

    class Counting(Liar):
        def send(self, data: bytes, /) -> int:
            sizes.append(len(data))
            return super().send(data)

    receiver = Receiver(Counting(GREETING, b"." * 200), "there", patience=1)
    for number in range(200):
        receiver.write([(a_write(f"f{number}", os.urandom(9000)), b"f")])
    assert list(chain.from_iterable(receiver.answers(all_of_them=True))) == [""] * 200
    _, *together, last = sizes
    packet = 32 * 1024 - 64
    assert sum(together) > 40 * packet
    assert {size % packet for size in together} == {0}
    assert last < 16 * packet


def test_what_is_cut_off_in_a_file_is_removed(site: Watched, tmp_path: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 500_000:
                raise OSError("the store's disk is broken")
            return super().read(size)

    big = bytes(900_000)
    broken = Write("broken", lambda: Breaks(big), len(big), hashlib.sha256(big).digest())
    with pytest.raises(OSError, match="store's disk"):
        list(site.disk.write([*many_writes(MANY), broken]))
    assert "broken" not in there(tmp_path)


def test_a_program_that_dies_is_a_cut_connection(site: Watched) -> None:
    def files() -> Iterator[Write]:
        yield from many_writes(MANY, "a")
        site.programs[0].server.kill()
        site.programs[0].server.wait()
        yield from many_writes(MANY, "b")

    with pytest.raises(TargetUnreachable):
        list(site.disk.write(files()))
    assert len(list(site.disk.write(many_writes(MANY, "c")))) == MANY


def test_many_synced_files_go_over_several_programs(site: Watched, tmp_path: Path) -> None:
    files = [a_write(f"f{number}", b"%d" % number, sync=True) for number in range(100)]
    assert {file.path for file in site.disk.write(files)} == {file.path for file in files}
    assert len(there(tmp_path)) == 100
    assert len(site.programs) == 4


def test_read_back_finds_what_became_of_it(site: Watched, tmp_path: Path) -> None:
    """The first file is spoilt once it is there, while the last ones are still on their way."""
    first = a_write("first", os.urandom(300_000), read_back=True)

    def files() -> Iterator[Write]:
        yield first
        yield from many_writes(MANY)
        while not (tmp_path / "f0").exists():
            yield a_write(f"more{len(there(tmp_path))}-{os.urandom(4).hex()}", os.urandom(100_000))
        (tmp_path / "first").write_bytes(bytes(300_000))

    with pytest.raises(CorruptTransfer, match="first on the server is not what was sent"):
        list(site.disk.write(files()))
    assert "first" not in there(tmp_path)


def test_the_probe_says_whether_the_program_runs(site: Watched) -> None:
    assert ("many files go as one stream", True, "") in list(site.disk.probe(""))


@pytest.mark.parametrize("said", [b"Welcome to this server!\n", b"", b"slipway receiver 2\n", b"\0\0\0\5\2\0\0\0\3"])
def test_a_shell_that_says_something_else_is_unfit(said: bytes) -> None:
    with pytest.raises(TargetUnfit, match='set transfer = "sftp"'):
        Receiver(Liar(said) if said else Liar(), "there", patience=1)


@pytest.mark.parametrize("said", [b"..", b"x", b"!" + b"a" * 9000, b"!write ENOSPC no end"])
def test_answers_that_are_none_end_it(said: bytes) -> None:
    receiver = Receiver(Liar(GREETING, said), "there", patience=1)
    list(receiver.write([(a_write("f"), b"/f")]))
    with pytest.raises(TargetUnreachable):
        list(receiver.answers(all_of_them=True))


def test_silence_ends_it() -> None:
    receiver = Receiver(Liar(GREETING), "there", patience=1)
    list(receiver.write([(a_write("f"), b"/f")]))
    with pytest.raises(TargetUnreachable, match="did not answer for 1 s"):
        list(receiver.answers(all_of_them=True))


def test_a_refusal_in_pieces_is_one() -> None:
    receiver = Receiver(Liar(GREETING, b".!cre", b"ate EEX", b"IST there\n", b"."), "there", patience=1)
    for name in "abc":
        list(receiver.write([(a_write(name), name.encode())]))
    assert list(chain.from_iterable(receiver.answers(all_of_them=True))) == ["", "create EEXIST there", ""]


@pytest.mark.parametrize("syncs", [True, False])
def test_no_shell_reads_the_command_otherwise(syncs: bool) -> None:
    """Nothing in it that a shell replaces within single quotes, a C shell's history included."""
    line = command(syncs=syncs)
    assert line.count("'") == 2
    assert not re.search(r"[!\n]", line)
    for shell in ("sh", "bash", "dash"):
        said = subprocess.run([shell, "-c", line], input=PROGRAM, capture_output=True, check=True)
        assert (said.stdout, said.stderr) == (GREETING, b"")


def traced(log: Path, *options: str) -> Callable[[str], Sequence[str]]:
    """The program, and what it asks the kernel."""
    if reason := may_trace(log.parent):
        pytest.skip(reason)
    return lambda command: [
        "strace",
        "-f",
        "-s",
        "4096",
        "-qq",
        "-o",
        str(log),
        "-e",
        "trace=openat,fsync,write",
        *options,
        *by_shell(command),
    ]


@pytest.mark.parametrize(("syncs", "room"), [(False, 1024 * 1024), (True, 256 * 1024)])
def test_its_input_has_room_for_much_unless_several_of_it_wait_for_the_disk(syncs: bool, room: int) -> None:
    shell = by_shell(command(syncs=syncs))
    with subprocess.Popen(shell, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(PROGRAM)
        assert program.stdout.read(len(GREETING)) == GREETING
        assert fcntl.fcntl(program.stdin, fcntl.F_GETPIPE_SZ) == room
        program.stdin.close()


def test_a_synced_file_is_answered_for_once_it_is_on_the_disk(tmp_path: Path) -> None:
    log, site = tmp_path / "log", tmp_path / "site"
    site.mkdir()
    link = plain(program=traced(log))(plain_settings(site))
    receiver = Receiver(link.program(command(syncs=True)), "there", patience=30)
    for number in range(100):
        list(receiver.write([(a_write("f", sync=True), bytes(site / f"f{number}"))]))
    assert list(chain.from_iterable(receiver.answers(all_of_them=True))) == [""] * 100
    receiver.end()
    link.close()
    made = synced = answered = most = 0
    for line in log.read_text().splitlines():
        made += "O_CREAT" in line
        synced += "fsync(" in line
        answered += line.count(".") if re.search(r'write\(1, "\.', line) else 0
        assert answered <= synced
        most = max(most, made - synced)
    assert (synced, answered) == (100, 100)
    # And not one by one.
    assert most == 32


def test_files_of_which_one_cannot_be_synced_have_each_its_own_answer(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "f40").write_bytes(b"theirs")
    fail = traced(tmp_path / "log", "-e", "inject=fsync:error=EIO:when=5..90+45")
    link = plain(program=fail)(plain_settings(site))
    receiver = Receiver(link.program(command(syncs=True)), "there", patience=30)
    for number in range(100):
        list(receiver.write([(a_write("f", sync=number % 10 != 9), bytes(site / f"f{number}"))]))
        if number == 50:
            receiver.look(bytes(site / "f49"))
    said = list(chain.from_iterable(receiver.answers(all_of_them=True)))
    receiver.end()
    link.close()
    wrong = {number: answer.rpartition(" ")[0] for number, answer in enumerate(said) if answer}
    # Of the synced ones the fifth and the fiftieth; f40 is none of them. Behind f50 comes what lies at f49.
    assert set(wrong) == {4, 40, 51, 56}
    assert wrong[4].startswith("sync EIO")
    assert wrong[56].startswith("sync EIO")
    assert wrong[40].startswith("create EEXIST")
    assert re.fullmatch("=[0-9]+ 7", wrong[51])
    assert set(there(site)) == {f"f{number}" for number in range(100)} - {"f4", "f55"}
