"""Rows 5, 6, and the large forms of 4 and 9: a whole site, from a CMS over HTTP to an SFTP origin. `make bench-site`.

One site serves all: it is published for the first time (6), which is watched for memory (9), then again with nothing changed (5),
then one file at a time (4). What would be done without us: curl of all files, then rsync.
"""

import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from benchmarks.equal import check_equal
from benchmarks.memory import peak, result
from benchmarks.one_change import EACH, LiveSite, changes
from benchmarks.ours import Ours, origin, running
from benchmarks.peers import rsync
from benchmarks.place import Place
from benchmarks.results import Result
from benchmarks.tree import SLIP, Tree, grow
from support.nginx import serving

SMALLER = (100, 1000)
"""Modules of the sites that row 4 has beside the large one."""
AT_ONCE = 100_000
"""Files that one curl is given."""
ROUNDS = 5
"""Of row 5, where each takes a while."""


def whole_site(place: Place, modules: int) -> list[Result]:
    """All rows of a site of so many modules."""
    tree = grow(place.folder / "site", modules, round(modules * EACH))
    print(f"{tree.files:,} files in {modules:,} modules lie there", flush=True)
    with ExitStack() as stack:
        web = stack.enter_context(serving(place.folder / "nginx", tree.folder))
        theirs = _without_us(place, tree, web.port)
        sizes = [size for size in SMALLER if size < modules] or [max(modules // 10, 1)]
        sites = [LiveSite(f"OF{size}", tree.first(size), place.site()) for size in [*sizes, modules]]
        origins = {live.environment: origin(live.site, durability="none") for live in sites}
        source = {"kind": "http", "url": f"http://127.0.0.1:{web.port}"}
        ours = stack.enter_context(running(place, source, origins, engine={"linger": 7200}))
        return [*_first(ours, sites[-1], theirs), *_again(place, ours, sites[-1]), *_one_file(place, ours, sites)]


def _first(ours: Ours, live: LiveSite, theirs: float) -> list[Result]:
    """Rows 6 and 9."""
    ours.warm(live.environment)
    os.sync()
    # Each sample holds an engine up for a moment.
    with peak(ours.pids(live.environment), every=0.5) as watched:
        seconds = ours.publish(live.tree.urls, live.environment)
    check_equal(live.tree.folder, live.site.account.root, "row 6")
    about = f"{live.tree.files:,} files in {len(live.tree.urls):,} modules, from HTTP to a server over SSH, by stream"
    return [
        Result.of(6, f"everything for the first time, {about}", [seconds], "curl --parallel, then rsync -a", [theirs], 2.0),
        result(f"peak memory of {ours.engines} engines, first publish of {about}", watched, 200),
    ]


def _again(place: Place, ours: Ours, live: LiveSite) -> list[Result]:
    """Row 5."""
    mine, theirs = [], []
    for number in range(min(place.rounds, ROUNDS)):
        for ours_now in (True, False) if number % 2 == 0 else (False, True):
            if ours_now:
                mine.append(ours.publish(live.tree.urls, live.environment))
            else:
                theirs.append(_nothing_to_do(live))
    about = f"nothing changed, {len(live.tree.urls):,} modules of {live.tree.files:,} files republished"
    return [Result.of(5, about, mine, "rsync -a with nothing to do", theirs, 1.5)]


def _one_file(place: Place, ours: Ours, sites: Sequence[LiveSite]) -> list[Result]:
    """Row 4."""
    for live in sites[:-1]:
        ours.warm(live.environment)
        ours.publish(live.tree.urls, live.environment)
    return changes(place, ours, sites)


def _nothing_to_do(live: LiveSite) -> float:
    began = time.monotonic()
    rsync(live.tree.folder, live.site, f"--exclude={SLIP}")
    return time.monotonic() - began


def _without_us(place: Place, tree: Tree, port: int) -> float:
    """Fetch everything with curl, and send it on with rsync; seconds. What it made stays: see `settle`."""
    copy, site = place.folder / "copy", place.site()
    os.sync()
    began = time.monotonic()
    _fetch(tree, copy, port)
    rsync(copy, site)
    seconds = time.monotonic() - began
    check_equal(tree.folder, site.account.root, "curl and rsync")
    return seconds


def _fetch(tree: Tree, copy: Path, port: int) -> None:
    """Some curl processes, one after the other, each with many transfers at once."""
    paths = (os.path.join(root, name) for root, _, names in os.walk(tree.folder) for name in names)  # noqa: PTH118
    lines = (
        f'url = "http://127.0.0.1:{port}{path[len(str(tree.folder)) :]}"\noutput = "{copy}{path[len(str(tree.folder)) :]}"\n'
        for path in paths
    )
    while some := list(islice(lines, AT_ONCE)):
        _curl(some)


def _curl(transfers: Iterable[str]) -> None:
    options = ["--parallel", "--parallel-max", "50", "--create-dirs", "--remote-time", "--fail", "--silent", "--show-error"]
    done = subprocess.run(
        ["curl", "-q", *options, "--config", "-"], input="".join(transfers), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
