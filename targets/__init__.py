"""Targets: places where published files live. One contract (`contract.py`), one suite of tests, every kind."""

from targets.contract import Check, Claim, FilePut, Moved, Present, Recovered, Release, Target, Unfinished
from targets.departing import SEEN, Grace
from targets.errors import (
    AreaMissing,
    CorruptTransfer,
    Fenced,
    HostKeyRefused,
    LoginRefused,
    NoSpace,
    PathBlocked,
    PermanentTargetError,
    PermissionRefused,
    SerialTooHigh,
    TargetBusy,
    TargetError,
    TargetUnfit,
    TargetUnreachable,
    TransientTargetError,
    WrittenByNewer,
)
from targets.group import GroupTarget
from targets.kinds import KINDS, nowhere, open_target, placed_options
from targets.local import LocalDisk
from targets.memory import MemoryDisk, MemoryFiles
from targets.options import PlacedOptions
from targets.ordered import OrderedTarget
from targets.protocol import in_the_way
from targets.verdicts import Verdicts

__all__ = [
    "KINDS",
    "SEEN",
    "AreaMissing",
    "Check",
    "Claim",
    "CorruptTransfer",
    "Fenced",
    "FilePut",
    "Grace",
    "GroupTarget",
    "HostKeyRefused",
    "LocalDisk",
    "LoginRefused",
    "MemoryDisk",
    "MemoryFiles",
    "Moved",
    "NoSpace",
    "OrderedTarget",
    "PathBlocked",
    "PermanentTargetError",
    "PermissionRefused",
    "PlacedOptions",
    "Present",
    "Recovered",
    "Release",
    "SerialTooHigh",
    "Target",
    "TargetBusy",
    "TargetError",
    "TargetUnfit",
    "TargetUnreachable",
    "TransientTargetError",
    "Unfinished",
    "Verdicts",
    "WrittenByNewer",
    "in_the_way",
    "nowhere",
    "open_target",
    "placed_options",
]
