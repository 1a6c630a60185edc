"""`python -P -m benchmarks.console --rows 1000000`: how long each page of the console takes over a queue of so many rows."""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.place import database_server
from database import Database
from support.console import Seat, seat_at, settings_with
from support.crowd import HELD, MODULES, REPUBLISH, crowd
from support.mariadb import Server
from support.schema import fresh

BOUND = 0.3
"""Seconds in which a page has to be answered."""
COURSE = f"/courses/department-{7 % 37}/course-7"
PAGES = (
    "/",
    "/queue",
    "/queue?state=ready",
    "/queue?state=failed&env=PRODUCTION",
    "/queue?state=ready&sort=next",
    "/queue?state=succeeded&sort=ended",
    "/queue?action=VERIFY",
    "/queue?text=nothing-like-this",
    f"/queue?module={COURSE}&below=1",
    "/queue?older=3d&after=500000",
    "/queue/modules?module=/courses",
    "/task/1",
    "/task/41",
    f"/task/{REPUBLISH}",
    f"/task/{HELD}",
    f"/module{COURSE}",
    "/module/large",
    "/module/nowhere",
    "/trends",
    "/trends?window=week&environment=STAGING",
    "/trends?window=month",
    "/trends?window=quarter",
    "/trends?window=year",
    "/trends.json?window=year",
    "/schedules",
    "/targets",
    "/audit",
    "/audit?kind=purged",
    "/audit?who=nobody",
    f"/audit?url={COURSE}",
    "/audit?task=77",
    "/audit?until=2020-01-01T00:00",
    "/readyz",
    "/metrics",
    "/api/v1/overview",
    "/api/v1/tasks?limit=500",
    "/api/v1/tasks?state=FAILED&environment=PRODUCTION",
    "/api/v1/tasks?state=SUCCEEDED&sort=ended",
    "/api/v1/tasks?text=nothing-like-this",
    "/api/v1/tasks/1",
    f"/api/v1/tasks/{REPUBLISH}",
    f"/api/v1/tasks/{HELD}",
    f"/api/v1/why?url={COURSE}",
    f"/api/v1/module?url={COURSE}",
    f"/api/v1/history?url={COURSE}",
    "/api/v1/trends?window=year",
    "/api/v1/targets",
    "/api/v1/schedules",
    "/api/v1/audit?limit=500",
    "/api/v1/audit?who=nobody",
)
"""What is looked at: each page, and those of its forms that ask most of the database."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One page: seconds of the first time it was asked for, the median and the worst of the others."""

    path: str
    first: float
    median: float
    worst: float

    def __str__(self) -> str:
        return f"{self.median * 1000:8.0f} {self.worst * 1000:8.0f} {self.first * 1000:8.0f}   {self.path}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.console", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the queue, and of the audit log")
    parser.add_argument("--times", type=int, default=7, help="how often each page is asked for")
    parser.add_argument("--url", help="of a database that such a crowd is in already; none is made then")
    chosen = parser.parse_args(arguments)
    if chosen.url:
        return print_timings(chosen.url, chosen.times)
    with database_server() as server:
        began = time.monotonic()
        name = crowded(server, chosen.rows)
        print(f"{chosen.rows:,} rows made in {time.monotonic() - began:.0f} s", flush=True)
        return print_timings(server.url(name), chosen.times)


def print_timings(url: str, times: int) -> int:
    """A line for each page; 1 if one of them takes too long."""
    slow = 0
    print("milliseconds: median, worst, first", flush=True)
    with tempfile.TemporaryDirectory(prefix="slipway-console-") as folder:
        for timing in timings(url, Path(folder), times):
            print(timing, "  over the bound" if timing.median > BOUND else "", flush=True)
            slow += timing.median > BOUND
    return 1 if slow else 0


def crowded(server: Server, rows: int) -> str:
    """A new database with so many tasks; its name."""
    if rows < REPUBLISH + MODULES:
        raise ValueError(f"a crowd begins at {REPUBLISH + MODULES} rows")
    name = server.new_database()
    fresh(server.url(name))
    crowd(server, name, rows)
    return name


def timings(url: str, folder: Path, times: int) -> Iterator[Timing]:
    """Ask for each page so often, without a network between."""
    nightly = {"cron": "0 3 * * *", "environment": "STAGING", "url": "/about"}
    settings = settings_with(folder)
    values = settings.model_dump(exclude_unset=True) | {"schedules": {f"nightly-{n}": nightly for n in range(20)}}
    with closing(Database.connect(url)) as database:
        seat = seat_at(database, settings.model_validate(values))
        seat.get("/static/console.css")
        for path in PAGES:
            taken = [_timed(seat, path) for _ in range(times)]
            yield Timing(path, taken[0], statistics.median(taken[1:]), max(taken[1:]))


def _timed(seat: Seat, path: str) -> float:
    began = time.perf_counter()
    seat.get(path)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
