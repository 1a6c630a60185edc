"""Row 9: memory, as the sum over an engine's processes: the proportional set size that the system reports, sampled."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

from benchmarks.names import courses
from benchmarks.ours import ENVIRONMENT, Ours, folder_source, origin, running
from benchmarks.place import Place
from benchmarks.results import Result
from benchmarks.tree import MODIFIED, SLIP, write_warm
from packageslip import Kind, Packageslip, Resource, write_slip

EVERY = 0.1
"""Seconds between two samples."""
MB = 1_000_000


class Peak(Thread):
    """Samples processes, and what they start, until it is stopped. `bytes`: the most at one moment."""

    def __init__(self, pids: Callable[[], Sequence[int]], every: float) -> None:
        super().__init__(name="memory", daemon=True)
        self._pids, self._every, self._stopped = pids, every, Event()
        self.bytes = self.samples = 0

    def run(self) -> None:
        while not self._stopped.wait(self._every):
            self.bytes = max(self.bytes, sum(_held(pid) for first in self._pids() for pid in _family(first)))
            self.samples += 1

    def stop(self) -> None:
        self._stopped.set()
        self.join()


@contextmanager
def peak(pids: Sequence[int], every: float = EVERY) -> Iterator[Peak]:
    """Watch these processes while the block lasts."""
    watching = Peak(lambda: pids, every)
    watching.start()
    try:
        yield watching
    finally:
        watching.stop()


def _held(pid: int) -> int:
    """Bytes: its own, and its share of what it has in common with others."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _family(pid: int) -> list[int]:
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


def row_9(place: Place, size: int = 10_000 * MB, resources: int = 200_000) -> list[Result]:
    """A large file whose digest the slip does not say, and a slip of many resources, each over SFTP."""
    large = _publish(place, "large", _large_file, size)
    return [
        result(f"peak memory of one engine, a file of {size / MB / 1000:g} GB", large, 200),
        *many_resources(place, resources),
    ]


def many_resources(place: Place, resources: int) -> list[Result]:
    """A slip of so many small files."""
    many = _publish(place, "many", _many_resources, resources)
    return [result(f"peak memory of one engine, a slip of {resources:,} resources", many, 300)]


def result(name: str, watched: Peak, most: float) -> Result:
    """The peak beside what it is to be at most, in MB."""
    held = round(watched.bytes / MB, 1)
    figures = f"proportional set size, {watched.samples} samples"
    return Result.of(9, name, [held], f"{most:g} MB", [most], 1.0, unit="MB", figures=figures)


def _publish(place: Place, name: str, make: Callable[[Path, int], Packageslip], amount: int) -> Peak:
    folder = place.folder / name
    [course] = courses(1)
    home = folder / course.url[1:]
    home.mkdir(parents=True)
    write_warm(folder)
    slip = make(home, amount)
    (home / SLIP).write_bytes(write_slip(slip))
    targets = {ENVIRONMENT: origin(place.site(), durability="none")}
    with running(place, folder_source(folder), targets, engines=1, engine={"linger": 3600}) as ours:
        return _watched(ours, course.url)


def _watched(ours: Ours, url: str) -> Peak:
    ours.warm()
    with peak(ours.pids()) as watching:
        ours.publish([url])
    return watching


def _large_file(home: Path, size: int) -> Packageslip:
    with (home / "lecture.mp4").open("wb") as file:
        # Holes where it lies; what reads it gets the bytes all the same.
        os.truncate(file.fileno(), size)
    url = "/" + "/".join(home.parts[-3:])
    return Packageslip(url, (Resource("lecture.mp4", Kind.MEDIA, "video/mp4", size, modified=MODIFIED),))


def _many_resources(home: Path, count: int) -> Packageslip:
    """Paths as long as real ones; the files themselves are small."""
    resources = []
    for number in range(count):
        path = f"lecture-notes/part-{number // 1000:04d}/a-page-of-usual-length-{number:07d}.htm"
        body = b"%d\n" % (number % 1000)
        if number % 1000 == 0:
            (home / path).parent.mkdir(parents=True)
        (home / path).write_bytes(body)
        resources.append(Resource(path, Kind.PAGE, "text/html", len(body), sha256(body).digest(), MODIFIED, order=number))
    return Packageslip("/" + "/".join(home.parts[-3:]), tuple(resources), title="A slip of many resources")
