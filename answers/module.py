"""One module, everywhere: what is live, what differs between environments, what there was."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from answers.compare import Difference, compare, difference_fields
from answers.fields import publication_fields
from answers.why import Why, why, why_fields
from config import Settings
from database import Database, Publication, Record
from tasks import promoted_from

HISTORY = 30
"""Publications that are listed, the newest first."""
HEAVY = 100_000
"""Bytes of a compressed slip (some 2,000 files, 0.06 s to read) from which it is compared only when somebody asks."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is live of a module in one environment's origin."""

    environment: str
    target: str
    live: Publication | None


@dataclass(frozen=True, slots=True)
class Apart:
    """How the module of one environment differs from the one before it. `difference` None: too large to look by the way."""

    first: Place
    then: Place
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class ModuleState:
    """Everything about a module. `title` None: it was never published with one."""

    url: str
    title: str | None
    why: Why
    apart: tuple[Apart, ...]
    history: tuple[Publication, ...]

    @property
    def known(self) -> bool:
        """Whether anything at all was heard of it."""
        return bool(self.history or self.why.takedowns or any(one.open or one.failed for one in self.why.findings))


def module(database: Database, settings: Settings, url: str, limit: int = HISTORY, page: str = "") -> ModuleState:
    """Everything about a module. `page`: the one that somebody misses, by its path in the module."""
    record = Record(database)
    history = tuple(record.history(url, limit))
    title = next((one.title for one in history if one.title), None)
    return ModuleState(url, title, why(database, settings, url, page), tuple(_apart(record, settings, url)), history)


def _apart(record: Record, settings: Settings, url: str) -> Iterator[Apart]:
    for first, then in pairs(settings):
        one, other = (Place(name, origin, record.current(origin, url)) for name, origin in (first, then))
        if one.live or other.live:
            lives = [place.live for place in (one, other) if place.live]
            heavy = any(record.weight(live.id) > HEAVY for live in lives)
            # From what is public to what is to be: what promoting would change.
            yield Apart(one, other, None if heavy else compare(record, other.live, one.live))


def pairs(settings: Settings) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Environments, each with the one that it is promoted from, first: as (name, origin). Without promotion, neighbours."""
    environments = settings.environments
    names = {each.origin: name for name, each in reversed(environments.items())}
    found = []
    for name, each in environments.items():
        before = promoted_from(each)
        if before in names and names[before] != name:
            found.append(((names[before], before), (name, each.origin)))
    return found or list(pairwise((name, each.origin) for name, each in environments.items() if names[each.origin] == name))


def module_fields(state: ModuleState) -> dict[str, object]:
    """The same as JSON."""
    return {
        **why_fields(state.why),
        "title": state.title,
        "apart": [
            {
                "first": one.first.environment,
                "then": one.then.environment,
                "difference": difference_fields(one.difference) if one.difference else None,
            }
            for one in state.apart
        ],
        "history": [publication_fields(one) for one in state.history],
    }
