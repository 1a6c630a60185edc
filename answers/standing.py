"""Whether an environment works, is paused or drained, and who starts its engines: said alike wherever somebody asks."""

from config import EnvironmentSettings

WORKS = "works"
_SENTENCES = {
    "paused": "is paused: nothing more is taken",
    "draining": "is being drained: its engines end what they have and leave, and nothing more is taken",
    "drained": "is drained: its engines have left, and none starts",
}


def standing(drains: bool | None, engines: int) -> str:
    """WORKS, paused, draining or drained. `drains`: of a PAUSE that is in force, None without one; `engines`: how many are up."""
    if drains is None:
        return WORKS
    if not drains:
        return "paused"
    return "draining" if engines else "drained"


def standing_words(name: str, state: str) -> str:
    """Of an environment that does not work: what that means, and how it ends."""
    return f"{name} {_SENTENCES[state]} before 'slipway queue resume {name}'"


def engine_words(name: str, settings: EnvironmentSettings) -> str:
    """Of an environment without an engine: where the next one comes from."""
    if settings.start == "manual":
        return f"none is running, and none starts by itself: 'python -P -m engines {name}' starts one"
    return "none is running ('slipway run' starts it)"
