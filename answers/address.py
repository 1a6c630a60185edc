"""From what a person has in hand, a path or the address of a page, to the module that it belongs to."""

from collections.abc import Iterator
from urllib.parse import unquote

from database import Database, Desk, Record

LONGEST = 500
"""Characters of a module's URL."""


def module_at(database: Database, wanted: str) -> str:
    """The deepest module that is known at or above this path or address; where none is, the path itself.

    What is written as a path is one, as the queue has it; only an address is decoded.
    """
    path = _path(wanted)
    return next((each for each in (path, *_above(path)) if _known(database, each)), path)


def _path(wanted: str) -> str:
    """Of an address its path, as it is written in the queue."""
    path = wanted.partition("?")[0].partition("#")[0]
    if "://" in path:
        path = unquote(path.partition("://")[2].partition("/")[2])
    return "/" + path.strip("/")


def _above(path: str) -> Iterator[str]:
    # What is longer than any URL can have thousands of levels; the lowest that could be a module is where to begin.
    path = path[: LONGEST + 1]
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


def _known(database: Database, url: str) -> bool:
    # Tasks about everything have the root's path, and are not about a module.
    return bool(Record(database).history(url, 1) or (url != "/" and Desk(database).find(url=url, limit=1)))
