"""The places that are published to: whether they answer, have room, and hold what they should."""

from starlette.responses import Response

from answers import Room, TargetState, other_breakers, targets, try_target
from console.asked import Asked
from console.errors import NotThere
from console.memory import Tried
from database import Audit, Entry


def show(asked: Asked) -> Response:
    memory = asked.console.memory
    found = targets(asked.database, asked.settings)
    return asked.page(
        "targets.html",
        targets=[(one, tried := memory.tried(one.name), _room(one, tried)) for one in found],
        others=other_breakers(asked.database, asked.settings),
    )


def _room(one: TargetState, tried: Tried | None) -> Room | None:
    """What was seen last: by an engine before it changed something there, or by somebody's test."""
    tested = Room(tried.trial.free, tried.at) if tried and tried.trial.free is not None else None
    return max((room for room in (one.room, tested) if room), key=lambda room: room.at, default=None)


def test(asked: Asked) -> Response:
    """Try one, as `slipway target test` does: it writes there, and leaves nothing behind."""
    name = asked.request.path_params["name"]
    if name not in asked.settings.targets:
        raise NotThere(f"There is no target {name[:64]}.")
    by, trial = asked.someone.name, try_target(asked.settings, name, asked.console.secrets)
    asked.console.memory.keep_trial(name, by, trial)
    Audit(asked.database).note(Entry(kind="target tested", who=by, target=name, document={"works": trial.works}))
    return asked.done(f"/targets#target-{name}", f"{name} was tested: {'it works' if trial.works else 'something is wrong'}.")
