"""How a target with a file tree is to be treated."""

from dataclasses import dataclass
from typing import Literal

from config import Selection
from packageslip import Packageslip

EVERY = Selection()
Durability = Literal["none", "commit", "file"]


@dataclass(frozen=True, slots=True)
class PlacedOptions:
    """The settings of a file tree that the protocol itself needs; where the root is, the Disk knows.

    `area`: relative to the root, or absolute on the same file system. Modes are permission bits. `versioned`: the modules that
    the versioned layout is for; `releases`: the folder for their trees, relative to the root.
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
    layout: Literal["ordered", "versioned"] = "ordered"
    versioned: Selection = EVERY
    keep_releases: int = 5
    releases: str = ".slipway-releases"

    def versions(self, slip: Packageslip) -> bool:
        """Whether this module is to lie there in the versioned layout. The root is no link, and a single file needs none."""
        chosen = self.layout == "versioned" and self.versioned.takes(slip.url, slip.module_type, zip_required=slip.zip_required)
        return chosen and slip.url != "/" and not slip.is_file

    @property
    def syncs(self) -> bool:
        """Whether anything is synced at all."""
        return self.durability != "none"

    @property
    def syncs_each(self) -> bool:
        """Whether each live file is synced, not only the last of several, which commits the others."""
        return self.durability == "file"
