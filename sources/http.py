"""A CMS over HTTP: slips, files and a catalogue from one origin, asked so that a frail server survives."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile, gettempdir
from threading import Event
from typing import BinaryIO, TypeVar, cast

import structlog

from config import HttpSource as HttpSettings
from packageslip import (
    LONGEST_SIGNATURE,
    SIGNATURE_SUFFIX,
    CatalogueEntry,
    Digest,
    Limits,
    Packageslip,
    SlipError,
    check_module_url,
    read_catalogue,
    read_slip,
)
from sources.answers import is_html
from sources.client import Client
from sources.contract import Fetched, Sink, Want
from sources.crew import Crew
from sources.errors import (
    AccessRefused,
    NoSuchModule,
    ResourceMissing,
    SourceError,
    SourceUnreachable,
    TransientSourceError,
    WrongBytes,
)
from sources.pace import Pace
from sources.partial import Partial
from sources.patience import Patience
from sources.proof import check_signature, fingerprint, proven, read_together
from sources.sameness import Original, Remembered, agrees, strong
from sources.transfer import PAST_CACHES, beginning, is_conditional, pour, receive, request_headers, unchanged

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_UNLESS = "If-None-Match"
_IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a document that are held in memory; a larger one goes to a temporary file while it is read."""


@dataclass(frozen=True, slots=True)
class _Document:
    """A slip or catalogue that was read in full; `content` is None if it is unchanged."""

    content: BinaryIO | None
    etag: str | None


class HttpSource:
    """One HTTP source for all threads of an engine.

    `password`: the secret itself. `patience` and `window` (seconds over which the rate is measured) are for tests.
    """

    def __init__(
        self,
        name: str,
        options: HttpSettings,
        *,
        limits: Limits | None = None,
        password: str | None = None,
        patience: Patience | None = None,
        window: float = 30.0,
    ) -> None:
        self.name = name
        self._options = options
        self._limits = limits or Limits()
        self._client = Client(name, options, password)
        self._crew = Crew(options.parallel)
        self._patience = patience or Patience(options.retries, options.max_retry_after)
        self._window = window
        self._remembered = Remembered()
        self._closed = Event()

    def slip(self, url: str) -> Packageslip:
        """The module's slip as the CMS has it now, past every cache."""
        check_module_url(url)
        slip = read_together(lambda: self._read_slip(url, PAST_CACHES))
        assert slip is not None, "nothing was known of it"
        return slip

    def seen(self, slip: Packageslip) -> str:
        return self._remembered.name(slip)

    def news(self, url: str, seen: str) -> Packageslip | None:
        """As `slip`, unless the CMS sends the very bytes that had this digest."""
        check_module_url(url)
        known = bytes.fromhex(seen)
        return read_together(lambda: self._read_slip(url, PAST_CACHES, known))

    def modules(self) -> Iterator[CatalogueEntry]:
        """Every module in the catalogue document."""
        address = self._client.addresses.below(self._options.catalogue)
        try:
            with self._document(address, PAST_CACHES) as document:
                if document.content is None:
                    raise self._unasked(address)
                yield from read_catalogue(document.content, self._client.whole(address), self._limits)
        except ResourceMissing as error:
            where = self._client.whole(address)
            raise ResourceMissing(
                f"{self.name}: {where}, the list of modules, does not exist; serve one there ('slipway slip catalogue' makes it "
                f"for a folder), or name its place with sources.{self.name}.catalogue",
                source=self.name,
            ) from error

    def fetch(self, slip: Packageslip, wants: Sequence[Want], sink: Sink) -> Iterator[Fetched]:
        """Get the files, as many at once as help but no more than `parallel`; answers come as they are complete."""
        return self._crew.each(lambda want, stop: self._fetch_one(slip.url, want, sink, stop), wants)

    def still(self, slip: Packageslip) -> bool:
        """Whether the CMS still has this slip: by its etag if it gave one, else by reading it again."""
        read = self._remembered.of(slip)
        headers = {**PAST_CACHES, _UNLESS: read.etag} if read and read.etag else PAST_CACHES
        try:
            now = self._read_slip(slip.url, headers)
        except (NoSuchModule, SlipError):
            return False
        return now is None or agrees(now, slip)

    def call(self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, limit: int = 65536) -> bytes:
        """Ask the CMS to do something. A GET is repeated like any other request, anything else is asked once."""
        address = self._client.addresses.below(path)
        asked = {**PAST_CACHES, **(headers or {})}

        def request() -> bytes:
            with self._client.get(address, asked, self._closed, method=method, any_success=True) as answer:
                return beginning(answer, limit)

        try:
            return self._patiently(request, self._closed) if method == "GET" else request()
        except ResourceMissing as error:
            where = self._client.whole(address)
            raise ResourceMissing(
                f"{self.name}: there is nothing to ask at {where}; correct the path", source=self.name
            ) from error

    def check(self) -> Iterable[tuple[str, bool, str]]:
        """Whether the server answers, and has a catalogue; that is asked for first, for nothing needs to be at its root."""
        answers = f"{self.name}: {self._client.whole(f'{self._client.addresses.base}/')} answers"
        try:
            listing = _outcome(lambda: next(self.modules(), None))
        except ResourceMissing as error:
            yield answers, True, ""
            yield f"{self.name}: no catalogue, so modules are published by name only", True, str(error)
            return
        yield (answers, *(listing if listing[0] else _outcome(self._reach)))
        yield (f"{self.name}: the catalogue can be read", *listing)

    def close(self) -> None:
        """Close the connections; waits between retries end at once."""
        self._closed.set()
        self._client.close()

    def _unasked(self, address: str) -> WrongBytes:
        where = self._client.whole(address)
        return WrongBytes(f"{self.name}: {where} answered 304, which nobody asked for; is it a cache?", source=self.name)

    def _read_slip(self, url: str, headers: Mapping[str, str], known: Digest | None = None) -> Packageslip | None:
        """None: its bytes have the digest `known`, or it is what it was, as the CMS answers if the headers ask so."""
        address = self._client.addresses.slip(url)
        try:
            with self._document(address, headers) as document:
                if document.content is None:
                    if _UNLESS not in headers:
                        raise self._unasked(address)
                    return None
                digest, size = fingerprint(document.content)
                if digest == known:
                    return None
                signature, where = self._signature(address), self._client.whole(address)
                check_signature(signature, digest, size, where)
                slip = proven(read_slip(document.content, where, self._limits, url=url), signature)
                self._remembered.keep(slip, Original(digest, strong(document.etag)))
                return slip
        except ResourceMissing as error:
            raise NoSuchModule(
                f"{self.name}: there is no module {url}: {self._client.whole(address)} does not exist; correct the URL, "
                "or unpublish the module if it is gone for good",
                source=self.name,
            ) from error

    def _signature(self, address: str) -> bytes | None:
        """What is beside a slip, no more of it than a signature can be; None where none is asked for or there."""
        if self._options.signatures is None:
            return None

        def request() -> bytes:
            with self._client.get(address + SIGNATURE_SUFFIX, PAST_CACHES, self._closed) as answer:
                if is_html(answer.headers):
                    raise ResourceMissing(f"{self.name}: {answer.where} is an HTML page", source=self.name)
                return beginning(answer, LONGEST_SIGNATURE + 1)

        try:
            return self._patiently(request, self._closed)
        except ResourceMissing:
            # Many servers answer what is not there with a page.
            return None

    @contextmanager
    def _document(self, address: str, headers: Mapping[str, str]) -> Iterator[_Document]:
        """A whole document, for the length of the block. One over the limit ends one byte past it, for its reader to refuse."""
        with cast(BinaryIO, SpooledTemporaryFile(_IN_MEMORY)) as content:

            def request() -> _Document:
                content.seek(0)
                content.truncate()
                with self._client.get(address, headers, self._closed) as answer:
                    if answer.status == 304:
                        return _Document(None, answer.headers.get("ETag"))
                    if is_html(answer.headers):
                        raise AccessRefused(
                            f"{self.name}: {answer.where} is an HTML page instead of an XML document, perhaps for logging in; "
                            "look at it with the source's account",
                            source=self.name,
                        )
                    pour(answer, self._aside(content), most=self._limits.bytes, pace=self._pace())
                    return _Document(content, answer.headers.get("ETag"))

            document = self._patiently(request, self._closed)
            content.seek(0)
            yield document

    def _aside(self, content: BinaryIO) -> Callable[[bytes], object]:
        """What writes to a temporary file. Its folder is this machine's: the source is not to blame for it."""

        def write(chunk: bytes) -> object:
            try:
                return content.write(chunk)
            except OSError as error:
                raise TransientSourceError(
                    f"{self.name}: there is no room for a temporary file in {gettempdir()}: {error.strerror}; make room there",
                    source=self.name,
                ) from error

        return write

    def _fetch_one(self, url: str, want: Want, sink: Sink, stop: Event) -> Fetched:
        try:
            return self._transfer(url, want, sink, stop, fresh=False)
        except WrongBytes as error:
            # A cache on the way may hold an older file than the slip names.
            log.info("file asked for again past caches", source=self.name, url=url, path=want.file.path, reason=str(error))
            return self._transfer(url, want, sink, stop, fresh=True)

    def _transfer(self, url: str, want: Want, sink: Sink, stop: Event, *, fresh: bool) -> Fetched:
        address = self._client.addresses.file(url, want.file)
        headers = request_headers(want, fresh=fresh)

        def request() -> Fetched:
            with self._client.get(address, headers | partial.headers(), stop) as answer:
                if answer.status == 304:
                    return unchanged(answer, want, asked=is_conditional(headers))
                return receive(answer, want, partial, pace=self._pace(), max_bytes=self._options.max_file_bytes)

        with Partial(sink, checked=want.file.digest is not None) as partial:
            return self._patiently(request, stop)

    def _patiently(self, request: Callable[[], Result], stop: Event) -> Result:
        """Repeat what may pass. An address that fails while the rest answers must not count as an outage of the whole source."""
        try:
            return self._patience.attempt(request, stop)
        except SourceUnreachable as error:
            if stop.is_set() or not self._alive():
                raise
            raise TransientSourceError(f"{error} (the server itself answers)", source=self.name) from error

    def _alive(self) -> bool:
        try:
            self._reach()
        except SourceError as error:
            return not isinstance(error, SourceUnreachable)
        return True

    def _reach(self) -> None:
        """Ask for the configured URL itself. That nothing is there is an answer too."""
        with suppress(ResourceMissing), self._client.get(f"{self._client.addresses.base}/", {}, self._closed):
            pass

    def _pace(self) -> Pace:
        return Pace(self._options.min_rate, self._window)


def _outcome(ask: Callable[[], object]) -> tuple[bool, str]:
    """Whether it works, else why not. That nothing is there is for the caller to judge."""
    try:
        ask()
    except ResourceMissing:
        raise
    except (SourceError, SlipError) as error:
        return False, str(error)
    return True, ""
