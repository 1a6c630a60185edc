"""Packets of SFTP version 3, against bytes written down from the protocol's draft, and against nonsense."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.sftp import fields, framing, wire

U32 = st.integers(0, 2**32 - 1)


def string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


HANDLE = string(b"h")
"""As a server gives it."""


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (wire.open_for_reading(b"/a"), b"\3" + string(b"/a") + b"\0\0\0\1\0\0\0\0"),
        (wire.create(b"a", None), b"\3" + string(b"a") + b"\0\0\0\x2a\0\0\0\0"),
        (wire.create(b"a", 0o644), b"\3" + string(b"a") + b"\0\0\0\x2a\0\0\0\4\0\0\1\xa4"),
        (wire.close(HANDLE), b"\4" + string(b"h")),
        (wire.read(HANDLE, 2**40, 7), b"\5" + string(b"h") + b"\0\0\1\0\0\0\0\0\0\0\0\7"),
        (wire.write(HANDLE, 1, b"xyz"), b"\6" + string(b"h") + b"\0\0\0\0\0\0\0\1" + string(b"xyz")),
        (wire.lstat(b"p"), b"\7" + string(b"p")),
        (wire.set_mode(b"p", 0o755), b"\x09" + string(b"p") + b"\0\0\0\4\0\0\1\xed"),
        (wire.set_attributes(HANDLE, 0o600, 5), b"\x0a" + string(b"h") + b"\0\0\0\x0c\0\0\1\x80\0\0\0\5\0\0\0\5"),
        (wire.set_attributes(HANDLE, None, -1), b"\x0a" + string(b"h") + b"\0\0\0\x08" + b"\0" * 8),
        (wire.set_attributes(HANDLE, None, 2**40), b"\x0a" + string(b"h") + b"\0\0\0\x08" + b"\xff" * 8),
        (wire.open_folder(b"p"), b"\x0b" + string(b"p")),
        (wire.read_folder(HANDLE), b"\x0c" + string(b"h")),
        (wire.remove(b"p"), b"\x0d" + string(b"p")),
        (wire.make_folder(b"p", None), b"\x0e" + string(b"p") + b"\0\0\0\0"),
        (wire.remove_folder(b"p"), b"\x0f" + string(b"p")),
        (wire.rename_over(b"a", b"b"), b"\xc8" + string(b"posix-rename@openssh.com") + string(b"a") + string(b"b")),
        (wire.sync(HANDLE), b"\xc8" + string(b"fsync@openssh.com") + string(b"h")),
        (wire.file_system(b"p"), b"\xc8" + string(b"statvfs@openssh.com") + string(b"p")),
        (wire.limits(), b"\xc8" + string(b"limits@openssh.com")),
    ],
)
def test_requests_are_what_the_draft_says(request_: wire.Request, expected: bytes) -> None:
    kind, body = request_
    packet = framing.head(kind, len(body), 0x01020304) + body
    assert packet == struct.pack(">I", len(expected) + 4) + expected[:1] + b"\1\2\3\4" + expected[1:]


def test_the_session_begins_with_version_3() -> None:
    assert wire.hello() == b"\0\0\0\5\1\0\0\0\3"
    said = b"".join(map(string, (b"posix-rename@openssh.com", b"1", b"odd", b"\xff")))
    assert wire.version(3, framing.Reply(2, said)) == (3, {"posix-rename@openssh.com": "1", "odd": "\ufffd"})
    assert wire.version(3, framing.Reply(2, b"")) == (3, {})
    with pytest.raises(fields.Garbled):
        wire.version(3, framing.Reply(101, said))
    with pytest.raises(fields.Garbled):
        wire.version(3, framing.Reply(2, said[:-1]))


def test_attributes_of_every_kind_are_read() -> None:
    everything = struct.pack(">IQIIIII", 0x8000000F, 2**33, 1, 2, 0o100644, 3, 4) + b"\0\0\0\1" + string(b"acl") + string(b"x")
    assert wire.attributes(framing.Reply(wire.ATTRS, everything)) == fields.Attributes(2**33, 0o100644, 4, owner=1)
    assert wire.attributes(framing.Reply(wire.ATTRS, b"\0\0\0\0")) == fields.Attributes()


def test_names_are_read_without_their_long_form() -> None:
    body = (
        b"\0\0\0\2"
        + string(b"a")
        + string(b"-rw a")
        + b"\0\0\0\0"
        + string(b"\xff")
        + string(b"")
        + b"\0\0\0\1"
        + b"\0" * 7
        + b"\5"
    )
    assert wire.names(framing.Reply(wire.NAME, body)) == {b"a": fields.Attributes(), b"\xff": fields.Attributes(5)}


def test_a_status_has_its_words_if_the_server_has() -> None:
    assert wire.status(framing.Reply(wire.STATUS, b"\0\0\0\4" + string(b"why") + string(b"en"))) == (4, "why")
    assert wire.status(framing.Reply(wire.STATUS, b"\0\0\0\4")) == (4, "")


@pytest.mark.parametrize("read", [wire.handle, wire.chunk, wire.attributes, wire.names, wire.limits_of, wire.file_system_of])
def test_any_question_may_be_answered_by_a_status_but_by_nothing_else(read: object) -> None:
    assert read(framing.Reply(wire.STATUS, b"\0\0\0\3")) == (3, "")  # type: ignore[operator]
    with pytest.raises(fields.Garbled):
        read(framing.Reply(250, b"\0\0\0\3"))  # type: ignore[operator]


def test_limits_and_room_are_read() -> None:
    assert wire.limits_of(framing.Reply(201, struct.pack(">4Q", 1, 2, 3, 4))) == (1, 2, 3, 4)
    room = struct.pack(">11Q", 4096, 512, 0, 0, 10, 100, 0, 7, 0, 1, 255)
    assert wire.file_system_of(framing.Reply(201, room)) == (5120, 7, True)
    without_inodes = struct.pack(">11Q", 4096, 512, 0, 0, 10, 0, 0, 0, 0, 0, 255)
    assert wire.file_system_of(framing.Reply(201, without_inodes)) == (5120, 2**63 - 1, False)


BODIES = st.binary(max_size=300) | st.sampled_from([b"\0\0\0\0", struct.pack(">II", 0, 7) + b"Success" + bytes(4)])
"""Few lengths, so that many follow each other that are alike."""


@given(st.lists(st.tuples(st.sampled_from([3, wire.STATUS, wire.HANDLE]), U32, BODIES), max_size=100), st.data())
def test_packets_come_whole_however_they_are_cut(sent: list[tuple[int, int, bytes]], data: st.DataObject) -> None:
    stream = b"".join(framing.head(kind, len(body), number) + body for kind, number, body in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    received: list[tuple[int, framing.Reply]] = []
    held = bytearray()
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        held += stream[start:end]
        received += framing.replies(held)
    assert received == [(number, (kind, body)) for kind, number, body in sent]
    assert held == b""


@pytest.mark.parametrize("start", [b"\0\0\0\0\1", b"\0\0\0\4\x65\0\0\0", b"\xff\xff\xff\xff\1", b"Welcome!"])
def test_a_length_that_cannot_be_is_garbled(start: bytes) -> None:
    with pytest.raises(fields.Garbled):
        framing.replies(bytearray(start))


@given(st.sampled_from([101, 102, 103, 104, 105, 201]), st.binary(max_size=200))
def test_any_body_is_read_or_garbled(kind: int, body: bytes) -> None:
    for read in (wire.handle, wire.chunk, wire.attributes, wire.names, wire.limits_of, wire.file_system_of, wire.status):
        with contextlib.suppress(fields.Garbled):
            read(framing.Reply(kind, body))
