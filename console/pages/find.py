"""From what a person has in hand, a path, the address of a page or a number, to the page about it."""

from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

from starlette.responses import RedirectResponse, Response

from console.asked import Asked
from database import Desk, Record

LONGEST = 18
"""Digits of a task's number."""


def show(asked: Asked) -> Response:
    """A page belongs to the deepest module that is known above it; where none is, the module's page says that nobody knows it."""
    wanted = asked.query.get("q", "").strip()
    number = wanted.removeprefix("#")
    if number.isascii() and number.isdecimal() and len(number) <= LONGEST:
        return RedirectResponse(asked.url(f"/task/{number}"), 303)
    path = _path(wanted)
    module = next((each for each in (path, *_above(path)) if _known(asked, each)), path)
    return RedirectResponse(asked.url("/module" + quote(module)), 303)


def _path(wanted: str) -> str:
    """Of an address its path, as it is written in the queue."""
    path = unquote(urlsplit(wanted).path) if "://" in wanted else wanted.partition("?")[0].partition("#")[0]
    return "/" + path.strip("/")


def _above(path: str) -> Iterator[str]:
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


def _known(asked: Asked, url: str) -> bool:
    # Tasks about everything have the root's path, and are not about a module.
    return bool(Record(asked.database).history(url, 1) or (url != "/" and Desk(asked.database).find(url=url, limit=1)))
