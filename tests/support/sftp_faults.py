"""Faults between an SFTP client and OpenSSH's own sftp-server, packet by packet, thousands of them a second.

SSH would notice a flipped bit on the line; these are faults above it: of a gateway, of a server's memory, of its disk.
"""

import struct
from dataclasses import dataclass, replace
from typing import Any

from support.sftp_pipe import SocketPipe
from targets.sftp import wire

HANDSHAKE = 2
"""The first requests of a session: its greeting, and the question for the server's limits."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one packet, counted from 0 after the handshake.

    Of a request: `flip`, `refuse` (not done, and said so), `pretend` (not done, and OK said), `short` (a byte of its data is lost),
    `cut` (the connection ends instead). Of a reply: `flip`, `refuse` (done, and failure said), `drop`, `twice`, `swap`, `cut`.
    """

    side: str
    index: int
    action: str
    byte: int = 0
    mask: int = 0

    def __str__(self) -> str:
        where = f" byte {self.byte} by {self.mask:#04x}" if self.mask else ""
        return f"{self.action} {self.side} {self.index}{where}"


class FaultyPipe:
    """Implements the session's `Pipe` over another; does one fault when it is armed. `requests` and `replies`: what passed since."""

    def __init__(self, pipe: SocketPipe) -> None:
        self._pipe = pipe
        self._out, self._in = bytearray(), bytearray()
        self._inbox: list[bytes] = []
        self._ahead = b""
        self._to_come = 0
        """Replies that the server owes."""
        self._cut = False
        self._held: bytes | None = None
        self._fault: Fault | None = None
        self.requests: list[bytes] = []
        self.replies: list[bytes] = []
        self.struck = False
        self._greeted = 0

    def arm(self, fault: Fault | None) -> None:
        """From now on packets are counted anew, and this happens to one of them."""
        self._fault, self.struck = fault, False
        self.requests.clear()
        self.replies.clear()

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way or left over."""
        return not (self._cut or self._to_come or self._inbox or self._held or self._ahead or self._out or self._in)

    def send(self, data: bytes, /) -> int:
        self._out += data
        forward = bytearray()
        for packet in _whole(self._out):
            if self._greeted < HANDSHAKE:
                self._greeted += 1
                self._to_come += 1
                forward += packet
                continue
            self.requests.append(packet)
            forward += self._request(packet)
        if self._cut:
            raise ConnectionResetError("cut")
        left = memoryview(bytes(forward))
        while left:
            left = left[self._pipe.send(left) :]  # type: ignore[arg-type]
        return len(data)

    def _request(self, packet: bytes) -> bytes:
        fault = self._at("request", len(self.requests) - 1)
        match fault.action if fault else "":
            case "refuse":
                self._inbox.append(_status(packet, wire.FAILURE))
                return b""
            case "pretend":
                self._inbox.append(_status(packet, wire.OK))
                return b""
            case "cut":
                self._cut = True
                return b""
            case "short":
                packet = _shorter(packet)
            case "flip":
                assert fault
                packet = _flipped(packet, fault)
        self._to_come += 1
        return packet

    def recv(self, count: int, /) -> bytes:
        while not self._ahead:
            if self._inbox:
                self._ahead = b"".join(self._inbox)
                self._inbox.clear()
            elif self._cut:
                return b""
            elif self._held is not None and not self._to_come:
                self._ahead, self._held = self._held, None
            elif not self._to_come:
                # Nothing more will ever come: what a person would see after the idle time.
                raise TimeoutError
            else:
                received = self._pipe.recv(65536)
                if not received:
                    return b""
                self._in += received
                for packet in _whole(self._in):
                    self._to_come -= 1
                    self._reply(packet)
        taken, self._ahead = self._ahead[:count], self._ahead[count:]
        return taken

    def _reply(self, packet: bytes) -> None:
        if packet[4] == wire.VERSION_REPLY or (packet[4] == wire.EXTENDED_REPLY and not self.requests):
            self._inbox.append(packet)
            return
        self.replies.append(packet)
        fault = self._at("reply", len(self.replies) - 1)
        held, self._held = self._held, None
        match fault.action if fault else "":
            case "refuse":
                self._inbox.append(_status(packet, wire.FAILURE))
            case "drop":
                pass
            case "twice":
                self._inbox += [packet, packet]
            case "swap":
                self._held = packet
            case "cut":
                self._cut = True
            case "flip":
                assert fault
                self._inbox.append(_flipped(packet, fault))
            case _:
                self._inbox.append(packet)
        if held is not None:
            self._inbox.append(held)

    def _at(self, side: str, index: int) -> Fault | None:
        fault = self._fault
        if fault is None or (fault.side, fault.index) != (side, index):
            return None
        self.struck = True
        return fault

    def recv_ready(self) -> bool:
        return bool(self._ahead or self._inbox) or self._pipe.recv_ready()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


def every_fault(requests: list[bytes], replies: list[bytes], masks: tuple[int, ...]) -> list[Fault]:
    """All that can happen to these packets, each once: every bit of every byte among them, with these masks."""
    found: list[Fault] = []
    for side, packets, actions in (
        ("request", requests, ("refuse", "pretend", "cut")),
        ("reply", replies, ("refuse", "drop", "twice", "swap", "cut")),
    ):
        for index, packet in enumerate(packets):
            plain = Fault(side, index, "")
            found += [replace(plain, action=action) for action in actions]
            if side == "request" and packet[4] == wire.WRITE:
                found.append(replace(plain, action="short"))
            found += [Fault(side, index, "flip", byte, mask) for byte in range(len(packet)) for mask in masks]
    return found


def _whole(held: bytearray) -> list[bytes]:
    """The whole packets at the front, taken off."""
    found = []
    while len(held) >= 4 and len(held) >= (end := 4 + int.from_bytes(held[:4], "big")):
        found.append(bytes(held[:end]))
        del held[:end]
    return found


def _status(packet: bytes, code: int) -> bytes:
    content = bytes([wire.STATUS]) + packet[5:9] + struct.pack(">III", code, 0, 0)
    return struct.pack(">I", len(content)) + content


def _shorter(packet: bytes) -> bytes:
    """A WRITE whose data is a byte shorter."""
    handle = int.from_bytes(packet[9:13], "big")
    at = 13 + handle + 8
    size = int.from_bytes(packet[at : at + 4], "big")
    content = packet[4:at] + struct.pack(">I", size - 1) + packet[at + 4 : -1]
    return struct.pack(">I", len(content)) + content


def _flipped(packet: bytes, fault: Fault) -> bytes:
    at = fault.byte
    return packet[:at] + bytes([packet[at] ^ fault.mask]) + packet[at + 1 :]
