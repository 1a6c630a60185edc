"""One module: what is live where, what differs, what there was; why it is not live, and the way back."""

from collections.abc import Sequence

from starlette.responses import Response

from answers import Difference, compare, failure_words, module
from console.asked import Asked
from console.drawing import parts
from console.errors import NotThere, Refused
from console.wanted import number
from database import Action, Desk, NewTask, Publication, Record
from packageslip import UnsafePath, check_module_url

LISTED = 200
"""Files of a comparison that the page lists."""
NEARBY = 50
"""Differing files between two environments that are listed by the way."""
EVERYWHERE = "*"
"""A takedown has no environment: it is about all of them."""


def show(asked: Asked) -> Response:
    """All about it.

    With `before` and `after`, what differs between two publications; with `back`, the way back to one; with `page`, whether
    what is live has that page.
    """
    url = _url(asked)
    missed = asked.query.get("page", "")
    state = module(asked.database, asked.settings, url, page=missed)
    chosen = _comparison(asked, url)
    back = _way_back(asked, url)
    return asked.page(
        "module.html",
        state=state,
        missed=missed,
        failure_words=failure_words,
        apart=[(one, parts(one.difference.tallies) if one.difference else ()) for one in state.apart],
        chosen=chosen,
        chosen_bar=parts(chosen.tallies) if chosen else (),
        back=back,
        back_bar=parts(back[1].tallies) if back else (),
        origins={each.origin: name for name, each in reversed(asked.settings.environments.items())},
        pair=_pair(state.history),
        listed=LISTED,
        nearby=NEARBY,
    )


def _pair(history: Sequence[Publication]) -> tuple[int, int]:
    """What to compare if nothing else is said: the newest publication that has one before it on its target, and that one."""
    for place, one in enumerate(history):
        before = next((other for other in history[place + 1 :] if other.target == one.target), None)
        if before:
            return before.id, one.id
    return (0, history[0].id) if history else (0, 0)


def _url(asked: Asked) -> str:
    """The module that the address names, a slash at its end forgiven. Raises NotThere."""
    url = str(asked.request.path_params["url"]).rstrip("/") or "/"
    try:
        check_module_url(url)
    except UnsafePath as error:
        raise NotThere(str(error)) from error
    return url


def _comparison(asked: Asked, url: str) -> Difference | None:
    """What was asked for by `before` and `after`: ids of publications; an empty `before` is what stood before all of them."""
    if "after" not in asked.query:
        return None
    record = Record(asked.database)
    after = _publication(record, url, asked.query.get("after", ""))
    before = asked.query.get("before", "")
    return compare(record, _publication(record, url, before) if before else None, after, LISTED)


def _way_back(asked: Asked, url: str) -> tuple[Publication, Difference] | None:
    """The publication that somebody thinks of going back to, and what that would change."""
    if not (wanted := asked.query.get("back")):
        return None
    record = Record(asked.database)
    to = _publication(record, url, wanted)
    return to, compare(record, record.current(to.target, url), to, LISTED)


def _publication(record: Record, url: str, id: str) -> Publication:
    wanted = number(id)
    found = record.publication(wanted) if wanted is not None else None
    if found is None or found.url != url:
        raise NotThere(f"{url} has no publication {id[:20]}.")
    return found


def roll_back(asked: Asked) -> Response:
    """Ask for an earlier publication again: only if what is live still is what the person was shown."""
    url = _url(asked)
    record = Record(asked.database)
    to = _publication(record, url, asked.given("to"))
    environment = next((name for name, each in asked.settings.environments.items() if each.origin == to.target), None)
    if environment is None:
        raise Refused(409, "Not possible", f"{to.target} is no environment's origin: publish to its environment instead.")
    live = record.current(to.target, url)
    if asked.given("live") != (str(live.id) if live else ""):
        raise Refused(
            409, "Something else is live now", f"{url} was published on {to.target} meanwhile. Look again, then decide."
        )
    note = asked.given("note") or f"back to publication {to.id}"
    wanted = NewTask(url, environment, Action.ROLLBACK, parameters={"to": to.id}, requested_by=asked.someone.name, note=note)
    task = Desk(asked.database).insert(wanted)
    return asked.done(f"/task/{task}", f"Task {task} takes {url} back to publication {to.id}.")


def take_down(asked: Asked) -> Response:
    """Remove it from everywhere, and keep it away."""
    url, why = _url(asked), asked.given("note")
    if not why:
        raise Refused(400, "Say why", "A takedown says why: it is what everybody reads who wants to publish the module.")
    parameters = {"below": True} if asked.given("below") else {}
    task = _takedown(asked, url, parameters, why)
    return asked.done(f"/task/{task}", f"Task {task} takes {url} down everywhere.")


def lift(asked: Asked) -> Response:
    """Let it be published again."""
    url = _url(asked)
    task = _takedown(asked, url, {"lift": True}, asked.given("note") or None)
    return asked.done(f"/task/{task}", f"Task {task} lifts the takedown of {url}.")


def _takedown(asked: Asked, url: str, parameters: dict[str, bool], why: str | None) -> int:
    by = asked.someone.name
    return Desk(asked.database).insert(
        NewTask(url, EVERYWHERE, Action.TAKEDOWN, parameters=parameters, requested_by=by, note=why)
    )
