"""What a hostile SSH server may do around SFTP: each ends in an error of ours within its time, and fills no memory."""

import contextlib
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from config import SftpTarget
from support.sftp_stub import StartStub
from targets.errors import HostKeyRefused, TargetError, TargetUnreachable
from targets.sftp import SftpDisk
from targets.sftp import connection as ours

VERSION = b"SSH-2.0-OpenSSH_9.2\r\n"
KEXINIT = 20


def attempt(settings: SftpTarget) -> None:
    disk = SftpDisk(settings, target="origin")
    try:
        disk.list("")
    finally:
        disk.close()


def packet(payload: bytes) -> bytes:
    """A binary packet before any encryption (RFC 4253 6)."""
    padding = 8 - (len(payload) + 5) % 8 + 4
    padding += -(len(payload) + 5 + padding) % 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def kex(*lists: bytes) -> bytes:
    content = b"".join(struct.pack(">I", len(each)) + each for each in lists)
    return packet(bytes([KEXINIT]) + bytes(16) + content + bytes(5))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


Say = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(say: Say) -> Iterator[int]:
    """A port where one connection after another is told whatever `say` says, until it is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    say(connection)
                    while connection.recv(65536):
                        pass

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def settings(port: int, key: Path, **more: object) -> SftpTarget:
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    fields = {"kind": "sftp", "host": "127.0.0.1", "port": port, "user": "u", "key": key, "root": "/", "host_key": public}
    return SftpTarget.model_validate(fields | {"connect_timeout": 1, "idle_timeout": 1} | more)


def for_ever(piece: bytes, first: bytes = b"") -> Say:
    def say(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(piece)

    return say


def once(words: bytes) -> Say:
    return lambda connection: connection.sendall(words)


GREETINGS: dict[str, Say] = {
    "lines for ever": for_ever(b"welcome\r\n" * 1000),
    "one line for ever": for_ever(b"x" * 65536),
    "a line of nonsense bytes": once(b"\xff\xfe\xfd\r\n" * 20),
    "a version that never comes": once(b"please wait\r\n"),
    "a version of nonsense": once(b"SSH-\r\n"),
    "a packet of 4 GiB": once(VERSION + b"\xff\xff\xff\xf8" + bytes(10_000)),
    "a packet of 1 MiB for ever": for_ever(bytes(65536), VERSION + struct.pack(">I", 2**20 + 4)),
    "a packet of nothing": once(VERSION + bytes(64)),
    "more padding than packet": once(VERSION + struct.pack(">IB", 12, 255) + bytes(64)),
    "a key exchange that is cut off": once(VERSION + packet(bytes([KEXINIT]) + bytes(10))),
    "names that are no text": once(VERSION + kex(*[b"\xff\xfe"] * 10)),
    "a list that is longer than its packet": once(VERSION + packet(bytes([KEXINIT]) + bytes(16) + b"\xff" * 4)),
    "nothing in common": once(VERSION + kex(*[b"none-of-yours"] * 10)),
    "a flood of nothing": for_ever(packet(b"\2" + bytes(4)) * 100, VERSION),
    "messages of no known type": once(VERSION + packet(b"\xf0") * 10),
    "a login that nobody asked for": once(VERSION + packet(bytes([52])) * 10),
    "a goodbye that is no text": once(VERSION + packet(bytes([1]) + struct.pack(">II", 2, 3) + b"\xff\xfe\xfd")),
    "an empty message": once(VERSION + packet(b"")),
}


@pytest.mark.parametrize("say", GREETINGS.values(), ids=GREETINGS)
def test_a_greeting_that_makes_no_sense_is_no_server(say: Say, key: Path) -> None:
    with server(say) as port, pytest.raises(TargetError, match=r"^origin: .*127\.0\.0\.1"):
        attempt(settings(port, key))


class Sits(paramiko.ServerInterface):
    """Lets anybody in and opens channels. What a request for a subsystem gets is for those who inherit."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class NeverAnswers(Sits):
    """Opens the channel, and says neither yes nor no to SFTP."""

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self.over.wait(30)
        return False


@contextlib.contextmanager
def ssh_server(host: Sits, key: Path) -> Iterator[int]:
    def say(connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.set_log_channel("targets.sftp.paramiko")
        transport.add_server_key(paramiko.Ed25519Key.from_private_key_file(str(key)))
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(threading.Event(), host)
        transport.join(30)
        transport.close()

    with server(say) as port:
        try:
            yield port
        finally:
            host.over.set()


def test_a_subsystem_that_is_neither_granted_nor_refused_is_given_up(key: Path) -> None:
    with ssh_server(NeverAnswers(), key) as port, pytest.raises(TargetUnreachable, match="did not begin SFTP within 1 s"):
        attempt(settings(port, key))


def test_a_channel_on_which_sftp_never_began_is_closed_and_not_left_to_the_garbage_collector(
    key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The collector may come by while a packet goes out, and would send the channel's end into the middle of it, or wait for ever."""
    opened: list[paramiko.Channel] = []
    open_session = paramiko.Transport.open_session

    def recorded(transport: paramiko.Transport, **how: Any) -> paramiko.Channel:
        opened.append(open_session(transport, **how))
        return opened[-1]

    monkeypatch.setattr(paramiko.Transport, "open_session", recorded)
    with ssh_server(NeverAnswers(), key) as port:
        connection = ours.connect(settings(port, key), target="origin", secrets=None)
        try:
            with pytest.raises(TargetUnreachable, match="did not begin SFTP within 1 s"):
                connection.channel()
            assert connection.alive, "other channels may serve still"
            assert [channel.closed for channel in opened] == [True]
        finally:
            connection.close()


class Floods(Sits):
    """Says yes, and then sends far more than the window that it was granted."""

    def __init__(self, *, aside: bool) -> None:
        super().__init__()
        self._aside, self.sent = aside, 0

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        threading.Thread(target=self._flood, args=(channel,)).start()
        return True

    def _flood(self, channel: paramiko.Channel) -> None:
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            while self.sent < 20 * ours.WINDOW:
                channel.out_window_size = 2**30
                self.sent += channel.send_stderr(bytes(32_000)) if self._aside else channel.send(bytes(32_000))


def test_more_than_the_window_is_not_kept(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "WINDOW", 1_000_000)
    host = Floods(aside=True)
    with ssh_server(host, key) as port, pytest.raises(TargetUnreachable):
        attempt(settings(port, key, idle_timeout=20))
    assert host.sent < 20 * ours.WINDOW, "the connection ended before the flood did"


def test_a_host_key_that_changes_between_two_connections_is_refused(start_stub: StartStub, key: Path, tmp_path: Path) -> None:
    stub = start_stub()
    disk = SftpDisk(stub.settings(), target="origin")
    disk.list("")
    disk.close()
    with ssh_server(Sits(), key) as port:
        disk._lanes.settings = stub.settings(port=port)
        with pytest.raises(HostKeyRefused, match="CHANGED"):
            disk.list("")
    disk.close()
