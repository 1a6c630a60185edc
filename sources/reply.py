"""An answer as it comes off its connection: plain ones are read straight from it, all others by urllib3's response."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError, IncompleteRead

from sources.heard import HeardResponse

_LONGEST_LENGTH = 19
"""Digits of a Content-Length that needs no second look."""
_FOLD = re.compile(r"\s*\r?\n\s+")


class Headers(Mapping[str, str]):
    """The headers of a plain answer, in any case. Several of one name are one, with commas between (RFC 9110 5.3)."""

    __slots__ = ("_held",)

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        held = self._held = dict[str, str]()
        for name, value in items:
            key = name.lower()
            held[key] = f"{held[key]}, {value}" if key in held else value

    def __getitem__(self, name: str) -> str:
        return self._held[name.lower()]

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping's own, which is slower
        """The value of this header, else the default."""
        return self._held.get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return str(name).lower() in self._held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


class Reply:
    """One answer, with as much of urllib3's response as a source uses; its body has not been read yet.

    A plain one has a length and no coding: to read it needs nothing of urllib3's response, which costs more than a small file.
    `give_back` gets told when the connection can be used again, `hang_up` when it cannot.
    """

    def __init__(
        self, heard: HeardResponse, method: str, *, give_back: Callable[[], object], hang_up: Callable[[], object]
    ) -> None:
        self._heard, self._give_back, self._hang_up = heard, give_back, hang_up
        self._taken = 0
        self.status: int = heard.status
        self.headers: Mapping[str, str] = Headers(_items(heard))
        self._decoder = None if _is_plain(heard, self.headers) else _decoder(heard, method)
        if self._decoder:
            self.headers = self._decoder.headers

    def read1(self, amount: int, *, decode_content: bool) -> bytes:
        """The next bytes, as they arrive; none at the end. A body that is shorter than its length is IncompleteRead."""
        try:
            return self._decoder.read1(amount, decode_content=decode_content) if self._decoder else self._next(amount)
        except BaseException:
            # Whoever reads closes the answer then, and it would look like one that was read to its end.
            self._hang_up()
            raise

    def _next(self, amount: int) -> bytes:
        heard = self._heard
        left: int = heard.length or 0
        chunk = heard.read1(min(amount, left)) if left else b""
        self._taken += len(chunk)
        if len(chunk) == left:
            heard.close()
        elif not chunk:
            raise IncompleteRead(self._taken, left)
        return chunk

    @property
    def length_remaining(self) -> int | None:
        """How many bytes are still to come, if it says so."""
        return self._decoder.length_remaining if self._decoder else self._heard.length

    def drain_conn(self) -> None:
        """Read what is left and throw it away."""
        with suppress(HTTPError, HTTPException, OSError):
            while self.read1(self.length_remaining or 1, decode_content=False):
                pass

    @property
    def closed(self) -> bool:
        """Whether it was read to its end, or thrown away."""
        return self._heard.isclosed()

    def close(self) -> None:
        """Throw it away, with its connection."""
        self._heard.close()
        self._hang_up()

    def release_conn(self) -> None:
        """Let go of the connection."""
        self._give_back()


def _items(heard: HeardResponse) -> list[tuple[str, str]]:
    """The headers, with those that go on in a further line made one."""
    return [(name, _FOLD.sub(" ", value) if "\n" in value else value) for name, value in heard.headers.items()]


def _is_plain(heard: HeardResponse, headers: Mapping[str, str]) -> bool:
    """Whether there is nothing to decode, and one length that is one."""
    if heard.chunked or heard.length is None or "Transfer-Encoding" in headers or "Content-Encoding" in headers:
        return False
    length: str = headers.get("Content-Length", "0")
    return length.isascii() and length.isdecimal() and len(length) <= _LONGEST_LENGTH


def _decoder(heard: HeardResponse, method: str) -> HTTPResponse:
    """urllib3's response. Raises its errors for what is no length, after closing the answer: nobody else knows of it."""
    try:
        return HTTPResponse(
            body=heard,
            headers=HTTPHeaderDict(_items(heard)),
            status=heard.status,
            version=heard.version,
            reason=heard.reason,
            preload_content=False,
            original_response=heard,
            request_method=method,
        )
    except BaseException:
        heard.close()
        raise
