"""The places that are published to: whether they answer, have room, and hold what they should."""

from starlette.responses import Response

from answers import other_breakers, targets, try_target
from console.asked import Asked
from console.errors import NotThere
from database import Audit, Entry


def show(asked: Asked) -> Response:
    memory = asked.console.memory
    found = targets(asked.database, asked.settings)
    return asked.page(
        "targets.html",
        targets=[(one, memory.tried(one.name)) for one in found],
        others=other_breakers(asked.database, asked.settings),
    )


def test(asked: Asked) -> Response:
    """Try one, as `slipway target test` does: it writes there, and leaves nothing behind."""
    name = asked.request.path_params["name"]
    if name not in asked.settings.targets:
        raise NotThere(f"There is no target {name[:64]}.")
    by, trial = asked.someone.name, try_target(asked.settings, name, asked.console.secrets)
    asked.console.memory.keep_trial(name, by, trial)
    Audit(asked.database).note(Entry(kind="target tested", who=by, target=name, document={"works": trial.works}))
    return asked.done(f"/targets#target-{name}", f"{name} was tested: {'it works' if trial.works else 'something is wrong'}.")
