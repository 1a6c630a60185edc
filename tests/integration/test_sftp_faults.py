"""Whatever a server refuses, loses, garbles or pretends: it is noticed, it has the right name, and nothing half-done passes for done."""

import hashlib
import io
import random
import struct
import time
from collections.abc import Iterator

import pytest

from support import sftp_stub as stub
from support.sftp_stub import Fault, StartStub, Stub
from targets.disk import Answer, Call, Looks, Op, Write
from targets.errors import (
    CorruptTransfer,
    PathBlocked,
    PermanentTargetError,
    PermissionRefused,
    TargetError,
    TargetUnfit,
    TargetUnreachable,
    TransientTargetError,
)
from targets.sftp import SftpDisk, wire
from targets.sftp.small import IN_STEP

CONTENT = random.Random(0).randbytes(5_000_000)
"""Twenty WRITEs at OpenSSH's limit."""


def write(path: str, content: bytes = b"content", **more: object) -> Write:
    return Write(path, lambda: io.BytesIO(content), len(content), hashlib.sha256(content).digest(), **more)  # type: ignore[arg-type]


def names(server: Stub) -> set[str]:
    return {path.name for path in server.root.iterdir()}


@pytest.fixture
def disks() -> Iterator[list[SftpDisk]]:
    opened: list[SftpDisk] = []
    yield opened
    for disk in opened:
        disk.close()


def test_every_error_begins_with_the_targets_name(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    server = start_stub(stub.cut(wire.READ, 12), stub.refuse(wire.WRITE, 1))
    (server.root / "film").write_bytes(CONTENT)
    disks += [SftpDisk(server.settings(), target="origin"), SftpDisk(server.settings(port=1), target="origin")]
    named = r"^origin: (?!origin).*127\.0\.0\.1"
    with disks[0].open("film") as stream:
        stream.read(10)
        with pytest.raises(TargetUnreachable, match=named) as cut:
            stream.read()
    assert cut.value.target == "origin"
    with pytest.raises(TransientTargetError, match=named):
        list(disks[0].write([write("new")]))
    with pytest.raises(TargetUnreachable, match=named):
        disks[1].list("")


def test_an_error_of_another_target_keeps_its_name(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    disks.append(SftpDisk(start_stub().settings(), target="origin"))

    def cut() -> io.BytesIO:
        raise TargetUnreachable("staging: cut", target="staging")

    with pytest.raises(TargetUnreachable, match=r"^staging: cut$"):
        list(disks[0].write([Write("new", cut, 1, b"")]))


@pytest.mark.parametrize("fault", [stub.refuse, stub.fail_late])
@pytest.mark.parametrize(
    ("kind", "nth"),
    [*((wire.WRITE, nth) for nth in (1, 2, 5, 10, 15, 19, 20)), (wire.FSETSTAT, 1), (wire.EXTENDED, 2), (wire.CLOSE, 1)],
)
def test_every_refused_request_of_an_upload_is_noticed(
    start_stub: StartStub, disks: list[SftpDisk], fault: object, kind: int, nth: int
) -> None:
    server = start_stub(fault(kind, nth))  # type: ignore[operator]
    disks.append(SftpDisk(server.settings(), target="origin"))
    with pytest.raises(TransientTargetError, match="/film'"):
        list(disks[0].write([write("film", CONTENT, mode=0o644, modified=1, sync=True)]))
    assert names(server) == set()


@pytest.mark.parametrize("nth", range(1, 60, 7))
def test_one_refused_write_among_many_small_files_stops_only_that_file(
    start_stub: StartStub, disks: list[SftpDisk], nth: int
) -> None:
    server = start_stub(stub.refuse(wire.WRITE, nth))
    disks.append(SftpDisk(server.settings(), target="origin"))
    answered: list[str] = []
    with pytest.raises(TransientTargetError):
        answered.extend(done.path for done in disks[0].write(write(str(number), str(number).encode()) for number in range(60)))
    there = {name: (server.root / name).read_bytes() for name in names(server)}
    assert set(answered) <= set(there)
    assert all(content == name.encode() for name, content in there.items() if name in answered)


@pytest.mark.parametrize("fault", [stub.refuse, stub.fail_late])
@pytest.mark.parametrize("kind", [wire.OPEN, wire.WRITE, wire.FSETSTAT, wire.CLOSE])
@pytest.mark.parametrize("nth", [1, 20, 60])
def test_of_small_files_in_step_the_one_is_named_that_was_refused_and_none_is_left_that_was_not_answered(
    start_stub: StartStub, disks: list[SftpDisk], fault: object, kind: int, nth: int
) -> None:
    server = start_stub(fault(kind, nth))  # type: ignore[operator]
    disks.append(SftpDisk(server.settings(), target="origin"))
    answered: list[str] = []
    refused = PathBlocked if (fault, kind) == (stub.fail_late, wire.OPEN) else TransientTargetError
    with pytest.raises(refused, match=rf"/{nth}' "):
        answered.extend(done.path for done in disks[0].write(write(str(number), b"x", mode=0o644) for number in range(1, 100)))
    left = {str(nth)} if refused is PathBlocked else set()
    assert names(server) - left == set(answered)


@pytest.mark.parametrize("kind", [wire.OPEN, wire.WRITE, wire.FSETSTAT, wire.CLOSE])
def test_a_lost_reply_ends_in_the_idle_time_out(start_stub: StartStub, disks: list[SftpDisk], kind: int) -> None:
    server = start_stub(stub.lose(kind, 1))
    disks.append(SftpDisk(server.settings(idle_timeout=1), target="origin"))
    began = time.monotonic()
    with pytest.raises(TargetUnreachable, match="did not answer for 1 s") as caught:
        list(disks[0].write([write("f", mode=0o644)]))
    assert 0.9 < time.monotonic() - began < 30, "long before the usual 60 s"
    assert caught.value.target == "origin"


def test_a_server_that_falls_silent_is_given_up_and_the_next_call_connects_anew(
    start_stub: StartStub, disks: list[SftpDisk]
) -> None:
    server = start_stub(stub.hang(wire.WRITE, 3))
    disks.append(SftpDisk(server.settings(idle_timeout=1), target="origin"))
    with pytest.raises(TargetUnreachable):
        list(disks[0].write([write("film", CONTENT)]))
    assert [done.path for done in disks[0].write([write("other", CONTENT)])] == ["other"]
    assert len(server.logins) == 2


@pytest.mark.parametrize("how", [stub.cut, stub.cut_after])
@pytest.mark.parametrize("kind", [wire.OPEN, wire.WRITE, wire.CLOSE, wire.EXTENDED])
def test_a_cut_connection_is_unreachable_whatever_was_under_way(
    start_stub: StartStub, disks: list[SftpDisk], how: object, kind: int
) -> None:
    server = start_stub(how(kind, 2))  # type: ignore[operator]
    disks.append(SftpDisk(server.settings(), target="origin"))
    answered: list[str] = []
    with pytest.raises(TargetUnreachable):
        answered.extend(
            done.path for done in disks[0].write(write(str(number), CONTENT[:700_000], sync=True) for number in range(6))
        )
    assert all((server.root / name).read_bytes() == CONTENT[:700_000] for name in answered)
    again = [done.path for done in disks[0].write(write(f"again {number}") for number in range(6))]
    assert len(again) == 6


@pytest.mark.parametrize("kind", [wire.LSTAT, wire.REMOVE, wire.MKDIR, wire.OPENDIR, wire.READDIR, wire.READ])
def test_any_call_may_be_cut(start_stub: StartStub, disks: list[SftpDisk], kind: int) -> None:
    server = start_stub(stub.cut(kind))
    (server.root / "f").write_bytes(CONTENT)
    disk = SftpDisk(server.settings(), target="origin")
    disks.append(disk)
    attempts = {
        wire.LSTAT: lambda: disk.stat(["f"]),
        wire.REMOVE: lambda: disk.run([Call(Op.UNLINK, "g")]),
        wire.MKDIR: lambda: disk.run([Call(Op.MKDIR, "d", mode=0o755)]),
        wire.OPENDIR: lambda: disk.list(""),
        wire.READDIR: lambda: disk.list(""),
        wire.READ: lambda: disk.read("f"),
    }
    with pytest.raises(TargetUnreachable):
        attempts[kind]()  # type: ignore[no-untyped-call]
    assert "f" in disk.list("")


def test_bytes_that_change_on_their_way_to_the_disk_are_found_by_reading_back(
    start_stub: StartStub, disks: list[SftpDisk]
) -> None:
    server = start_stub(stub.corrupt(wire.WRITE, 7))
    disks.append(SftpDisk(server.settings(), target="origin"))
    with pytest.raises(CorruptTransfer, match=r"film.*not what was sent"):
        list(disks[0].write([write("film", CONTENT, read_back=True)]))
    assert names(server) == set()


@pytest.mark.parametrize("kind", [wire.WRITE, wire.CLOSE])
def test_a_server_that_pretends_is_found_by_reading_back(start_stub: StartStub, disks: list[SftpDisk], kind: int) -> None:
    server = start_stub(stub.pretend(kind, 1))
    disks.append(SftpDisk(server.settings(), target="origin"))
    if kind == wire.WRITE:
        with pytest.raises(CorruptTransfer):
            list(disks[0].write([write("f", read_back=True)]))
    else:
        assert len(list(disks[0].write([write("f", read_back=True)]))) == 1


def test_bytes_that_change_on_their_way_back_have_another_digest(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    server = start_stub(stub.corrupt_reply(wire.READ, 3))
    (server.root / "f").write_bytes(CONTENT)
    disks.append(SftpDisk(server.settings(), target="origin"))
    first, second = (next(iter(disks[0].digests(["f"]))) for _ in range(2))
    assert first != second == (len(CONTENT), hashlib.sha256(CONTENT).digest())


def test_short_reads_are_completed(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    def halve(kind: int, body: bytes) -> bytes:
        if kind != wire.DATA:
            return bytes([kind]) + body
        half = max(1, (len(body) - 4) // 2)
        return bytes([kind]) + struct.pack(">I", half) + body[4 : 4 + half]

    server = start_stub(stub.rebuild(wire.READ, halve, None))
    (server.root / "f").write_bytes(CONTENT[:1_000_000])
    disks.append(SftpDisk(server.settings(), target="origin"))
    assert disks[0].read("f") == CONTENT[:1_000_000]
    assert list(disks[0].digests(["f"])) == [(1_000_000, hashlib.sha256(CONTENT[:1_000_000]).digest())]


def test_replies_in_crumbs_are_put_together(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    server = start_stub(crumbs=3)
    disks.append(SftpDisk(server.settings(), target="origin"))
    assert len(list(disks[0].write(write(f"f{number}", mode=0o644) for number in range(20)))) == 20
    assert len(disks[0].list("")) == 20


GARBAGE = [
    stub.answer_with(wire.LSTAT, b"\xff" * 64),
    stub.answer_with(wire.LSTAT, b"\0\0\0\0" * 4),
    stub.answer_with(wire.LSTAT, b"\0\0\0\2eab"),
    stub.misnumber(wire.LSTAT),
    stub.rebuild(wire.LSTAT, lambda kind, body: bytes([kind]) + body[:7]),
    stub.rebuild(wire.LSTAT, lambda _, body: bytes([wire.HANDLE]) + body),
    stub.rebuild(wire.LSTAT, lambda _, __: bytes([wire.STATUS])),
    stub.rebuild(wire.LSTAT, lambda _, __: bytes([99])),
]


@pytest.mark.parametrize("fault", GARBAGE, ids=range(len(GARBAGE)))
def test_a_reply_that_makes_no_sense_ends_the_connection(start_stub: StartStub, disks: list[SftpDisk], fault: Fault) -> None:
    server = start_stub(fault)
    (server.root / "f").write_bytes(b"content")
    disk = SftpDisk(server.settings(idle_timeout=2), target="origin")
    disks.append(disk)
    with pytest.raises(TargetUnreachable, match="not SFTP"):
        disk.stat(["f"])
    server.faults.append(stub.rebuild(wire.READ, lambda kind, _: bytes([kind]) + struct.pack(">I", 0)))
    with pytest.raises(TargetUnreachable, match="0 bytes in reply"):
        disk.read("f")
    assert disk.read("f") == b"content"


def test_a_login_script_that_prints_is_said_so(start_stub: StartStub) -> None:
    server = start_stub(first_words=b"Welcome to the machine!\r\n")
    with pytest.raises(TargetUnreachable, match=r"login script.*Welcome"):
        SftpDisk(server.settings(), target="origin").list("")


def test_a_server_without_sftp_is_unfit(start_stub: StartStub) -> None:
    server = start_stub(offers_sftp=False)
    with pytest.raises(TargetUnfit, match="Subsystem sftp internal-sftp"):
        SftpDisk(server.settings(), target="origin").list("")


def test_a_server_that_cannot_rename_over_is_unfit_and_nothing_is_done(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    server = start_stub(hidden=[wire.POSIX_RENAME])
    disk = SftpDisk(server.settings(), target="origin")
    disks.append(disk)
    (server.root / "a").touch()
    with pytest.raises(TargetUnfit, match=r"posix-rename@openssh.com.*OpenSSH"):
        disk.run([Call(Op.UNLINK, "a"), Call(Op.RENAME, "a", "b")])
    assert names(server) == {"a"}
    assert disk.run([Call(Op.UNLINK, "a"), Call(Op.MKDIR, "d")]) == [Answer.OK] * 2
    findings = {what: works for what, works, _ in disk.probe("d")}
    assert findings["rename over a file"] is False


def test_a_server_that_cannot_sync_is_unfit_unless_durability_is_none(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    server = start_stub(hidden=[wire.FSYNC])
    durable, careless = (SftpDisk(server.settings(durability=level), target="origin") for level in ("commit", "none"))
    disks.extend([durable, careless])
    with pytest.raises(TargetUnfit, match=r'durability = "none" in \[targets.origin\]'):
        durable.run([Call(Op.MKDIR, "d"), Call(Op.SYNC, "f")])
    with pytest.raises(TargetUnfit):
        list(durable.write([write("f", sync=True)]))
    assert names(server) == set()
    assert careless.run([Call(Op.MKDIR, "d"), Call(Op.SYNC, "f")]) == [Answer.OK] * 2
    assert {what: works for what, works, _ in durable.probe("d")}["sync to the disk"] is False
    assert all(works for _, works, _ in careless.probe("d"))


def test_a_server_that_says_little_gets_small_requests(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    server = start_stub(hidden=[wire.LIMITS, wire.STATVFS])
    disk = SftpDisk(server.settings(), target="origin")
    disks.append(disk)
    list(disk.write([write("film", CONTENT)]))
    assert server.counts[wire.WRITE] == -(-len(CONTENT) // 32768)
    assert disk.space() is None
    assert disk.read("film") == CONTENT
    assert not all(works for what, works, _ in disk.probe("") if what == "free space is known")


def test_an_old_protocol_version_is_unfit(start_stub: StartStub) -> None:
    server = start_stub()
    server.protocol = 2
    with pytest.raises(TargetUnfit, match="version 2"):
        SftpDisk(server.settings(), target="origin").list("")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (wire.PERMISSION_DENIED, PermissionRefused),
        (wire.BAD_MESSAGE, PermanentTargetError),
        (wire.UNSUPPORTED, TargetUnfit),
        (wire.CONNECTION_LOST, TargetUnreachable),
        (wire.NO_SUCH_FILE, FileNotFoundError),
        (wire.OK, TransientTargetError),
        (99, TransientTargetError),
    ],
)
@pytest.mark.parametrize("kind", [wire.LSTAT, wire.OPEN, wire.OPENDIR])
def test_each_refusal_has_its_error(
    start_stub: StartStub, disks: list[SftpDisk], kind: int, code: int, error: type[Exception]
) -> None:
    server = start_stub(stub.refuse(kind, None, code))
    (server.root / "f").write_bytes(b"content")
    disk = SftpDisk(server.settings(), target="origin")
    disks.append(disk)
    attempts = {
        wire.OPENDIR: lambda: disk.list(""),
        wire.LSTAT: lambda: disk.read("f") if error is FileNotFoundError else disk.stat(["f"]),
        wire.OPEN: lambda: list(disk.write([write("new")])),
    }
    with pytest.raises(error):
        attempts[kind]()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(("code", "error"), [(wire.NO_CONNECTION, TargetUnreachable), (wire.UNSUPPORTED, TargetUnfit)])
def test_a_call_that_concerns_the_whole_server_is_raised(
    start_stub: StartStub, disks: list[SftpDisk], code: int, error: type[Exception]
) -> None:
    server = start_stub(stub.refuse(wire.REMOVE, 1, code))
    disks.append(SftpDisk(server.settings(), target="origin"))
    with pytest.raises(error):
        disks[0].run([Call(Op.UNLINK, "f")])


@pytest.mark.parametrize("fault", [stub.refuse(wire.EXTENDED, 2), stub.fail_late(wire.CLOSE, 1)], ids=["fsync", "close"])
def test_a_failed_sync_is_never_an_answer(start_stub: StartStub, disks: list[SftpDisk], fault: Fault) -> None:
    server = start_stub(fault)
    (server.root / "f").touch()
    disks.append(SftpDisk(server.settings(), target="origin"))
    with pytest.raises(TransientTargetError, match="sync"):
        disks[0].run([Call(Op.SYNC, "f")])


def test_a_mode_that_cannot_be_set_is_raised(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    server = start_stub(stub.refuse(wire.SETSTAT, 1, wire.PERMISSION_DENIED))
    disks.append(SftpDisk(server.settings(), target="origin"))
    with pytest.raises(PermissionRefused, match="set the mode of"):
        disks[0].run([Call(Op.MKDIR, "d", mode=0o777)])


@pytest.mark.parametrize("kind", [wire.READ, wire.READDIR])
def test_a_failed_read_is_raised(start_stub: StartStub, disks: list[SftpDisk], kind: int) -> None:
    server = start_stub(stub.refuse(kind, 2))
    (server.root / "f").write_bytes(CONTENT)
    disk = SftpDisk(server.settings(), target="origin")
    disks.append(disk)
    with pytest.raises(TransientTargetError):
        disk.read("f") if kind == wire.READ else disk.list("")
    assert disk.list("").keys() == {"f"}


def test_a_server_that_may_reorder_gets_dependent_calls_one_by_one(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    # The stub calls itself paramiko, not OpenSSH: so at no time may a second call be under way.
    server = start_stub(stub.rebuild(wire.REMOVE, lambda kind, body: bytes([kind]) + body, None))
    disks.append(SftpDisk(server.settings(), target="origin"))
    (server.root / "0").touch()
    calls = [Call(Op.RENAME, str(number), str(number + 1)) for number in range(30)]
    assert set(disks[0].run(calls)) == {Answer.OK}
    assert server.most_under_way == 1
    answers, seen = disks[0].look(Looks(stats=("30", "31")), [Call(Op.RENAME, "30", "31")])
    assert (list(answers), [entry is None for entry in seen.stats]) == ([Answer.OK], [True, False])
    assert server.most_under_way == 1


def test_each_error_is_ours_and_names_the_target(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    for kind in (wire.OPEN, wire.WRITE, wire.CLOSE):
        server = start_stub(stub.refuse(kind))
        disks.append(SftpDisk(server.settings(), target="origin"))
        with pytest.raises(TargetError) as caught:
            list(disks[-1].write([write("f")]))
        assert caught.value.target == "origin"
        assert "gives no reason" in str(caught.value)


def test_what_was_opened_for_nobody_is_closed_and_removed(start_stub: StartStub, disks: list[SftpDisk]) -> None:
    server = start_stub()
    disks.append(SftpDisk(server.settings(), target="origin"))

    def writes() -> Iterator[Write]:
        yield from (write(str(number)) for number in range(IN_STEP + 10))
        raise LookupError

    with pytest.raises(LookupError):
        list(disks[0].write(writes()))
    assert names(server) == set()
    # One CLOSE for each handle, and no more: a server uses the numbers of handles again.
    assert server.counts[wire.OPEN] == server.counts[wire.CLOSE] == IN_STEP
