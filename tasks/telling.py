"""Who is told that a module changed on the environment's origin: one NOTIFY row for each notice that takes the module.

The rows are written in the transaction that records the publication, whatever the attempt came to: what became visible is
told, also when the task itself failed behind it, and nothing is told that did not happen.
"""

from collections.abc import Iterator

from config import GroupTarget, MemoryTarget, Selection, Settings
from database import NOTICE, Action, NewTask, Published
from notices import MOST_TITLE, Event, Seen, bounded, order
from tasks.work import Work


def notices_after(work: Work) -> Iterator[NewTask]:
    """The rows for what this attempt has published. A target other than the origin tells nobody."""
    environment = work.tools.environment
    if environment.notices and work.target == environment.origin:
        for number, each in enumerate((work, *work.others)):
            yield from _notices_of(each, number)


def _notices_of(work: Work, number: int) -> Iterator[NewTask]:
    """The same for one of its modules."""
    environment, settings = work.tools.environment, work.tools.settings
    published = [one for one in work.published if one.url == work.task.url]
    if not published:
        return
    event, seen = _event(work, published[-1], number), _seen(work)
    for name in environment.notices:
        notice = settings.notices[name]
        if _takes(work, notice.modules):
            yield _row(work, name, order(notice, event, seen, lambda modules: _takes(work, modules)))


def _event(work: Work, last: Published, number: int) -> Event:
    task = work.task
    paths, whole = bounded(work.moved)
    newest = work.slips[-1] if work.slips else None
    return Event(
        event="unpublished" if last.document is None else "published",
        # A fence is given out once for each attempt, which may change a second module.
        id=f"{work.tools.claim.queue}-{work.tools.claim.fence}" + (f".{number}" if number else ""),
        environment=task.environment,
        url=task.url,
        type=newest.module_type if newest else None,
        title=newest.title[:MOST_TITLE] if newest and newest.title else None,
        version=last.version.hex() if last.version else None,
        serial=last.serial,
        paths=paths,
        whole=whole,
        hard=task.action == Action.TAKEDOWN,
    )


def _takes(work: Work, modules: Selection) -> bool:
    """Whether a selection has the module as it is, or had it as it was: whoever knew it is told that it went."""
    kinds = {(slip.module_type, slip.zip_required) for slip in work.slips} or {(None, False)}
    return any(modules.takes(work.task.url, kind, zip_required=zip_required) for kind, zip_required in kinds)


def _seen(work: Work) -> Seen:
    environment, settings = work.tools.environment, work.tools.settings
    guard = environment.guard or settings.guard
    file = any(slip.is_file for slip in work.slips[-1:])
    return Seen(environment.site, guard.index_pages, slip=not file and _shows_slips(settings, environment.origin))


def _shows_slips(settings: Settings, target: str) -> bool:
    kind = settings.targets[target]
    if isinstance(kind, GroupTarget):
        return any(_shows_slips(settings, member) for member in kind.members)
    return isinstance(kind, MemoryTarget) or kind.public_slip


def _row(work: Work, name: str, parameters: dict[str, object]) -> NewTask:
    task = work.task
    return NewTask(
        task.url,
        task.environment,
        Action.NOTIFY,
        priority=task.priority,
        parameters=parameters,
        requested_by=task.requested_by,
        target=NOTICE + name,
        parent=task.id,
    )
