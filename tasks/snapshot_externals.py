"""Fetching material from elsewhere that pages point to: each URL once, in parallel, with limits, and never fatally."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event

import structlog

from archives import Known, Linker, Memo, addresses
from packageslip import Resource, UnsafePath, check_path
from sources import PermanentSourceError, SourceError, SourceUnreachable
from tasks.snapshot_items import Item, Items
from tasks.snapshot_pages import scanned
from tasks.snapshot_state import Mirror, has_links
from tasks.snapshot_wishes import Wish, Wishes, host_of, kind_of, placed, type_of
from tasks.work import Work

log = structlog.get_logger(__name__)

DAY = 86400.0
GIVEN_UP = 5
"""Files of one host in a row that could not be had because it does not answer, after which no more is asked of it this time."""
TICK = 0.5
"""Seconds between two looks at whether the task may go on."""


class Fetching:
    """One snapshot's fetch of everything that was wished for. Failures are listed and never end it."""

    def __init__(self, work: Work, mirror: Mirror, linker: Linker, memo: Memo, now: float) -> None:
        self._work, self._mirror, self._linker, self._memo, self._now = work, mirror, linker, memo, now
        self._externals = mirror.settings.externals
        self._items = Items(mirror.workspace / "externals.jsonl")
        self._wishes = Wishes(self._externals)
        self._waiting: deque[Wish] = deque()
        self._seen: set[str] = set()
        self._files: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()
        self._silent: Counter[str] = Counter()
        self._had: list[tuple[Wish, Item, Resource]] = []
        self._pages: dict[str, dict[str, Known]] = {}

    def wish(self, url: str) -> None:
        """A page points to this URL."""
        wish = self._wishes.of(url)
        # What the site has itself need not be asked of its server.
        if wish and not self._linker.has(url):
            self.add(wish)

    def add(self, wish: Wish) -> None:
        """Have this, if it is not had already and its external may have more."""
        if wish.url in self._seen:
            return
        self._seen.add(wish.url)
        external = self._externals[wish.external]
        if self._files[wish.external] >= external.files or self._bytes[wish.external] >= external.bytes:
            self._mirror.report.lacks(wish.url, f"more than {external.into} may have ('files' and 'bytes' of the external)")
            return
        self._files[wish.external] += 1
        self._waiting.append(wish)

    def run(self) -> None:
        """Fetch all, and what recursive ones lead to."""
        stop, under_way = Event(), dict[Future[Item], Wish]()
        threads = self._work.tools.settings.web.parallel
        with self._work.step("external", files=len(self._waiting)), ThreadPoolExecutor(threads, "external") as pool:
            try:
                while self._waiting or under_way:
                    self._work.tools.pause_point()
                    while self._waiting and len(under_way) < 2 * threads:
                        self._begin(pool, under_way, stop)
                    if under_way:
                        for future in wait(under_way, TICK, FIRST_COMPLETED).done:
                            self._end(under_way.pop(future), future)
            finally:
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                self._note_late(under_way)
        self._settle()
        for name, known in self._pages.items():
            self._memo.save(name, known)
        if not self._work.dry_run:
            self._items.tidy(frozenset(self._seen))

    def _begin(self, pool: ThreadPoolExecutor, under_way: "dict[Future[Item], Wish]", stop: Event) -> None:
        wish = self._waiting.popleft()
        known = self._items.get(wish.url)
        if known and self._believed(known, wish):
            self._take(wish, known) if not known.error else self._fall_back(wish, known.error)
        elif self._work.dry_run:
            if known and self._has(known):
                self._take(wish, known)
        elif self._silent[host_of(wish.url)] >= GIVEN_UP:
            self._fall_back(wish, f"{host_of(wish.url)} does not answer")
        else:
            under_way[pool.submit(self._ask, wish.url, known, stop)] = wish

    def _believed(self, known: Item, wish: Wish) -> bool:
        """Whether nobody has to be asked again yet."""
        fresh = self._now - known.asked < self._externals[wish.external].recheck_days * DAY
        full = self._work.parameter("mode") == "full"
        return fresh and not full and (not known.digest or self._has(known))

    def _has(self, item: Item) -> bool:
        return bool(item.digest) and self._work.tools.store.has(bytes.fromhex(item.digest))

    def _ask(self, url: str, known: Item | None, stop: Event) -> Item:
        """One URL's answer now; on a thread of its own. Raises SourceError's kinds."""
        held = known if known and self._has(known) else None
        etag, modified = (held.etag, held.modified) if held else (None, None)
        page = self._work.tools.web.fetch(url, self._work.tools.store, etag=etag, modified=modified, stop=stop)
        if page.unchanged:
            assert held is not None, "only what is held is asked for with validators"
            return replace(held, asked=self._now, error="")
        return Item(url, self._now, page.digest.hex(), page.size, page.type, page.url, page.etag, page.modified)

    def _end(self, wish: Wish, future: "Future[Item]") -> None:
        host = host_of(wish.url)
        try:
            item = future.result()
        except SourceError as error:
            self._silent[host] += isinstance(error, SourceUnreachable)
            if isinstance(error, PermanentSourceError):
                # It is asked for again when its time has come, and not before.
                known = self._items.get(wish.url) or Item(wish.url, self._now)
                self._items.note(replace(known, asked=self._now, error=str(error)))
            self._fall_back(wish, str(error))
            return
        self._silent[host] = 0
        self._items.note(item)
        self._work.file_done(item.size)
        self._work.count({"external": 1})
        self._take(wish, item)

    def _note_late(self, under_way: "Iterable[Future[Item]]") -> None:
        """What came while the task was being stopped need not be asked for again."""
        for future in under_way:
            if not future.cancelled() and future.exception() is None:
                self._items.note(future.result())

    def _fall_back(self, wish: Wish, why: str) -> None:
        """What cannot be had now: the copy of last time is better than none."""
        known = self._items.get(wish.url)
        if known and self._has(known):
            self._mirror.report.lacks(wish.url, f"{why}; the copy of an earlier snapshot stays")
            self._take(wish, known)
            return
        self._mirror.report.lacks(wish.url, why)
        log.info("external item missing", task=self._work.task.id, item=wish.url, reason=why)

    def _take(self, wish: Wish, item: Item) -> None:
        """It is had: go on from it if it is a page of a recursive external."""
        self._bytes[wish.external] += item.size
        file = Resource(placed(wish, item), kind_of(item), type_of(item), item.size, bytes.fromhex(item.digest), item.modified)
        try:
            check_path(file.path)
        except UnsafePath as error:
            self._mirror.report.lacks(wish.url, str(error))
            return
        self._had.append((wish, item, file))
        if wish.root and has_links(file):
            self._go_on(wish.redirected(item.at), item, file)

    def _settle(self) -> None:
        """Let all that was had lie in the mirror, in an order that does not depend on whose server was quicker."""
        for wish, item, file in sorted(self._had, key=lambda each: each[0].url):
            there = self._mirror.files.get(file.path)
            if there and there.digest == file.digest:
                # The same file under two names, such as http and https.
                self._mirror.outside[wish.url] = file.path
            elif self._mirror.take(file, wish.url):
                self._mirror.outside[wish.url] = file.path
                if has_links(file):
                    self._mirror.visited[file.path] = item.at
                    self._mirror.pages.setdefault(self._name(wish), []).append(file.path)

    def _name(self, wish: Wish) -> str:
        """Under which the pages of an external are remembered."""
        return f"external:{self._externals[wish.external].into}"

    def _go_on(self, wish: Wish, item: Item, file: Resource) -> None:
        """Wish for what a page of a recursive external points to, below it."""
        name = self._name(wish)
        if name not in self._pages:
            self._pages[name] = self._memo.load(name)
        pages = self._pages[name]
        known = pages[file.path] = scanned(self._work, file, pages.get(file.path))
        standing = self._linker.standing(file.path, known.scan.base, item.at)
        for url in addresses(self._linker, standing, known.scan):
            further = self._wishes.further(wish, url)
            if further:
                self.add(further)


def wish_for_links(scans: Iterator[tuple[str, Known]], mirror: Mirror, linker: Linker, fetching: Fetching) -> None:
    """Wish for everything that the pages point to and an external takes."""
    if all(each.match is None for each in mirror.settings.externals):
        return
    for place, known in scans:
        standing = linker.standing(place, known.scan.base, mirror.visited.get(place))
        for url in addresses(linker, standing, known.scan):
            fetching.wish(url)
