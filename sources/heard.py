"""The standard library's answer, with what it leaves out: one whose headers break off is none, and an interim one neither."""

import http.client
from typing import Any, BinaryIO


class HeardResponse(http.client.HTTPResponse):
    """An answer that was heard to the end of its headers.

    http.client takes the end of a connection for the end of the headers: an answer that is cut there would pass for a whole
    one without a length, and a slip for an empty one. And it takes an interim answer such as 103 for the answer itself, which
    would then be the one to the next request on that connection.
    """

    def begin(self) -> None:
        """Read status and headers. Raises HTTPException if they break off, and for a change of protocol that nobody asked for."""
        self._begin()
        while self.status < http.client.OK:
            if self.status == http.client.SWITCHING_PROTOCOLS:
                raise http.client.HTTPException("the server wants to change the protocol")
            # The standard library reads an answer's headers once.
            self.headers = None  # type: ignore[assignment]
            self._begin()

    def _begin(self) -> None:
        stream = self.fp
        lines: Any = _Lines(stream)
        self.fp = lines
        try:
            super().begin()
        finally:
            if self.fp is lines:
                self.fp = stream
        if not lines.last:
            raise http.client.HTTPException("the connection ended in the headers of the answer")


class _Lines:
    """A stream that remembers the last line which was read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.last = stream, b""

    def readline(self, size: int = -1) -> bytes:
        self.last = self.stream.readline(size)
        return self.last

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a stream has
        return getattr(self.stream, name)
