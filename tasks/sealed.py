"""A module that nobody has touched since it was published: known by one look at the source and one at the target.

The attempt that published it left a seal: which document the source had, and how the target can tell that nobody has taken
the module over since. As long as both are what they were, and no engine was lost that may still be about to take it over
(then the queue forgets its seals), there is nothing to plan: the slip is not read, and nothing on the target is changed.
"""

import structlog

from config import signatures_of
from database import Seal
from packageslip import Packageslip
from targets import Present, TargetError
from tasks.commit import live_slip
from tasks.follow import after_publish
from tasks.load import Loaded
from tasks.tools import promoted_from
from tasks.work import Done, Work

log = structlog.get_logger(__name__)


def unbroken_seal(work: Work) -> Seal | None:
    """The module's seal, if this task can go by one and the target says that it is unbroken."""
    task = work.task
    special = work.parameter("mode") or task.adopt or promoted_from(work.tools.environment)
    # Of an attempt before this one, an approved one too, nobody knows how far it came, nor whether its dependents were asked for.
    if special or task.fence != task.serial or signatures_of(work.tools.settings, work.tools.environment.source):
        return None
    if not task.sealed:
        return None
    seal = work.tools.record.seal(work.target, task.url)
    if seal is None or seal.source != work.tools.source.name:
        return None
    with work.step("look"):
        return seal if work.tools.target.unbroken(task.url, seal.mark, work.tools.claim.queue) else None


def untouched(work: Work, sentence: str) -> Done:
    """The end of a task that found the source and the target as the seal says. `sentence`: of what was done."""
    if not work.tools.environment.holding_areas:
        return Done(sentence)
    live = work.tools.record.slip(work.target, work.task.url)
    assert live is not None, "a seal is that of what is live by the record, whose slips are kept"
    return Done(sentence, after_publish(work, live, live, changed=False))


def seal(work: Work, loaded: Loaded, present: Present) -> None:
    """Seal what is live now, if the source's document alone says what has to be there."""
    slip = loaded.at_source
    if slip is None or loaded.bound or not _says_all(slip) or work.expires is not None or work.summary.get("lagging"):
        return
    live = work.published[-1] if work.published else live_slip(present)
    seen = work.tools.source.seen(slip)
    if live is None or live.version is None or live.serial is None or not seen:
        return
    if mark := _mark(work, present):
        version, serial = live.version, live.serial
        work.seal = Seal(work.target, work.task.url, version, serial, work.tools.source.name, seen, mark, len(slip.resources))


def _says_all(slip: Packageslip) -> bool:
    """Whether nothing has to be asked for to know the files: views are made anew on each request."""
    return not slip.views and all(file.digest is not None and file.size is not None for file in slip.resources)


def _mark(work: Work, present: Present) -> str:
    """The target's mark. It is all done by now: an error here is no error of the task."""
    try:
        return work.tools.target.mark(present)
    except TargetError as error:
        log.info("module not sealed", task=work.task.id, url=work.task.url, target=work.target, reason=str(error))
        return ""
