"""What goes wrong with deposits, and what is known afterwards: nothing sent, nothing taken, or nobody knows."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import pytest

from archives import (
    AlreadyDeposited,
    AnswerLost,
    ArchiveBusy,
    ArchiveUnreachable,
    DepositRefused,
    LookupRefused,
    PackageError,
    Receipt,
    Sword,
)
from archives.wire import Body, Wire
from config import ArchiveSettings
from support.sword_server import ACCOUNT, Rules, SwordServer

PACKAGING = "http://purl.org/net/sword/package/SimpleZip"
# An empty zip, and the MD5 of these bytes.
PACKAGE, MD5 = b"PK\5\6" + bytes(18), "76cdb2bad9582d23c1f6f4d868218d6c"


def sword_at(collection: str, **changes: object) -> Sword:
    settings = {"kind": "sword2", "deposits": {"default": collection}, "connect_timeout": 5, "read_timeout": 10}
    return Sword(ArchiveSettings.model_validate(settings | changes), ACCOUNT[1], name="dspace")


def deposit(sword: Sword, collection: str, package: bytes = PACKAGE) -> Receipt:
    return sword.deposit(
        lambda: BytesIO(package), len(package), MD5, "a.zip", collection=collection, packaging=PACKAGING, slug="slipway-1"
    )


def at(server: SwordServer, **changes: object) -> Sword:
    return sword_at(server.collection(), username=ACCOUNT[0], **changes)


@contextmanager
def answering(answer: bytes, *, read: int | None = None, reset: bool = False) -> Iterator[str]:
    """A server that reads so much of one request (None: all headers), sends this, and closes. Its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            got = b""
            while (len(got) < read) if read is not None else (b"\r\n\r\n" not in got):
                if not (chunk := connection.recv(1024)):
                    return
                got += chunk
            connection.sendall(answer)
            if not reset:
                # A server that closes while bytes are on their way to it resets the connection.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/collection"
    finally:
        listener.close()
        thread.join(10)


def test_nothing_was_sent_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/collection"
    with pytest.raises(ArchiveUnreachable, match=r"no connection to http://127\.0\.0\.1:"):
        deposit(sword_at(url), url)
    with pytest.raises(ArchiveUnreachable):
        sword_at(url).probe()


def test_a_probe_fails_where_the_archive_fails() -> None:
    with answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") as url, pytest.raises(ArchiveBusy):
        sword_at(url).probe()


def test_nothing_was_sent_to_a_name_that_does_not_exist() -> None:
    url = "http://archive.invalid/collection"
    with pytest.raises(ArchiveUnreachable, match="its name is unknown"):
        deposit(sword_at(url), url)


def test_nothing_was_sent_to_a_url_that_is_none() -> None:
    url = "http://127.0.0.1:port/collection"
    with pytest.raises(ArchiveUnreachable):
        deposit(sword_at(url), url)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of localhost with its key."""
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subprocess.run(
        [
            *[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
            ],
            *["-keyout", f"{file}.key", "-out", str(file)],
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    file.write_text(file.read_text() + Path(f"{file}.key").read_text())
    return file


@contextmanager
def behind_tls(server: SwordServer, certificate: Path) -> Iterator[str]:
    """The server's collection behind a TLS port that passes one connection on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            with (
                context.wrap_socket(listener.accept()[0], server_side=True) as outside,
                socket.create_connection(("127.0.0.1", server.port)) as inside,
            ):
                request = b""
                while not request.endswith(PACKAGE):
                    request += outside.recv(4096)
                inside.sendall(request)
                while chunk := inside.recv(4096):
                    outside.sendall(chunk)
        except OSError:
            return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{listener.getsockname()[1]}/v2/collection/courses"
    finally:
        listener.close()
        thread.join(10)


def test_a_trusted_certificate_lets_a_deposit_through(sword_server: Callable[..., SwordServer], certificate: Path) -> None:
    server = sword_server()
    with behind_tls(server, certificate) as url:
        assert deposit(sword_at(url, username=ACCOUNT[0], ca_file=str(certificate)), url).handle == "1721.1/1001"


def test_nothing_is_sent_to_a_server_that_is_not_trusted(sword_server: Callable[..., SwordServer], certificate: Path) -> None:
    server = sword_server()
    with behind_tls(server, certificate) as url, pytest.raises(ArchiveUnreachable, match="certificate is not trusted"):
        deposit(sword_at(url, username=ACCOUNT[0]), url)
    assert server.items == []


def test_certificates_that_are_missing_are_named_as_the_reason(sword_server: Callable[..., SwordServer], tmp_path: Path) -> None:
    url = "https://localhost:1/collection"
    with pytest.raises(ArchiveUnreachable, match="No such file"):
        deposit(sword_at(url, ca_file=str(tmp_path / "none.pem")), url)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_that_is_cut_leaves_nobody_knowing(sword_server: Callable[..., SwordServer], when: str) -> None:
    server = sword_server()
    server.break_with("cut", when=when)
    with pytest.raises(AnswerLost, match="looked up before it is sent again"):
        deposit(at(server), server.collection())
    server.heal()
    found = at(server).find(server.collection(), identifier="slipway-1", md5=MD5)
    assert (found is not None) == (when == "after") == (len(server.items) == 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_does_not_come_in_time_is_lost(sword_server: Callable[..., SwordServer], when: str) -> None:
    server = sword_server()
    server.break_with("hang", when=when, seconds=30)
    with pytest.raises(AnswerLost, match="it took too long"):
        deposit(at(server, read_timeout=0.3), server.collection())
    assert len(server.items) == (1 if when == "after" else 0)


def test_a_slow_archive_is_waited_for(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server()
    server.break_with("slow", seconds=0.5)
    assert deposit(at(server), server.collection()).handle


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_may_have_stored_the_deposit(sword_server: Callable[..., SwordServer], status: int) -> None:
    server = sword_server()
    server.break_with("status", when="after", status=status, retry_after="60")
    with pytest.raises(AnswerLost, match=f"status {status}") as lost:
        deposit(at(server), server.collection())
    assert lost.value.retry_after == 60
    assert len(server.items) == 1


@pytest.mark.parametrize("status", [408, 429, 503])
def test_an_archive_that_is_too_busy_took_nothing(sword_server: Callable[..., SwordServer], status: int) -> None:
    server = sword_server()
    server.break_with("status", status=status)
    with pytest.raises(ArchiveBusy):
        deposit(at(server), server.collection())


def test_a_duplicate_that_the_archive_reports_as_its_own_failure_is_known_as_one(
    sword_server: Callable[..., SwordServer],
) -> None:
    server = sword_server()
    server.break_with("status", status=500, body="<h1>Duplicate of an item</h1>")
    with pytest.raises(AlreadyDeposited):
        deposit(at(server), server.collection())


def test_a_receipt_that_is_cut_off_is_a_deposit_without_a_handle_yet(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server()
    server.break_with("half", times=1)
    receipt = deposit(at(server), server.collection())
    assert receipt.handle is None
    assert receipt.location is not None
    assert at(server).read(receipt.location).handle == "1721.1/1001"


def test_a_server_that_is_killed_keeps_what_it_stored(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server(process=True)
    server.break_with("hang", when="after", seconds=30)
    failures: list[Exception] = []

    def send() -> None:
        try:
            deposit(at(server), server.collection())
        except AnswerLost as error:
            failures.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    while not server.items:
        thread.join(0.02)
    server.kill()
    thread.join(20)
    assert len(failures) == 1
    with pytest.raises(ArchiveUnreachable):
        at(server).find(server.collection(), identifier="slipway-1", md5=MD5)
    server.heal()
    server.start()
    found = at(server).find(server.collection(), identifier="slipway-1", md5=MD5)
    assert found is not None
    assert found.handle == "1721.1/1001"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_deposit_follows_no_redirect(status: int) -> None:
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: http://user:secret@127.0.0.2/x?a=b\r\nContent-Length: 0\r\n\r\n"
    with (
        answering(answer.encode()) as url,
        pytest.raises(DepositRefused, match=r"points to http://127\.0\.0\.2/x, and a deposit never follows") as refused,
    ):
        deposit(sword_at(url), url)
    assert refused.value.status == status
    assert "secret" not in str(refused.value)


def test_a_reset_before_the_body_is_read_leaves_nobody_knowing() -> None:
    with answering(b"", read=1, reset=True) as url, pytest.raises(AnswerLost):
        deposit(sword_at(url), url, bytes(4_000_000))


def test_a_connection_that_is_lost_before_the_body_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_arguments: object, **_options: object) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr("archives.wire.HTTPConnection.request", lose)
    with answering(b"") as url, pytest.raises(ArchiveUnreachable, match="before anything was deposited"):
        deposit(sword_at(url), url)


def test_a_package_that_is_too_short_is_not_deposited(sword_server: Callable[..., SwordServer]) -> None:
    server = sword_server()
    with pytest.raises(PackageError, match="lacks 2 of its 24 bytes"):
        at(server).deposit(
            lambda: BytesIO(PACKAGE), 24, MD5, "a.zip", collection=server.collection(), packaging=PACKAGING, slug="slipway-1"
        )
    assert server.items == []


def test_an_early_refusal_is_read_although_the_body_is_still_on_its_way() -> None:
    answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(answer) as url, pytest.raises((DepositRefused, AnswerLost)):
        deposit(sword_at(url), url, bytes(4_000_000))


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 2"])
def test_an_answer_that_is_none_leaves_nobody_knowing(answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(AnswerLost):
        deposit(sword_at(url), url)


def test_an_unknown_status_leaves_nobody_knowing() -> None:
    with answering(b"HTTP/1.1 299 Perhaps\r\nContent-Length: 0\r\n\r\n") as url, pytest.raises(AnswerLost, match="status 299"):
        deposit(sword_at(url), url)


def test_an_endless_receipt_is_read_to_a_limit() -> None:
    answer = b"HTTP/1.1 201 Created\r\nLocation: /item/1\r\n\r\n" + b"<entry>" * (3 * 1024 * 1024)
    with answering(answer) as url:
        receipt = deposit(sword_at(url), url)
    assert receipt.handle is None
    assert receipt.location == url.replace("collection", "item/1")


def test_a_receipt_that_only_drips_is_given_up() -> None:
    ticks = iter([0.0, 301.0])
    answer = b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n<entry"
    with answering(answer) as url:
        settings = ArchiveSettings.model_validate({"kind": "sword2", "deposits": {"default": url}})
        answered = Wire("dspace", settings, None, clock=lambda: next(ticks)).post(url, {}, Body(BytesIO(b"a"), 1))
    assert answered.cut == "it took longer than 300 s"


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<feed", ArchiveBusy, "cut off"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", ArchiveBusy, "answers 500 now"),
        (b"HTTP/1.1 429 No\r\nRetry-After: Wed, 01 Jan 2020 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n", ArchiveBusy, "429"),
        (b"HTTP/1.1 302 No\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", LookupRefused, "status 302"),
        (b"", ArchiveUnreachable, "did not answer"),
    ],
)
def test_a_feed_that_cannot_be_read_says_nothing(answer: bytes, error: type[Exception], says: str) -> None:
    with answering(answer) as url, pytest.raises(error, match=says):
        sword_at(url).find(url, identifier="a", md5=MD5)


def feed_that_goes_on_at(url: str) -> bytes:
    document = f'<feed xmlns="http://www.w3.org/2005/Atom"><link rel="next" href="{url}"/></feed>'.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(document), document)


def test_a_feed_is_not_followed_to_another_server() -> None:
    with (
        answering(feed_that_goes_on_at("http://127.0.0.2/feed")) as url,
        pytest.raises(LookupRefused, match=r"goes on at another server, 127\.0\.0\.2"),
    ):
        sword_at(url).find(url, identifier="a", md5=MD5)


def test_a_feed_that_goes_on_at_no_url_says_nothing() -> None:
    with answering(feed_that_goes_on_at("http://[x")) as url, pytest.raises(LookupRefused, match="which is no URL"):
        sword_at(url).find(url, identifier="a", md5=MD5)


@pytest.mark.parametrize(("status", "place"), [("201 Created", None), ("302 Found", "it points to nowhere")])
def test_an_answer_that_names_no_readable_place_is_what_its_status_says(status: str, place: str | None) -> None:
    answer = f"HTTP/1.1 {status}\r\nLocation: http://[x\r\nContent-Length: 0\r\n\r\n".encode()
    with answering(answer) as url:
        if place is None:
            assert deposit(sword_at(url), url) == Receipt(None, None, b"")
        else:
            with pytest.raises(DepositRefused, match=place):
                deposit(sword_at(url), url)


def test_a_feed_that_goes_round_in_a_circle_ends() -> None:
    with answering(feed_that_goes_on_at("collection")) as url, pytest.raises(LookupRefused, match="circle"):
        sword_at(url).find(url, identifier="a", md5=MD5)


def test_a_search_at_another_server_does_not_get_the_account(sword_server: Callable[..., SwordServer]) -> None:
    server, other = sword_server(), sword_server(rules=Rules(handle="2.2"))
    sword = at(server, lookup=f"{other.url}/v2/collection/courses?id=$identifier")
    with pytest.raises(LookupRefused, match="status 401"):
        sword.find(server.collection(), identifier="a", md5=MD5)
    assert [line["status"] for line in other.archive.log()] == [401]
