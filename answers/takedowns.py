"""What must not be published, and how far each takedown is."""

from collections.abc import Iterator
from dataclasses import dataclass

from answers.words import when
from database import Database, Record, Takedown

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Down:
    """A takedown, and how far it is: what its newest row says; nothing once that is purged, which the takedown is not."""

    takedown: Takedown
    how_far: str


@dataclass(frozen=True, slots=True)
class DownPage:
    """Some takedowns, the oldest first. `after`: where the next page begins; None: this is the last."""

    downs: tuple[Down, ...]
    after: int | None


def takedowns_page(database: Database, *, lifted: bool = False, after: int = 0, limit: int = AT_ONCE) -> DownPage:
    """Those in force, with `lifted` those of the past too, made after the one of this id."""
    found = Record(database).taken_down(lifted=lifted, after=after, limit=limit + 1)
    downs = tuple(Down(one, f"{state}: {reason}" if state else "") for one, state, reason in found[:limit])
    return DownPage(downs, downs[-1].takedown.id if len(found) > limit else None)


def takedowns(database: Database, *, lifted: bool = False) -> Iterator[Down]:
    """All of them, read in steps."""
    after: int | None = 0
    while after is not None:
        page = takedowns_page(database, lifted=lifted, after=after)
        yield from page.downs
        after = page.after


def takedown_fields(down: Down) -> dict[str, object]:
    """A takedown as JSON."""
    one = down.takedown
    return {
        "url": one.url,
        "below": one.below,
        "since": when(one.since),
        "by": one.by,
        "why": one.why,
        "task": one.task,
        "lifted_at": when(one.lifted_at),
        "lifted_by": one.lifted_by,
        "how_far": down.how_far,
    }
