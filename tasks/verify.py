"""VERIFY: compare a module on a target with its own slip; with `repair`, put back what differs."""

from dataclasses import replace

from targets import Grace, TransientTargetError
from tasks.change import make_equal
from tasks.commit import Intent, grace_of, live_slip, take_over
from tasks.errors import Drifted
from tasks.expand import verify_everything
from tasks.expire import expiry
from tasks.load import Loaded, bare, obtainable_views
from tasks.survey import Survey, survey
from tasks.work import Done, Work

LATE = 60
"""Seconds for which what is over may wait for the task that comes back for it, before VERIFY makes another."""
LISTED = 100
"""Paths that the summary spells out."""


def verify(work: Work) -> Done:
    """Read every file that the slip lists, on every member of a group.

    Raises Drifted if something is wrong and was not to be repaired, TransientTargetError if not all could be looked at.
    """
    if work.parameter("all"):
        return verify_everything(work)
    found = survey(work)
    if found.newest is None:
        _raise_unseen(work, found)
        return _absent(work)
    _raise_withdrawn(work, found)
    work.summary |= {"missing": found.missing[:LISTED], "differing": found.differing[:LISTED]}
    done = Done(f"all {sum(1 for _ in found.newest.files())} files on {work.target} are as their slip says")
    if found.damaged or found.behind:
        if not work.parameter("repair") or work.dry_run:
            raise Drifted(
                f"{_faults(work, found)}; 'slipway verify --repair' {'mends that' if found.behind else 'puts them back'}"
            )
        done = _repair(work, found)
    _raise_unseen(work, found)
    return _with_expiry(work, found, done)


def _with_expiry(work: Work, found: Survey, done: Done) -> Done:
    """What is stale and over its grace should have gone: the row that comes back for it was lost with its queue."""
    now = work.tools.claim.now() - LATE if any(look.slip and look.slip.stale for look in found.looks) else 0
    over = sum(Grace(grace_of(work, look.place), now).over(file) for look in found.looks if look.slip for file in look.slip.stale)
    if not over or work.dry_run:
        return done
    return Done(f"{done.reason}; {over} stale files there are over their grace, and go by a task of their own", (expiry(work),))


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


def _raise_withdrawn(work: Work, found: Survey) -> None:
    """Raise Drifted if a member missed the module's unpublish: bringing the others up to date would publish it again."""
    if found.empty and work.tools.record.current(work.target, work.task.url) is None:
        left = [look.place for look in found.looks if look.slip]
        raise Drifted(
            f"{work.task.url} was unpublished on {work.target}, but still lies on {', '.join(left)}; unpublish it again"
        )


def _raise_unseen(work: Work, found: Survey) -> None:
    """Raise TransientTargetError for members that could not be looked at. No outage of the group: it goes on without them."""
    if found.unseen:
        why = "; ".join(str(error).rstrip(". ") for error in found.unseen.values())
        raise TransientTargetError(
            f"{work.target}: not every member could be looked at for {work.task.url} ({why})",
            target=work.target,
        )


def _faults(work: Work, found: Survey) -> str:
    faults = [look.sentence() for look in found.looks]
    if found.behind:
        faults.append(f"{', '.join(found.behind)}: the version of {work.task.url} there is not the newest on {work.target}")
    if found.unseen:
        faults.append(f"{', '.join(found.unseen)} could not be looked at")
    return "; ".join(fault for fault in faults if fault)


def _repair(work: Work, found: Survey) -> Done:
    # Where a member lags, the first round brings it up to date. A file that it lacks goes to it alone then; the second
    # round puts what is damaged on all.
    for _ in range(2 if found.behind and found.damaged else 1):
        present = take_over(work)
        slip = live_slip(present)
        if slip is None:
            return Done(f"{work.task.url} was unpublished on {work.target} meanwhile; there is nothing to repair")
        sound = replace(slip, views=tuple(view for view in slip.views if view.path not in found.damaged))
        wanted = obtainable_views(work, bare(slip, keep_views=True), sound)
        make_equal(work, Loaded(wanted, None, bound=True), present, Intent(damaged=found.damaged))
    done = f"{len(found.damaged)} files on {work.target} were missing or damaged and were put back" if found.damaged else ""
    late = f"brought up to date: {', '.join(found.behind)}" if found.behind else ""
    return Done("; ".join(part for part in (done, late) if part))
