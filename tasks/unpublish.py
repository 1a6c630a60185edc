"""UNPUBLISH: take a module away, from the origin and then from its holding areas. It carries its own consent."""

from database import NewTask
from packageslip import Packageslip
from targets import Present
from tasks.change import rehearse
from tasks.commit import Intent, commit, decide, live_slip, published, take_over
from tasks.follow import dependents, withdrawals
from tasks.work import Done, Work


def unpublish(work: Work) -> Done:
    """Drop what the last slip lists, and nothing else. What was not published is left as it is."""
    if work.dry_run:
        return rehearse(work, None, Intent())
    present = take_over(work)
    live = live_slip(present)
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


def _remembered(work: Work) -> Packageslip | None:
    """The last slip by the record, if it believes that the module is live: an attempt before this one broke off at its end."""
    record, url = work.tools.record, work.task.url
    return record.slip(work.target, url) if record.current(work.target, url) else None


def _withdraw(work: Work, present: Present) -> None:
    plans = decide(work, Intent(), present.each())
    commit(work, None, present, plans, [], lambda: None)


def _follow(work: Work, last: Packageslip | None) -> tuple[NewTask, ...]:
    if work.target != work.tools.environment.origin:
        return ()
    return (*withdrawals(work, last), *(dependents(work, last) if last else ()))
