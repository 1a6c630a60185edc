"""Relative paths made absolute: those of a file start at its folder, those of a variable where the process was started."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from config.places import LocalTarget
from config.section import Secret, Section
from config.settings import QueueSettings
from config.validate import Location

S = TypeVar("S", bound=Section)
Base = Callable[[Location], Path]
SQLITE = "sqlite:///"


def anchored(section: S, base: Base, place: Location = ()) -> S:
    """A copy with absolute paths; `base` gives the folder that a key's value is relative to. `~` is the home folder."""
    changes = {name: _anchored(section, name, value, base, (*place, name)) for name, value in section}
    copy = section.model_copy(update=changes)
    # What was set and what is a default must stay known: `config show` tells.
    copy.__pydantic_fields_set__.intersection_update(section.model_fields_set)
    return copy


def _anchored(section: Section, name: str, value: object, base: Base, place: Location) -> object:
    if isinstance(value, Section):
        return anchored(value, base, place)
    if isinstance(value, dict):
        return {key: _anchored(section, name, entry, base, (*place, key)) for key, entry in value.items()}
    if isinstance(value, tuple) and value and isinstance(value[0], Section):
        return tuple(anchored(entry, base, (*place, position)) for position, entry in enumerate(value))
    return _path(section, name, value, base(place))


def _path(section: Section, name: str, value: object, base: Path) -> object:
    """The value itself, unless it is a path or has one inside."""
    if isinstance(value, Path):
        return _absolute(value, base)
    match section, name, value:
        case LocalTarget(), "root", str(root) if root:
            return str(_absolute(Path(root), base))
        case QueueSettings(), "url", str(url):
            return _database(url, base)
        case Secret(), "command", (str(program), *arguments) if "/" in program:
            return (str(_absolute(Path(program), base)), *arguments)
    return value


def _absolute(path: Path, base: Path) -> Path:
    return base / path.expanduser()


def _database(url: str, base: Path) -> str:
    path = url.removeprefix(SQLITE)
    if path == url or not path or path.startswith((":memory:", "file:")):
        return url
    return SQLITE + str(_absolute(Path(path), base))
