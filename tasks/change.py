"""Make a module on the task's target equal to a slip, or say what that would mean."""

from packageslip import Packageslip, Resource, View, files_digest
from sources import SourceChanged
from targets import Present
from tasks.commit import Intent, commit, decide, live_slip, make_plans, nothing_to_do, plans_document, published
from tasks.errors import TakenDown
from tasks.load import Loaded
from tasks.plans import Plan, together
from tasks.resolve import Resolved, resolve
from tasks.transfer import files_to_put, gather
from tasks.work import Done, Work


def make_equal(work: Work, loaded: Loaded, present: Present, intent: Intent) -> bool:
    """Resolve, plan, transfer, commit. Whether anything changed, on the target or in what the record knows of it."""
    live = live_slip(present)
    resolved = resolve(loaded, live, work)
    wanted = resolved.slip
    plans = decide(work, intent.of(wanted), present.each())
    if nothing_to_do(work, wanted, present, plans):
        return _remembered_now(work, live)
    files: list[Resource | View] = []
    if stands(present, wanted, intent):
        work.summary["stood_there"] = True
    else:
        files = files_to_put(wanted, plans)
        gather(work, loaded, files, live if not intent.damaged else None)
    commit(work, intent.of(wanted), present, plans, files, lambda: _still(work, loaded, resolved))
    return True


def stands(present: Present, wanted: Packageslip, intent: Intent) -> bool:
    """Whether the target still has a release with exactly these files, which it only has to turn to: none is put or fetched."""
    return not intent.full and not intent.damaged and files_digest(wanted) in present.held


def _remembered_now(work: Work, live: Packageslip | None) -> bool:
    """A target knows what it holds; where the record does not (a lost database), it is told. Whether that was so."""
    assert live is not None, "nothing to do means that it is live"
    known = work.tools.record.current(work.target, work.task.url)
    if work.published or (known and (known.version, known.serial) == (live.version, live.serial)):
        return bool(work.published)
    # An attempt before this one, or a queue that was lost, made it so: what it changed was never told.
    work.note_change(work.tools.record.slip(work.target, work.task.url), live)
    work.published.append(published(work, live, live.serial or 0))
    return True


def _still(work: Work, loaded: Loaded, resolved: Resolved) -> None:
    """Bytes that the slip did not name by digest belong to it only if it is the same after they were read.

    And what was taken down since the task was claimed must not come back by it.
    """
    refuse_taken_down(work)
    if resolved.unsure and loaded.at_source and not work.tools.source.still(loaded.at_source):
        name = work.tools.source.name
        raise SourceChanged(f"{work.task.url} changed at {name} while it was read", source=name)


def refuse_taken_down(work: Work) -> None:
    """Raise TakenDown if the module must not be published; SourceChanged if what the task made may have such a module in it."""
    takedowns = work.tools.record.takedowns()
    for each in takedowns:
        if each.covers(work.task.url):
            raise TakenDown(each.sentence(work.task.url))
    if work.known_takedowns is not None and {each.id for each in takedowns} - work.known_takedowns:
        name = work.tools.source.name
        raise SourceChanged(f"a module of {name} was taken down while this was made of it", source=name)


def rehearse(work: Work, wanted: Packageslip | None, intent: Intent) -> Done:
    """A dry run: the plan, by reading alone. It takes nothing over, so an unfinished release is not finished for it."""
    live = work.tools.target.slip(work.task.url)
    with work.step("plan"):
        plans = make_plans(work, intent.of(wanted), [(work.target, live)])
    work.summary |= {"dry_run": True, "plan": plans_document(plans), **plans[0].counts()}
    objections = "; ".join(objection.sentence for made in plans for objection in made.objections)
    return Done(f"dry run: {would(plans)}" + (f"; it would not go on by itself: {objections}" if objections else ""))


def would(plans: tuple[Plan, ...]) -> str:
    """What the plans come to, in a few words, with the digest that an approval would name."""
    counts = plans[0].counts()
    return f"{counts['put']} files to put, {counts['drop']} to drop, {counts['keep']} to keep (plan {together(plans)[:12]})"
