"""The contract of a source: where slips and bytes come from.

Every kind passes `tests/contract/test_sources.py`. One Source object serves all threads of an engine.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from packageslip import CatalogueEntry, Digest, Packageslip, Resource, View


class Incoming(Protocol):
    """A file on its way into the content store."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None:
        """Discards what was not committed."""

    def write(self, chunk: bytes) -> None: ...

    def commit(self) -> tuple[Digest, int]:
        """Keep it under its digest; digest and size."""


class Sink(Protocol):
    """Where fetched bytes go. The content store is one."""

    def incoming(self) -> Incoming: ...


@dataclass(frozen=True, slots=True)
class Want:
    """One file to fetch. `etag` and `modified` are validators from an earlier fetch, with the `digest` it had:

    given, the source may answer "unchanged". `file.digest` and `file.size`, where the slip has them, are checked.
    """

    file: Resource | View
    etag: str | None = None
    modified: int | None = None
    digest: Digest | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file's answer. `unchanged`: the validators still hold, nothing was sent, digest and size are the want's."""

    path: str
    digest: Digest
    size: int
    etag: str | None = None
    modified: int | None = None
    unchanged: bool = False


class Source(Protocol):
    """Where slips and bytes come from. Every method may raise SourceError's kinds; a bad slip is packageslip.SlipError."""

    @property
    def name(self) -> str:
        """The name in the configuration (`target:NAME` for a target read as a source)."""

    def slip(self, url: str) -> Packageslip:
        """The module's slip as the source has it now, checked. Raises NoSuchModule."""

    def seen(self, slip: Packageslip) -> str:
        """Names the document that this slip was just read from, for `news`; empty: there is none that a name could stand for."""

    def news(self, url: str, seen: str) -> Packageslip | None:
        """As `slip`; None: the module's document is the very one that `seen` names, which need not be read again."""

    def modules(self) -> Iterator[CatalogueEntry]:
        """Every module that the source has, in any order."""

    def fetch(self, slip: Packageslip, wants: Sequence[Want], sink: Sink) -> Iterator[Fetched]:
        """Get the bytes into the sink, in parallel where that helps, and answer for each want, in any order.

        A wrong length or digest is fetched once more past caches, then raised as WrongBytes. The first error ends the iteration.
        """

    def still(self, slip: Packageslip) -> bool:
        """Whether the source's slip for this module is still this one (asked before a commit whose bytes were fetched)."""

    def check(self) -> Iterable[tuple[str, bool, str]]:
        """Probe for `doctor`: (what, works, remedy). What works and has a remedy could be better."""

    def close(self) -> None:
        """Let go of connections. Safe to call twice."""


@runtime_checkable
class Calls(Protocol):
    """A source that can be asked to do something: a CMS. A folder or a target cannot."""

    def call(self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, limit: int = 65536) -> bytes:
        """Ask for a path (perhaps with a query) below the source's URL, with its account, past every cache.

        The answer's first `limit` bytes. Raises SourceError's kinds for any status that is no success.
        """
