"""DELIVER: bring to a holding area the version that went live on the origin."""

from tasks.change import make_equal, rehearse
from tasks.commit import Intent, take_over
from tasks.load import load_delivery
from tasks.publish import sentence
from tasks.work import Done, Work


def deliver(work: Work) -> Done:
    """Deliver the module. What was unpublished on the origin meanwhile is not delivered any more."""
    loaded = load_delivery(work)
    if loaded is None:
        return Done(f"not delivered to {work.target}: {work.task.url} is no longer published on {work.tools.environment.origin}")
    # The guard has judged these drops on the origin; strangers here are asked about all the same.
    intent = Intent(full=work.parameter("mode") == "full", consent=True)
    if work.dry_run:
        return rehearse(work, loaded.slip, intent)
    make_equal(work, loaded, take_over(work), intent)
    return Done(sentence(work))
