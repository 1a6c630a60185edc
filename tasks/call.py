"""CALL: ask the CMS to do something, such as its report of broken links."""

from sources import Calls
from tasks.errors import NotAsked
from tasks.work import Done, Work

_SHOWN = 200
"""Characters of the answer that the reason has room for."""


def call(work: Work) -> Done:
    """Ask, and say what the first line of the answer was. Nothing is stored. Raises SourceError's kinds, NotAsked."""
    views, path = work.tools.views, work.parameter("path")
    method = work.parameter("method", "GET")
    if not isinstance(views, Calls):
        raise NotAsked(f"the views' source {views.name} cannot be called: only a source of kind http can")
    if work.dry_run:
        return Done(f"dry run: {views.name} would be asked for {path} ({method})")
    with work.step("call"):
        answer = views.call(path, method=method)
    line = next((line for line in answer.decode(errors="replace").splitlines() if line.strip()), "")
    said = f"with {line.strip()[:_SHOWN]!r}" if line else "without a word"
    return Done(f"{views.name} did {path} and answered {said}")
