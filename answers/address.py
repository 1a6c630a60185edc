"""From what a person has in hand, a path or the address of a page, to its module; and whether what is live there has the page."""

from collections.abc import Iterator
from urllib.parse import unquote

from config import Settings
from database import Database, Desk, Record
from packageslip import Packageslip

LONGEST = 500
"""Characters of a module's URL."""


def module_at(database: Database, wanted: str) -> str:
    """The deepest module that is known at or above this path or address; where none is, the path itself.

    What is written as a path is one, as the queue has it; only an address is decoded.
    """
    path = _path(wanted)
    return next((each for each in (path, *_above(path)) if _known(database, each)), path)


def page_in(wanted: str, module: str) -> str:
    """What of this path or address lies below the module; empty for the module itself."""
    return _path(wanted).removeprefix(module).strip("/")


def unlisted(record: Record, origin: str, url: str, page: str) -> Iterator[str]:
    """That the page is none of what is live."""
    slip = record.slip(origin, url) if page and record.current(origin, url) else None
    if slip and not has_page(slip, page):
        yield (
            f"what is live on {origin} has no {page}: the slip that was published lists no such file. "
            "If the source's does now, publish the module again; if it is a module of its own, nobody has asked for it yet"
        )


def listed(database: Database, settings: Settings, url: str, page: str) -> bool:
    """Whether the page is among what is live of the module, in any environment."""
    record = Record(database)
    slips = (record.slip(each.origin, url) for each in settings.environments.values() if record.current(each.origin, url))
    return any(slip is not None and has_page(slip, page) for slip in slips)


def has_page(slip: Packageslip, page: str) -> bool:
    """Whether there is such a file, or a folder with files."""
    return any(file.path == page or file.path.startswith(f"{page}/") for file in slip.files())


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
