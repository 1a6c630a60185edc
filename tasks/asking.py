"""Ask the source of the environment's views for a path, or the web for an address."""

from packageslip import Packageslip, Resource, View, ViewKind
from sources import Fetched, ResourceMissing, Want
from tasks.errors import NotAsked
from tasks.tools import promoted_from
from tasks.work import Work


def is_address(place: str) -> bool:
    """Whether this is an address of the web; anything else is a path at the views' source."""
    return place.partition(":")[0].lower() in {"http", "https"}


def ask_path(work: Work, path: str, last: Resource | None = None) -> Fetched:
    """Get a path (perhaps with a query) below the views' source into the store, with that source's account.

    `last`: what is live of an earlier answer, so that the source may say "unchanged". Raises SourceError's kinds, NotAsked.
    """
    if promoted_from(work.tools.environment) and work.tools.environment.views is None:
        name = work.task.environment
        raise NotAsked(
            f"{path} cannot be asked for: {name} promotes what is on a target; give [environments.{name}] views = a source, "
            "or the task a whole address"
        )
    view = View("answer", ViewKind.JSON, path.lstrip("/"))
    want = Want(view, last.etag, last.modified, last.digest, last.size) if last else Want(view)
    # As a view of the site's root: a path that begins with "/" would leave the source's own base behind.
    try:
        (fetched,) = work.tools.views.fetch(Packageslip("/"), [want], work.tools.store)
    except ResourceMissing as error:
        # The source speaks of files that a slip lists; here is none.
        name = work.tools.views.name
        raise ResourceMissing(f"{name} has nothing at {path}; correct the path; what is live stays", source=name) from error
    return fetched


def ask_web(work: Work, address: str, last: Resource | None = None, *, limit: int | None = None) -> tuple[Fetched, str]:
    """Get a page that an operator configured into the store; the answer, and its Content-Type. Raises SourceError's kinds."""
    etag, modified = (last.etag, last.modified) if last else (None, None)
    page = work.tools.web.fetch(address, work.tools.store, etag=etag, modified=modified, trusted=True, limit=limit)
    if page.unchanged and last and last.digest and last.size is not None:
        return Fetched("answer", last.digest, last.size, etag, modified, unchanged=True), ""
    return Fetched("answer", page.digest, page.size, page.etag, page.modified), page.type
