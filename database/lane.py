"""What an engine asks a claim for, and its part of what waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lane:
    """What one engine can take for one target now.

    `needs`: other things whose breaker must be closed, such as "source:cms"; but for SOURCELESS actions.
    """

    target: str
    limit: int
    needs: tuple[str, ...] = ()
    urgent: bool = False
    """Only TAKEDOWNs, which wait for nothing: no breaker, no pause, no other task on an exclusive target."""
    engines: int = 1
    """How many share what waits."""
    held: int = 0
    """Tasks that the lane has already."""
    least: int = 1
    """Tasks to take at least if they wait, for workers that have nothing to do."""
    begin: int = 0
    """Of those that are taken, the first ones that begin at once: they are started with the claim, in its commit."""

    def part_of(self, waiting: int) -> int:
        """How many of those that wait to take: guided self-scheduling, so that all engines come to the end at the same time."""
        fair = -(-(self.held + waiting) // self.engines)
        return max(self.least, fair - self.held)
