"""What needs a person now, wherever that person looks: held tasks, what does not answer, environments that stand still."""

from dataclasses import dataclass

from database import Breaker, Database, Desk, Listing, State, Underway

COUNTED = 100
"""Where counting the held tasks stops."""


@dataclass(frozen=True, slots=True)
class Attention:
    """`held`: tasks that wait for a person, COUNTED at most; `down`: what does not answer; `stopped`: paused environments."""

    held: int
    down: tuple[Breaker, ...]
    stopped: tuple[str, ...]

    @property
    def calm(self) -> bool:
        return not (self.held or self.down or self.stopped)


def attention(database: Database) -> Attention:
    """A few looks along indexes, cheap enough for every page."""
    held = Listing(database).count(State.HELD, COUNTED)
    return Attention(held, tuple(Underway(database).outages()), tuple(sorted(Desk(database).paused())))
