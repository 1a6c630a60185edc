"""From what a person has in hand, a path, the address of a page or a number, to the page about it."""

from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from answers import module_at
from console.asked import Asked

LONGEST = 18
"""Digits of a task's number."""


def show(asked: Asked) -> Response:
    """A page belongs to the deepest module that is known above it; where none is, the module's page says that nobody knows it."""
    wanted = asked.query.get("q", "").strip()
    number = wanted.removeprefix("#")
    if number.isascii() and number.isdecimal() and len(number) <= LONGEST:
        return RedirectResponse(asked.url(f"/task/{number}"), 303)
    return RedirectResponse(asked.url("/module" + quote(module_at(asked.database, wanted))), 303)
