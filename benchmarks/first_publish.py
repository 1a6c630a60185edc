"""Rows 1 to 3: everything for the first time, over SFTP, the store already filled.

Ours: from the INSERT of all rows to the end of the last task; the daemon and its engines run already. A peer: from the start of
its process to its end. Every reply of the server is checked, on both sides; nobody reads back.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.cpu import used_by_children
from benchmarks.equal import check_equal
from benchmarks.ours import ENVIRONMENT, folder_source, origin, running
from benchmarks.peers import Site, lftp, rclone, rsync
from benchmarks.place import Place, settle
from benchmarks.results import Result
from benchmarks.tree import Tree, grow, grow_alike
from support.tcp_proxy import proxied

ROUND_TRIP = 0.02
"""Seconds."""
Runner = Callable[[Tree, Site], tuple[float, float]]
"""Does the work into an empty site; seconds by the clock, and of processors on both sides."""


@dataclass(frozen=True, slots=True)
class Way:
    """How ours does it: settings of its target. Where the layout is versioned, visitors see each module through a link."""

    name: str
    settings: Mapping[str, str]


SFTP = Way("SFTP's requests alone, durability none", {"durability": "none", "transfer": "sftp"})
# As in an installation, where nothing is said: the account has a shell and Perl, as rsync's has a shell and rsync.
STREAM = Way("as by default, durability none", {"durability": "none"})
VERSIONED = Way("as by default, versioned, durability none", {"durability": "none", "layout": "versioned"})
COMMIT = Way("as by default, durability commit", {"durability": "commit"})


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody to compare with. `key`: what a trial names it; `like`: which of ours do the same; `reach`: the most."""

    key: str
    name: str
    like: Sequence[Way]
    reach: float
    work: Callable[[Path, Site], None]


RSYNC = Peer("rsync", "rsync -a", (STREAM, SFTP, VERSIONED), 1.0, rsync)
DURABLE = Peer("fsync", "rsync -a --fsync", (COMMIT,), 1.0, lambda source, site: rsync(source, site, "--fsync"))
RCLONE = Peer("rclone", "rclone --transfers 16", (STREAM, SFTP), 0.3, rclone)
LFTP = Peer("lftp", "lftp --parallel 8", (STREAM, SFTP), 0.4, lftp)


def row_1(place: Place, modules: int = 40, files: int = 20_000) -> list[Result]:
    """Many small files."""
    with _grown(place, lambda folder: grow(folder, modules, files, store=place.store)) as tree:
        name = f"first publish, {files:,} files in {modules} modules"
        return _compared(1, name, place, tree, [RSYNC, DURABLE, RCLONE, LFTP])


def row_2(place: Place, modules: int = 40, files: int = 20_000) -> list[Result]:
    """The same over a line that takes 10 ms each way."""
    with (
        _grown(place, lambda folder: grow(folder, modules, files, store=place.store)) as tree,
        proxied(place.server.port, delay=ROUND_TRIP / 2) as port,
    ):
        name = f"first publish at {ROUND_TRIP * 1000:.0f} ms, {files:,} files in {modules} modules"
        return _compared(2, name, place, tree, [replace(RSYNC, like=(SFTP, STREAM))], port)


def row_3(place: Place, files: int = 10, size: int = 50_000_000) -> list[Result]:
    """Few large files."""
    with _grown(place, lambda folder: grow_alike(folder, [size] * files, place.store)) as tree:
        name = f"first publish, {files} files of {size // 1_000_000} MB in one module"
        return _compared(3, name, place, tree, [replace(RSYNC, like=(SFTP,), reach=1.2)])


@contextmanager
def _grown(place: Place, make: Callable[[Path], Tree]) -> Iterator[Tree]:
    yield make(place.folder / "site")


def _compared(row: int, name: str, place: Place, tree: Tree, known: Sequence[Peer], port: int | None = None) -> list[Result]:
    peers = [peer for peer in known if not place.peers or peer.key in place.peers]
    seconds = _rounds(place, tree, peers, port)
    results = []
    for peer, way in [(each, way) for each in peers for way in each.like]:
        ours, theirs = seconds[way.name], seconds[peer.name]
        clock, processors = (([pair[which] for pair in ours], [pair[which] for pair in theirs]) for which in (0, 1))
        used = f"processors {median(processors[0]):.1f} s and {median(processors[1]):.1f} s"
        results.append(Result.of(row, f"{name}, {way.name}", clock[0], peer.name, clock[1], peer.reach, figures=used))
    return results


def _rounds(place: Place, tree: Tree, peers: Sequence[Peer], port: int | None) -> Mapping[str, list[tuple[float, float]]]:
    """Everybody in turn, the other way round in every second round."""
    if place.rounds > 1:
        settle()
    runners: dict[str, Runner] = {}
    for peer in peers:
        runners |= {way.name: partial(_ours, place, way) for way in peer.like} | {peer.name: partial(_theirs, place, peer)}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in runners}
    for number in range(place.rounds):
        for name in list(runners) if number % 2 == 0 else reversed(list(runners)):
            site = place.site(port)
            os.sync()
            seconds[name].append(runners[name](tree, site))
            check_equal(tree.folder, site.account.root, name)
    return seconds


def _ours(place: Place, way: Way, tree: Tree, site: Site) -> tuple[float, float]:
    with running(place, folder_source(tree.folder), {ENVIRONMENT: origin(site, **way.settings)}) as ours:
        ours.warm()
        with place.metered(*ours.processes) as meter:
            seconds = ours.publish(tree.urls)
        return seconds, meter.used


def _theirs(place: Place, peer: Peer, tree: Tree, site: Site) -> tuple[float, float]:
    before = used_by_children()
    with place.metered() as meter:
        began = time.monotonic()
        peer.work(tree.folder, site)
        seconds = time.monotonic() - began
    return seconds, meter.used + used_by_children() - before
