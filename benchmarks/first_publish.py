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

from benchmarks.equal import check_equal
from benchmarks.ours import ENVIRONMENT, folder_source, origin, running
from benchmarks.peers import Site, lftp, rclone, rsync
from benchmarks.place import Place
from benchmarks.results import Result
from benchmarks.tree import Tree, grow, grow_alike

Runner = Callable[[Tree, Site], float]
"""Does the work into an empty site; seconds."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody to compare with. `key`: what a trial names it; `like`: which of ours does the same; `reach`: the most."""

    key: str
    name: str
    like: str
    reach: float
    work: Callable[[Path, Site], None]


RSYNC = Peer("rsync", "rsync -a", "none", 1.0, rsync)
DURABLE = Peer("fsync", "rsync -a --fsync", "commit", 1.0, lambda source, site: rsync(source, site, "--fsync"))
RCLONE = Peer("rclone", "rclone --transfers 16", "none", 0.3, rclone)
LFTP = Peer("lftp", "lftp --parallel 8", "none", 0.4, lftp)


def row_1(place: Place, modules: int = 40, files: int = 20_000) -> list[Result]:
    """Many small files."""
    with _grown(place, lambda folder: grow(folder, modules, files, store=place.store)) as tree:
        name = f"first publish, {files:,} files in {modules} modules"
        return _compared(1, name, place, tree, [RSYNC, DURABLE, RCLONE, LFTP])


def row_3(place: Place, files: int = 10, size: int = 50_000_000) -> list[Result]:
    """Few large files."""
    with _grown(place, lambda folder: grow_alike(folder, [size] * files, place.store)) as tree:
        name = f"first publish, {files} files of {size // 1_000_000} MB in one module"
        return _compared(3, name, place, tree, [replace(RSYNC, reach=1.2)])


@contextmanager
def _grown(place: Place, make: Callable[[Path], Tree]) -> Iterator[Tree]:
    yield make(place.folder / "site")


def _compared(row: int, name: str, place: Place, tree: Tree, known: Sequence[Peer]) -> list[Result]:
    peers = [peer for peer in known if not place.peers or peer.key in place.peers]
    seconds = _rounds(place, tree, peers)
    return [
        Result.of(
            row,
            f"{name}, durability {peer.like}",
            seconds[peer.like],
            peer.name,
            seconds[peer.name],
            peer.reach,
        )
        for peer in peers
    ]


def _rounds(place: Place, tree: Tree, peers: Sequence[Peer]) -> Mapping[str, list[float]]:
    """Everybody in turn, the other way round in every second round."""
    runners: dict[str, Runner] = {}
    for peer in peers:
        runners.setdefault(peer.like, partial(_ours, place, peer.like))
        runners[peer.name] = partial(_theirs, peer)
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for number in range(place.rounds):
        for name in list(runners) if number % 2 == 0 else reversed(list(runners)):
            with place.site() as site:
                os.sync()
                seconds[name].append(runners[name](tree, site))
                check_equal(tree.folder, site.account.root, name)
    return seconds


def _ours(place: Place, durability: str, tree: Tree, site: Site) -> float:
    with running(place, folder_source(tree.folder), {ENVIRONMENT: origin(site, durability=durability)}) as ours:
        ours.warm()
        return ours.publish(tree.urls)


def _theirs(peer: Peer, tree: Tree, site: Site) -> float:
    began = time.monotonic()
    peer.work(tree.folder, site)
    return time.monotonic() - began
