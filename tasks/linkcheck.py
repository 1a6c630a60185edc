"""LINKCHECK: which links on the pages that are live lead nowhere, as a report in JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Event
from urllib.parse import unquote, urlsplit

from packageslip import Packageslip, Resource, UnsafePath, check_path, is_page
from sources import SourceError, in_parallel
from store import BlobMissing
from tasks.addresses import page_path, quoted
from tasks.generate import publish_file
from tasks.links import links_of
from tasks.listing import live_slips
from tasks.livesite import LiveSite
from tasks.work import Done, Work

_NO_SITE = "http://site.invalid"
"""Where pages are taken to be if the configuration does not say it: links within the site can be followed all the same."""
_LARGEST = 32 * 1024 * 1024
"""Bytes of a page that is looked at: a larger one is data."""
_MOST = 1000
"""Addresses outside that are asked for, where the task does not say."""
_NOT_FOR_US = frozenset({401, 403, 405, 429})
"""Statuses of pages that are there, only not for a program."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One link that leads nowhere."""

    page: str
    link: str
    there: str
    why: str


@dataclass(slots=True)
class Found:
    """What the pages came to."""

    pages: int = 0
    links: int = 0
    broken: list[Broken] = field(default_factory=list)
    unlisted: dict[str, list[Broken]] = field(default_factory=dict)
    """Paths that no module lists; something else may lie there."""
    outside: dict[str, list[Broken]] = field(default_factory=dict)


def linkcheck(work: Work) -> Done:
    """Check, and publish the report. What is broken is counted in the reason; that it is does not fail the task."""
    site = (work.tools.environment.site or _NO_SITE).rstrip("/")
    found = Found()
    with work.step("check"):
        _Look(work, site, _site(work), found).at_pages()
        _look_at_strangers(work, found)
    asked = 0
    if work.parameter("external"):
        with work.step("check outside", files=len(found.outside)):
            asked = _ask_outside(work, found)
    found.broken.sort(key=lambda each: (each.page, each.link, each.there))
    report = _report(found, asked, external=bool(work.parameter("external")))
    work.summary |= {"pages": found.pages, "links": found.links, "broken": len(found.broken)}
    done = publish_file(work, json.dumps(report, ensure_ascii=False, indent=1).encode() + b"\n", "link-report", "Broken links")
    on = len({each.page for each in found.broken})
    words = f"{len(found.broken)} of {found.links} links on {found.pages} pages are broken, on {on} of these pages"
    return Done(f"{words}; {done.reason}", done.new_tasks)


def _index_pages(work: Work) -> tuple[str, ...]:
    return (work.tools.environment.guard or work.tools.settings.guard).index_pages


def _site(work: Work) -> LiveSite:
    record, target = work.tools.record, work.target
    urls = [each.url for each in record.published(target)]
    return LiveSite(urls, lambda url: record.slip(target, url), _index_pages(work))


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at all pages. `site`: the URL that they are below."""

    work: Work
    site: str
    live: LiveSite
    found: Found

    def at_pages(self) -> None:
        """Every page that is live below the prefix."""
        work, index_pages = self.work, _index_pages(self.work)
        for slip in live_slips(work, work.target, prefix=work.parameter("prefix", "/")):
            for resource in slip.resources:
                if is_page(resource) and (resource.size or 0) <= _LARGEST:
                    work.tools.pause_point()
                    self._at(page_path(slip.url, resource.path, index_pages), _content(work, slip, resource))

    def _at(self, page: str, content: bytes | None) -> None:
        found, address = self.found, f"{self.site}{quoted(page)}"
        if content is None:
            found.broken.append(Broken(page, "", address, "the page itself is not on the target: 'slipway verify' says more"))
            return
        found.pages += 1
        self.work.file_done(len(content))
        for link, there in dict.fromkeys(links_of(content, address)):
            found.links += 1
            self._sort(Broken(page, link, there, ""))

    def _sort(self, link: Broken) -> None:
        """Put a link where what it leads to is looked for."""
        found, path = self.found, self._within(link.there)
        if not link.there:
            found.broken.append(replace(link, why="is no address"))
        elif path is None:
            found.outside.setdefault(link.there, []).append(link)
        elif not self.live.has(path):
            found.unlisted.setdefault(path, []).append(replace(link, why="no module publishes it"))

    def _within(self, address: str) -> str | None:
        """The path on the origin that an address of the site means; None for one that is outside of it."""
        site, there = urlsplit(self.site), urlsplit(address)
        path = unquote(there.path) or "/"
        if there.netloc != site.netloc or not f"{path}/".startswith(f"{unquote(site.path)}/"):
            return None
        return path.removeprefix(unquote(site.path)) or "/"


def _content(work: Work, slip: Packageslip, resource: Resource) -> bytes | None:
    """From the store, else from the target; None if it is on neither."""
    assert resource.digest is not None, "a slip in the record knows its digests"
    try:
        with work.tools.store.open(resource.digest) as stream:
            return stream.read()
    except BlobMissing:
        pass
    try:
        with work.tools.target.open(slip.url, resource.path) as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _look_at_strangers(work: Work, found: Found) -> None:
    """Files that an older engine left, or somebody put there, are no broken links."""
    live = LiveSite((), lambda _url: None, _index_pages(work))
    wanted = {path: [file.lstrip("/") for file in live.files(path) if _is_askable(file)] for path in found.unlisted}
    there = work.tools.target.strangers("/", sorted({file for files in wanted.values() for file in files})) if wanted else {}
    for path, findings in found.unlisted.items():
        if not any(there.get(file) for file in wanted[path]):
            found.broken += findings


def _is_askable(path: str) -> bool:
    try:
        check_path(path.lstrip("/"))
    except UnsafePath:
        return False
    return True


def _ask_outside(work: Work, found: Found) -> int:
    """Ask for each address once, and at most for so many; how many were asked for."""
    addresses = sorted(found.outside)[: work.parameter("most", _MOST)]

    def ask(address: str, stop: Event) -> tuple[str, str]:
        return address, _fault(work, address, stop)

    for address, why in in_parallel(ask, addresses, work.tools.settings.web.parallel):
        work.tools.pause_point()
        work.file_done(0)
        if why:
            found.broken += [replace(each, why=why) for each in found.outside[address]]
    return len(addresses)


def _fault(work: Work, address: str, stop: Event) -> str:
    try:
        status = work.tools.web.head(address, stop=stop)
    except SourceError as error:
        return str(error)
    return f"answers {status}" if status >= 400 and status not in _NOT_FOR_US else ""


def _report(found: Found, asked: int, *, external: bool) -> dict[str, object]:
    outside = {"addresses": len(found.outside), "asked": asked} if external else {}
    return {
        "pages": found.pages,
        "links": found.links,
        "broken": len(found.broken),
        **({"outside": outside} if external else {}),
        "findings": list(_by_page(found.broken)),
    }


def _by_page(broken: list[Broken]) -> Iterator[dict[str, object]]:
    pages: dict[str, list[dict[str, str]]] = {}
    for each in broken:
        pages.setdefault(each.page, []).append({"link": each.link, "leads to": each.there, "why": each.why})
    for page, links in pages.items():
        yield {"page": page, "links": links}
