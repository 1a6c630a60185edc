"""What a hostile CMS, or whatever answers in its place, may send: it ends within its time, in an error, never in wrong bytes."""

import contextlib
import gc
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packageslip import Resource, SlipError
from sources import AccessRefused, SourceError, SourceSlow, Want
from sources.http import HttpSource
from store import Store
from support.physics import FILES, SLIP, URL, resource

PDF = "lecture-notes/l1.pdf"
BODY = FILES[PDF]
LISTED = resource(PDF, BODY)
UNLISTED = Resource(PDF)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n"
WHOLE = OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


OpenHttp = Callable[..., HttpSource]
Say = Callable[[socket.socket], None]


class Raw:
    """A server that sends to each connection whatever it is told to, and closes it. `asked`: the requests."""

    def __init__(self) -> None:
        self.say: Say = once(WHOLE)
        self.asked: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2)
                self.asked.append(connection.recv(65536))
                self.say(connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def raw() -> Iterator[Raw]:
    server = Raw()
    yield server
    server.close()


@pytest.fixture(scope="module", autouse=True)
def tidy() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def source(raw: Raw, open_http: OpenHttp) -> HttpSource:
    return open_http(url=f"http://127.0.0.1:{raw.port}", retries=0, total_timeout=1, max_file_bytes=10_000_000)


@pytest.fixture
def patient(raw: Raw, open_http: OpenHttp) -> HttpSource:
    """For answers that end by themselves."""
    return open_http(url=f"http://127.0.0.1:{raw.port}", retries=0)


def fetch(source: HttpSource, store: Store, file: Resource) -> None:
    list(source.fetch(SLIP, [Want(file)], store))


def once(words: bytes) -> Say:
    return lambda connection: connection.sendall(words)


def for_ever(piece: bytes, first: bytes = b"") -> Say:
    def say(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(piece)

    return say


def test_the_server_of_these_tests_can_behave(patient: HttpSource, store: Store, raw: Raw) -> None:
    fetch(patient, store, LISTED)
    fetch(patient, store, UNLISTED)


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWERS: dict[str, Say] = {
    "a body without an end": for_ever(b"x" * 65536, OK + b"\r\n"),
    "a chunk without an end": for_ever(b"x" * 65536, CHUNKED + b"7fffffffffffffff\r\n"),
    "a line of a header without an end": for_ever(b"x" * 65536, OK + b"X-Long: "),
    "a status without an end": for_ever(b"x" * 65536, b"HTTP/1.1 200 "),
    "a chunk's size without an end": for_ever(b"0" * 65536, CHUNKED),
    "a chunk's extension without an end": for_ever(b"x" * 65536, CHUNKED + b"5;"),
    "thousands of headers": once(OK + b"".join(b"X-%d: 1\r\n" % n for n in range(5000)) + b"\r\n"),
    "headers for ever": for_ever(b"X-Again: 1\r\n" * 1000, OK),
    "trailers for ever": for_ever(b"X-Again: 1\r\n" * 1000, CHUNKED + b"0\r\n"),
    "'go on' for ever": for_ever(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "'processing' for ever": for_ever(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000),
    "early hints and no answer": once(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "another protocol": once(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nothing": once(b""),
    "a negative length": once(OK + b"Content-Length: -5\r\n\r\n" + BODY[:1000]),
    "a length that is no number": once(OK + b"Content-Length: many\r\n\r\n" + BODY[:1000]),
    "a length of 5,000 digits": once(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY[:1000]),
    "two lengths": once(OK + b"Content-Length: 5\r\nContent-Length: 1000\r\n\r\n" + BODY[:1000]),
    "two lengths in one": once(OK + b"Content-Length: 5, 1000\r\n\r\n" + BODY[:1000]),
    "a length that is too long": once(OK + b"Content-Length: 1000000\r\n\r\n" + BODY[:1000]),
    "a chunk that is cut": once(CHUNKED + b"ffff\r\n" + BODY[:1000]),
    "a chunk of negative size": once(CHUNKED + b"-5\r\n" + BODY[:1000]),
    "a chunk of no size": once(CHUNKED + b"zz\r\n" + BODY[:1000] + b"\r\n0\r\n\r\n"),
    "chunks without the last": once(CHUNKED + b"3e8\r\n" + BODY[:1000] + b"\r\n"),
    "another coding of the transfer": once(
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n3e8\r\n" + BODY[:1000] + b"\r\n0\r\n\r\n"
    ),
    "a coding of the transfer that nobody knows": once(OK + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY[:1000]),
    "a body that is encoded again and again": once(
        OK + b"Content-Encoding: " + b", ".join([b"gzip"] * 50) + b"\r\nContent-Length: 1000\r\n\r\n" + BODY[:1000]
    ),
}


@pytest.mark.parametrize("file", [LISTED, UNLISTED], ids=["listed", "unlisted"])
@pytest.mark.parametrize("say", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_lies_is_no_file(source: HttpSource, store: Store, raw: Raw, say: Say, file: Resource) -> None:
    raw.say = say
    with pytest.raises(SourceError):
        fetch(source, store, file)
    incoming = store.root / "incoming"
    assert not incoming.exists() or not list(incoming.iterdir())


def test_no_socket_of_a_refused_answer_is_left_to_the_garbage_collector(patient: HttpSource, store: Store, raw: Raw) -> None:
    gc.collect()
    raw.say = ANSWERS["two lengths in one"]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(SourceError, match="Content-Length contained multiple unmatching values"):
            fetch(patient, store, UNLISTED)
        gc.collect()
    assert [str(one.message) for one in said] == []


@pytest.mark.parametrize("name", ["headers for ever", "'go on' for ever", "trailers for ever", "a body without an end"])
def test_no_slip_is_read_from_it_either(source: HttpSource, raw: Raw, name: str) -> None:
    raw.say = ANSWERS[name]
    with pytest.raises((SourceError, SlipError)):
        source.slip(URL)


def test_a_file_in_single_bytes_ends_with_its_total_time(source: HttpSource, store: Store, raw: Raw) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(BODY))
        for byte in BODY:
            connection.sendall(bytes([byte]))
            threading.Event().wait(0.02)

    raw.say = drip
    with pytest.raises(SourceSlow):
        fetch(source, store, LISTED)


def elsewhere(raw: Raw) -> list[str]:
    port = raw.port
    return [
        f"http://127.0.0.1:{port - 1}/x", f"https://127.0.0.1:{port}/x", f"http://localhost:{port}/x", "http://169.254.169.254/x",
        "http://10.0.0.1/x", f"http://[::1]:{port}/x", f"http://127.0.0.1:{port}@evil.example/x", f"http://a:b@127.0.0.1:{port}/x",
        f"http://127.1:{port}/x", f"http://2130706433:{port}/x", f"//evil.example:{port}/x", "file:///etc/passwd", "ftp://127.0.0.1/x",
        "gopher://127.0.0.1/x", f"http://127.0.0.1:{port}\\@evil.example/x", f"http:/\\evil.example:{port}/x", "javascript:1",
        f"http://127.0.0.1:{port}\tx/", "http://[::1", f"http://127.0.0.1:{port}:80/", f"http://127.0.0.1.:{port}/",
    ]  # fmt: skip


def test_a_redirect_leads_nowhere_but_to_the_configured_origin(patient: HttpSource, store: Store, raw: Raw) -> None:
    """Also where that is a private address: a CMS in an intranet is configured by its operator, and its own origin is asked."""
    for location in elsewhere(raw):
        raw.asked.clear()
        raw.say = once(
            b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n"
        )
        with pytest.raises(AccessRefused):
            fetch(patient, store, LISTED)
        assert len(raw.asked) == 1, location


def test_a_redirect_in_a_circle_ends(patient: HttpSource, store: Store, raw: Raw) -> None:
    raw.say = once(b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n")
    with pytest.raises(AccessRefused, match="redirected more than 3 times"):
        fetch(patient, store, LISTED)
    assert len(raw.asked) == 4
