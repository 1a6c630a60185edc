"""Where the public sees a file of a module: URL paths, as lists and reports name them. Pure."""

from collections.abc import Collection
from urllib.parse import quote

from packageslip import ITSELF

# RFC 3986 3.3: what a path may hold as it is.
_SAFE = "/-._~!$&'()*+,;=:@"


def path_of(url: str, path: str) -> str:
    """The site's path of a file in a module."""
    return url if path == ITSELF else f"{url.rstrip('/')}/{path}"


def page_path(url: str, path: str, index_pages: Collection[str]) -> str:
    """The same for a page: an index page goes by its folder, as visitors know it."""
    folder, _, name = path_of(url, path).rpartition("/")
    return f"{folder}/" if name in index_pages else f"{folder}/{name}"


def quoted(path: str) -> str:
    """A path as it is written in a URL."""
    return quote(path, safe=_SAFE)
