"""Plain answers off a socket: what is one, and that the standard library would have heard the same."""

import http.client
import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import IncompleteRead

from sources.heard import HeardResponse
from sources.plain import Again, Beginning, PlainReply, get_request, hear

PLAIN = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type:text/plain \r\nContent-Length: 5\r\nVia: a\r\nvia: b\r\n"
    b'Connection: keep-alive\r\nETag: "5"\r\nX-Empty:\r\n\r\n'
)
ODD = {
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    "a coding": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n",
    "no length": b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n",
    "no headers": b"HTTP/1.1 200 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    "nothing of two lengths": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "nothing of no real length": b"HTTP/1.1 204 No Content\r\nContent-Length: -5\r\n\r\n",
    "a list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
    "a signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
    "an endless length": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"0" * 25 + b"5\r\n\r\n",
    "a connection that ends": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
    "an old version": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
    "an interim answer": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nVia: a\r\n b\r\nContent-Length: 5\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nContent-Length 5\r\n\r\n",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 5\n\r\n\r\n",
    "a carriage return alone": b"HTTP/1.1 200 OK\r\nVia: a\rContent-Length: 7\r\nContent-Length: 5\r\n\r\n",
    "other letters": b"HTTP/1.1 200 OK\r\nVia: \xe9\r\nContent-Length: 5\r\n\r\n",
    "a null": b"HTTP/1.1 200 OK\r\nVia: \0\r\nContent-Length: 5\r\n\r\n",
    "no status": b"Content-Length: 5\r\n\r\n",
    "a head too long": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: " + b"a" * 20_000 + b"\r\n\r\n",
}
BODY = b"hello"


class Line(io.RawIOBase):
    """As much of a socket as is read from: it has these pieces, and then ends."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]

    def recv(self, amount: int) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if len(piece) > amount:
            self.pieces.insert(0, piece[amount:])
        return piece[:amount]

    def makefile(self, mode: str, buffering: int = -1) -> Any:
        assert mode == "rb"
        return self if buffering == 0 else io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        some = self.recv(len(buffer))
        buffer[: len(some)] = some
        return len(some)


def line(*pieces: bytes) -> Any:
    return Line(pieces)


def heard_by_library(*pieces: bytes) -> http.client.HTTPResponse:
    answer = HeardResponse(line(*pieces), method="GET")
    answer.begin()
    return answer


def reply_to(*pieces: bytes) -> tuple[PlainReply, list[str]]:
    """The plain answer in these pieces, and what becomes of its connection."""
    connection, fate = line(*pieces), list[str]()
    beginning = hear(connection)
    assert isinstance(beginning, Beginning)
    return PlainReply(beginning, connection, give_back=lambda: fate.append("kept"), hang_up=lambda: fate.append("closed")), fate


def read(reply: PlainReply) -> bytes:
    body = b""
    while chunk := reply.read1(3, decode_content=True):
        body += chunk
    return body


@pytest.mark.parametrize("cuts", [range(1, 200), (), (10,), (len(PLAIN),), (len(PLAIN) + 2,)], ids=len)
def test_a_plain_answer_in_any_pieces(cuts: Sequence[int]) -> None:
    whole = PLAIN + BODY
    places = [0, *cuts, len(whole)]
    reply, fate = reply_to(*[whole[start:end] for start, end in pairwise(places)])
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/plain"
    assert reply.headers.get("VIA") == "a, b"
    assert reply.headers["X-Empty"] == ""
    assert (reply.closed, reply.length_remaining) == (False, 5)
    assert read(reply) == BODY
    assert (reply.closed, reply.length_remaining) == (True, 0)
    reply.release_conn()
    assert fate == ["kept"]


@pytest.mark.parametrize("head", [pytest.param(head, id=name) for name, head in ODD.items()])
def test_what_is_not_plain_is_the_librarys_from_its_first_byte(head: bytes) -> None:
    connection = line(head, BODY)
    seen = hear(connection)
    assert isinstance(seen, bytes)
    assert Again(seen, connection, print).makefile("rb").read() == head + BODY


@pytest.mark.parametrize("end", range(len(PLAIN)))
def test_headers_that_break_off_are_the_librarys_too(end: int) -> None:
    connection = line(PLAIN[:end])
    seen = hear(connection)
    assert seen == PLAIN[:end]
    again: Any = Again(seen, connection, print)
    with pytest.raises(http.client.HTTPException):
        HeardResponse(again, method="GET").begin()


@pytest.mark.parametrize("end", range(len(BODY)))
def test_a_body_that_breaks_off(end: int) -> None:
    reply, fate = reply_to(PLAIN, BODY[:end])
    with pytest.raises(IncompleteRead):
        read(reply)
    assert fate == ["closed"]
    assert not reply.closed


def test_a_connection_that_says_more_than_was_asked_serves_for_nothing_more() -> None:
    reply, fate = reply_to(PLAIN + BODY + b"HTTP/1.1 200 OK\r\n")
    assert read(reply) == BODY
    reply.release_conn()
    assert fate == ["closed"]


CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("whole", "fate"),
    [(CHUNKS, []), (CHUNKS + b"HTTP/1.1 200 OK\r\n", ["closed"]), (CHUNKS + b"H" * 100_000, ["closed"])],
    ids=["no more", "more", "much more"],
)
def test_the_librarys_answers_may_say_no_more_either(whole: bytes, fate: list[str]) -> None:
    connection, told = line(whole), list[str]()
    seen = hear(connection)
    assert isinstance(seen, bytes)
    again: Any = Again(seen, connection, lambda: told.append("closed"))
    answer = HeardResponse(again, method="GET")
    answer.begin()
    assert answer.read() == BODY
    assert told == fate


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_that_never_has_a_body(status: bytes) -> None:
    reply, fate = reply_to(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\n")
    assert read(reply) == b""
    reply.release_conn()
    assert fate == ["kept"]


def test_draining_a_body_that_breaks_off_is_no_error() -> None:
    reply, fate = reply_to(PLAIN, b"he")
    reply.drain_conn()
    assert fate == ["closed"]


PARTS = [*ODD.values(), PLAIN]
LINES = st.sampled_from(sorted({line for part in PARTS for line in part.split(b"\r\n") if len(line) < 1000}))


@given(st.lists(LINES, max_size=6), st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 404 No", b"HTTP/1.1 304 Same"]), st.data())
def test_what_passes_for_plain_is_what_the_library_hears(lines: list[bytes], status: bytes, data: st.DataObject) -> None:
    whole = bytearray(b"\r\n".join([status, *lines]) + b"\r\n\r\n" + BODY)
    for _ in range(data.draw(st.integers(0, 2))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    beginning = hear(line(bytes(whole)))
    if isinstance(beginning, bytes):
        return
    answer = heard_by_library(bytes(whole))
    assert (beginning.status, beginning.length) == (answer.status, answer.length)
    assert {name: beginning.headers[name] for name in beginning.headers} == {
        name.lower(): ", ".join(value.strip() for value in answer.headers.get_all(name) or ()) for name in answer.headers
    }


def test_a_request() -> None:
    headers = {"User-Agent": "slipway", "Range": "bytes=5-"}
    assert get_request("cms.example:8080", "/a%20b?c=d", headers) == (
        b"GET /a%20b?c=d HTTP/1.1\r\nHost: cms.example:8080\r\nUser-Agent: slipway\r\nRange: bytes=5-\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("host", "address", "name", "value"),
    [
        ("cms\u00e9", "/a", "X", "y"),
        ("cms", "/a b", "X", "y"),
        ("cms", "/a\r\nY: z", "X", "y"),
        ("cms", "/a", "X\n", "y"),
        ("cms", "/a", "X", "y\r\nZ: y"),
        ("cms", "/a", "X", "\u00e9"),
        ("cms", "/a", "X: y\u0020Z", "y"),
        ("cms", "/a", "", "y"),
        ("cms", "", "X", "y"),
        ("[fe80::1%eth0]", "/a", "X", "y"),
    ],
)
def test_a_request_that_the_library_is_to_refuse_or_encode(host: str, address: str, name: str, value: str) -> None:
    assert get_request(host, address, {name: value}) is None
