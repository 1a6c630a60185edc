"""The area of a queue on a target: found, made once, adopted by one rename.

Only one queue manages a target. Numbers of two databases do not compare, so the area carries the queue's id, and an
engine of a lost database finds its own area gone.
"""

from targets.area import AREA_PREFIX, PRIVATE, Area
from targets.contract import Claim
from targets.disk import Answer, Call, Disk, EntryType, Op, Readable
from targets.errors import AreaMissing, PermissionRefused, TargetUnfit, TargetUnreachable, TransientTargetError
from targets.hold import names_in


def queues(disk: Readable, folder: str) -> list[str]:
    """The ids of the queues that have an area in this folder."""
    areas = (
        name for name, entry in names_in(disk, folder).items() if name.startswith(AREA_PREFIX) and entry.type is EntryType.FOLDER
    )
    return sorted(name.removeprefix(AREA_PREFIX) for name in areas)


def ensure(disk: Disk, area: Area, target: str) -> None:
    """Make the area of a target that has none. Raises AreaMissing if another queue's is there.

    Two engines may do this at once: every call may find its work done. Of two queues neither gets the target.
    """
    refuse_others(disk, area, target)
    make(disk, area, target)
    try:
        refuse_others(disk, area, target)
    except AreaMissing:
        disk.run([Call(Op.RMDIR, area.new), Call(Op.RMDIR, area.modules), Call(Op.RMDIR, area.root)])
        raise


def refuse_others(disk: Readable, area: Area, target: str) -> None:
    """Raise AreaMissing if another queue has an area here."""
    others = [queue for queue in queues(disk, area.folder) if queue != area.queue]
    if others:
        raise AreaMissing(
            f"{target} is managed by the queue {others[0]}, this is the queue {area.queue}. If that one is lost or was restored, "
            f"run 'slipway target adopt {target}', which also stops its engines here",
            target=target,
        )


def refuse_wrong_root(disk: Readable, area: Area, target: str, claim: Claim) -> None:
    """Raise AreaMissing if nothing of this queue lies here, although the record knows of modules that are live here."""
    try:
        claim.begins(target)
    except AreaMissing:
        # Another engine may have begun here between the look and the record's answer; then it is what the record knows.
        if area.queue not in queues(disk, area.folder):
            raise


def make(disk: Disk, area: Area, target: str) -> None:
    """Make the area's folders, those that are missing.

    Raises TargetUnreachable if the root is missing, PermissionRefused, TransientTargetError, TargetUnfit.
    """
    refuse_missing_root(disk, target)
    folders = (area.folder, area.root, area.modules, area.new)
    answers = disk.run([Call(Op.MKDIR, folder, mode=PRIVATE) for folder in folders])
    for folder, answer in zip(folders, answers, strict=True):
        if answer is Answer.DENIED:
            raise PermissionRefused(f"{target}: the account may not make the folder {folder}; give it that right", target=target)
    there = disk.stat(folders)
    for folder, answer, entry in zip(folders, answers, there, strict=True):
        if answer is Answer.REFUSED and entry is None:
            # Neither something in its place nor a folder above that is missing.
            raise TransientTargetError(
                f"{target}: the server refuses to make the folder {folder} and gives no reason. A fault of its disk? Its own "
                "log may say more",
                target=target,
            )
    if None in there:
        raise TargetUnfit(f"{target}: {area.root} cannot be made; check the path of the area ({area.folder})", target=target)


def refuse_missing_root(disk: Disk, target: str) -> None:
    """Raise TargetUnreachable if the root is missing: a disk that is not mounted is an outage, and ends no task for good."""
    if disk.stat([""])[0] is None:
        raise TargetUnreachable(f"{target}: its root folder is not there; is it mounted? Otherwise make it", target=target)


def adopt(disk: Disk, area: Area, target: str) -> str | None:
    """Make the one area that is there this queue's, or make a first one. The id it had."""
    there = queues(disk, area.folder)
    if area.queue in there:
        return area.queue
    if len(there) > 1:
        raise TargetUnfit(
            f"{target}: {area.folder} has the areas of {len(there)} queues ({', '.join(there)}); remove all but the right one",
            target=target,
        )
    if not there:
        make(disk, area, target)
        return None
    old = Area(area.folder, there[0])
    if disk.run([Call(Op.RENAME, old.root, area.root)])[0] is not Answer.OK:
        raise PermissionRefused(f"{target}: {old.root} could not be renamed to {area.root}", target=target)
    return old.queue
