"""What a hostile SFTP server may answer, packet by packet: each ends in an error of ours, soon, and holds little memory."""

import hashlib
import io
import itertools
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from config import SftpTarget
from support.sftp_pipe import plain_settings
from targets.disk import Answer, Call, Op, Write
from targets.errors import CorruptTransfer, PermanentTargetError, TargetError, TargetUnfit, TargetUnreachable
from targets.sftp import SftpDisk, calls, download, framing, wire
from targets.sftp.session import Session

REGULAR = 0o100644
HELLO = b"\0\0\0\5\2\0\0\0\3"
MODERN = (wire.POSIX_RENAME, wire.FSYNC, wire.HARDLINK)


def text(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def packet(kind: int, number: int, body: bytes) -> bytes:
    return struct.pack(">IBI", len(body) + 5, kind, number) + body


def status(code: int, said: bytes = b"") -> tuple[int, bytes]:
    return wire.STATUS, struct.pack(">I", code) + text(said) + text(b"")


def attributes(size: int = 7, mode: int = REGULAR) -> bytes:
    return struct.pack(">IQI", 0x05, size, mode)


def names(*found: bytes) -> tuple[int, bytes]:
    return wire.NAME, struct.pack(">I", len(found)) + b"".join(text(name) + text(b"") + attributes() for name in found)


Answers = dict[int, Callable[[bytes], tuple[int, bytes]]]
"""For a type of request, what is answered to its body: a type and a body. Of others: a regular file, a handle, OK."""
USUAL: Answers = {
    wire.LSTAT: lambda _: (wire.ATTRS, attributes()),
    wire.OPEN: lambda _: (wire.HANDLE, text(b"h")),
    wire.OPENDIR: lambda _: (wire.HANDLE, text(b"h")),
    wire.READ: lambda _: status(wire.EOF),
    wire.READDIR: lambda _: status(wire.EOF),
}


class Hostile:
    """Implements the session's `Pipe` and the disk's `Link`. `garble`: from a whole reply to the bytes that are sent."""

    place, server, alive = "there", "SSH-2.0-OpenSSH_9", True

    def __init__(
        self, answers: Answers | None = None, garble: Callable[[bytes], bytes] = bytes, crumb: int = 65536, hello: bytes = b""
    ) -> None:
        self._answers, self._garble, self._crumb = USUAL | (answers or {}), garble, crumb
        self._hello = hello or packet(wire.VERSION_REPLY, 3, b"".join(text(name.encode()) + text(b"1") for name in MODERN))
        self._in, self._out = bytearray(), bytearray()
        self.asked = 0

    def channel(self) -> "Hostile":
        return self

    def program(self, command: str) -> Any:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def gather(self, many: bool, /) -> None:
        """Each reply is looked at as it comes."""

    def send(self, data: bytes, /) -> int:
        self._in += data
        for number, request in framing.replies(self._in):
            self.asked += 1
            if request.kind == wire.INIT:
                self._out += self._hello
                continue
            answer = self._answers.get(request.kind)
            said, body = answer(request.body) if answer else status(wire.OK)
            self._out += self._garble(packet(said, number, body))
        return len(data)

    def recv(self, count: int, /) -> bytes:
        if not self._out:
            raise TimeoutError
        given = bytes(self._out[: min(count, self._crumb)])
        del self._out[: len(given)]
        return given

    def recv_ready(self) -> bool:
        return bool(self._out)

    def recv_stderr_ready(self) -> bool:
        return False

    def fileno(self) -> int:
        raise NotImplementedError

    def recv_stderr(self, count: int, /) -> bytes:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held."""


def disk(hostile: Hostile) -> SftpDisk:
    def connecting(settings: SftpTarget, **_: object) -> Hostile:
        return hostile

    return SftpDisk(plain_settings(Path("/site")), target="origin", connecting=connecting)


def upload(to: SftpDisk, *, read_back: bool = False, content: bytes = b"content") -> list[Write]:
    digest = hashlib.sha256(content).digest()
    return list(to.write([Write("f", lambda: io.BytesIO(content), len(content), digest, read_back=read_back)]))


GARBLES: dict[str, Callable[[bytes], bytes]] = {
    "a length of 4 GiB": lambda reply: b"\xff\xff\xff\xff" + reply[4:],
    "a length just over the limit": lambda reply: struct.pack(">I", framing.LARGEST_PACKET + 1) + reply[4:],
    "a length of nothing": lambda reply: b"\0\0\0\0" + reply[4:],
    "a length without an id": lambda reply: b"\0\0\0\1" + reply[4:],
    "a length shorter than its content": lambda reply: struct.pack(">I", len(reply) - 6) + reply[4:],
    "a length longer than its content": lambda reply: struct.pack(">I", len(reply)) + reply[4:],
    "an unknown type": lambda reply: reply[:4] + b"\x63" + reply[5:],
    "a request instead of a reply": lambda reply: reply[:4] + bytes([wire.OPEN]) + reply[5:],
    "an id that nobody asked for": lambda reply: reply[:5] + b"\x7f\xff\xff\xff" + reply[9:],
    "the same reply twice": lambda reply: reply * 2,
    "a reply before it was asked for": lambda reply: packet(*status(0)[:1], 99, status(0)[1]) + reply,
    "no content": lambda reply: b"\0\0\0\5" + reply[4:9],
    "a flood in its text": lambda reply: packet(wire.STATUS, int.from_bytes(reply[5:9], "big"), status(0, bytes(900_000))[1]),
    "nothing at all": lambda _: b"",
}


@pytest.mark.parametrize("garble", GARBLES.values(), ids=GARBLES)
def test_a_packet_that_makes_no_sense_ends_the_connection(garble: Callable[[bytes], bytes]) -> None:
    for attempt in (
        lambda to: to.stat(["f", "g"]),
        lambda to: to.list(""),
        lambda to: to.read("f"),
        lambda to: to.run([Call(Op.RENAME, "a", "b")]),
        upload,
    ):
        with pytest.raises(TargetUnreachable, match=r"^origin: there "):
            attempt(disk(Hostile(garble=garble)))


WRONG: dict[str, tuple[Answers, Callable[[SftpDisk], object]]] = {
    "OK for an OPEN": ({wire.OPEN: lambda _: status(wire.OK)}, upload),
    "OK for an OPENDIR": ({wire.OPENDIR: lambda _: status(wire.OK)}, lambda to: to.list("")),
    "OK for an LSTAT": ({wire.LSTAT: lambda _: status(wire.OK)}, lambda to: to.stat(["f"])),
    "OK for a READ": ({wire.READ: lambda _: status(wire.OK)}, lambda to: to.read("f")),
    "OK for a READDIR": ({wire.READDIR: lambda _: status(wire.OK)}, lambda to: to.list("")),
    "a handle for a WRITE": ({wire.WRITE: lambda _: (wire.HANDLE, text(b"h"))}, upload),
    "a handle for a CLOSE": ({wire.CLOSE: lambda _: (wire.HANDLE, text(b"h"))}, upload),
    "attributes for an OPEN": ({wire.OPEN: lambda _: (wire.ATTRS, attributes())}, upload),
    "a handle for a rename": (
        {wire.EXTENDED: lambda _: (wire.HANDLE, text(b"h"))},
        lambda to: to.run([Call(Op.RENAME, "a", "b")]),
    ),
    "EOF for a WRITE": ({wire.WRITE: lambda _: status(wire.EOF)}, upload),
    "a handle of 10,000 bytes": ({wire.OPEN: lambda _: (wire.HANDLE, text(bytes(10_000)))}, upload),
    "a handle of 300 bytes": ({wire.OPENDIR: lambda _: (wire.HANDLE, text(bytes(300)))}, lambda to: to.list("")),
    "more bytes than asked for": ({wire.READ: lambda _: (wire.DATA, text(bytes(40_000)))}, lambda to: to.read("f")),
    "no bytes for ever": ({wire.READ: lambda _: (wire.DATA, text(b""))}, lambda to: to.read("f")),
    "a name with a folder": ({wire.READDIR: lambda _: names(b"a/b")}, lambda to: to.list("")),
    "a name that leads out": ({wire.READDIR: lambda _: names(b"../../etc/passwd")}, lambda to: to.list("")),
    "a name with a NUL": ({wire.READDIR: lambda _: names(b"a\0b")}, lambda to: to.list("")),
    "no name": ({wire.READDIR: lambda _: names(b"")}, lambda to: to.list("")),
    "a million names announced": (
        {wire.READDIR: lambda _: (wire.NAME, struct.pack(">I", 1_000_000) + names(b"a")[1][4:])},
        lambda to: to.list(""),
    ),
    "extensions of attributes without end": (
        {wire.LSTAT: lambda _: (wire.ATTRS, struct.pack(">II", 0x80000000, 2**32 - 1))},
        lambda to: to.stat(["f"]),
    ),
    "a link that leads to two places": ({wire.READLINK: lambda _: names(b"a", b"b")}, lambda to: to.lead("f")),
    "a link of 60,000 bytes": ({wire.READLINK: lambda _: names(bytes(60_000))}, lambda to: to.lead("f")),
}


@pytest.mark.parametrize(("answers", "attempt"), WRONG.values(), ids=WRONG)
def test_a_reply_of_the_wrong_kind_is_never_a_success(answers: Answers, attempt: Callable[[SftpDisk], object]) -> None:
    with pytest.raises(TargetError) as caught:
        attempt(disk(Hostile(answers)))
    assert caught.value.target == "origin"


def _always(reply: tuple[int, bytes], _: bytes) -> tuple[int, bytes]:
    return reply


@pytest.mark.parametrize("size", [0, 999, 1000, 1001, 32 * 1024, 100_000])
def test_no_request_has_more_bytes_than_the_server_says_that_it_takes(size: int) -> None:
    sent = list[bytes]()

    def taken(body: bytes) -> tuple[int, bytes]:
        sent.append(body[struct.calcsize(">I1sQI") :])
        return status(wire.OK)

    hello = packet(wire.VERSION_REPLY, 3, text(wire.LIMITS.encode()) + text(b"1"))
    limits = wire.EXTENDED_REPLY, struct.pack(">4Q", 2000, 1000, 1000, 0)
    upload(disk(Hostile({wire.EXTENDED: lambda _: limits, wire.WRITE: taken}, hello=hello)), content=bytes(size))
    assert b"".join(sent) == bytes(size)
    assert max(map(len, sent), default=0) <= 1000


@pytest.mark.parametrize("handles", [0, 10, 20, 64, 1000])
@pytest.mark.parametrize("size", [100, 100_000])
def test_no_more_files_are_open_than_the_server_has_handles_for(handles: int, size: int) -> None:
    count = [0, 0]

    def counted(by: int, reply: tuple[int, bytes], _: bytes) -> tuple[int, bytes]:
        count[0] += by
        count[1] = max(count)
        return reply

    hello = packet(wire.VERSION_REPLY, 3, text(wire.LIMITS.encode()) + text(b"1"))
    limits = wire.EXTENDED_REPLY, struct.pack(">4Q", 0, 0, 0, handles)
    answers: Answers = {
        wire.EXTENDED: partial(_always, limits),
        wire.OPEN: partial(counted, 1, (wire.HANDLE, text(b"h"))),
        wire.CLOSE: partial(counted, -1, status(wire.OK)),
    }
    content = bytes(size)
    digest = hashlib.sha256(content).digest()
    writes = (Write(str(number), lambda: io.BytesIO(content), size, digest) for number in range(600))
    assert len(list(disk(Hostile(answers, hello=hello)).write(writes))) == 600
    assert count[0] == 0
    assert count[1] <= (handles or 64)


def test_a_list_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_MOST_NAMES", 1000)
    for reply in (names(), names(b"same"), names(*(str(number).encode() for number in range(100)))):
        hostile = Hostile({wire.READDIR: partial(_always, reply)})
        with pytest.raises(PermanentTargetError, match=r"origin: could not list '/site' on there: it has more than 1000 names"):
            disk(hostile).list("")
        assert hostile.asked < 1100


def test_a_file_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_GROWTH", 1_000_000)

    def endless(body: bytes) -> tuple[int, bytes]:
        return wire.DATA, text(bytes(int.from_bytes(body[-4:], "big")))

    hostile = disk(Hostile({wire.READ: endless}))
    for attempt in (lambda: hostile.read("f"), lambda: list(hostile.digests(["f"])), lambda: upload(hostile, read_back=True)):
        with pytest.raises(TargetError, match="does not end"):
            attempt()


def test_a_document_that_is_no_document_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("targets.sftp.disk.LARGEST_DOCUMENT", 100_000)

    def asked(body: bytes) -> tuple[int, bytes]:
        return wire.DATA, text(bytes(int.from_bytes(body[-4:], "big")))

    huge = Hostile({wire.READ: asked, wire.LSTAT: lambda _: (wire.ATTRS, attributes(2**62))})
    with pytest.raises(PermanentTargetError, match=r"origin: f has more than 100000 bytes"):
        disk(huge).read("f")


@pytest.mark.parametrize("size", [0, 2**63, 2**64 - 1])
def test_a_size_that_is_not_true_is_no_length(size: int) -> None:
    hostile = disk(Hostile({wire.LSTAT: lambda _: (wire.ATTRS, attributes(size))}))
    assert hostile.read("f") == b""
    [entry] = hostile.stat(["f"])
    assert entry
    assert entry.size == size
    with pytest.raises(CorruptTransfer):
        upload(hostile, read_back=True)


def test_names_that_are_not_text_stay_the_bytes_that_they_are() -> None:
    replies = itertools.chain([names(b".", b"..", b"\xff\xfe")], itertools.repeat(status(wire.EOF)))
    assert list(disk(Hostile({wire.READDIR: lambda _: next(replies)})).list("")) == ["\udcff\udcfe"]


@pytest.mark.parametrize(("code", "kind"), [(wire.UNSUPPORTED, TargetUnfit), (wire.CONNECTION_LOST, TargetUnreachable)])
def test_an_extension_that_is_announced_and_refused_is_no_rename(code: int, kind: type[TargetError]) -> None:
    liar = Hostile({wire.EXTENDED: lambda _: status(code)})
    with pytest.raises(kind):
        disk(liar).run([Call(Op.RENAME, "a", "b")])
    assert disk(Hostile({wire.EXTENDED: lambda _: status(wire.FAILURE)})).run([Call(Op.RENAME, "a", "b")]) == [Answer.REFUSED]
    with pytest.raises(TargetError):
        disk(Hostile({wire.EXTENDED: lambda _: status(code)})).run([Call(Op.SYNC, "f")])


HELLOS = {
    "a flood": b"\0\x0f\xff\xff\2" + bytes(10),
    "extensions that end early": b"\0\0\0\x0d\2\0\0\0\3\0\0\xff\xff",
    "another type": b"\0\0\0\5\x65\0\0\0\3",
    "an HTTP server": b"HTTP/1.1 400 Bad Request\r\n",
    "nothing": b"\0",
}


@pytest.mark.parametrize("hello", HELLOS.values(), ids=HELLOS)
def test_a_beginning_that_makes_no_sense_is_no_server(hello: bytes) -> None:
    with pytest.raises(TargetUnreachable):
        disk(Hostile(hello=hello)).list("")


@pytest.mark.parametrize("garble", [bytes, lambda reply: b"\0\0\xff\xff" + reply[4:] + bytes(9000)], ids=["whole", "endless"])
def test_a_reply_that_drips_is_given_up_after_the_time_of_one_silence(garble: Callable[[bytes], bytes]) -> None:
    """Each byte would begin the idle time-out anew."""
    now = itertools.count(0, 0.5)
    spoken: Any = Hostile(garble=garble, crumb=1, hello=HELLO)
    session = Session(spoken, "there", in_order=True, idle=6, clock=lambda: next(now))
    with pytest.raises(TargetUnreachable, match=r"there sent \d+ bytes of a reply in 6 s, and no more"):
        session.wait(session.send(wire.lstat(b"f")))


def test_a_drip_of_whole_replies_is_waited_for() -> None:
    now = itertools.count(0, 0.5)
    spoken: Any = Hostile(crumb=20, hello=HELLO)
    session = Session(spoken, "there", in_order=True, idle=6, clock=lambda: next(now))
    for _ in range(30):
        ticket = session.send(wire.remove(b"f"))
        session.wait(ticket)
        assert wire.status(ticket.reply).code == wire.OK
