"""Whether a path of the site leads to something that is published."""

from collections.abc import Callable, Collection, Iterator
from functools import lru_cache

from packageslip import Packageslip
from tasks.addresses import path_of

_SLIPS = 256
"""Modules whose paths are held at once: links stay near the page that they are on."""


class LiveSite:
    """What is live on a target. `urls`: its modules; `slip_of` reads one's slip."""

    def __init__(self, urls: Collection[str], slip_of: Callable[[str], Packageslip | None], index_pages: Collection[str]) -> None:
        self._urls, self._slip_of, self._index_pages = frozenset(urls), slip_of, index_pages
        self._paths = lru_cache(_SLIPS)(self._read)

    def has(self, path: str) -> bool:
        """Whether a file lies there, or a folder with an index page."""
        return any(self._is_file(each) for each in self.files(path))

    def files(self, path: str) -> Iterator[str]:
        """The files that a request of this path may be answered with."""
        if not path.endswith("/"):
            yield path
        yield from (f"{path.rstrip('/')}/{page}" for page in self._index_pages)

    def _is_file(self, path: str) -> bool:
        owner = self._owner(path)
        return owner is not None and path in self._paths(owner)

    def _owner(self, path: str) -> str | None:
        """The deepest module that the path lies in."""
        while path:
            if path in self._urls:
                return path
            path = path.rpartition("/")[0]
        return "/" if "/" in self._urls else None

    def _read(self, url: str) -> frozenset[str]:
        slip = self._slip_of(url)
        return frozenset(path_of(url, file.path) for file in slip.files()) if slip else frozenset()
