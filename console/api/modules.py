"""Modules: what is live and why, what was, what differs, and keeping one away."""

from collections.abc import Mapping

from answers import (
    compare,
    difference_fields,
    module,
    module_fields,
    publication_fields,
    takedown_fields,
    takedowns_page,
    why,
    why_fields,
)
from console.api.asks import DiffAsked, HistoryAsked, Lift, OfModule, TakeDown, TakedownAsked
from console.api.calls import Made, fault
from console.api.tasks import inserted, next_page
from console.asked import Asked
from console.errors import NotThere, NotUnderstood
from database import Action, NewTask, Publication, Record

EVERYWHERE = "*"
"""A takedown has no environment: it is about all of them."""


def why_not(asked: Asked, query: OfModule) -> Mapping[str, object]:
    """What is live in each environment, and what stands in the way."""
    return why_fields(why(asked.database, asked.settings, query.url))


def whole(asked: Asked, query: OfModule) -> Mapping[str, object]:
    """The same, with what differs between environments and what there was."""
    return module_fields(module(asked.database, asked.settings, query.url))


def history(asked: Asked, query: HistoryAsked) -> Mapping[str, object]:
    """Publications, the newest first."""
    found = Record(asked.database).history(query.url, query.limit, query.target)
    return {"url": query.url, "publications": [publication_fields(one) for one in found]}


def diff(asked: Asked, query: DiffAsked) -> Mapping[str, object]:
    """What changes from one publication to another."""
    if query.before is None and query.after is None:
        raise NotUnderstood("Name a publication at least.", [fault("query", "after", "or `before`: one of them is needed")])
    record = Record(asked.database)
    before, after = (_publication(record, number) for number in (query.before, query.after))
    return difference_fields(compare(record, before, after, query.limit))


def takedowns(asked: Asked, query: TakedownAsked) -> Mapping[str, object]:
    """What must not be published, the oldest first."""
    page = takedowns_page(asked.database, lifted=query.lifted, after=query.after, limit=query.limit)
    return {
        "takedowns": [takedown_fields(one) for one in page.downs],
        "next": next_page(asked, "/takedowns", "after", page.after),
    }


def take_down(asked: Asked, body: TakeDown) -> Made:
    """Remove it everywhere, at once, and keep it away."""
    parameters = {"below": True} if body.below else {}
    return inserted(asked, NewTask(body.url, EVERYWHERE, Action.TAKEDOWN, parameters=parameters, note=body.note))


def lift(asked: Asked, body: Lift) -> Made:
    """Let it be published again."""
    return inserted(asked, NewTask(body.url, EVERYWHERE, Action.TAKEDOWN, parameters={"lift": True}, note=body.note))


def _publication(record: Record, number: int | None) -> Publication | None:
    """Raises NotThere."""
    if number is None:
        return None
    if (found := record.publication(number)) is None:
        raise NotThere(f"There is no publication {number}.")
    return found
