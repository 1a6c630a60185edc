"""DELIVER: bring to a holding area the version that went live on the origin, as it is or as a package."""

from dataclasses import replace

from config import HoldingAreaSettings
from packageslip import Packageslip
from tasks.areas import TREE, area_of, part_of
from tasks.change import make_equal, rehearse
from tasks.commit import Intent, live_slip, take_over
from tasks.errors import NotAsked
from tasks.load import Loaded, bare, load_delivery
from tasks.publish import sentence
from tasks.work import Done, Work


def deliver(work: Work) -> Done:
    """Deliver the module. What was unpublished on the origin meanwhile is not delivered any more."""
    area = area_of(work)
    if area is None and work.target != work.tools.environment.origin:
        raise NotAsked(
            f"{work.target} is no holding area of {work.task.environment} any more, so {work.task.url} was not delivered there; "
            "what lies there stays until it is unpublished"
        )
    loaded = load_delivery(work)
    if loaded is None:
        return Done(f"not delivered to {work.target}: {work.task.url} is no longer published on {work.tools.environment.origin}")
    loaded = replace(loaded, slip=part_of(area, loaded.slip))
    # The guard has judged these drops on the origin; strangers here are asked about all the same.
    intent = Intent(full=work.parameter("mode") == "full", consent=True)
    if area is not None and area.form != TREE:
        return _deliver_package(work, area, loaded, intent)
    if work.dry_run:
        return rehearse(work, loaded.slip, intent)
    make_equal(work, loaded, take_over(work), intent)
    return Done(sentence(work))


def _deliver_package(work: Work, area: HoldingAreaSettings, loaded: Loaded, intent: Intent) -> Done:
    """Make the area hold the package. One that was made of the same things is there already."""
    # What builds packages is not read by engines that build none.
    from tasks.packages import build, package_slip, with_bytes  # noqa: PLC0415

    empty = package_slip(work, area, loaded.slip)
    if work.dry_run:
        return rehearse(work, _made_before(empty, work.tools.target.slip(work.task.url)) or empty, intent)
    present = take_over(work)
    wanted = None if intent.full else _made_before(empty, live_slip(present))
    if wanted is None:
        wanted = with_bytes(empty, *build(work, area, loaded))
    make_equal(work, Loaded(wanted, None, bound=True), present, intent)
    return Done(sentence(work))


def _made_before(empty: Packageslip, live: Packageslip | None) -> Packageslip | None:
    """The area's live slip, if its package was made of the same version under the same conditions."""
    if live is None or live.revision != empty.revision:
        return None
    return bare(live, keep_views=False)
