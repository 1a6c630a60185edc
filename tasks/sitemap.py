"""SITEMAP: every page that is live, for search engines.

A site with more pages than one file may list gets parts and an index of them. One task makes all of them at once, so that they
agree; their bytes wait in the store for tasks of their own: the parts first, and the index after they are live.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from database import Action, NewTask
from packageslip import Digest, is_page
from tasks.addresses import page_path, quoted
from tasks.errors import NotAsked, VersionGone
from tasks.generate import file_module, keep, live_file, publish_generated, resource_at
from tasks.listing import live_slips, site_of
from tasks.urlsets import Entry, index, urlsets
from tasks.work import Done, Work

_KIND, _TITLE = "sitemap", "Sitemap"


@dataclass(frozen=True, slots=True)
class Made:
    """One file, in the store, and where it goes."""

    url: str
    digest: Digest
    size: int
    urls: int
    modified: int | None = None


def sitemap(work: Work) -> Done:
    """Publish the sitemap, or one file of it that an earlier task made. Raises NotAsked, VersionGone."""
    live_file(work)
    if work.parameter("digest"):
        return _prepared(work)
    with work.step("load"):
        files = list(_files(work))
    work.summary["urls"] = sum(each.urls for each in files)
    if len(files) == 1:
        return _publish(work, files[0].digest, files[0].size, parts=0)
    if work.dry_run:
        work.summary["dry_run"] = True
        return Done(f"dry run: {work.summary['urls']} pages in {len(files)} parts and an index")
    return _in_parts(work, files)


def _files(work: Work) -> Iterator[Made]:
    for number, each in enumerate(urlsets(_pages(work)), 1):
        digest, size = keep(work, each.content)
        yield Made(_part(work.task.url, number), digest, size, each.urls, each.modified)


def _pages(work: Work) -> Iterator[Entry]:
    """Each page once, by module and path."""
    site = site_of(work)
    index_pages = (work.tools.environment.guard or work.tools.settings.guard).index_pages
    for slip in live_slips(work, work.target, frozenset(work.parameter("types", ()))):
        pages = (each for each in slip.resources if is_page(each))
        found = {page_path(slip.url, each.path, index_pages): each.modified or slip.modified for each in pages}
        yield from (Entry(site + quoted(path), modified) for path, modified in found.items())


def _part(url: str, number: int) -> str:
    """Where a part goes: beside the index."""
    stem, dot, suffix = url.rpartition(".")
    return f"{stem}-{number}.{suffix}" if dot and "/" not in suffix else f"{url}-{number}"


def _in_parts(work: Work, files: list[Made]) -> Done:
    """A task for each part that is not live as it should be, then one for the index."""
    site, record = site_of(work), work.tools.record
    rows = []
    for made in files:
        live = record.slip(work.target, made.url)
        if live is None or live.resources[0].digest != made.digest:
            rows.append(_row(work, made))
    digest, size = keep(work, index(Entry(site + quoted(made.url), made.modified) for made in files))
    rows.append(_row(work, Made(work.task.url, digest, size, len(files)), parts=len(files)))
    return Done(f"{work.summary['urls']} pages in {len(files)} parts, {len(rows) - 1} of them new; then the index", tuple(rows))


def _row(work: Work, made: Made, parts: int = 0) -> NewTask:
    """The task that publishes one file; the index waits for all the parts of its batch."""
    task = work.task
    parameters = {**task.parameters, "digest": made.digest.hex(), "size": made.size, **({"parts": parts} if parts else {})}
    return NewTask(
        made.url,
        task.environment,
        Action.SITEMAP,
        priority=task.priority,
        parameters=parameters,
        requested_by=task.requested_by,
        target=work.target,
        batch=task.batch or task.id,
        generation=1 if parts else 0,
        parent=task.id,
    )


def _prepared(work: Work) -> Done:
    digest, parts = bytes.fromhex(work.parameter("digest")), work.parameter("parts", 0)
    if not work.tools.store.has(digest):
        raise VersionGone(f"this engine's store does not have what was made for {work.task.url}; insert SITEMAP again")
    missing = [number for number in range(1, parts + 1) if not _is_live(work, number)]
    if missing:
        raise NotAsked(
            f"{_part(work.task.url, missing[0])} is not live, so no index may name it; see why, then insert SITEMAP again"
        )
    return _publish(work, digest, work.parameter("size"), parts=parts or None)


def _is_live(work: Work, number: int) -> bool:
    return work.tools.record.current(work.target, _part(work.task.url, number)) is not None


def _publish(work: Work, digest: Digest, size: int, *, parts: int | None) -> Done:
    """`parts`: how many it takes beside this file; None: this is one of them."""
    done = publish_generated(work, file_module(work, resource_at(work.task.url, digest, size), _KIND, _TITLE))
    if parts is None or work.dry_run:
        return done
    return Done(done.reason, (*done.new_tasks, *_withdrawals(work, parts)))


def _withdrawals(work: Work, parts: int) -> Iterator[NewTask]:
    """An UNPUBLISH for each part that is not named any more."""
    number = parts + 1
    while _is_live(work, number):
        url = _part(work.task.url, number)
        yield NewTask(url, work.task.environment, Action.UNPUBLISH, target=work.target, parent=work.task.id)
        number += 1
