"""Which outages concern an environment. Pure."""

from collections.abc import Iterable, Iterator

from config.settings import EnvironmentSettings, Settings


def breakers_of(settings: Settings, environments: Iterable[str]) -> frozenset[str] | None:
    """The names of everything that these environments publish to, read from or tell; None, for all, where none is named."""
    named = [settings.environments[name] for name in environments if name in settings.environments]
    return frozenset(name for environment in named for name in _names(environment)) if named else None


def _names(environment: EnvironmentSettings) -> Iterator[str]:
    yield environment.origin
    yield from (area.target for area in environment.holding_areas)
    yield from (f"notice:{name}" for name in environment.notices)
    if environment.exports:
        yield environment.exports.target
    for source in (environment.source, environment.views):
        if source:
            yield source.removeprefix("target:") if source.startswith("target:") else f"source:{source}"
