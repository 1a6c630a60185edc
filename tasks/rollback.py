"""ROLLBACK: publish again what was live before, from the record and the content store, by the way of every publication."""

from tasks.change import make_equal, rehearse
from tasks.commit import Intent, live_slip, take_over
from tasks.errors import NotAsked, VersionGone
from tasks.follow import after_publish
from tasks.load import Loaded, bare, obtainable_views
from tasks.publish import sentence
from tasks.trust import doubt_again
from tasks.work import Done, Work


def rollback(work: Work) -> Done:
    """Make the target hold the version that the task is bound to. The deletion guard judges it like any publish.

    Raises VersionGone where the record has no such slip, or nobody its bytes; SignatureRefused.
    """
    loaded = _load(work)
    intent = Intent(full=work.parameter("mode") == "full", doubt=doubt_again(work, loaded.slip))
    if work.dry_run:
        return rehearse(work, loaded.slip, intent)
    present = take_over(work)
    changed = make_equal(work, loaded, present, intent)
    # As after any publish: an attempt that broke off may have left its dependents unasked for.
    again = work.task.fence != work.task.serial
    follow = after_publish(work, loaded.slip, live_slip(present), changed=changed or again)
    return Done(f"back to version {_version(work).hex()[:12]}, {sentence(work)}", follow)


def _version(work: Work) -> bytes:
    if work.task.version is None:
        raise NotAsked(f"no version of {work.task.url} is named; insert the ROLLBACK again, intake finds the version")
    return work.task.version


def _load(work: Work) -> Loaded:
    with work.step("load"):
        work.tools.reached("loading")
        record, url, version = work.tools.record, work.task.url, _version(work)
        slip = record.slip(work.target, url, version)
        if slip is None:
            raise VersionGone(
                f"the record has no slip of version {version.hex()[:12]} of {url} on {work.target} any more; publish the present "
                "version instead"
            )
        recorded = record.slip(work.target, url)
        return Loaded(obtainable_views(work, bare(slip, keep_views=True), recorded), None, bound=True, recorded=recorded)
