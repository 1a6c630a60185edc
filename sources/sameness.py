"""Whether a source's slip is still the one that a task works with."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

from packageslip import Digest, Packageslip, Resource, View

_MOST = 4096
"""Slips whose validators are remembered: far more than an engine has tasks, and small."""


def agrees(now: Packageslip, then: Packageslip) -> bool:
    """Whether `then` is `now`, or was made of it by filling in what it left open (sizes, digests, validators)."""
    files_now, files_then = _by_path(now), _by_path(then)
    if _head(now) != _head(then) or files_now.keys() != files_then.keys():
        return False
    return all(_same(file, files_then[path]) for path, file in files_now.items())


def _head(slip: Packageslip) -> Packageslip:
    return replace(slip, resources=(), views=(), serial=None, version=None, queue=None, signature=None)


def _by_path(slip: Packageslip) -> dict[str, Resource | View]:
    return {file.path: file for file in slip.files()}


def _same(now: Resource | View, then: Resource | View) -> bool:
    if isinstance(now, View) or isinstance(then, View):
        # A view is made anew on each request: what it is made from is all that can be compared.
        return type(now) is type(then) and (now.kind, now.href) == (then.kind, then.href)
    if now.size not in (None, then.size) or now.digest not in (None, then.digest) or now.modified not in (None, then.modified):
        return False
    return _blank(now) == _blank(then)


def _blank(resource: Resource) -> Resource:
    return replace(resource, size=None, digest=None, modified=None, etag=None)


@dataclass(frozen=True, slots=True)
class Original:
    """The document that a slip was read from: its digest, and the etag by which its server says that it is still that one."""

    digest: Digest
    etag: str | None = None


def strong(etag: str | None) -> str | None:
    """The etag, unless it is a weak one, which may outlive a change."""
    return None if etag is None or etag.startswith("W/") else etag


class Remembered:
    """The documents that slips were read from, by the slip's value. Safe for many threads; forgets the oldest."""

    def __init__(self) -> None:
        self._originals: OrderedDict[tuple[str, int], Original] = OrderedDict()
        self._lock = Lock()

    def keep(self, slip: Packageslip, original: Original) -> None:
        """Remember the document that this slip was read from."""
        with self._lock:
            self._originals[slip.url, hash(slip)] = original
            while len(self._originals) > _MOST:
                self._originals.popitem(last=False)

    def of(self, slip: Packageslip) -> Original | None:
        """The document of exactly this slip, if it is remembered."""
        with self._lock:
            return self._originals.get((slip.url, hash(slip)))

    def name(self, slip: Packageslip) -> str:
        """Its digest as a word, as `Source.seen` gives it: servers are known that make equal etags of different bytes."""
        original = self.of(slip)
        return original.digest.hex() if original else ""
