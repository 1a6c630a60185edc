"""The pages of a mirror: their links found, once for each version of a page, and written so that they work in the mirror."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from archives import (
    LARGEST_PAGE,
    Fate,
    Known,
    Link,
    Linker,
    Made,
    Mark,
    Memo,
    Scan,
    Standing,
    decide,
    find_place,
    path_of,
    rewrite_page,
    scan_page,
)
from packageslip import Resource
from tasks.snapshot_state import Mirror, has_links, is_sheet
from tasks.work import Work


def scan_pages(work: Work, mirror: Mirror, memo: Memo) -> Iterator[tuple[str, Known]]:
    """Every page taken so far with its links, by its path. A page whose bytes are known from last time is not read again."""
    with work.step("scan", files=len(mirror.pages)):
        for name, places in mirror.pages.items():
            work.tools.pause_point()
            known = memo.load(name)
            seen = {place: scanned(work, mirror.files[place], known.get(place)) for place in places}
            if seen != known:
                memo.save(name, seen)
            yield from seen.items()
            work.file_done(0)


def scanned(work: Work, file: Resource, known: Known | None) -> Known:
    """The links of one page, and what is remembered of what it became."""
    assert file.digest is not None, "what is published has a digest"
    if known is not None and known.digest == file.digest:
        return known
    made = known.made if known else None
    if not has_links(file) or (file.size or 0) > LARGEST_PAGE:
        # Somebody else's page may be as large as the configuration lets a file be.
        return Known(file.digest, Scan(), made)
    with work.tools.store.open(file.digest) as stream:
        return Known(file.digest, scan_page(stream.read(), sheet=is_sheet(file)), made)


def rewrite_pages(work: Work, mirror: Mirror, memo: Memo, linker: Linker) -> set[str]:
    """Give every page links that work in the mirror. The media that pages refer to, of the kinds that may be dropped."""
    used: set[str] = set()
    with work.step("rewrite", files=len(mirror.pages)):
        for name, places in mirror.pages.items():
            known = memo.load(name)
            made = {}
            for place in places:
                work.tools.pause_point()
                if place in mirror.files:
                    page = scanned(work, mirror.files[place], known.get(place))
                    made[place] = _rewritten(work, mirror, linker, place, page, used)
            if made != known:
                memo.save(name, made)
            work.file_done(0)
    return used


@dataclass(frozen=True, slots=True)
class _Answers:
    """What becomes of a page's marks: those that change, and the fate of every link."""

    values: dict[Mark, str]
    links: tuple[tuple[str, Link], ...]

    def digest(self) -> str:
        """Hex; equal for two snapshots in which the same page becomes the same."""
        return sha256(repr([(mark.start, value) for mark, value in self.values.items()]).encode()).hexdigest()


def _rewritten(work: Work, mirror: Mirror, linker: Linker, place: str, page: Known, used: set[str]) -> Known:
    """One page made; its file in the mirror becomes that."""
    standing = linker.standing(place, page.scan.base, mirror.visited.get(place))
    answers = _answers(linker, standing, page)
    _note(mirror, place, answers, linker, standing, used)
    file = mirror.files[place]
    made = _made(work, file, page, answers)
    if made.digest != file.digest:
        mirror.linked.pop(place, None)
    mirror.files[place] = replace(file, digest=made.digest, size=made.size, modified=made.modified)
    return replace(page, made=made)


def _answers(linker: Linker, standing: Standing, page: Known) -> _Answers:
    values: dict[Mark, str] = {}
    links: list[tuple[str, Link]] = []
    for mark in page.scan.marks:
        verdict = decide(linker, standing, mark)
        links += verdict.links
        if verdict.value is not None:
            values[mark] = verdict.value
    return _Answers(values, tuple(links))


def _made(work: Work, file: Resource, page: Known, answers: _Answers) -> Made:
    assert file.size is not None, "what is published has a size"
    last, sign = page.made, page.digest.hex() + answers.digest()
    if last and last.answers == sign and work.tools.store.has(last.digest):
        digest, size = last.digest, last.size
    elif not answers.values:
        digest, size = page.digest, file.size
    else:
        digest, size = _written(work, page, answers)
    return Made(sign, digest, size, _time(file.modified, digest, size, last))


def _written(work: Work, page: Known, answers: _Answers) -> tuple[bytes, int]:
    with work.tools.store.open(page.digest) as stream:
        content = rewrite_page(stream.read(), answers.values)
    with work.tools.store.incoming() as incoming:
        incoming.write(content)
        return incoming.commit()


def _time(modified: int | None, digest: bytes, size: int, last: Made | None) -> int | None:
    """The page's own time, but for one case: partners compare sizes and times alone, and would not see that it has changed."""
    if modified is None or last is None or last.modified is None or last.modified < modified:
        return modified
    if digest == last.digest:
        return last.modified
    return last.modified + 1 if size == last.size else modified


def _note(mirror: Mirror, place: str, answers: _Answers, linker: Linker, standing: Standing, used: set[str]) -> None:
    """Count what a person wants to know, and mark what is referred to."""
    report = mirror.report
    report.pages += has_links(mirror.files[place])
    report.rewritten += bool(answers.values)
    endings = mirror.settings.drop_unreferenced
    for value, link in answers.links:
        report.links[link.fate] += 1
        if link.place is not None and link.place.lower().endswith(endings):
            used.add(link.place)
        if link.fate in (Fate.ABSENT, Fate.BROKEN) and not _was_there(mirror, linker, standing, value):
            report.leads_nowhere(place, value)


def _was_there(mirror: Mirror, linker: Linker, standing: Standing, value: str) -> bool:
    """Whether a link led to something that is published, and that the mirror leaves out."""
    path = linker.site_path(standing, value)
    if path is None:
        return False
    exists = mirror.left_out.__contains__
    return find_place(path_of(path), exists, mirror.settings.index_pages) is not None
