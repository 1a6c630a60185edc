"""What UNPUBLISH does with retired modules: refuse before the archive has them, and leave a tombstone after."""

from collections.abc import Mapping

from config import HoldingAreaSettings
from database import Deposit, DepositState
from packageslip import Kind, Packageslip, Resource
from targets import TransientTargetError
from tasks.areas import TREE, area_of
from tasks.errors import NotDeposited, VersionGone
from tasks.retired import PAGE, RETIRED
from tasks.transfer import copied
from tasks.work import Work

TOMBSTONE = "tombstone"
"""The type of the module that stands where a retired one was."""


def is_tombstone(slip: Packageslip | None) -> bool:
    """Whether this is one."""
    return slip is not None and slip.module_type == TOMBSTONE


def tombstone_for(work: Work, live: Packageslip) -> Packageslip | None:
    """What takes the live module's place on the task's target, its bytes in the store (but for a dry run); None: nothing does.

    Raises NotDeposited while the archive does not have a module that is retired, or about to be; VersionGone.
    """
    deposit = _deposit_of(work, live)
    wanted = bool(work.parameter("tombstone", default=True)) and not live.is_file
    if deposit is None or not wanted or work.tools.environment.retire is not None:
        return None
    if work.target == work.tools.environment.origin:
        return _on_origin(work, live, _buried(work, live))
    area = area_of(work)
    if area is None or not _takes_one(area):
        return None
    return _on_origin(work, live, _buried(work, live)) if area.form == TREE else _in_area(live, _buried(work, live))


def _deposit_of(work: Work, live: Packageslip) -> Deposit | None:
    """The module's deposit, which is complete; None where nobody retires it."""
    if not any(environment.retire for environment in work.tools.settings.environments.values()):
        return None
    deposit = work.tools.deposits.current(live.url)
    if deposit is None and live.state != RETIRED:
        return None
    if deposit is None or not deposit.complete:
        raise NotDeposited(
            f"{live.url} stays on {work.target}: it is retired, and {_missing(deposit)}; it can go once a RETIRE task of it has "
            "succeeded ('slipway why' shows what that waits for)"
        )
    return deposit


def _missing(deposit: Deposit | None) -> str:
    if deposit is None:
        return "no deposit of it is known"
    if deposit.state is DepositState.PREPARED:
        return f"its package was made, but {deposit.archive} does not have it"
    if deposit.state is DepositState.SENT:
        return f"its package was sent to {deposit.archive}, which has not confirmed it"
    return f"{deposit.archive} has given it no handle yet"


def _takes_one(area: HoldingAreaSettings) -> bool:
    return area.form != TREE if area.tombstone is None else area.tombstone


def _buried(work: Work, live: Packageslip) -> Mapping[Kind, Resource]:
    """The page and the zip of the tombstone, by their kinds, as RETIRE wrote them. Raises VersionGone, TransientTargetError."""
    record, store = work.tools.record, work.tools.store
    for environment in work.tools.settings.environments.values():
        retired = record.slip(environment.origin, live.url) if environment.retire else None
        if retired is None:
            continue
        found = {each.kind: each for each in retired.resources if each.path.startswith("tombstone/")}
        if not found:
            continue
        missing = set() if work.dry_run else store.missing(each.digest for each in found.values() if each.digest)
        away: list[TransientTargetError] = []
        if not missing or not missing - copied(work, environment.origin, retired, missing, away):
            return found
        if away:
            raise away[0]
    raise VersionGone(
        f"the tombstone of {live.url} is neither in the content store nor in the retired-courses area; insert a RETIRE row, "
        "which writes it again"
    )


def _on_origin(work: Work, live: Packageslip, found: Mapping[Kind, Resource]) -> Packageslip:
    """The page under the name that visitors ask for, and the zip."""
    guard = work.tools.environment.guard or work.tools.settings.guard
    paths = {each.path for each in live.resources}
    index = next((name for name in guard.index_pages if name in paths), PAGE.rpartition("/")[2])
    return _slip(live, [_at(index, found[Kind.PAGE]), _at(found[Kind.FILE].path.rpartition("/")[2], found[Kind.FILE])])


def _in_area(live: Packageslip, found: Mapping[Kind, Resource]) -> Packageslip:
    """The zip where the package was."""
    small = found[Kind.FILE]
    path = live.resources[0].path if len(live.resources) == 1 else small.path.rpartition("/")[2]
    return _slip(live, [_at(path, small)])


def _at(path: str, resource: Resource) -> Resource:
    return Resource(path, resource.kind, resource.type, resource.size, resource.digest, resource.modified)


def _slip(live: Packageslip, resources: list[Resource]) -> Packageslip:
    """The tombstone's slip. It names the dependents that the module had: they show it, and must not when it goes for good."""
    return Packageslip(
        live.url,
        tuple(resources),
        dependents=live.dependents,
        linked_departments=live.linked_departments,
        uid=live.uid,
        module_type=TOMBSTONE,
        module_short_id=live.module_short_id,
        department_code=live.department_code,
        title=live.title,
        state=RETIRED,
        modified=resources[-1].modified,
    )
