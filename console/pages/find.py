"""From what a person has in hand, a path, the address of a page or a number, to the page about it."""

from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from answers import module_at, page_in
from console.asked import Asked
from console.wanted import number

LONGEST_PAGE = 1024
"""Characters of a file's path; what is longer is in no slip."""


def show(asked: Asked) -> Response:
    """A page belongs to the deepest module that is known above it; where none is, the module's page says that nobody knows it."""
    wanted = asked.query.get("q", "").strip()
    if (task := number(wanted.removeprefix("#"))) is not None:
        return RedirectResponse(asked.url(f"/task/{task}"), 303)
    module = module_at(asked.database, wanted)
    page = page_in(wanted, module)[:LONGEST_PAGE]
    return RedirectResponse(asked.url("/module" + quote(module)) + (f"?page={quote(page)}" if page else ""), 303)
