"""A file that may arrive in parts: where a connection was cut, the next request asks for the rest."""

from typing import Self

from packageslip import Digest
from sources.client import Answer
from sources.contract import Incoming, Sink
from sources.errors import TransientSourceError


class Partial:
    """What earlier requests of one file brought. Used by one thread; leaving the `with` block discards what was not committed.

    Only a strong etag makes parts of two answers one file (RFC 9110 13.1.5), and only a digest shows whether the server
    keeps that promise: without both (`checked`: a digest is known) each request starts anew.
    """

    def __init__(self, sink: Sink, *, checked: bool) -> None:
        self.count = 0
        self._sink = sink
        self._checked = checked
        self._incoming: Incoming | None = None
        self._etag: str | None = None
        self._asked_from = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Discard what was not committed."""
        self._drop()

    def headers(self) -> dict[str, str]:
        """What to add to the next request. A server that sent nothing more when asked for the rest is asked for the whole."""
        if self._etag is None or self.count <= self._asked_from:
            self._drop()
            return {}
        self._asked_from = self.count
        return {"Range": f"bytes={self.count}-", "If-Range": self._etag}

    def begin(self, answer: Answer) -> None:
        """Go on where the last answer was cut if this one is the rest of the same file, else start anew."""
        if answer.status != 206:
            self._drop()
            self._incoming = self._sink.incoming()
            self._incoming.__enter__()
            self._etag = _strong_etag(answer) if self._checked else None
        elif not self._is_rest(answer):
            raise TransientSourceError(
                f"{answer.source}: {answer.where} sent another part than was asked for", source=answer.source
            )

    def write(self, chunk: bytes) -> None:
        """Add to the end."""
        assert self._incoming
        self._incoming.write(chunk)
        self.count += len(chunk)

    def commit(self) -> tuple[Digest, int]:
        """Keep it under its digest; digest and size."""
        assert self._incoming
        kept = self._incoming.commit()
        self._drop()
        return kept

    def _is_rest(self, answer: Answer) -> bool:
        starts = answer.headers.get("Content-Range", "").startswith(f"bytes {self.count}-")
        return self._incoming is not None and starts and _strong_etag(answer) == self._etag

    def _drop(self) -> None:
        incoming, self._incoming = self._incoming, None
        self.count = self._asked_from = 0
        self._etag = None
        if incoming is not None:
            incoming.__exit__(None, None, None)


def _strong_etag(answer: Answer) -> str | None:
    etag = answer.headers.get("ETag", "")
    # Parts of a compressed body are no parts of the file.
    encoded = answer.headers.get("Content-Encoding", "identity").lower() != "identity"
    return etag if etag.startswith('"') and not encoded else None
