"""What needs a person now, wherever that person looks: held tasks, what does not answer, environments that stand still."""

from collections.abc import Mapping
from dataclasses import dataclass

from answers.standing import standing
from database import Breaker, Database, Desk, Listing, State, Underway

COUNTED = 100
"""Where counting the held tasks stops."""


@dataclass(frozen=True, slots=True)
class Attention:
    """`held`: tasks that wait for a person, COUNTED at most; `down`: what does not answer; `stopped`: environments that
    do not work, each with why: paused or drained.
    """

    held: int
    down: tuple[Breaker, ...]
    stopped: Mapping[str, str]

    @property
    def calm(self) -> bool:
        return not (self.held or self.down or self.stopped)


def attention(database: Database) -> Attention:
    """A few looks along indexes, cheap enough for every page."""
    held = Listing(database).count(State.HELD, COUNTED)
    stopped = {name: standing(drains, 0) for name, drains in sorted(Desk(database).pauses().items())}
    return Attention(held, tuple(Underway(database).outages()), stopped)
