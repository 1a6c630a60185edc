"""What a mirror takes from the site: every live module that is selected, as it is at one moment, and its course zips."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from packageslip import Kind, Packageslip, Resource, View, ViewKind
from sources import NoSuchModule, Source, SourceChanged, TargetSource, Want
from tasks.snapshot_state import Mirror, has_links, place_of
from tasks.work import Work

log = structlog.get_logger(__name__)

TRIES = 3
"""Times that a module is read which changes while it is read, before the whole snapshot is tried again later."""
_VIEW_TYPES = {ViewKind.JSON: "application/json", ViewKind.FEED: "application/xml"}


def take_modules(work: Work, mirror: Mirror) -> None:
    """Take the files of all modules. Raises SourceError's kinds."""
    source = work.tools.source
    with work.step("list"):
        entries = list(source.modules())
    with work.step("read", files=len(entries)):
        for entry in sorted(entries, key=lambda each: each.url):
            work.tools.pause_point()
            _take(work, mirror, source, entry.url)
            work.file_done(0)


def _take(work: Work, mirror: Mirror, source: Source, url: str) -> None:
    def selects(slip: Packageslip) -> bool:
        return mirror.settings.modules.takes(slip.url, slip.module_type, zip_required=slip.zip_required)

    slip = read_module(work, source, url, selects)
    if slip is None:
        return
    selected = selects(slip)
    pages = []
    for file in mirrored(slip):
        if not selected or not _goes(file.original):
            mirror.left_out.add(file.resource.path)
        elif mirror.take(file.resource, f"{url}: {file.original.path}") and (has_links(file.resource) or file.is_view):
            # A view has no time of its own; as with a page, it is remembered when it was another one.
            pages.append(file.resource.path)
    if selected:
        mirror.pages[url] = pages
        mirror.report.modules += 1


def read_module(
    work: Work, source: Source, url: str, selects: Callable[[Packageslip], bool] = lambda _: True
) -> Packageslip | None:
    """The module as it is live at one moment, if it is selected with its bytes in the store; None: it is not live any more.

    What changes while it is read is read again; raises SourceChanged if that never ends.
    """
    for _ in range(TRIES):
        try:
            slip = source.slip(url)
            if selects(slip):
                _fetch(work, source, slip)
            if source.still(slip):
                return slip
        except NoSuchModule:
            return None
        except SourceChanged as error:
            log.info("module changed while it was read", task=work.task.id, url=url, error=str(error))
    raise SourceChanged(f"{url} changed at {source.name} each time while it was read", source=source.name)


def _fetch(work: Work, source: Source, slip: Packageslip) -> None:
    """What the store lacks comes from the target itself, by digest."""
    files = {file.digest: file for file in slip.files() if file.digest and _goes(file)}
    missing = work.tools.store.missing(files)
    for _ in source.fetch(slip, [Want(files[digest]) for digest in sorted(missing)], work.tools.store):
        work.tools.pause_point()
        work.count({"fetched": 1})


def _goes(file: Resource | View) -> bool:
    return isinstance(file, View) or file.mirror


@dataclass(frozen=True, slots=True)
class Mirrored:
    """One file of a module, and what it is in the mirror."""

    original: Resource | View
    resource: Resource

    @property
    def is_view(self) -> bool:
        return isinstance(self.original, View)


def mirrored(slip: Packageslip) -> Iterator[Mirrored]:
    """The files of a module as a mirror lists them: at their places on the site, with little else, for there may be many."""
    newest = max((each.modified for each in slip.resources if each.modified is not None), default=None)
    since = slip.modified if slip.modified is not None else newest
    for file in slip.files():
        place = place_of(slip.url, file.path)
        if isinstance(file, View):
            resource = Resource(place, Kind.METADATA, _VIEW_TYPES[file.kind], file.size, file.digest, since)
        else:
            resource = Resource(place, file.kind, file.type, file.size, file.digest, file.modified)
        yield Mirrored(file, resource)


def take_zips(work: Work, mirror: Mirror) -> None:
    """The course zips that lie on the target for them, of the modules that are in the mirror."""
    name, into = mirror.settings.zips, mirror.settings.zips_into
    if name is None:
        return
    # A source of its own: it opens a target for this thread, which the worker has open already and closes itself.
    source = TargetSource(f"target:{name}", lambda: work.tools.open_target(name))
    with work.step("zips"):
        for entry in sorted(source.modules(), key=lambda each: each.url):
            slip = read_module(work, source, entry.url) if entry.url in mirror.pages else None
            for file in mirrored(slip) if slip else ():
                place = f"{into.strip('/')}/{file.resource.path}".lstrip("/")
                kept = Resource(
                    place, Kind.FILE, file.resource.type, file.resource.size, file.resource.digest, file.resource.modified
                )
                mirror.take(kept, f"{name}: {place}")
