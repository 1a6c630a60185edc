"""Whether a source's slip is still the one that a task works with."""

from collections import OrderedDict
from dataclasses import replace
from threading import Lock

from packageslip import Packageslip, Resource, View

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


class Remembered:
    """The etags of slips that were read, by the slip's value, so that "is it still this one?" costs one short answer.

    Safe for many threads; forgets the oldest.
    """

    def __init__(self) -> None:
        self._etags: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._lock = Lock()

    def keep(self, slip: Packageslip, etag: str | None) -> None:
        """Remember the etag that this slip came with. A weak one may outlive a change, so it is not kept."""
        if etag is None or etag.startswith("W/"):
            return
        with self._lock:
            self._etags[slip.url, hash(slip)] = etag
            while len(self._etags) > _MOST:
                self._etags.popitem(last=False)

    def etag(self, slip: Packageslip) -> str | None:
        """The etag of exactly this slip, if it is remembered."""
        with self._lock:
            return self._etags.get((slip.url, hash(slip)))
