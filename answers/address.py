"""From what a person has in hand, a path or the address of a page, to the module that it belongs to."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from database import Database, Desk, Record


def module_at(database: Database, wanted: str) -> str:
    """The deepest module that is known at or above this path or address; where none is, the path itself.

    What is written as a path is one, as the queue has it; only an address is decoded.
    """
    path = _path(wanted)
    return next((each for each in (path, *_above(path)) if _known(database, each)), path)


def _path(wanted: str) -> str:
    """Of an address its path, as it is written in the queue."""
    path = unquote(urlsplit(wanted).path) if "://" in wanted else wanted.partition("?")[0].partition("#")[0]
    return "/" + path.strip("/")


def _above(path: str) -> Iterator[str]:
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


def _known(database: Database, url: str) -> bool:
    # Tasks about everything have the root's path, and are not about a module.
    return bool(Record(database).history(url, 1) or (url != "/" and Desk(database).find(url=url, limit=1)))
