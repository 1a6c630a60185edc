"""How big a piece goes in one request."""

from dataclasses import dataclass

MIB = 1024 * 1024
MOST_PARTS = 10_000
"""Of one object: the protocol's own limit."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes. `part`: what is held in memory for each thread; bigger files are uploaded in parts of at least this.

    `copied`: what one request copies on the server. The protocol's own limit is 5 GiB, but a service may be silent for as long
    as the copy takes, which must stay below the time-out.
    """

    part: int = 8 * MIB
    copied: int = 1024 * MIB

    def upload_part(self, size: int) -> int:
        """The part size for a file of this size."""
        return max(self.part, -(-size // MOST_PARTS))

    def copy_part(self, size: int) -> int:
        return max(self.copied, -(-size // MOST_PARTS))
