"""What a soak came to: its history from outside, and the targets at rest."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reliability.happenings import History, Move, Seen, Sighting, Violation
from reliability.history import check
from reliability.rows import read_rows, slips_in
from reliability.sftp_log import moves_of
from reliability.soak_places import KEEP_RELEASES, Places
from reliability.soak_shelves import shelves
from reliability.target_rules import public_path, unequal

_SERIAL = re.compile(rb' serial="(\d+)"')
_SESSION = re.compile(r"internal-sftp\[(\d+)\]: (?:session opened for local user (\S+))?")


@dataclass
class Report:
    """The counts."""

    seed: int
    reads: int = 0
    pages: int = 0
    resolved: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    """What did not succeed, and why: a person reads whether it should have."""
    faults: Counter[str] = field(default_factory=Counter)
    publications: int = 0
    moves: int = 0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        faults = ", ".join(f"{number} x {kind}" for kind, number in sorted(self.faults.items()))
        tasks = ", ".join(f"{number} {state}" for state, number in sorted(self.tasks.items()))
        counts = (
            f"{self.reads} reads, {self.pages} pages, {self.resolved} resolved releases, {self.publications} publications, "
            f"{self.moves} moves on the targets, {sum(self.faults.values())} faults, {len(self.violations)} violations"
        )
        others = [f"{number} x {why}" for why, number in self.others.most_common(20)]
        return "\n".join([*self.violations[:50], f"faults: {faults}", f"tasks: {tasks}", *others, f"seed {self.seed}", counts])


def records_now(places: Places) -> Iterator[Seen]:
    """The serials of the commit records, as they lie on the targets."""
    for target, root in places.roots.items():
        for module in root.glob(".slipway/modules-*/modules/*"):
            try:
                match = _SERIAL.search((module / "slip.xml").read_bytes()[:4096])
            except FileNotFoundError:
                match = None
            yield Seen(target, module.parents[1].name, module.name, int(match[1]) if match else None)


def judge(places: Places, report: Report, told: History) -> None:
    """Add what the queue, the servers' log and the trees say. `told`: what was accepted, deferred, seen."""
    history = read_rows(places.deployment.url, accepted=told.accepted, deferred=told.deferred, settled=True)
    moves = list(_moves(places))
    history = replace(history, records=told.records, sightings=told.sightings, listed=_listed(places), moves=moves)
    report.tasks = Counter(task.status for task in history.tasks)
    report.others = Counter(
        f"{task.status}: {task.action} {task.url}: {(task.reason or '')[:160]}"
        for task in history.tasks
        if task.status != "SUCCEEDED"
    )
    report.publications, report.moves = len(history.publications), len(moves)
    broken = [*check(history), *_trees(places), *_last(places, history)]
    report.violations += [str(violation) for violation in broken]


def _moves(places: Places) -> Iterator[Move]:
    """Both sites look the same from inside their chroot: whose process wrote a line tells which of them is meant."""
    users = {account.user: target for account, target in zip(places.server.accounts, places.roots, strict=True)}
    owners: dict[str, str] = {}
    lines: dict[str, list[str]] = {target: [] for target in places.roots}
    for line in places.server.log.splitlines():
        if (match := _SESSION.search(line)) is None:
            continue
        if match[2]:
            owners[match[1]] = users[match[2]]
        if match[1] in owners:
            lines[owners[match[1]]].append(line)
    for target, some in lines.items():
        yield from moves_of(some, target)


def _listed(places: Places) -> frozenset[tuple[str, str, bytes]]:
    return frozenset(
        (target, public_path(module, path), digest)
        for target in places.roots
        for (module, path), digests in places.site.known.items()
        for digest in digests
    )


def _trees(places: Places) -> Iterator[Violation]:
    """Each target at rest is what its commit records say, and nothing is left over in Slipway's own areas."""
    for target, root in places.roots.items():
        records = sorted(root.glob(".slipway/modules-*/modules/*/slip.xml"))
        yield from unequal(target, slips_in(record.read_bytes() for record in records), public_files(root))
        for path in sorted({path for path in root.glob(".slipway/**/*") if path.is_file()} - set(records)):
            yield Violation("tree", f"{path.relative_to(root)} on {target} was left over")
        yield from shelves(target, root, places.versioned(target), KEEP_RELEASES)


def public_files(root: Path) -> dict[str, bytes]:
    """Every public file by its path, behind links too, less the slips' public copies."""
    found = {}
    for folder, below, names in os.walk(root, followlinks=True):
        if Path(folder) == root:
            below[:] = [name for name in below if not name.startswith(".slipway")]
        for path in (Path(folder, name) for name in names if name != "packageslip.xml"):
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).digest()
    return found


def _last(places: Places, history: History) -> Iterator[Violation]:
    """After the last publish every module is live everywhere, at its last version, and is recorded so."""
    recorded = {(row.target, row.url): row.serial for row in history.publications if row.open}
    for target, root in places.roots.items():
        for slip in slips_in(record.read_bytes() for record in root.glob(".slipway/modules-*/modules/*/slip.xml")):
            known = recorded.get((target, slip.url))
            if known != slip.serial:
                yield Violation("record", f"{slip.url} on {target} has serial {slip.serial}; recorded is {known}")
        for module, wanted in places.site.versions.items():
            page = root / module.strip("/") / "index.htm"
            found = int(page.read_bytes().split()[3]) if page.exists() else None
            if found != wanted:
                yield Violation("last", f"{module} on {target} is at version {found}, not {wanted}")


def sightings_of(seen: Sequence[Sequence[str]]) -> Iterator[Sighting]:
    """What a visitor wrote down."""
    return (Sighting(target, path, bytes.fromhex(digest)) for target, path, digest in seen)
