"""Whether a row can be carried out, and as what. Pure: a row and the settings in, a verdict out.

A verdict never fails: whatever somebody wrote, the answer is a sentence that says what to correct.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from config import Settings
from database.actions import ABSORBING, FOLLOWING, PAUSING, Action
from database.parameters import check_parameters
from database.schema import URL_MAX
from database.values import NewTask
from packageslip import UnsafePath, check_module_url


@dataclass(frozen=True, slots=True)
class Request:
    """The request columns of a row as they were found, of any type, and what engines set."""

    url: object
    environment: object
    action: object = None
    parameters: object = None
    max_attempts: object = None
    target: str | None = None
    version: bytes | None = None
    made_by: int | None = None
    """The task that made this row; None: a person or a schedule."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What an APPROVE row approves."""

    task: int
    plan: str
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """The publication that a ROLLBACK row goes back to: its id, or how its version begins; neither: the one before."""

    to: int | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class TakedownWish:
    """What a person's TAKEDOWN row asks for, whatever environment it names: it is about all of them."""

    url: str
    below: bool = False
    lift: bool = False


@dataclass(frozen=True, slots=True)
class Pausing:
    """What a PAUSE or RESUME row asks for."""

    environment: str
    action: Action
    drain: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a row becomes."""

    action: str
    target: str
    max_attempts: int
    absorbs: bool
    bind: str | None = None
    """Bind the task to the version that is live on this target now."""
    approval: Approval | None = None
    earlier: Earlier | None = None
    """Bind the task to the version of this publication on its own target."""
    takedown: TakedownWish | None = None
    pausing: Pausing | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why not, and what to correct."""

    reason: str


class _Refusal(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def judge(request: Request, settings: Settings) -> Accepted | Rejected:
    """The verdict on one row."""
    try:
        return _accept(request, settings)
    except _Refusal as refusal:
        return Rejected(refusal.reason)


def rejection(new: NewTask, settings: Settings) -> str | None:
    """Why intake would reject this row, were a person to insert it; None if it would not."""
    parameters = json.dumps(dict(new.parameters))
    verdict = judge(Request(new.url, new.environment, new.action, parameters, new.max_attempts), settings)
    return verdict.reason if isinstance(verdict, Rejected) else None


def _accept(request: Request, settings: Settings) -> Accepted:
    if request.action == Action.TAKEDOWN and request.made_by is None:
        return _accept_takedown(request, settings)
    environment = settings.environments[_environment(request.environment, settings)]
    action = _action(request.action, environment.default_action)
    _url(request.url)
    parameters = _parameters(request.parameters)
    if request.made_by is None and (fault := check_parameters(action, parameters)):
        raise _Refusal(fault)
    approval = None
    if action is Action.APPROVE:
        approval = Approval(parameters["task"], parameters["plan"], parameters.get("adopt", False))
    return Accepted(
        action=str(action),
        target=_target(request, action, environment.origin, settings),
        max_attempts=_max_attempts(request.max_attempts, settings),
        absorbs=action in ABSORBING and not parameters.get("dry_run", False),
        bind=_bind(request, action, parameters, environment.source),
        approval=approval,
        earlier=_earlier(request, action, parameters),
        pausing=_pausing(request, action, parameters),
    )


def _accept_takedown(request: Request, settings: Settings) -> Accepted:
    """At night, by hand: a slash too many, or an environment that does not exist, must not keep a module live."""
    url = (request.url.strip().rstrip("/") or "/") if isinstance(request.url, str) and request.url.strip() else request.url
    _url(url)
    parameters = _parameters(request.parameters)
    if fault := check_parameters(Action.TAKEDOWN, parameters):
        raise _Refusal(fault)
    wish = TakedownWish(str(url), parameters.get("below", False), parameters.get("lift", False))
    return Accepted(str(Action.TAKEDOWN), "", _max_attempts(request.max_attempts, settings), absorbs=False, takedown=wish)


def _environment(found: object, settings: Settings) -> str:
    known = sorted(settings.environments)
    if found is None or found == "":
        raise _Refusal(f"environment is empty. Give one of: {', '.join(known)}.")
    if isinstance(found, str) and found.startswith("code "):
        raise _Refusal(f"the procedure schedule_implicit_module knows no {found[:40]}: 1 is STAGING, 3 is PRODUCTION.")
    if not isinstance(found, str) or found not in settings.environments:
        raise _Refusal(
            f"environment {_shown(found)} is not configured.{_nearest(found, known)} Known are: {', '.join(known) or 'none'}."
        )
    return found


def _action(found: object, default: str) -> Action:
    if found is None or found == "":
        return Action(default)
    known = [str(action) for action in Action]
    if found not in known:
        raise _Refusal(f"action {_shown(found)} is not known.{_nearest(found, known)} Known are: {', '.join(known)}.")
    return Action(str(found))


def _url(found: object) -> None:
    like = "Give the module's URL path, such as /courses/physics/8-01."
    if found is None or found == "":
        raise _Refusal(f"url is empty. {like}")
    if not isinstance(found, str):
        raise _Refusal(f"url {_shown(found)} is not text. {like}")
    if len(found) > URL_MAX:
        raise _Refusal(f"url has more than {URL_MAX} characters. {like}")
    try:
        check_module_url(found)
    except UnsafePath as error:
        raise _Refusal(f"url cannot be used: {error}. {like}") from None


def _parameters(found: object) -> Mapping[str, Any]:
    if found is None or found == "":
        return {}
    like = 'Give a JSON object, such as {"mode": "full"}, or leave it empty.'
    try:
        read = json.loads(found) if isinstance(found, str) else None
    except (ValueError, RecursionError) as error:
        raise _Refusal(f"parameters are not JSON ({error}). {like}") from None
    if not isinstance(read, dict):
        raise _Refusal(f"parameters {_shown(found)} are not a JSON object. {like}")
    return read


def _max_attempts(found: object, settings: Settings) -> int:
    if found is None:
        return settings.retry.max_attempts
    if not isinstance(found, int) or found < 1:
        raise _Refusal(
            f"max_attempts is {_shown(found)}. Give a whole number from 1, or leave it empty for {settings.retry.max_attempts}."
        )
    return found


def _target(request: Request, action: Action, origin: str, settings: Settings) -> str:
    if request.target is not None and not _still_configured(request.target, settings):
        raise _Refusal(f"target {_shown(request.target)} is not configured any more; without it there is nothing to do.")
    if action in FOLLOWING and request.target is None:
        raise _Refusal(
            f"{action} rows are made by publishing. Publish the module, or use 'slipway queue retry' for a {action} that failed."
        )
    if action is Action.EXPORT and request.target is None:
        return _export_target(request, settings)
    return request.target or origin


def _still_configured(target: str, settings: Settings) -> bool:
    kind, _, name = target.partition(":")
    return target in settings.targets or (kind == "notice" and name in settings.notices)


def _export_target(request: Request, settings: Settings) -> str:
    exports = settings.environments[str(request.environment)].exports
    if exports is None:
        raise _Refusal(f"{request.environment} exports nothing: give it [environments.{request.environment}.exports].")
    return exports.target


def _bind(request: Request, action: Action, parameters: Mapping[str, Any], source: str) -> str | None:
    """What was approved on the source's target at this moment is what goes live, unless the row says otherwise."""
    kind, _, name = source.partition(":")
    promotes = action in {Action.PUBLISH, Action.RETIRE} and kind == "target" and name
    return name if promotes and request.version is None and parameters.get("follow") != "latest" else None


def _earlier(request: Request, action: Action, parameters: Mapping[str, Any]) -> Earlier | None:
    if action is not Action.ROLLBACK or request.version is not None:
        return None
    return Earlier(parameters.get("to"), parameters.get("version", ""))


def _pausing(request: Request, action: Action, parameters: Mapping[str, Any]) -> Pausing | None:
    if action not in PAUSING:
        return None
    if request.made_by is not None:
        raise _Refusal(f"{action} is for a person to ask for.")
    return Pausing(str(request.environment), action, parameters.get("drain", False))


def _nearest(found: object, known: list[str]) -> str:
    lower = {name.lower(): name for name in known}
    near = get_close_matches(str(found).strip().lower(), list(lower), 1)
    return f" Did you mean {lower[near[0]]}?" if near else ""


def _shown(found: object) -> str:
    """At most 100 characters of what was found, quoted."""
    text = repr(found)
    return text if len(text) <= 100 else f"{text[:97]}..."
