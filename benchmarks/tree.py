"""A generated site on disk: modules with slips, as a CMS keeps them. Sizes of files are log-normal with a median of 4 KB."""

import hashlib
import math
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path

from benchmarks.names import Course, courses
from packageslip import CatalogueEntry, Kind, Packageslip, Resource, build_slip, read_slip, write_catalogue, write_slip
from store import Store

MEDIAN = 4096
SIGMA = 1.208
"""Of the sizes' logarithms: with this median it makes 20,000 files 170 MB."""
UNEVEN = 0.5
"""The same of the numbers of files in modules, whose sum is given."""
MODIFIED = 1_500_000_000
"""When everything was changed last: whole seconds, as slips and SFTP have them."""
SECTIONS = (
    "",
    "syllabus/",
    "calendar/",
    "readings/",
    "lecture-notes/",
    "assignments/",
    "exams/",
    "projects/",
    "tools/",
    "media/",
)
TYPES = (
    (Kind.PAGE, "htm", "text/html"),
    (Kind.FILE, "pdf", "application/pdf"),
    (Kind.IMAGE, "jpg", "image/jpeg"),
    (Kind.PAGE, "htm", "text/html"),
    (Kind.FILE, "txt", "text/plain"),
)
SLIP = "packageslip.xml"
WARM = tuple(f"/warm/{number}" for number in range(8))
"""Modules of one small file, with which engines are started before something is timed."""
_NOISE = random.Random(2).randbytes(1 << 22)


@dataclass(frozen=True, slots=True)
class Tree:
    """A site in a folder: `<folder><url>/` has a module's files and its slip."""

    folder: Path
    courses: Sequence[Course]
    counts: Sequence[int]
    """Files of each module."""

    @property
    def files(self) -> int:
        return sum(self.counts)

    @property
    def urls(self) -> list[str]:
        return [course.url for course in self.courses]

    def first(self, modules: int) -> "Tree":
        """The same folder as if it had only so many modules."""
        return replace(self, courses=self.courses[:modules], counts=self.counts[:modules])


def grow(folder: Path, modules: int, files: int, *, store: Store | None = None) -> Tree:
    """Make a site of so many modules and files. `store`: a content store that gets every file, as if they had been fetched."""
    site = courses(modules)
    tree = Tree(folder, site, _counts(modules, files))
    for course, count in zip(site, tree.counts, strict=True):
        _write_module(folder, course, count, store)
    write_warm(folder)
    with (folder / "packageslips.xml").open("wb") as catalogue:
        write_catalogue([CatalogueEntry(course.url, module_type="course", state="published") for course in site], catalogue)
    return tree


def grow_alike(folder: Path, sizes: Sequence[int], store: Store) -> Tree:
    """A site of one module with files of these sizes, all of them in the store."""
    [course] = courses(1)
    home = folder / course.url[1:]
    home.mkdir(parents=True)
    resources = []
    for number, size in enumerate(sizes):
        resource = Resource(f"lecture-{number:02d}.mp4", Kind.MEDIA, "video/mp4", modified=MODIFIED)
        resources.append(_write_file(home, resource, _content(course, number, size), store))
    _write_slip(home, course, resources)
    write_warm(folder)
    return Tree(folder, [course], [len(sizes)])


def change(tree: Tree, module: int, edition: int) -> Path:
    """Let an editor save the module's first page anew; the page's path below the folder."""
    course = tree.courses[module]
    home = tree.folder / course.url[1:]
    with (home / SLIP).open("rb") as stream:
        slip = read_slip(stream, str(home))
    page, *others = slip.resources
    body = b"<h1>edition %d of %s</h1>\n" % (edition, course.short_id.encode())
    changed = _write_file(home, replace(page, modified=MODIFIED + edition), body, None)
    _write_slip(home, course, [changed, *others])
    return Path(course.url[1:], page.path)


def _counts(modules: int, files: int) -> list[int]:
    chance = random.Random(3)
    weights = [chance.lognormvariate(0, UNEVEN) for _ in range(modules)]
    # Differences of a rounded running sum: each within one of its share, and the sum is exact.
    marks = [round(files * share / sum(weights)) for share in accumulate(weights)]
    return [after - before for before, after in pairwise([0, *marks])]


def _write_module(folder: Path, course: Course, count: int, store: Store | None) -> None:
    home = folder / course.url[1:]
    home.mkdir(parents=True)
    chance = random.Random(course.short_id)
    resources = []
    for number in range(count):
        body = _content(course, number, max(1, int(chance.lognormvariate(math.log(MEDIAN), SIGMA))))
        resources.append(_write_file(home, _resource(number), body, store))
    _write_slip(home, course, resources)


def write_warm(folder: Path) -> None:
    """The modules WARM."""
    for url in WARM:
        home = folder / url[1:]
        home.mkdir(parents=True)
        (home / "index.htm").write_text("<h1>warm</h1>")
        (home / SLIP).write_bytes(write_slip(build_slip(home, url)))


def _resource(number: int) -> Resource:
    """What the file of this number is called, and is; number 0 is the module's page."""
    kind, suffix, media_type = TYPES[number % len(TYPES)]
    section = SECTIONS[number % len(SECTIONS)]
    path = f"{section}{kind}-{number:05d}.{suffix}" if number else "index.htm"
    return Resource(path, kind, media_type, modified=MODIFIED)


def _content(course: Course, number: int, size: int) -> bytes:
    """Bytes of no other file, that no program can make smaller."""
    head = f"{course.short_id} {number} ".encode()
    start = random.Random(f"{course.short_id} {number}").randrange(len(_NOISE))
    body = head + _NOISE[start : start + size]
    while len(body) < size:
        body += _NOISE
    return body[:size]


def _write_file(home: Path, resource: Resource, body: bytes, store: Store | None) -> Resource:
    """The resource with what a slip says about it."""
    path = home / resource.path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(body)
    assert resource.modified is not None
    os.utime(path, (resource.modified, resource.modified))
    if store:
        with store.incoming() as blob:
            blob.write(body)
            blob.commit()
    return replace(resource, size=len(body), digest=hashlib.sha256(body).digest())


def _write_slip(home: Path, course: Course, resources: Sequence[Resource]) -> None:
    ordered = tuple(replace(resource, order=number) for number, resource in enumerate(resources))
    slip = Packageslip(
        course.url,
        ordered,
        module_type="course",
        module_short_id=course.short_id,
        department_code=course.department,
        title=course.short_id,
        state="published",
        modified=max(resource.modified or 0 for resource in ordered),
    )
    (home / SLIP).write_bytes(write_slip(slip))
