"""The layer of SLIPWAY_* variables: `SLIPWAY_QUEUE__URL` is `url` in `[queue]`, whatever the case."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config import shape
from config.faults import ConfigFault, nearest
from config.settings import Settings

PREFIX = "SLIPWAY_"
OTHERS = frozenset({"SLIPWAY_REAL_DATA", "SLIPWAY_SCREENSHOTS"})
"""Variables with the prefix that are no settings: the tests' own."""

Place = tuple[str, ...]


@dataclass(slots=True)
class Overlay:
    """What the variables say: values by table, the variable behind each place, and what nobody knows."""

    table: dict[str, Any] = field(default_factory=dict)
    origins: dict[Place, str] = field(default_factory=dict)
    faults: list[ConfigFault] = field(default_factory=list)


def overlay(environ: Mapping[str, str], file: Mapping[str, Any]) -> Overlay:
    """Reads the variables. `file` gives the names in use, so that `..._STAGING__...` finds `[environments.STAGING]`.

    An empty variable counts as not set. Lists and tables are written as JSON.
    """
    result = Overlay()
    for variable in sorted(environ):
        if variable.upper().startswith(PREFIX) and variable not in OTHERS and environ[variable]:
            _read(variable, environ[variable], file, result)
    return result


def _read(variable: str, text: str, file: Mapping[str, Any], result: Overlay) -> None:
    rest = variable[len(PREFIX) :]
    place, annotation = _place(rest.split("__"), file)
    if annotation is None:
        meant = nearest(rest, {known.upper() for known in _variables(Settings, "", file)})
        result.faults.append(ConfigFault(f"${variable}", "", "is not a known setting", PREFIX + meant if meant else None))
        return
    try:
        value = json.loads(text) if shape.structured(annotation) else text
    except ValueError:
        example = '["a", "b"]' if shape.items(annotation) is not None else '{"key": "value"}'
        result.faults.append(ConfigFault(f"${variable}", ".".join(place), f"is not JSON; write it like {example}"))
        return
    _put(result.table, place, value)
    result.origins[place] = variable


def _place(parts: list[str], file: Mapping[str, Any]) -> tuple[Place, object | None]:
    """The place that a variable means, and what may stand there (None: nothing)."""
    annotation: object = Settings
    table: object = file
    place: list[str] = []
    for part in parts:
        free = shape.entries(annotation) is not None
        known = (table if isinstance(table, Mapping) else ()) if free else shape.keys(annotation)
        name = next((key for key in known if _same(key, part)), None)
        if name is None and free and part:
            name = part.upper() if place == ["environments"] else part.lower()
        if name is None:
            return tuple(place), None
        annotation, place = shape.child(annotation, name), [*place, name]
        table = table.get(name) if isinstance(table, Mapping) else None
    return tuple(place), annotation


def _same(key: str, part: str) -> bool:
    # Names of variables have no dash, names of targets do.
    return key.lower().replace("-", "_") == part.lower()


def _put(table: dict[str, Any], place: Place, value: object) -> None:
    inner: object = table
    for part in place[:-1]:
        inner = inner.setdefault(part, {}) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner[place[-1]] = value


def _variables(annotation: object, prefix: str, table: object) -> Iterator[str]:
    """The names of all variables that mean something beside this file."""
    present = table if isinstance(table, Mapping) else {}
    for name in present if shape.entries(annotation) is not None else shape.keys(annotation):
        inner = shape.child(annotation, name)
        variable = prefix + name.replace("-", "_")
        if shape.models(inner) or shape.entries(inner) is not None:
            yield from _variables(inner, f"{variable}__", present.get(name))
        else:
            yield variable
