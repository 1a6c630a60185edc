"""TAKEDOWN on one target: remove what a module has there, and look whether it is gone.

It carries its own consent, waits for no guard and leaves no tombstone. It removes what slips of ours list, like everything
here; unlike an UNPUBLISH it does not believe the target's answers, but looks at every path again, on each member of a group.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import structlog

from database import Action, NewTask
from packageslip import Packageslip
from targets import Present, TransientTargetError
from tasks.commit import GONE, Intent, commit, decide, live_slip, take_over
from tasks.errors import StillThere
from tasks.expand import Filter
from tasks.follow import dependents
from tasks.planner import Ground
from tasks.snapshot_state import place_of
from tasks.tools import members
from tasks.work import Done, Work

log = structlog.get_logger(__name__)

NAMED = 3
"""Paths that a sentence names."""


def takedown(work: Work) -> Done:
    """Remove the module from the task's target. Raises StillThere, TransientTargetError while a member cannot be asked."""
    present = take_over(work, consent=True)
    slips = _known(work, present)
    last = max(slips, key=lambda slip: slip.serial or 0, default=None)
    # Asked for while nothing has happened: once the module is gone and recorded so, another attempt knows no last slip.
    follow = (*_below(work), *(dependents(work, last) if last and _at_origin(work) else ()))
    if not live_slip(present):
        # Caches may still have it, whoever removed it; and the target may keep earlier releases of what is not live.
        work.note_change(last or _went(work))
    commit(work, GONE, present, decide(work, GONE, present.each()), [])
    cut = _cut_from_mirror(work)
    if late := work.summary.get("lagging"):
        raise TransientTargetError(
            f"{work.target}: {', '.join(late)} did not answer, nobody knows what lies there", target=work.target
        )
    checked = _look(work, work.task.url, slips)
    was = f"gone from {work.target}: {work.summary.get('drop', 0)} files dropped" if live_slip(present) else _was_not(work)
    return Done(f"{was}{cut}; looked at {checked} paths, nothing is left", follow)


def _went(work: Work) -> Packageslip | None:
    """The slip of what was live here last, by the record; not to be looked for, for others may have come since."""
    record, url = work.tools.record, work.task.url
    for publication in record.history(url, limit=1, target=work.target):
        return record.slip(work.target, url, publication.version)
    return None


def _was_not(work: Work) -> str:
    return f"was not on {work.target}"


def _at_origin(work: Work) -> bool:
    return work.target == work.tools.environment.origin


def _known(work: Work, present: Present) -> list[Packageslip]:
    """What the target says that it has, each member, and what the record believes."""
    recorded = work.tools.record.slip(work.target, work.task.url)
    return [slip for slip in (*(each.slip for each in present.each()), recorded) if slip is not None]


def _below(work: Work) -> Iterator[NewTask]:
    """A task for each module below, which the target holds or the record believes that it does."""
    if not work.parameter("below"):
        return
    task, url = work.task, work.task.url
    found = {entry.url for entry in work.tools.target.modules() if Filter(url).takes(entry)}
    for each in sorted({*found, *work.tools.record.below(work.target, url)} - {url}):
        yield NewTask(
            each,
            task.environment,
            Action.TAKEDOWN,
            priority=task.priority,
            requested_by=task.requested_by,
            note=task.note,
            target=work.target,
            batch=task.batch,
            parent=task.id,
        )


def _cut_from_mirror(work: Work) -> str:
    """Of a mirror, one module of its own, the files that it took from this one. Links to them stay until it is made anew."""
    settings = work.tools.environment.snapshot
    if settings is None or not _at_origin(work) or settings.url == work.task.url:
        return ""
    mirror = work.at(settings.url)
    present = take_over(mirror, consent=True)
    slip = live_slip(present)
    gone = set(_mirrored(work, slip, settings.zips_into)) if slip else set()
    if not slip or not gone:
        return ""
    kept = tuple(each for each in slip.resources if each.path not in gone)
    wanted = replace(slip, resources=kept, serial=None, version=None, queue=None, stale=()) if kept else None
    intent = Intent(wanted, consent=True, at_once=True)
    commit(mirror, intent, present, decide(mirror, intent, present.each()), [])
    left = replace(slip, resources=tuple(each for each in slip.resources if each.path in gone), views=())
    _look(mirror, settings.url, [left])
    return f", {len(gone)} files cut from the mirror at {settings.url}"


def _mirrored(work: Work, mirror: Packageslip, zips: str) -> Iterator[str]:
    """Paths of the mirror that came from the module, and not from one below it; also what is stale there, and still seen."""
    url, folder = work.task.url, zips.strip("/")
    places = (url.strip("/"), f"{folder}/{url.strip('/')}".strip("/"))
    ground = Ground(below=frozenset(_modules_below(work)))
    for file in mirror.ours():
        for place in places:
            inside = file.path.removeprefix(f"{place}/") if file.path.startswith(f"{place}/") else None
            if file.path == place or (inside is not None and not ground.owner(url, inside)) or not place:
                yield file.path
                break


def _modules_below(work: Work) -> Iterable[str]:
    """Modules below that are live anywhere: what lies in the mirror under their names is theirs."""
    record = work.tools.record
    for environment in work.tools.settings.environments.values():
        yield from record.below(environment.origin, work.task.url)


def _look(work: Work, url: str, slips: Iterable[Packageslip]) -> int:
    """How many paths were looked at, none of which is there any more. Raises StillThere, TargetError's kinds."""
    ground = Ground(below=frozenset(work.tools.record.below(work.target, url)))
    listed = {file.path for slip in slips for file in slip.ours()}
    paths = sorted(path for path in listed if not ground.owner(url, path))
    with work.step("look", files=len(paths)):
        for name in members(work.tools.settings, work.target) or (work.target,):
            target = work.tools.target if name == work.target else work.tools.open_target(name)
            if left := sorted(target.strangers(url, paths)):
                more = f" and {len(left) - NAMED} more" if left[NAMED:] else ""
                places = ", ".join(place_of(url, path) for path in left[:NAMED])
                raise StillThere(f"{places}{more} still lies on {name}, and no slip there lists it any more; remove it by hand")
    return len(paths)
