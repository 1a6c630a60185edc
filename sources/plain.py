"""Plain answers, read straight off their socket: what the libraries do for one costs several times as much as a small file.

Plain is what cannot be misunderstood: HTTP/1.1, headers of visible characters, one length, no coding, and a connection that
stays. Anything else is the standard library's, which is given all bytes from the first.
"""

import io
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from urllib3.exceptions import HTTPError, IncompleteRead

from sources.headers import Headers

LONGEST_HEAD = 16 * 1024
"""Bytes of status and headers: of more the standard library says what is wrong."""
_AT_ONCE = 32 * 1024
"""Bytes that are asked for with the headers: most files come along."""
_END = b"\r\n\r\n"
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEAD = re.compile(rf"HTTP/1\.1 ([2-5][0-9]{{2}})(?: [ -~]*)?((?:\r\n{_WORD}:[\t -~]*)*)".encode())
_LINE = re.compile(r"\r\n([^:]+):([^\r]*)")
_LENGTH = re.compile(r"[0-9]{1,19}")
_BODILESS = (204, 304)
_ADDRESS, _NAME, _VALUE = re.compile("/[!-~]*"), re.compile(_WORD), re.compile("[ -~]*")
_HOST = re.compile(r"[0-9A-Za-z._:\[\]-]+")
"""Without the zone of an IPv6 address, which is this machine's business."""
_STAYS = "keep-alive"


class Beginning(NamedTuple):
    """A plain answer up to its headers. `length`: of its body; `body`: what came of it already, and perhaps of more."""

    status: int
    headers: Headers
    length: int
    body: bytes


def get_request(host: str, address: str, headers: Mapping[str, str]) -> bytes | None:
    """A GET; None: something in it is not just visible ASCII, and for the standard library to take or to refuse."""
    plain = _ADDRESS.fullmatch(address) and _HOST.fullmatch(host)
    if not (plain and all(map(_NAME.fullmatch, headers)) and all(map(_VALUE.fullmatch, headers.values()))):
        return None
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"GET {address} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode()


def hear(connection: socket.socket) -> Beginning | bytes:
    """The answer's beginning, or all that came until it was seen that it is not plain, or at an end. Raises OSError."""
    seen, end = b"", -1
    while end < 0 and len(seen) <= LONGEST_HEAD and (some := connection.recv(_AT_ONCE)):
        seen += some
        end = seen.find(_END)
    return _plain(seen, end) or seen


def _plain(seen: bytes, end: int) -> Beginning | None:
    head = _HEAD.fullmatch(seen, 0, end) if 0 < end <= LONGEST_HEAD else None
    if head is None:
        return None
    status, headers = int(head[1]), Headers([(name, value.strip()) for name, value in _LINE.findall(head[2].decode("ascii"))])
    if "transfer-encoding" in headers or "content-encoding" in headers or headers.get("connection", _STAYS).lower() != _STAYS:
        return None
    length = headers.get("content-length", "0" if status in _BODILESS else "")
    if not _LENGTH.fullmatch(length):
        return None
    return Beginning(status, headers, 0 if status in _BODILESS else int(length), seen[end + len(_END) :])


class PlainReply:
    """A plain answer. `give_back` gets told when the connection can be used again, `hang_up` when it cannot."""

    def __init__(
        self,
        beginning: Beginning,
        connection: socket.socket,
        *,
        give_back: Callable[[], object],
        hang_up: Callable[[], object],
    ) -> None:
        self.status, self.headers, self._left, self._here = beginning
        self._connection, self._give_back, self._hang_up = connection, give_back, hang_up
        self._taken = 0
        if len(self._here) > self._left:
            # To a question that nobody asked: what comes next on this connection could be anything.
            self._here, self._give_back = self._here[: self._left], hang_up

    def read1(self, amount: int, *, decode_content: bool) -> bytes:  # noqa: ARG002 - nothing is coded
        if not self._left:
            return b""
        try:
            chunk = self._here[:amount] if self._here else self._connection.recv(min(amount, self._left))
            if not chunk:
                raise IncompleteRead(self._taken, self._left)
        except BaseException:
            # Whoever reads closes the answer then, and it would look like one that was read to its end.
            self._hang_up()
            raise
        self._here = self._here[len(chunk) :]
        self._taken += len(chunk)
        self._left -= len(chunk)
        return chunk

    @property
    def length_remaining(self) -> int:
        return self._left

    def drain_conn(self) -> None:
        with suppress(HTTPError, OSError):
            while self._left:
                self.read1(self._left, decode_content=False)

    @property
    def closed(self) -> bool:
        return not self._left

    def close(self) -> None:
        self._hang_up()

    def release_conn(self) -> None:
        self._give_back()


class Again(io.BufferedReader):
    """A connection for the standard library's answer, which it reads from the first byte, though some were read already.

    `hang_up` gets told if more was read than the answer turned out to have.
    """

    def __init__(self, seen: bytes, connection: socket.socket, hang_up: Callable[[], object]) -> None:
        self._replayed = _Replayed(seen, connection)
        self._hang_up = hang_up
        super().__init__(self._replayed)

    def makefile(self, mode: str) -> "Again":
        """What http.client asks of a socket."""
        assert mode == "rb"
        return self

    def close(self) -> None:
        if not self.closed:
            self._replayed.over = True
            if self.peek():
                self._hang_up()
        super().close()


class _Replayed(io.RawIOBase):
    """What was read already, and what comes after it. `over`: nothing more is read."""

    def __init__(self, seen: bytes, connection: socket.socket) -> None:
        super().__init__()
        self._seen = seen
        # Holds the socket open when its connection is closed under it.
        self._rest = connection.makefile("rb", buffering=0)
        self.over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - as RawIOBase's own
        if not self._seen:
            return 0 if self.over else self._rest.readinto(buffer)
        count = min(len(buffer), len(self._seen))
        buffer[:count] = self._seen[:count]
        self._seen = self._seen[count:]
        return count

    def close(self) -> None:
        self._rest.close()
        super().close()
