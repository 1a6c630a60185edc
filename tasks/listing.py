"""What is live on a target, module by module, with the slips: what lists of the whole site are made from."""

from collections.abc import Iterator

from database import Publication
from packageslip import Packageslip
from tasks.areas import GENERATED
from tasks.errors import NotAsked
from tasks.work import Work


def live_modules(work: Work, target: str) -> Iterator[Publication]:
    """Every module that a source made, by URL; what tasks make by themselves is no content of the site."""
    for publication in work.tools.record.published(target):
        work.tools.pause_point()
        if publication.module_state != GENERATED:
            yield publication


def live_slips(work: Work, target: str, types: frozenset[str] = frozenset(), prefix: str = "/") -> Iterator[Packageslip]:
    """Their slips. `types`: only modules of these types; `prefix`: only this module and what lies below it."""
    top = prefix.rstrip("/")
    for publication in live_modules(work, target):
        below = publication.url == (top or "/") or publication.url.startswith(f"{top}/")
        if below and (not types or publication.module_type in types):
            slip = work.tools.record.slip(target, publication.url)
            if slip is not None:
                yield slip


def site_of(work: Work) -> str:
    """The URL under which the public sees the origin, without a slash at its end. Raises NotAsked where nobody said it."""
    site = work.tools.environment.site
    if not site:
        name = work.task.environment
        raise NotAsked(f'{work.task.action} writes whole URLs: give [environments.{name}] site = "https://..."')
    return site.rstrip("/")
