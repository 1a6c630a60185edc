"""Answers that are not plain: urllib3's response, on a connection that its pool knows nothing of."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Protocol

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError

from sources.heard import HeardResponse

_FOLD = re.compile(r"\s*\r?\n\s+")


class Reply(Protocol):
    """One answer, with as much of urllib3's response as a source uses; its body has not been read yet."""

    status: int

    @property
    def headers(self) -> Mapping[str, str]: ...

    def read1(self, amount: int, *, decode_content: bool) -> bytes:
        """The next bytes, as they arrive; none at the end. A body that is shorter than its length is IncompleteRead."""

    @property
    def length_remaining(self) -> int | None:
        """How many bytes are still to come, if it says so."""

    def drain_conn(self) -> None:
        """Read what is left and throw it away."""

    @property
    def closed(self) -> bool:
        """Whether it was read to its end, or thrown away."""

    def close(self) -> None:
        """Throw it away, with its connection."""

    def release_conn(self) -> None:
        """Let go of the connection."""


class DecodedReply:
    """An answer that the standard library heard, and urllib3 decodes.

    `give_back` gets told when the connection can be used again, `hang_up` when it cannot.
    """

    def __init__(
        self, heard: HeardResponse, method: str, *, give_back: Callable[[], object], hang_up: Callable[[], object]
    ) -> None:
        self._heard, self._give_back, self._hang_up = heard, give_back, hang_up
        self._decoder = _decoder(heard, method)
        self.status: int = heard.status
        self.headers: Mapping[str, str] = self._decoder.headers

    def read1(self, amount: int, *, decode_content: bool) -> bytes:
        try:
            return self._decoder.read1(amount, decode_content=decode_content)
        except BaseException:
            # Whoever reads closes the answer then, and it would look like one that was read to its end.
            self._hang_up()
            raise

    @property
    def length_remaining(self) -> int | None:
        return self._decoder.length_remaining

    def drain_conn(self) -> None:
        with suppress(HTTPError, HTTPException, OSError):
            while self.read1(self.length_remaining or 1, decode_content=False):
                pass

    @property
    def closed(self) -> bool:
        return self._heard.isclosed()

    def close(self) -> None:
        self._heard.close()
        self._hang_up()

    def release_conn(self) -> None:
        self._give_back()


def _items(heard: HeardResponse) -> list[tuple[str, str]]:
    """The headers, with those that go on in a further line made one."""
    return [(name, _FOLD.sub(" ", value) if "\n" in value else value) for name, value in heard.headers.items()]


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
