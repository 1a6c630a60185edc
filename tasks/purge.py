"""PURGE: old rows of the queue, what was abandoned on targets, and files of the store that nobody needs."""

import time
from collections.abc import Iterator

from targets import TargetError
from tasks.tools import members
from tasks.work import Done, Work

_DAY = 86_400
_TRASH_DAYS = 7
"""Days for which what was abandoned on a target is left alone: longer than any release takes."""


def purge(work: Work) -> Done:
    """Clear up. A target that does not answer is named, and cleared the next time."""
    days = work.parameter("days", work.tools.settings.queue.keep_finished_days)
    trash_days = work.parameter("trash_days", _TRASH_DAYS)
    if work.dry_run:
        return Done(f"dry run: {_would(work, days, trash_days)}")
    with work.step("rows"):
        work.summary["rows"] = work.tools.purge(days)
    with work.step("targets"):
        late = list(_reap(work, trash_days * _DAY))
    if work.parameter("store"):
        with work.step("store"):
            _collect(work)
    return Done(_sentence(work, late))


def _would(work: Work, days: int, trash_days: int) -> str:
    store = "; files of the store that nothing needs would go" if work.parameter("store") else ""
    return (
        f"rows of tasks that ended more than {days} days ago would go, and what was abandoned more than {trash_days} days ago "
        f"on {', '.join(_targets(work))}{store}"
    )


def _targets(work: Work) -> list[str]:
    """Every target of the environment; a group's members for the group."""
    environment, settings = work.tools.environment, work.tools.settings
    names = [environment.origin, *(area.target for area in environment.holding_areas)]
    names += [environment.exports.target] if environment.exports else []
    return list(dict.fromkeys(each for name in names for each in members(settings, name) or (name,)))


def _reap(work: Work, older_than: float) -> Iterator[str]:
    """Count what was removed; the targets that could not be cleared."""
    for name in _targets(work):
        work.tools.pause_point()
        try:
            work.count({"abandoned": work.tools.open_target(name).reap(older_than)})
        except TargetError as error:
            yield f"{name} was left out ({str(error).rstrip('. ')})"


def _collect(work: Work) -> None:
    """As 'slipway store gc': what was touched within a day stays, whoever is about to need it."""
    keep = frozenset(work.tools.record.keep(work.tools.settings.store.keep_publications))
    gone = work.tools.store.collect(keep.__contains__, older_than=_DAY, now=time.time())
    work.summary |= {"files": gone.files, "bytes": gone.bytes}


def _sentence(work: Work, late: list[str]) -> str:
    done = [f"{work.summary['rows']} rows and {work.summary.get('abandoned', 0)} abandoned things deleted"]
    if "files" in work.summary:
        done.append(f"{work.summary['files']} files ({work.summary['bytes']} bytes) of the store")
    return "; ".join([", ".join(done), *late])
