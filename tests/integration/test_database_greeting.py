"""A connection to the queue uses TLS where the server offers it, as ever, and reads no certificates that it would not look at."""

import socket
import ssl
import struct
import threading

import pymysql
import pytest

from database.greeting import connect_lightly

TLS = 0x0800
"""The capability by which a server of MySQL's protocol offers TLS, and a client asks for it."""
OTHERS = 0x0008_F7FF
"""All others that matter here."""
HANDSHAKE = 0x16
"""The first byte of what TLS sends."""


class Greeter:
    """Greets one client as MySQL does, notes what comes back, and hangs up."""

    def __init__(self, capabilities: int) -> None:
        self._capabilities = capabilities
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.capabilities = 0
        """What the client wants."""
        self.next = b""
        """The first byte after its first packet, if there is any."""
        self._thread = threading.Thread(target=self._greet)
        self._thread.start()

    def _greet(self) -> None:
        with self._socket, self._socket.accept()[0] as client:
            client.settimeout(10)
            client.sendall(_packet(self._capabilities))
            length = int.from_bytes(_exactly(client, 4)[:3], "little")
            (self.capabilities,) = struct.unpack_from("<I", _exactly(client, length))
            if self.capabilities & TLS:
                self.next = client.recv(1)

    def ended(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()


def _exactly(client: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        found += client.recv(count - len(found))
    return found


def _packet(capabilities: int) -> bytes:
    """The greeting of protocol 10 (mysql.com, "Protocol::HandshakeV10")."""
    low, high = capabilities & 0xFFFF, capabilities >> 16
    body = b"\x0a8.0.36\0" + struct.pack("<I", 1) + b"12345678\0" + struct.pack("<HBHHB", low, 45, 2, high, 21)
    body += bytes(10) + b"123456789012\0" + b"mysql_native_password\0"
    return len(body).to_bytes(3, "little") + b"\0" + body


def _greeted(capabilities: int) -> Greeter:
    greeter = Greeter(capabilities)
    with pytest.raises(pymysql.err.OperationalError):
        connect_lightly(None, None, (), {"host": "127.0.0.1", "port": greeter.port, "user": "somebody"})
    greeter.ended()
    return greeter


@pytest.fixture
def no_authorities(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that somebody reads the certificate authorities of the machine."""
    read: list[str] = []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_: read.append("read"))
    return read


def test_tls_is_used_where_the_server_offers_it(no_authorities: list[str]) -> None:
    greeter = _greeted(OTHERS | TLS)
    assert greeter.capabilities & TLS
    assert greeter.next == bytes([HANDSHAKE])
    assert no_authorities == []


def test_a_server_without_tls_is_spoken_to_in_the_clear(no_authorities: list[str]) -> None:
    assert not _greeted(OTHERS).capabilities & TLS
    assert no_authorities == []


@pytest.mark.parametrize(
    "option", ["ssl_ca", "ssl_disabled", "ssl_verify_cert", "ssl", "read_default_file", "read_default_group"]
)
def test_whoever_says_how_tls_is_to_be_used_gets_that(option: str) -> None:
    assert connect_lightly(None, None, (), {"host": "127.0.0.1", "port": 1, option: "something"}) is None
