"""Stylesheet, scripts, icon: what is in `static`, and nothing else."""

import mimetypes

from starlette.responses import FileResponse, RedirectResponse, Response

from console.asked import Asked
from console.errors import NotThere
from console.rendering import STATIC, fingerprint

YEAR = 365 * 24 * 3600
SERVED = frozenset(entry.name for entry in STATIC.iterdir() if entry.suffix in {".css", ".js", ".svg"})
"""By name, from what is there: no path can be made of it."""


def static(asked: Asked) -> Response:
    """A file, for ever if its address names its content."""
    name = asked.request.path_params["name"]
    if name not in SERVED:
        raise NotThere("There is no such file.")
    lasting = asked.query.get("v") == fingerprint(name)
    control = f"public, max-age={YEAR}, immutable" if lasting else "no-cache"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileResponse(STATIC / name, media_type=kind, headers={"Cache-Control": control})


def favicon(asked: Asked) -> Response:
    """Where browsers look by themselves."""
    return RedirectResponse(asked.url("/static/favicon.svg"), 301)
