"""Publish files that a task made by itself. What it makes is a module like any other, and goes the same way as a PUBLISH."""

from packageslip import Packageslip
from tasks.change import make_equal, rehearse
from tasks.commit import Intent, live_slip, take_over
from tasks.follow import after_publish
from tasks.load import Loaded
from tasks.publish import sentence
from tasks.work import Done, Work

GENERATED = "generated"
"""The state of modules that no source has: REPUBLISH leaves them out, for only the task that made them can make them again."""


def publish_generated(work: Work, slip: Packageslip, *, consent: bool = True) -> Done:
    """Make the task's target hold exactly this slip, whose files all have size and digest, with their bytes in the store.

    `consent`: the drops were meant; without it the deletion guard judges them. A dry run only says what would move.
    Raises what a PUBLISH raises, but nothing of a source.
    """
    intent = Intent(full=work.parameter("mode") == "full", consent=consent)
    if work.dry_run:
        return rehearse(work, slip, intent)
    present = take_over(work)
    changed = make_equal(work, Loaded(slip, None, bound=True), present, intent)
    # As for PUBLISH: after an attempt that broke off, nobody knows whether its deliveries were asked for.
    again = work.task.fence != work.task.serial
    return Done(sentence(work), after_publish(work, slip, live_slip(present), changed=changed or again))
