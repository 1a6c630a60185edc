"""Answers that are not what was asked for: wrong bytes, login pages, redirects, nonsense; never taken for a file."""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from packageslip import BadSlip, Resource, View, ViewKind
from sources import (
    AccessRefused,
    PermanentSourceError,
    ResourceMissing,
    TransientSourceError,
    WrongBytes,
)
from sources.http import HttpSource
from store import Store, StoreFull
from support.certificates import certificate, serving
from support.fetching import LISTED, PDF, UNLISTED, OpenHttp, assert_nothing_is_left, fetch
from support.http_cms import Cms, Fault
from support.physics import FILES, URL, at, digest, put


@pytest.mark.parametrize("body", [b"too short", FILES[PDF] + b"!", FILES[PDF][:-1] + b"!"])
@pytest.mark.parametrize("size_known", [True, False])
def test_wrong_bytes_are_asked_for_once_more_past_caches(
    source: HttpSource, server: Cms, store: Store, body: bytes, size_known: bool
) -> None:
    file = LISTED if size_known else replace(LISTED, size=None)
    server.faults[at(PDF)] = Fault(body=body, times=1)
    assert fetch(source, store, file)[0].digest == digest(FILES[PDF])
    first, second = server.requests(at(PDF))
    assert "Cache-Control" not in first.headers
    assert second.headers["Cache-Control"] == "no-cache"


def test_bytes_that_are_wrong_twice_fail_and_both_digests_are_named(
    source: HttpSource, server: Cms, store: Store, site: Path
) -> None:
    wrong = FILES[PDF][:-1] + b"!"
    put(site, PDF, wrong)
    with pytest.raises(WrongBytes, match=rf"sha256:{digest(wrong).hex()}, the slip says sha256:{digest(FILES[PDF]).hex()}"):
        fetch(source, store, LISTED)
    assert len(server.requests(at(PDF))) == 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_listed_file_that_is_gone_is_an_error_and_never_a_deletion(
    source: HttpSource, server: Cms, store: Store, status: int
) -> None:
    server.faults[at(PDF)] = Fault(status=status)
    with pytest.raises(ResourceMissing, match=f"{PDF} answered {status}"):
        fetch(source, store, LISTED)
    assert len(server.requests(at(PDF))) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_the_long_text_of_an_error_is_not_read(source: HttpSource, server: Cms, store: Store, status: int) -> None:
    server.faults[at(PDF)] = Fault(status=status, endless=True)
    with pytest.raises(AccessRefused):
        fetch(source, store, LISTED)


@pytest.mark.parametrize("file", [LISTED, UNLISTED, View("feed.xml", ViewKind.FEED, href=PDF)])
def test_a_login_page_in_place_of_a_file_is_wrong_bytes(
    source: HttpSource, server: Cms, store: Store, file: Resource | View
) -> None:
    server.faults[at(PDF)] = Fault(
        body=b"<html>log in" + b"!" * (len(FILES[PDF]) - 12), headers={"Content-Type": "text/html; charset=utf-8"}
    )
    with pytest.raises(WrongBytes, match="an HTML page"):
        fetch(source, store, file)


def test_a_login_page_in_place_of_a_slip_is_no_access(source: HttpSource, server: Cms) -> None:
    server.faults[at("packageslip.xml")] = Fault(body=b"<html>log in", headers={"Content-Type": "text/html"})
    with pytest.raises(AccessRefused, match="HTML page instead of an XML document"):
        source.slip(URL)


def test_redirects_on_the_same_origin_are_followed(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(status=302, headers={"Location": "/one"})
    server.faults["/one"] = Fault(status=301, headers={"Location": f"{server.url}/two"})
    server.faults["/two"] = Fault(status=307, headers={"Location": f"{URL}/empty.txt"})
    assert fetch(source, store, UNLISTED)[0].size == 0
    assert [access.status for access in server.log] == [302, 301, 307, 200]
    assert source._client._connections.made == 1


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:1/", "https://127.0.0.1/", "//evil.example/", "file:///etc/passwd", "http://u:p@127.0.0.1/", "/a\\b"],
)
def test_a_redirect_to_another_origin_is_refused(source: HttpSource, server: Cms, store: Store, location: str) -> None:
    server.faults[at(PDF)] = Fault(status=302, headers={"Location": location})
    with pytest.raises(AccessRefused, match="a redirect of"):
        fetch(source, store, LISTED)


def test_a_fourth_redirect_is_refused(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(status=302, headers={"Location": at(PDF)})
    with pytest.raises(AccessRefused, match="redirected more than 3 times"):
        fetch(source, store, LISTED)
    assert len(server.log) == 4


def test_an_answer_compressed_unasked_is_decoded_and_compared(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(gzip=True)
    for file in (LISTED, UNLISTED):
        assert fetch(source, store, file)[0].digest == digest(FILES[PDF])


def test_a_compressed_bomb_is_stopped_at_the_declared_size(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at("empty.txt")] = Fault(gzip=True, body=b"\0" * 50_000_000)
    with pytest.raises(WrongBytes, match="more than 10 bytes"):
        fetch(source, store, Resource("empty.txt", size=10))
    assert_nothing_is_left(store)


def test_a_body_that_is_not_compressed_as_it_says_is_transient(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(headers={"Content-Encoding": "gzip"})
    with pytest.raises(TransientSourceError, match="damaged compressed body"):
        fetch(source, store, UNLISTED)


def test_a_full_store_is_the_stores_own_error(source: HttpSource, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> object:
        raise StoreFull("no room")

    monkeypatch.setattr(store, "incoming", full)
    with pytest.raises(StoreFull):
        fetch(source, store, LISTED)


def test_an_answer_that_makes_no_sense_is_permanent(source: HttpSource, server: Cms, store: Store) -> None:
    for status in (204, 206, 400, 418):
        server.faults[at(PDF)] = Fault(status=status)
        with pytest.raises(PermanentSourceError, match=f"answered {status}"):
            fetch(source, store, LISTED)
    server.faults[at(PDF)] = Fault(status=304)
    with pytest.raises(WrongBytes, match="304, which nobody asked for"):
        fetch(source, store, LISTED)
    server.faults[at("packageslip.xml")] = Fault(status=304)
    with pytest.raises(WrongBytes, match="304, which nobody asked for"):
        source.slip(URL)


def test_an_empty_slip_is_a_bad_slip(source: HttpSource, site: Path) -> None:
    put(site, "packageslip.xml", b"")
    with pytest.raises(BadSlip):
        source.slip(URL)


def test_an_interim_answer_is_not_taken_for_the_answer(open_http: OpenHttp) -> None:
    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as heard:
            for body in (b"first", b"second"):
                while heard.readline().strip():
                    pass
                connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
                time.sleep(0.05)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        server = threading.Thread(target=answer, args=(listener,), daemon=True)
        server.start()
        source = open_http(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert [source.call("/first"), source.call("/second")] == [b"first", b"second"]
        server.join()


MORE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("tls", [False, True])
def test_more_than_an_answer_is_no_answer_to_the_next_question(
    open_http: OpenHttp, tmp_path: Path, method: str, pieces: int, *, tls: bool
) -> None:
    pem = certificate(tmp_path, until=datetime.now(UTC) + timedelta(days=1))

    def answer(listener: socket.socket) -> None:
        for body in (b"first" + MORE, b"right"):
            plain, _ = listener.accept()
            with serving(pem).wrap_socket(plain, server_side=True) if tls else plain as connection:
                connection.recv(10_000)
                head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                # Of a body that comes by itself as much is taken as is awaited still: the rest is the system's, or TLS's.
                for piece in [head + body] if pieces == 1 else [head, body]:
                    connection.sendall(piece)
                    time.sleep(0.05)
                # Who closes with something unread says so to the other side.
                with suppress(ConnectionResetError):
                    connection.recv(10_000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        server = threading.Thread(target=answer, args=(listener,), daemon=True)
        server.start()
        url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        source = open_http(url=url, retries=0, **({"ca_file": pem} if tls else {}))
        assert [source.call("/first", method=method), source.call("/second")] == [b"first", b"right"]
        source.close()
        server.join()
