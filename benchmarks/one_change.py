"""Rows 4 and 7: one file changed, in a site that is live already.

Row 4: from claim to finish in a warm engine, in sites of several sizes, in turn; and rsync over the largest one's tree, with
one file changed too.
Row 7: from the row's INSERT to the moment at which the new bytes lie at the file's public path.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from statistics import median, quantiles

from benchmarks.equal import check_equal
from benchmarks.ours import ENVIRONMENT, Ours, folder_source, origin, running
from benchmarks.peers import Site, rsync
from benchmarks.place import Place
from benchmarks.results import Result
from benchmarks.tree import SLIP, Tree, change, grow
from support.deployment import eventually

EACH = 314.5
"""Files in a module, on average: those of the whole site by its 3,180 modules."""
AGAIN = 9
"""Changes whose median is one round's figure."""
REST = 1.5
"""Seconds."""
_editions = count(1)


@dataclass(frozen=True, slots=True)
class LiveSite:
    """A site that an environment has published."""

    environment: str
    tree: Tree
    site: Site


def row_4(place: Place, sizes: Sequence[int] = (100, 1000), each: float = EACH) -> list[Result]:
    """The cost grows with the change, not with the site."""
    tree = grow(place.folder / "site", max(sizes), round(max(sizes) * each), store=place.store)
    with ExitStack() as stack:
        sites = [LiveSite(f"OF{size}", tree.first(size), place.site()) for size in sorted(sizes)]
        origins = {live.environment: origin(live.site, durability="none") for live in sites}
        ours = stack.enter_context(running(place, folder_source(tree.folder), origins, engines=1, engine={"linger": 3600}))
        for live in sites:
            ours.warm(live.environment)
            ours.publish(live.tree.urls, live.environment)
        return changes(place, ours, sites)


def changes(place: Place, ours: Ours, sites: Sequence[LiveSite]) -> list[Result]:
    """Row 4 over sites that are live, the smallest first."""
    seconds: dict[str, list[float]] = {live.environment: [] for live in sites}
    theirs = []
    small, large = sites[0], sites[-1]
    # The same modules everywhere: what a change costs may depend on its module's size.
    same = range(min(AGAIN, len(small.tree.urls)))
    for number in range(place.rounds):
        turns = sites if number % 2 == 0 else sites[::-1]
        # Site by site for each module: whatever else the machine does meanwhile meets all of them alike.
        taken = [[_claim_to_finish(ours, live, module) for live in turns] for module in same]
        for live, of_site in zip(turns, zip(*taken, strict=True), strict=True):
            seconds[live.environment].append(median(of_site))
        theirs.append(_rsync_one(large))
    ours.publish([*large.tree.urls[: len(same)], large.tree.urls[-1]], large.environment)
    check_equal(large.tree.folder, large.site.account.root, "row 4")
    first, last = seconds[small.environment], seconds[large.environment]
    about = f"one changed file in {len(large.tree.urls):,} modules of {large.tree.files:,} files"
    flat = Result.of(4, about, last, f"the same in {len(small.tree.urls):,} modules", first, 1.1)
    return [flat, Result.of(4, about, last, "rsync -a of the whole tree", theirs, 1 / 25)]


def _claim_to_finish(ours: Ours, live: LiveSite, module: int) -> float:
    change(live.tree, module, next(_editions))
    ours.publish([live.tree.urls[module]], live.environment)
    [row] = ours.deployment.rows("SELECT claimed_at, ended_at FROM attempt ORDER BY fence DESC LIMIT 1")
    return float((row["ended_at"] - row["claimed_at"]).total_seconds())


def _rsync_one(live: LiveSite) -> float:
    """The last module is theirs: its change is never published by us meanwhile."""
    change(live.tree, -1, next(_editions))
    began = time.monotonic()
    rsync(live.tree.folder, live.site, f"--exclude={SLIP}")
    return time.monotonic() - began


def row_7(place: Place, modules: int = 40, warm: int = 60, cold: int = 20) -> list[Result]:
    """From INSERT to live; a round is one change."""
    tree = grow(place.folder / "site", modules, round(modules * EACH), store=place.store)
    results = []
    for name, times, linger, reach in (("warm", warm, 3600, 1.0), ("cold", cold, 0.2, 3.0)):
        site = place.site()
        origins = {ENVIRONMENT: origin(site)}
        with running(place, folder_source(tree.folder), origins, engines=1, engine={"linger": linger}) as ours:
            ours.warm()
            ours.publish(tree.urls)
            seconds = [_insert_to_live(ours, tree, site, number % modules, cold=name == "cold") for number in range(times)]
        results.append(_slowest(name, seconds, reach))
    return results


def _insert_to_live(ours: Ours, tree: Tree, site: Site, module: int, *, cold: bool) -> float:
    path = change(tree, module, next(_editions))
    wanted, public = (tree.folder / path).read_bytes(), site.account.root / path
    if cold:
        eventually(lambda: not ours.pids(), 60, "the end of the engine")
        # The daemon lets a crew rest for a second after an engine's end.
        time.sleep(REST)
    began = time.monotonic()
    ours.insert([tree.urls[module]])
    while public.read_bytes() != wanted:
        assert time.monotonic() < began + 60, ours.deployment.tail()
        time.sleep(0.002)
    seconds = time.monotonic() - began
    ours.finish()
    return seconds


def _slowest(name: str, seconds: Sequence[float], reach: float) -> Result:
    """The 95th percentile beside what it is to be at most."""
    late = quantiles(seconds, n=20, method="inclusive")[-1]
    figures = f"95th percentile of {len(seconds)}: {late:.2f} s, median {median(seconds):.2f} s, most {max(seconds):.2f} s"
    result = Result.of(
        7, f"one changed file from INSERT to live, engine {name}", [late], f"{reach:g} s", [reach], 1.0, figures=figures
    )
    return replace(
        result, ratio_min=round(min(seconds) / reach, 4), ratio_max=round(max(seconds) / reach, 4), rounds=len(seconds)
    )
