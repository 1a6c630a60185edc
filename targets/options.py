"""How a target with a file tree is to be treated."""

from dataclasses import dataclass
from typing import Literal

Durability = Literal["none", "commit", "file"]


@dataclass(frozen=True, slots=True)
class PlacedOptions:
    """The settings of a file tree that the protocol itself needs; where the root is, the Disk knows.

    `area`: relative to the root, or absolute on the same file system. Modes are permission bits.
    """

    area: str = ".slipway"
    durability: Durability = "commit"
    verify: Literal["replies", "readback"] = "replies"
    file_mode: int = 0o644
    folder_mode: int = 0o755
    times: bool = True
    public_slip: bool = True
    case_sensitive: bool = True
    delete_grace: int = 0
    """Seconds for which files stay that a release leaves out."""

    @property
    def syncs(self) -> bool:
        """Whether anything is synced at all."""
        return self.durability != "none"
