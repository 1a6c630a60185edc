"""A target read as a source: what was approved on one is what goes live on another.

The target may be published to meanwhile. So a slip, its files and the slip again are read, and every file is known by
its digest: what has the digest that the slip says is the right file, whoever put it there and whenever.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock, local
from typing import BinaryIO

from packageslip import CatalogueEntry, Packageslip, check_module_url, version_of
from sources.contract import Fetched, Sink, Want
from sources.errors import (
    NoSuchModule,
    PermanentSourceError,
    SourceChanged,
    SourceError,
    SourceUnreachable,
    TransientSourceError,
)
from targets import Target, TargetError, TargetUnreachable, TransientTargetError

_CHUNK = 256 * 1024


class TargetSource:
    """One target as a source, for all threads of an engine: each thread opens a target of its own, `close` closes all."""

    def __init__(self, name: str, open_target: Callable[[], Target]) -> None:
        self.name = name
        self._open_target = open_target
        self._mine = local()
        self._opened: list[Target] = []
        self._lock = Lock()

    def slip(self, url: str) -> Packageslip:
        """The slip that is live on the target."""
        check_module_url(url)
        slip = self._live(url)
        if slip is None:
            raise NoSuchModule(
                f"{self.name}: {url} is not published there, so there is nothing to take from it; publish it there first",
                source=self.name,
            )
        return slip

    def seen(self, slip: Packageslip) -> str:  # noqa: ARG002
        """Nothing: a commit record is read each time."""
        return ""

    def news(self, url: str, seen: str) -> Packageslip | None:  # noqa: ARG002
        return self.slip(url)

    def modules(self) -> Iterator[CatalogueEntry]:
        """Every module that has a commit record on the target."""
        with self._faults():
            yield from self._target().modules()

    def fetch(self, slip: Packageslip, wants: Sequence[Want], sink: Sink) -> Iterator[Fetched]:
        """Read the files one by one, wherever the module that is live now has the bytes that are wanted.

        Bytes that are not where the live slip says are SourceChanged: a publish that is under way looks just so.
        """
        live = self.slip(slip.url)
        anywhere = {file.digest: file.path for file in live.files()}
        exactly = {(file.path, file.digest) for file in live.files()}
        for want in wants:
            path, digest = want.file.path, want.file.digest
            place = path if digest is None or (path, digest) in exactly else anywhere.get(digest)
            if place is None:
                raise self._changed(f"{path} of {slip.url} was replaced there", "publish again to take what is live there now")
            yield self._fetch_one(slip.url, place, want, sink)

    def still(self, slip: Packageslip) -> bool:
        """Whether this very publication is what is live on the target."""
        live = self._live(slip.url)
        return live is not None and (live.serial, live.queue, version_of(live)) == (slip.serial, slip.queue, version_of(slip))

    def check(self) -> Iterable[tuple[str, bool, str]]:
        """Whether the target's commit records can be read; `slipway target test` tries the rest."""
        try:
            next(self.modules(), None)
        except SourceError as error:
            yield f"{self.name}: its modules can be listed", False, str(error)
            return
        yield f"{self.name}: its modules can be listed", True, ""

    def close(self) -> None:
        """Close every thread's target. Call it when no thread reads any more."""
        with self._lock:
            opened, self._opened = self._opened, []
            self._mine = local()
        for target in opened:
            target.close()

    def _fetch_one(self, url: str, place: str, want: Want, sink: Sink) -> Fetched:
        file = want.file
        with self._faults(), self._open(url, place) as stream, sink.incoming() as incoming:
            while chunk := stream.read(_CHUNK):
                incoming.write(chunk)
            digest, size = incoming.commit()
        if file.digest not in (None, digest) or file.size not in (None, size):
            raise self._changed(
                f"{place} of {url} does not have the bytes of its slip there", "'slipway verify' shows what differs"
            )
        return Fetched(file.path, digest, size)

    def _open(self, url: str, place: str) -> BinaryIO:
        try:
            return self._target().open(url, place)
        except FileNotFoundError as error:
            raise self._changed(f"{place} of {url} is not there", "'slipway verify' shows what else is missing") from error

    def _changed(self, what: str, remedy: str) -> SourceChanged:
        return SourceChanged(
            f"{self.name}: {what}; a publish may be under way there, so it is tried again. If it stays so: {remedy}",
            source=self.name,
        )

    def _live(self, url: str) -> Packageslip | None:
        with self._faults():
            return self._target().slip(url)

    def _target(self) -> Target:
        """The target of this thread."""
        mine: Target | None = getattr(self._mine, "target", None)
        if mine is None:
            mine = self._mine.target = self._open_target()
            with self._lock:
                self._opened.append(mine)
        return mine

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Raise the target's errors as a source's."""
        try:
            yield
        except TargetUnreachable as error:
            raise SourceUnreachable(f"{self.name}: {error}", source=self.name) from error
        except TransientTargetError as error:
            raise TransientSourceError(f"{self.name}: {error}", source=self.name) from error
        except TargetError as error:
            raise PermanentSourceError(f"{self.name}: {error}", source=self.name) from error
