"""Inserting a row by hand, with the paths of known modules offered."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from console.asked import Asked
from console.decisions import check_may
from console.wanted import moment
from database import FOLLOWING, Action, Desk, NewTask, Record, rejection

OFFERED = 50
"""Paths that are offered at once."""
ELSEWHERE = frozenset({Action.PAUSE, Action.RESUME, Action.APPROVE, *FOLLOWING})
"""Actions that have a place of their own, or are never a person's."""


FIELDS = ("url", "environment", "action", "priority", "run_after", "parameters", "note", "dry_run", "hold")


def show(asked: Asked) -> Response:
    """The form; its fields can be given in the address."""
    return _form(asked, {name: asked.query.get(name, "") for name in FIELDS})


def modules(asked: Asked) -> Response:
    """The options for what was typed of a path."""
    return asked.page("modules.html", urls=_known(asked, asked.query.get("url") or asked.query.get("module", "")))


def insert(asked: Asked) -> Response:
    """Insert it, if intake would not reject it."""
    given = {name: asked.given(name) for name in FIELDS}
    try:
        new = _row(asked, given)
    except ValueError as error:
        return _form(asked, given, str(error))
    check_may(asked.someone, new.action)
    if reason := rejection(new, asked.settings):
        return _form(asked, given, reason)
    task = Desk(asked.database).insert(new)
    return asked.done(f"/task/{task}", f"Task {task} is in the queue.")


def _row(asked: Asked, given: Mapping[str, str]) -> NewTask:
    """Raises ValueError with a sentence."""
    url = given["url"]
    return NewTask(
        url=url.rstrip("/") or url,
        environment=given["environment"],
        action=given["action"] or None,
        priority=_number(given["priority"] or "100"),
        run_after=_moment(given["run_after"]),
        parameters=_parameters(given["parameters"]) | ({"dry_run": True} if given["dry_run"] else {}),
        requested_by=asked.someone.name,
        note=given["note"] or None,
        hold=bool(given["hold"]),
    )


def _number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"The priority is {text!r}; it is a whole number, and lower runs first.") from None
    if not -(2**31) <= number < 2**31:
        raise ValueError(f"The priority is {number}; it is a whole number of 32 bits.")
    return number


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return moment(text)
    except ValueError:
        raise ValueError(f"Not before {text!r} is no time; write it as 2026-12-24T18:00, in UTC.") from None


def _parameters(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise ValueError(f'The parameters are not JSON ({error}); write {{"mode": "full"}}, say.') from None
    if not isinstance(found, dict):
        raise ValueError(  # noqa: TRY004 - the caller shows it like the others
            'The parameters are not a JSON object; write {"mode": "full"}, say.'
        )
    return found


def _form(asked: Asked, given: Mapping[str, str], fault: str | None = None) -> Response:
    actions = [action for action in Action if action not in ELSEWHERE]
    values = {
        "given": given,
        "fault": fault,
        "actions": actions,
        "urls": _known(asked, given["url"]),
        "environments": asked.settings.environments,
    }
    return asked.page("insert.html", 422 if fault else 200, **values)


def _known(asked: Asked, beginning: str) -> list[str]:
    return Record(asked.database).beginning(beginning.strip(), OFFERED)
