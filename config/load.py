"""The one way to settings: flag over SLIPWAY_* variable over one file over default."""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.anchor import anchored
from config.crosscheck import crosscheck
from config.environ import Overlay, overlay
from config.faults import ConfigError, ConfigFault
from config.find import find_file, state_dir
from config.settings import Settings
from config.validate import Finding, Location, dotted, validate

NO_FILE = "(no file)"


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    """The settings from `path` (or the first file found), the variables, and `flags`, such as {"log.level": "debug"}.

    All paths in the result are absolute. A file whose text is JSON is read as such. Raises ConfigError with every fault at once.
    """
    settings, faults = _read(path, os.environ if environ is None else environ, flags or {})
    if faults or settings is None:
        raise ConfigError(faults)
    return settings


def check(path: Path | None = None, environ: Mapping[str, str] | None = None) -> tuple[ConfigFault, ...]:
    """Every fault of the configuration; empty if it is good."""
    return _read(path, os.environ if environ is None else environ, {})[1]


def snapshot(settings: Settings) -> str:
    """The settings as text that `load` reads to the same settings, wherever it lies; secrets are only referred to."""
    return settings.model_dump_json(exclude_none=True)


def _read(
    path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]
) -> tuple[Settings | None, tuple[ConfigFault, ...]]:
    found = find_file(path, environ)
    try:
        table = {} if found is None else _table(found)
    except ConfigError as error:
        return None, (*error.faults, *overlay(environ, {}).faults)
    variables = overlay(environ, table)
    raw = _merged(_merged(table, variables.table), _nested(flags))
    settings, findings = validate(raw)
    if settings is not None:
        settings = _completed(settings, found, environ, variables)
        findings = (*findings, *crosscheck(settings))
    faults = [_fault(finding, found, variables) for finding in findings]
    return settings, (*variables.faults, *dict.fromkeys(faults))


def _table(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        # JSON is what the daemon hands to its engines; no TOML document starts with a brace.
        table: dict[str, Any] = json.loads(text) if text.startswith("{") else tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error).replace("at end of document", f"at line {len(text.splitlines())}, the end of the file")
        raise _unreadable(file, f"is not TOML: {message}") from None
    except UnicodeDecodeError as error:
        raise _unreadable(file, f"is not UTF-8 (byte {error.start})") from None
    except ValueError:
        raise _unreadable(file, "starts like JSON and is none") from None
    except OSError as error:
        raise _unreadable(file, f"cannot be read: {error.strerror or error}") from error
    return table


def _unreadable(file: Path, message: str) -> ConfigError:
    return ConfigError([ConfigFault(str(file), "", message)])


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        lower = result.get(key)
        result[key] = _merged(lower, value) if isinstance(lower, Mapping) and isinstance(value, Mapping) else value
    return result


def _nested(flags: Mapping[str, object]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in flags.items():
        *tables, last = key.split(".")
        inner = table
        for part in tables:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return table


def _completed(settings: Settings, file: Path | None, environ: Mapping[str, str], variables: Overlay) -> Settings:
    """With absolute paths, and with the state directory of this account and service manager where none is set."""
    here = Path.cwd()
    folder = file.absolute().parent if file is not None else here

    def base(place: Location) -> Path:
        return here if _variable(place, variables) else folder

    was_set = set(settings.model_fields_set)
    if "state_dir" not in was_set:
        settings = settings.model_copy(update={"state_dir": state_dir(environ)})
        settings.__pydantic_fields_set__.intersection_update(was_set)
    return anchored(settings, base)


def _fault(finding: Finding, file: Path | None, variables: Overlay) -> ConfigFault:
    variable = _variable(finding.place, variables)
    where = f"${variable}" if variable else str(file or NO_FILE)
    return ConfigFault(where, dotted(finding.place), finding.message, finding.nearest)


def _variable(place: Location, variables: Overlay) -> str | None:
    """The variable that a value came from, if it did not come from the file."""
    origins: Mapping[Location, str] = dict(variables.origins.items())
    parents = (place[:length] for length in range(len(place), 0, -1))
    return next((origins[parent] for parent in parents if parent in origins), None)
