"""SSH packets under AES-GCM: the same bytes as paramiko's, read together what belongs together, and nothing that was changed."""

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import paramiko
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from paramiko.packet import Packetizer

from targets.sftp.bounds import Watched
from targets.sftp.packets import GcmPackets, send_together

KEY, NONCE = bytes(range(32)), b"\1\2\3\4" + b"\0" * 6 + b"\xff\xff"
ADJUST, DATA, EOF, KEXINIT = 93, 94, 96, 20


def keyed(packets: Packetizer, nonce: bytes = NONCE) -> Packetizer:
    same: dict[str, Any] = {"block_engine": AESGCM(KEY), "block_size": 16, "mac_engine": None, "mac_size": 16, "mac_key": None}
    packets.set_outbound_cipher(**same, aead=True, iv_out=nonce)
    packets.set_inbound_cipher(**same, aead=True, iv_in=nonce)
    return packets


@pytest.fixture
def pair() -> Iterator[tuple[GcmPackets, Packetizer, socket.socket]]:
    """Ours, paramiko's own at the other end, and that end's socket."""
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(10)
        far.settimeout(10)
        ours = GcmPackets(Watched(near, 10))
        keyed(ours)
        yield ours, keyed(Packetizer(far)), far


def data(channel: int, content: bytes) -> paramiko.Message:
    return paramiko.Message(struct.pack(">BII", DATA, channel, len(content)) + content)


def read(packets: Packetizer) -> tuple[int, bytes]:
    kind, message = packets.read_message()
    return kind, message.asbytes()


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5))
def test_paramiko_reads_what_is_sent(contents: list[bytes]) -> None:
    near, far = socket.socketpair()
    with near, far:
        ours, theirs = GcmPackets(Watched(near, 10)), keyed(Packetizer(far))
        keyed(ours)
        for content in contents:
            ours.send_message(paramiko.Message(bytes([DATA]) + content))
        assert [read(theirs) for _ in contents] == [(DATA, content) for content in contents]


class Room:
    """A channel whose server has room for so many bytes, and takes 100 of them in a packet."""

    def __init__(self, packets: Packetizer, room: int) -> None:
        self.lock, self.closed, self.remote_chanid, self.out_window_size = threading.Lock(), False, 7, room
        self.transport, self._send_user_message = self, packets.send_message
        self.waits = 0

    def _wait_for_send_window(self, size: int) -> int:
        assert self.lock.locked()
        self.waits += 1
        taken = min(size, self.out_window_size, 100)
        self.out_window_size -= taken
        return taken


@pytest.mark.parametrize("plainly", [False, True])
def test_many_packets_are_sent_together_as_far_as_there_is_room(plainly: bool) -> None:
    near, far = socket.socketpair()
    with near, far:
        ours, theirs = GcmPackets(Watched(near, 10)), Packetizer(far)
        if not plainly:
            keyed(ours)
            keyed(theirs)
        content = os.urandom(1000)
        room: Any = Room(ours, 250)
        assert send_together(room, content) == 250
        assert room.waits == 3, "nothing is waited for once something can go"
        parts = (content[:100], content[100:200], content[200:250])
        assert [read(theirs) for _ in parts] == [(DATA, struct.pack(">II", 7, len(part)) + part) for part in parts]
        assert send_together(room, content) == 0
        room.closed = True
        with pytest.raises(OSError, match="closed"):
            send_together(room, content)


def test_padding_is_never_the_same_twice(pair: Any) -> None:
    ours, theirs, _ = pair
    for number in range(500):
        ours.send_message(data(1, bytes(number)))
        assert read(theirs) == (DATA, struct.pack(">II", 1, number) + bytes(number))
    near, far = socket.socketpair()
    with near, far:
        sender = keyed(GcmPackets(Watched(near, 10)))
        seen = set()
        for _ in range(200):
            # The same nonce each time, so that packets differ by their padding alone.
            keyed(sender)
            sender.send_message(data(1, b"same"))
            seen.add(far.recv(4096))
        assert len(seen) == 200


def test_what_has_arrived_for_one_channel_is_read_as_one_and_the_rest_in_order(pair: Any) -> None:
    ours, theirs, _ = pair
    for message in (data(1, b"a" * 100), data(1, b""), data(1, b"b"), data(2, b"c"), paramiko.Message(bytes([EOF, 0, 0, 0, 1]))):
        theirs.send_message(message)
    theirs.send_message(data(1, b"d"))
    assert read(ours) == (DATA, struct.pack(">II", 1, 101) + b"a" * 100 + b"b")
    assert read(ours) == (DATA, struct.pack(">II", 2, 1) + b"c")
    assert read(ours) == (EOF, b"\0\0\0\1")
    assert read(ours) == (DATA, struct.pack(">II", 1, 1) + b"d")


def test_room_that_is_granted_meanwhile_keeps_no_bytes_apart(pair: Any) -> None:
    ours, theirs, _ = pair
    room = [paramiko.Message(struct.pack(">BII", ADJUST, 1, size)) for size in (5, 6)]
    for message in (data(1, b"a"), room[0], data(1, b"b"), room[1], data(2, b"c"), data(1, b"d")):
        theirs.send_message(message)
    assert read(ours) == (DATA, struct.pack(">II", 1, 2) + b"ab")
    assert [read(ours), read(ours)] == [(ADJUST, struct.pack(">II", 1, size)) for size in (5, 6)]
    assert read(ours) == (DATA, struct.pack(">II", 2, 1) + b"c")
    assert read(ours) == (DATA, struct.pack(">II", 1, 1) + b"d")


def test_what_comes_after_a_change_of_keys_is_opened_with_the_new_one(pair: Any) -> None:
    ours, theirs, _ = pair
    theirs.send_message(data(1, b"old"))
    theirs.send_message(paramiko.Message(bytes([KEXINIT])))
    keyed(theirs, b"\5" * 12)
    theirs.send_message(data(1, b"new"))
    assert read(ours) == (DATA, struct.pack(">II", 1, 3) + b"old")
    assert read(ours) == (KEXINIT, b"")
    keyed(ours, b"\5" * 12)
    assert read(ours) == (DATA, struct.pack(">II", 1, 3) + b"new")


@pytest.mark.parametrize("at", [5, 30, -1])
def test_a_packet_that_was_changed_on_its_way_is_refused(pair: Any, at: int) -> None:
    ours, _, far = pair
    taken, given_ = socket.socketpair()
    with taken, given_:
        sender = keyed(Packetizer(given_))
        sender.send_message(data(1, b"x" * 20))
        packet = bytearray(taken.recv(4096))
    packet[at] ^= 1
    far.sendall(packet)
    with pytest.raises(InvalidTag):
        ours.read_message()


@pytest.mark.parametrize("length", [0, 15, 17, 2**20, 2**32 - 16])
def test_a_length_that_no_packet_has_is_refused_before_it_is_waited_for(pair: Any, length: int) -> None:
    ours, _, far = pair
    far.sendall(struct.pack(">I", length) + b"xyz")
    with pytest.raises(paramiko.SSHException, match="SSH has none as long"):
        ours.read_message()


def test_a_message_shorter_than_it_says_is_refused(pair: Any) -> None:
    ours, theirs, _ = pair
    theirs.send_message(paramiko.Message(struct.pack(">BII", DATA, 1, 5) + b"four"))
    with pytest.raises(paramiko.SSHException, match="not as long as it says"):
        ours.read_message()


def test_the_end_of_the_connection_is_an_end(pair: Any) -> None:
    ours, theirs, far = pair
    theirs.send_message(data(1, b"last"))
    far.sendall(os.urandom(3))
    far.close()
    assert read(ours) == (DATA, struct.pack(">II", 1, 4) + b"last")
    with pytest.raises(EOFError):
        ours.read_message()


def test_another_key_is_asked_for_in_time_and_who_gives_none_is_left(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs, _ = pair
    monkeypatch.setattr(GcmPackets, "REKEY_BYTES", 100)
    monkeypatch.setattr(GcmPackets, "REKEY_BYTES_OVERFLOW_MAX", 100)
    theirs.send_message(data(1, b"x" * 20))
    ours.read_message()
    assert not ours.need_rekey()
    theirs.send_message(data(1, b"x" * 50))
    ours.read_message()
    assert ours.need_rekey()
    theirs.send_message(data(1, b"x" * 50))
    with pytest.raises(paramiko.SSHException, match="does not agree to a new key"):
        ours.read_message()


def test_what_many_replies_are_awaited_of_is_left_to_gather_unless_much_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"first")
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            far.sendall(b"second" + bytes(100_000))

        monkeypatch.setattr(time, "sleep", pause)
        near.settimeout(10)
        watched = Watched(near, 10)
        assert watched.recv(5) == b"first"
        assert not pauses, "few are awaited, and the first of them is wanted at once"
        watched.gathering = True
        assert watched.recv(6) == b"second"
        assert len(pauses) == 1
        assert len(watched.read_ahead()) > 32 * 1024
        far.sendall(b"third")
        assert watched.recv(5) in {b"third", bytes(5)}
        assert len(pauses) == 1, "much comes by itself"
