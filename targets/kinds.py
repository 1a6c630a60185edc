"""Opening a target by its name in the configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from config import GroupTarget as GroupSettings
from config import LocalTarget, MemoryTarget, PlacedTarget, S3Target, Secret, Settings, SftpTarget, TargetSettings
from targets.contract import Target
from targets.disk import Disk
from targets.group import GroupTarget
from targets.local import LocalDisk
from targets.memory import MemoryDisk, MemoryFiles
from targets.options import PlacedOptions
from targets.ordered import OrderedTarget
from targets.verdicts import Verdicts


class ReadsSecrets(Protocol):
    """Where a secret's value comes from."""

    def read(self, secret: Secret, /) -> str: ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What opening a target takes. `memory`: what memory targets hold, by name; without it each is new and empty.

    `verdicts`: what was found out about servers, of which one process needs one.
    """

    name: str
    settings: Settings
    secrets: ReadsSecrets
    memory: Mapping[str, MemoryFiles]
    verdicts: Verdicts


def open_target(
    name: str,
    settings: Settings,
    *,
    secrets: ReadsSecrets,
    memory: Mapping[str, MemoryFiles] | None = None,
    verdicts: Verdicts | None = None,
) -> Target:
    """The target of this name; it connects at its first call. Raises KeyError for a name that is not configured."""
    return _open(Opening(name, settings, secrets, memory or {}, verdicts or Verdicts()))


def nowhere(name: str) -> Target:
    """An empty target in memory, forgotten with its object: for tasks that have a name to go by and no place to write to."""
    return OrderedTarget(name, MemoryDisk(MemoryFiles(), target=name), PlacedOptions())


def _open(opening: Opening) -> Target:
    chosen = opening.settings.targets[opening.name]
    return KINDS[chosen.kind](opening, chosen)


def placed_options(settings: PlacedTarget) -> PlacedOptions:
    """The settings of a file tree as the protocol wants them."""
    return PlacedOptions(
        area=settings.area or ".slipway",
        durability=settings.durability,
        verify=settings.verify,
        file_mode=int(settings.file_mode, 8),
        folder_mode=int(settings.folder_mode, 8),
        times=settings.times,
        public_slip=settings.public_slip,
        case_sensitive=settings.case_sensitive,
        delete_grace=settings.delete_grace,
        layout=settings.layout,
        versioned=settings.versioned_modules,
        keep_releases=settings.keep_releases,
        releases=settings.releases,
    )


def _open_local(opening: Opening, settings: TargetSettings) -> Target:
    assert isinstance(settings, LocalTarget)
    return OrderedTarget(opening.name, LocalDisk(Path(settings.root), opening.name), placed_options(settings))


def _open_sftp(opening: Opening, settings: TargetSettings) -> Target:
    # Imported here: paramiko and its cryptography cost a quarter of a second that other kinds need not pay.
    from targets.sftp import SftpDisk  # noqa: PLC0415

    assert isinstance(settings, SftpTarget)
    disk: Disk = SftpDisk(settings, target=opening.name, secrets=opening.secrets, verdicts=opening.verdicts)
    return OrderedTarget(opening.name, disk, placed_options(settings))


def _open_s3(opening: Opening, settings: TargetSettings) -> Target:
    # Imported here: boto3 costs start-up time and memory that other kinds need not pay.
    from targets.s3 import BucketTarget  # noqa: PLC0415

    assert isinstance(settings, S3Target)
    return BucketTarget(opening.name, settings, opening.secrets)


def _open_memory(opening: Opening, settings: TargetSettings) -> Target:
    assert isinstance(settings, MemoryTarget)
    files = opening.memory.get(opening.name) or MemoryFiles()
    options = PlacedOptions(
        layout=settings.layout,
        versioned=settings.versioned_modules,
        keep_releases=settings.keep_releases,
        releases=settings.releases,
    )
    return OrderedTarget(opening.name, MemoryDisk(files, target=opening.name), options)


def _open_group(opening: Opening, settings: TargetSettings) -> Target:
    assert isinstance(settings, GroupSettings)
    members = [_open(replace(opening, name=member)) for member in settings.members]
    return GroupTarget(opening.name, members, settings.quorum)


KINDS: Mapping[str, Callable[[Opening, TargetSettings], Target]] = {
    "local": _open_local,
    "sftp": _open_sftp,
    "s3": _open_s3,
    "memory": _open_memory,
    "group": _open_group,
}
"""Every kind of target."""
