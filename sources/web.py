"""Pages anywhere on the web: one GET at a time, with limits on everything, and never to where a page must not lead us.

Operators configure some addresses; others are found in pages, which anybody may have written. Those must not reach the
machines beside the engine: every address that their host's name has must be a public one, and that very address is
connected to, so that a name that changes its mind between two questions gains nothing.
"""

from dataclasses import dataclass
from threading import Event, Lock
from typing import TYPE_CHECKING

from config import WebSettings
from packageslip import Digest
from sources.contract import Sink

if TYPE_CHECKING:
    from sources.surfing import Surfing

WEB = "web"
"""What errors call it: there is no source of this name in a configuration."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was found. `url`: after redirects; `type`: the Content-Type as it was sent.

    `unchanged`: the validators still hold and nothing was sent; digest, size and type are empty then.
    """

    url: str
    digest: Digest = b""
    size: int = 0
    type: str = ""
    etag: str | None = None
    modified: int | None = None
    unchanged: bool = False


class Web:
    """The web, for all threads of an engine: never more than `parallel` requests under way. Nothing is opened before the first.

    `trusted`: the address was configured by an operator, not found in a page; then its host may be a private one. A redirect
    to another host is trusted no more.
    """

    def __init__(self, options: WebSettings) -> None:
        self._options = options
        self._lock, self._closed = Lock(), Event()
        self._opened: Surfing | None = None

    def fetch(
        self,
        url: str,
        sink: Sink,
        *,
        etag: str | None = None,
        modified: int | None = None,
        stop: Event | None = None,
        trusted: bool = False,
        limit: int | None = None,
    ) -> Page:
        """Get one page into the sink. `etag`, `modified`: validators of an earlier fetch; `limit`: bytes, at most.

        Raises SourceError's kinds, with the source "web".
        """
        return self._surfing().fetch(url, sink, etag=etag, modified=modified, stop=stop, trusted=trusted, limit=limit)

    def head(self, url: str, *, stop: Event | None = None, trusted: bool = False) -> int:
        """The status that the page answers with, after redirects. Raises SourceError's kinds where nothing is answered.

        Many servers do not like HEAD: whatever it fails with, other than "there is none", is asked again with GET.
        """
        return self._surfing().head(url, stop=stop, trusted=trusted)

    def close(self) -> None:
        """Close the connections; what waits ends at once. Safe to call twice."""
        self._closed.set()
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    def _surfing(self) -> "Surfing":
        # Imported here: see there.
        from sources.surfing import Surfing  # noqa: PLC0415

        with self._lock:
            if self._opened is None:
                self._opened = Surfing(self._options, self._closed)
            return self._opened
