"""Give every file of a slip its digest and size, moving as few bytes as possible.

A resource has them from the slip; or from the validators that the last slip on the target recorded, if the source
says "unchanged"; or by fetching it into the store. A view is made anew on each request, so it is always fetched.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packageslip import Packageslip, Resource, View
from sources import Fetched, ResourceMissing, Source, SourceChanged, Want, WrongBytes
from tasks.load import Loaded
from tasks.work import Work


@dataclass(frozen=True, slots=True)
class Resolved:
    """The slip with digests and sizes everywhere. `unsure`: bytes were fetched that the slip did not name by digest."""

    slip: Packageslip
    unsure: bool = False


def resolve(loaded: Loaded, live: Packageslip | None, work: Work) -> Resolved:
    """Ask and fetch what is needed; `live`: the last slip on the target. Raises SourceError's kinds."""
    slip = loaded.slip
    wants = wanted_resources(slip, live)
    views = [view for view in slip.views if view.digest is None or view.size is None or not loaded.bound]
    with work.step("resolve", files=len(wants) + len(views)):
        got = {each.path: each for each in fetch(work, loaded.at_source or slip, wants)} if wants else {}
        seen = {each.path: each for each in fetch_views(work, slip, views)} if views else {}
    unchanged = sum(1 for each in got.values() if each.unchanged)
    work.count({"fetched": len(got) - unchanged + len(seen), "unchanged": unchanged})
    known = _by_path(live) if got else {}
    resources = tuple(_settled(each, got.get(each.path), known) for each in slip.resources) if got else slip.resources
    made = tuple(_seen(view, seen.get(view.path)) for view in slip.views)
    return Resolved(replace(slip, resources=resources, views=made), unsure=unchanged < len(got))


def wanted_resources(slip: Packageslip, live: Packageslip | None) -> list[Want]:
    """One want for each resource whose digest or size is not known, with the validators of the last publication."""
    open_ones = [each for each in slip.resources if each.digest is None or each.size is None]
    known = _by_path(live) if open_ones else {}
    return [_want(each, known.get(each.path)) for each in open_ones]


def _want(resource: Resource, last: Resource | None) -> Want:
    if last is None or last.digest is None or last.href != resource.href or (last.etag is None and last.modified is None):
        return Want(resource)
    if resource.digest not in {None, last.digest}:
        return Want(resource)
    return Want(resource, last.etag, last.modified, last.digest, last.size)


def _by_path(live: Packageslip | None) -> Mapping[str, Resource]:
    return {each.path: each for each in live.resources} if live else {}


def _settled(resource: Resource, got: Fetched | None, known: Mapping[str, Resource]) -> Resource:
    """The resource with what the source answered; of an unchanged one the recorded validators stay."""
    if got is None:
        return resource
    last = known.get(resource.path) if got.unchanged else None
    etag = got.etag or (last.etag if last else None)
    modified = resource.modified or got.modified or (last.modified if last else None)
    return replace(resource, digest=got.digest, size=got.size, etag=etag, modified=modified)


def _seen(view: View, got: Fetched | None) -> View:
    return replace(view, digest=got.digest, size=got.size) if got else view


def fetch(work: Work, slip: Packageslip, wants: Sequence[Want]) -> Iterator[Fetched]:
    """Resources into the store. A file that does not fit the slip any more means that the module changed meanwhile."""
    try:
        yield from _each(work, work.tools.source, slip, wants)
    except (WrongBytes, ResourceMissing) as error:
        if work.tools.source.still(slip):
            raise
        raise SourceChanged(
            f"{slip.url} changed at {work.tools.source.name} while it was read", source=work.tools.source.name
        ) from error


def fetch_views(work: Work, slip: Packageslip, views: Sequence[View]) -> Iterator[Fetched]:
    """Views into the store, from the environment's source of views."""
    yield from _each(work, work.tools.views, slip, [Want(replace(view, digest=None, size=None)) for view in views])


def _each(work: Work, source: Source, slip: Packageslip, wants: Sequence[Want]) -> Iterator[Fetched]:
    for fetched in source.fetch(slip, wants, work.tools.store):
        work.tools.pause_point()
        work.file_done(0 if fetched.unchanged else fetched.size)
        yield fetched
