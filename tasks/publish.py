"""PUBLISH: make the environment's origin hold what the source has, or the version that was approved."""

import structlog

from sources import SourceChanged
from tasks.change import make_equal, rehearse
from tasks.commit import Intent, live_slip, take_over
from tasks.follow import after_publish
from tasks.load import load
from tasks.sealed import seal, unbroken_seal, untouched
from tasks.work import Done, Work

log = structlog.get_logger(__name__)


def publish(work: Work) -> Done:
    """Publish the module. If it changes at the source while it is read, once more from the start."""
    if work.dry_run:
        return rehearse(work, load(work).slip, _intent(work))
    try:
        return _publish(work)
    except SourceChanged as error:
        log.info("module changed while it was read", task=work.task.id, url=work.task.url, error=str(error))
        work.summary = {"started_over": True}
        return _publish(work)


def _publish(work: Work) -> Done:
    unbroken = unbroken_seal(work)
    loaded = load(work, unbroken.seen if unbroken else "")
    if loaded is None:
        assert unbroken, "only with a seal is a slip that was seen before none"
        work.count({"put": 0, "drop": 0, "keep": unbroken.files})
        return untouched(work, sentence(work))
    present = take_over(work)
    changed = make_equal(work, loaded, present, _intent(work))
    # After an attempt that broke off, nobody knows whether its dependents were asked for. Its number does not tell: one
    # that was given back is not counted. The fence does, for it is new at each claim and the serial is the first one's.
    again = work.task.fence != work.task.serial
    after = after_publish(work, loaded.slip, live_slip(present), changed=changed or again)
    seal(work, loaded, present)
    return Done(sentence(work), after)


def _intent(work: Work) -> Intent:
    return Intent(full=work.parameter("mode") == "full")


def sentence(work: Work) -> str:
    """What was done, for `queue list` and `why`."""
    put, drop, keep, stale = (work.summary.get(name, 0) for name in ("put", "drop", "keep", "stale"))
    for_a_while = f", {stale} stale ones stay for a while" if stale else ""
    if work.summary.get("stood_there"):
        return f"live on {work.target}: a release that still stood there, in which {put + drop} files differ{work.laggards()}"
    if not put and not drop:
        return f"live on {work.target}: nothing had to move, {keep} files are as they should be{for_a_while}{work.laggards()}"
    return f"live on {work.target}: {put} files put, {drop} dropped, {keep} kept{for_a_while}{work.laggards()}"
