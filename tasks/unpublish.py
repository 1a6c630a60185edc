"""UNPUBLISH: take a module away, from the origin and then from its holding areas. It carries its own consent.

A module that was retired leaves a tombstone, and stays until the archive has it.
"""

from collections.abc import Iterator
from dataclasses import replace

from database import NewTask
from packageslip import Packageslip
from targets import Present
from tasks.change import make_equal, rehearse
from tasks.commit import GONE, commit, decide, live_slip, published, take_over
from tasks.follow import dependents, withdrawals
from tasks.load import Loaded, bare
from tasks.tombstone import is_tombstone, tombstone_for
from tasks.work import Done, Work


def unpublish(work: Work) -> Done:
    """Drop what the last slip lists, and nothing else. What was not published is left as it is.

    Raises NotDeposited for a retired module that no archive has.
    """
    if work.dry_run:
        return rehearse(work, _rehearsed(work, work.tools.target.slip(work.task.url)), GONE)
    present = take_over(work)
    live = live_slip(present)
    if live and is_tombstone(live) and _leaves_one(work):
        return _stands(work, present, live)
    if live and (stone := tombstone_for(work, live)):
        return _bury(work, present, stone, live)
    last = live or _remembered(work)
    # Asked for while nothing has happened: once the module is gone and recorded so, another attempt knows no last slip.
    follow = _follow(work, last)
    if live:
        _withdraw(work, present)
    elif last and not work.published:
        work.note_change(last)
        work.published.append(published(work, None, work.tools.claim.serial))
    if live:
        return Done(f"gone from {work.target}: {work.summary.get('drop', 0)} files dropped{work.laggards()}", follow)
    return Done(f"was not published on {work.target}{work.laggards()}", follow)


def _leaves_one(work: Work) -> bool:
    return bool(work.parameter("tombstone", default=True))


def _rehearsed(work: Work, live: Packageslip | None) -> Packageslip | None:
    if live is None or (is_tombstone(live) and _leaves_one(work)):
        return live
    return tombstone_for(work, live)


def _bury(work: Work, present: Present, stone: Packageslip, live: Packageslip) -> Done:
    """Put the tombstone in the module's place, by the way that every publication goes."""
    follow = _follow(work, live)
    make_equal(work, Loaded(stone, None, bound=True), present, GONE)
    put, drop = work.summary.get("put", 0), work.summary.get("drop", 0)
    return Done(f"its tombstone took its place on {work.target}: {put} files put, {drop} dropped{work.laggards()}", follow)


def _stands(work: Work, present: Present, stone: Packageslip) -> Done:
    """The tombstone is there already. After an attempt that broke off, nobody knows whether what follows was asked for."""
    last = _remembered(work)
    make_equal(work, Loaded(bare(stone, keep_views=False), None, bound=True), present, GONE)
    unfinished = work.task.fence != work.task.serial or not is_tombstone(last)
    follow = _follow(work, last or stone) if unfinished else ()
    return Done(f"its tombstone is in its place on {work.target} already{work.laggards()}", follow)


def _remembered(work: Work) -> Packageslip | None:
    """The last slip by the record, if it believes that the module is live: an attempt before this one broke off at its end."""
    record, url = work.tools.record, work.task.url
    return record.slip(work.target, url) if record.current(work.target, url) else None


def _withdraw(work: Work, present: Present) -> None:
    plans = decide(work, GONE, present.each())
    commit(work, GONE, present, plans, [])


def _follow(work: Work, last: Packageslip | None) -> tuple[NewTask, ...]:
    if work.target != work.tools.environment.origin:
        return ()
    return (*_withdrawals(work, last), *(dependents(work, last) if last else ()))


def _withdrawals(work: Work, last: Packageslip | None) -> Iterator[NewTask]:
    """Where no tombstone is to be left, none is left in the holding areas either."""
    parameters = {} if _leaves_one(work) else {"tombstone": False}
    return (replace(each, parameters=parameters) for each in withdrawals(work, last))
