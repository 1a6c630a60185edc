"""Under which addresses and keys caches hold a module. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from urllib.parse import quote

from config import Selection

HOME = "home"
"""The key of the module at /, which has no last part."""
ITSELF = "."
"""The path of a module that is a single file, at its own URL."""
SLIP = "packageslip.xml"
_SAFE = "/-._~!$&'()*+,;=:@"
"""What RFC 3986 lets stand in a path as it is."""


def addresses(url: str, paths: Collection[str], index_pages: Collection[str]) -> tuple[str, ...]:
    """The public paths, encoded and sorted, at which these files of a module are seen.

    An index page is also seen at its folder's URL, with the slash and without.
    """
    return tuple(sorted({quote(seen, safe=_SAFE) for path in paths for seen in _seen_at(url, path, index_pages)}))


def prefix(url: str) -> str:
    """What the paths of everything in the module begin with, encoded."""
    return quote(url.rstrip("/") + "/", safe=_SAFE)


def _seen_at(url: str, path: str, index_pages: Collection[str]) -> Iterator[str]:
    place = url if path == ITSELF else f"{url.rstrip('/')}/{path}"
    yield place
    folder, _, name = place.rpartition("/")
    if name in index_pages:
        yield f"{folder}/"
        if folder:
            yield folder


def slug(url: str) -> str:
    """The last part of a module's URL, encoded: the surrogate key that all its files carry."""
    return quote(url.rstrip("/").rpartition("/")[2], safe="-._~") or HOME


def keys(url: str, takes: Callable[[Selection], bool], classes: Mapping[str, Selection]) -> tuple[str, ...]:
    """The surrogate keys of a module: its slug, then each class that takes it."""
    of_class = sorted(name for name, modules in classes.items() if takes(modules))
    return tuple(dict.fromkeys([slug(url), *of_class]))
