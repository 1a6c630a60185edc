"""VERIFY: compare a module on a target with its own slip; with `repair`, put back what differs."""

from dataclasses import dataclass, replace

from packageslip import Packageslip
from targets import TargetBusy
from tasks.change import make_equal
from tasks.commit import Intent, live_slip, take_over
from tasks.errors import Drifted
from tasks.expand import verify_everything
from tasks.load import Loaded, bare, obtainable_views
from tasks.work import Done, Work

TRIES = 3
"""Times that a module is read which changes while it is read, before the task is tried again later."""
LISTED = 100
"""Paths that the summary spells out."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What the slip lists and the target does not have as listed."""

    missing: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()

    @property
    def paths(self) -> frozenset[str]:
        """All of them."""
        return frozenset(self.missing + self.differing)


def verify(work: Work) -> Done:
    """Read every file that the slip lists. Raises Drifted if some are wrong and were not to be repaired."""
    if work.parameter("all"):
        return verify_everything(work)
    slip, drift = _settled_drift(work)
    if slip is None:
        return _absent(work)
    work.summary |= {"missing": list(drift.missing[:LISTED]), "differing": list(drift.differing[:LISTED])}
    files = sum(1 for _ in slip.files())
    if not drift.paths:
        return Done(f"all {files} files on {work.target} are as their slip says")
    if work.parameter("repair") and not work.dry_run:
        return _repair(work, drift)
    raise Drifted(
        f"of {files} files of {work.task.url} on {work.target}, {len(drift.missing)} are missing, {len(drift.differing)} differ "
        f"from the slip ({', '.join(sorted(drift.paths)[:3])}); 'slipway verify --repair' puts them back"
    )


def _absent(work: Work) -> Done:
    """No slip lies there. Raises Drifted if one should: a disk that is not mounted looks like a target with nothing on it."""
    url, target = work.task.url, work.target
    known = work.tools.record.current(target, url)
    if known is None:
        return Done(f"{url} is not published on {target}; there is nothing to verify")
    raise Drifted(
        f"{url} should be live on {target} since {known.since:%Y-%m-%d %H:%M} UTC, but nothing of ours is there; look whether "
        "its disk is mounted and its area is whole, then publish the module again"
    )


def _settled_drift(work: Work) -> tuple[Packageslip | None, Drift]:
    """Slip, files, slip again: what is read while a release switches is neither the old nor the new module."""
    target, url = work.tools.target, work.task.url
    slip = target.slip(url)
    for _ in range(TRIES):
        drift = _drift(work, slip) if slip else Drift()
        again = target.slip(url)
        if again == slip:
            return slip, drift
        slip = again
    raise TargetBusy(f"{target.name}: {url} changes while it is verified", target=target.name)


def _drift(work: Work, slip: Packageslip) -> Drift:
    files = sorted(slip.files(), key=lambda file: file.path)
    missing, differing = [], []
    with work.step("verify", len(files), sum(file.size or 0 for file in files)):
        found = work.tools.target.digests(slip.url, [file.path for file in files])
        for file, (path, size, digest) in zip(files, found, strict=True):
            work.tools.pause_point()
            work.file_done(size or 0)
            if digest is None:
                missing.append(path)
            elif digest != file.digest:
                differing.append(path)
    return Drift(tuple(missing), tuple(differing))


def _repair(work: Work, drift: Drift) -> Done:
    present = take_over(work)
    slip = live_slip(present)
    if slip is None:
        return Done(f"{work.task.url} was unpublished on {work.target} meanwhile; there is nothing to repair")
    sound = replace(slip, views=tuple(view for view in slip.views if view.path not in drift.paths))
    wanted = obtainable_views(work, bare(slip, keep_views=True), sound)
    make_equal(work, Loaded(wanted, None, bound=True), present, Intent(damaged=drift.paths))
    return Done(f"{len(drift.paths)} files on {work.target} were missing or damaged and were put back")
