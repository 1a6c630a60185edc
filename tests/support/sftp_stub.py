"""An SSH server whose SFTP lies on demand: paramiko in front, OpenSSH's own sftp-server behind, and a fault between them.

Everything that is not faulty is the real program's behaviour. A fault names a kind of request and which one of that kind.
"""

import contextlib
import itertools
import socket
import struct
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
import pytest

from config import SftpTarget
from support.sshd import SFTP_SERVER, missing
from targets.sftp import framing, wire


class Cut(Exception):
    """The connection ends here."""


class Silence(Exception):
    """The server never answers again, and the connection stays open."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the nth request (from 1) of a kind, or to each; see the functions below for `request` and `reply`."""

    kind: int
    nth: int | None
    request: Callable[[bytes], bytes | None] | None = None
    """From the whole packet to what the real server gets; None: nothing, and the client gets what `reply` makes of an empty reply."""
    reply: Callable[[bytes], bytes] | None = None
    """From the whole reply to what the client gets."""


def refuse(kind: int, nth: int | None = 1, code: int = wire.FAILURE) -> Fault:
    """The server does nothing and says no."""
    return Fault(kind, nth, lambda _: None, lambda reply: _status(reply, code))


def fail_late(kind: int, nth: int | None = 1, code: int = wire.FAILURE) -> Fault:
    """The server does it, and says no."""
    return Fault(kind, nth, None, lambda reply: _status(reply, code))


def pretend(kind: int, nth: int | None = 1) -> Fault:
    """The server does nothing and says OK."""
    return Fault(kind, nth, lambda _: None, lambda reply: _status(reply, wire.OK))


def lose(kind: int, nth: int | None = 1) -> Fault:
    """The server does it, and the reply never comes."""
    return Fault(kind, nth, None, lambda _: b"")


def cut(kind: int, nth: int | None = 1) -> Fault:
    """The connection ends instead of this request."""

    def end(_: bytes) -> bytes:
        raise Cut

    return Fault(kind, nth, end)


def cut_after(kind: int, nth: int | None = 1) -> Fault:
    """The server does it, and the connection ends instead of the reply."""

    def end(_: bytes) -> bytes:
        raise Cut

    return Fault(kind, nth, None, end)


def hang(kind: int, nth: int | None = 1) -> Fault:
    """From this request on the server is silent."""

    def stop(_: bytes) -> bytes:
        raise Silence

    return Fault(kind, nth, stop)


def corrupt(kind: int, nth: int | None = 1) -> Fault:
    """The request's last byte is another one when it arrives."""
    return Fault(kind, nth, _flip)


def corrupt_reply(kind: int, nth: int | None = 1) -> Fault:
    """The reply's last byte is another one when it arrives."""
    return Fault(kind, nth, None, _flip)


def answer_with(kind: int, answer: bytes, nth: int | None = 1) -> Fault:
    """These bytes come instead of the reply."""
    return Fault(kind, nth, None, lambda _: answer)


def misnumber(kind: int, nth: int | None = 1) -> Fault:
    """The reply carries another request's id."""
    return Fault(kind, nth, None, lambda reply: reply[:5] + struct.pack(">I", 77_000_000) + reply[9:])


def rebuild(kind: int, change: Callable[[int, bytes], bytes], nth: int | None = 1) -> Fault:
    """The reply has another type and body: from the real ones to type and body in one, the id is kept."""

    def changed(reply: bytes) -> bytes:
        content = change(reply[4], reply[9:])
        return struct.pack(">I", len(content) + 4) + content[:1] + reply[5:9] + content[1:]

    return Fault(kind, nth, None, changed)


@dataclass(slots=True)
class Stub:
    """A running server. `faults` may be changed while it runs; counting goes on over connections."""

    port: int
    root: Path
    key: Path
    host_key: str
    faults: list[Fault] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()
    """Extensions that the server does not offer."""
    offers_sftp: bool = True
    first_words: bytes = b""
    """What a noisy login script prints."""
    crumbs: int = 0
    """Replies come in pieces of so many bytes; 0: as they are."""
    protocol: int = wire.VERSION
    most_under_way: int = 0
    """The most requests that waited for their replies at one time."""
    counts: Counter[int] = field(default_factory=Counter)
    logins: list[str] = field(default_factory=list)

    def settings(self, **overrides: object) -> SftpTarget:
        """The settings of a target at this server."""
        fields: dict[str, object] = {
            "kind": "sftp", "host": "127.0.0.1", "port": self.port, "user": "anybody", "key": self.key,
            "root": str(self.root), "host_key": self.host_key, "connect_timeout": 5, "idle_timeout": 5, "transfer": "sftp",
        }  # fmt: skip
        return SftpTarget.model_validate(fields | overrides)


StartStub = Callable[..., Stub]
"""start(*faults, hidden=(), ...) -> Stub"""


@pytest.fixture
def start_stub(tmp_path: Path) -> Iterator[StartStub]:
    """Start servers with faults; each has a folder of its own below the test's."""
    number = itertools.count(1)
    with contextlib.ExitStack() as stack:

        def start(
            *faults: Fault, hidden: Sequence[str] = (), offers_sftp: bool = True, first_words: bytes = b"", crumbs: int = 0
        ) -> Stub:
            if SFTP_SERVER is None:
                missing("no sftp-server here: apt-get install openssh-sftp-server")
            folder = tmp_path / f"stub-{next(number)}"
            (folder / "site").mkdir(parents=True)
            for name in ("host", "user"):
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            public = " ".join((folder / "host.pub").read_text(encoding="utf-8").split()[:2])
            stub = Stub(
                listener.getsockname()[1], folder / "site", folder / "user", public, list(faults), frozenset(hidden), offers_sftp,
                first_words, crumbs,
            )  # fmt: skip
            stack.enter_context(_serving(listener, stub, paramiko.Ed25519Key.from_private_key_file(str(folder / "host"))))
            return stub

        yield start


@contextlib.contextmanager
def _serving(listener: socket.socket, stub: Stub, host_key: paramiko.PKey) -> Iterator[None]:
    transports: list[paramiko.Transport] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.set_log_channel("targets.sftp.paramiko")
            transports.append(transport)
            transport.add_server_key(host_key)
            transport.set_subsystem_handler("sftp", _Between, stub)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(threading.Event(), _Everybody(stub))

    thread = threading.Thread(target=accept, name="stub-accept")
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for transport in transports:
            transport.packetizer.complete_handshake()
            transport.close()


class _Everybody(paramiko.ServerInterface):
    """Lets anybody in who has any key."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._stub.logins.append(username)
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        return self._stub.offers_sftp and super().check_channel_subsystem_request(channel, name)

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"


class _Between(paramiko.SubsystemHandler):
    """One SFTP session: requests go to the real server and its replies come back, but for the faults."""

    def __init__(self, channel: paramiko.Channel, name: str, server: paramiko.ServerInterface, stub: Stub) -> None:
        super().__init__(channel, name, server)
        self._stub = stub
        self._awaited: dict[int, Fault] = {}
        self._silent = False
        self._under_way = 0

    def start_subsystem(self, name: str, transport: paramiko.Transport, channel: paramiko.Channel) -> None:
        with subprocess.Popen([str(SFTP_SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as real:
            back = threading.Thread(target=self._replies, args=(real, transport, channel), name="stub-replies")
            back.start()
            try:
                if self._stub.first_words:
                    channel.send(self._stub.first_words)
                self._requests(real, channel)
            except (Cut, OSError, EOFError, paramiko.SSHException):
                transport.close()
            finally:
                real.kill()
                back.join(5)

    def _requests(self, real: "subprocess.Popen[bytes]", channel: paramiko.Channel) -> None:
        assert real.stdin is not None
        for packet in _packets(lambda: channel.recv(65536)):
            kind, number = packet[4], int.from_bytes(packet[5:9], "big")
            self._stub.counts[kind] += 1
            if kind not in {wire.INIT, wire.CLOSE}:
                self._under_way += 1
                self._stub.most_under_way = max(self._stub.most_under_way, self._under_way)
            fault = self._fault(kind)
            forwarded: bytes | None = packet
            try:
                if fault is not None and fault.request is not None:
                    forwarded = fault.request(packet)
            except Silence:
                self._silent = True
            if fault is not None and fault.reply is not None:
                if forwarded is None:
                    self._give(channel, fault.reply(b"\0\0\0\0\0" + packet[5:9]))
                    continue
                self._awaited[number] = fault
            if forwarded is not None:
                real.stdin.write(forwarded)

    def _replies(self, real: "subprocess.Popen[bytes]", transport: paramiko.Transport, channel: paramiko.Channel) -> None:
        assert real.stdout is not None
        stdout = real.stdout
        try:
            for packet in _packets(lambda: stdout.read(65536)):
                fault = self._awaited.pop(int.from_bytes(packet[5:9], "big"), None) if packet[4] != wire.VERSION_REPLY else None
                changed = self._version(packet) if packet[4] == wire.VERSION_REPLY else packet
                self._give(channel, fault.reply(changed) if fault is not None and fault.reply is not None else changed)
        except (Cut, OSError, EOFError, paramiko.SSHException):
            transport.close()

    def _give(self, channel: paramiko.Channel, reply: bytes) -> None:
        self._under_way = max(0, self._under_way - 1)
        size = self._stub.crumbs or len(reply)
        while reply and not self._silent:
            sent = channel.send(reply[:size])
            if not sent:
                raise Cut
            reply = reply[sent:]

    def _fault(self, kind: int) -> Fault | None:
        nth = self._stub.counts[kind]
        return next((fault for fault in self._stub.faults if fault.kind == kind and fault.nth in {None, nth}), None)

    def _version(self, packet: bytes) -> bytes:
        [(_, extensions)] = (wire.version(*said) for said in framing.replies(bytearray(packet)))
        content = bytes([packet[4]]) + struct.pack(">I", self._stub.protocol)
        for name, value in extensions.items():
            if name not in self._stub.hidden:
                content += b"".join(struct.pack(">I", len(part)) + part.encode() for part in (name, value))
        return struct.pack(">I", len(content)) + content


def _packets(receive: Callable[[], bytes]) -> Iterator[bytes]:
    held = bytearray()
    while received := receive():
        held += received
        while len(held) >= 4 and len(held) >= (whole := 4 + int.from_bytes(held[:4], "big")):
            yield bytes(held[:whole])
            del held[:whole]


def _status(reply: bytes, code: int) -> bytes:
    content = bytes([wire.STATUS]) + reply[5:9] + struct.pack(">III", code, 0, 0)
    return struct.pack(">I", len(content)) + content


def _flip(packet: bytes) -> bytes:
    return packet[:-1] + bytes([packet[-1] ^ 0xFF])
