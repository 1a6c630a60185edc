"""Raw tables into settings, with every fault found at once and no value repeated in any of them."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config import shape
from config.faults import nearest
from config.section import Secret
from config.settings import Settings

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault before it is known which file or variable it came from."""

    place: Location
    message: str
    nearest: str | None = None


def validate(raw: Mapping[str, Any]) -> tuple[Settings | None, tuple[Finding, ...]]:
    """The settings and what is wrong with them.

    Where something is wrong the settings have harmless stand-ins in its place, so that the checks between keys can still run;
    None only if even that was not possible.
    """
    table = deepcopy(dict(raw))
    findings = _settle_kinds(table)
    try:
        return Settings.model_validate(table), findings
    except ValidationError as error:
        # Only these parts: str(error) would repeat the values, and a value can be a secret.
        details = error.errors(include_url=False, include_input=False)
    for detail in details:
        _mend(table, detail["loc"], unknown=detail["type"] == "extra_forbidden")
    findings += tuple(_finding(detail) for detail in details)
    try:
        return Settings.model_validate(table), findings
    except ValidationError:
        return None, findings


def _settle_kinds(table: dict[str, Any]) -> tuple[Finding, ...]:
    """Gives entries without a known kind the likeliest one, so that their other faults are found too."""
    findings: list[Finding] = []
    for section in ("sources", "targets", "notices", "alerts"):
        entries = table.get(section)
        known = shape.kinds(shape.entries(Settings.model_fields[section].annotation))
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict) and entry.get("kind") not in tuple(known):
                findings.append(_kind_finding((section, name, "kind"), entry, tuple(known)))
                entry["kind"] = findings[-1].nearest or _likeliest(entry, known)
    return tuple(findings)


def _kind_finding(place: Location, entry: Mapping[str, Any], known: Sequence[str]) -> Finding:
    choice = ", ".join(f'"{kind}"' for kind in known)
    if "kind" not in entry:
        return Finding(place, f"is missing; it is one of {choice}")
    return Finding(place, f"must be one of {choice}", nearest(str(entry["kind"]), known))


def _likeliest(entry: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    return max(known, key=lambda kind: len(entry.keys() & known[kind].model_fields.keys()))


def _finding(detail: ErrorDetails) -> Finding:
    annotation, place = _walk(detail["loc"])
    if detail["type"] == "extra_forbidden":
        names = sorted(set(shape.keys(annotation)))
        meant = nearest(str(place[-1]), names)
        return Finding(place, "is not a known key" if meant else f"is not a known key; known here: {', '.join(names)}", meant)
    if detail["type"] == "missing":
        return Finding(place, "is missing")
    return Finding(place, _message(detail, shape.child(annotation, place[-1]) if place else annotation))


def _message(detail: ErrorDetails, annotation: object) -> str:
    if Secret in shape.models(annotation):
        return 'must say where the secret is: { file = "..." }, { command = ["..."] } or { credential = "..." }'
    if detail["type"] in {"model_type", "model_attributes_type", "dict_type"}:
        return "must be a table"
    if detail["type"] == "tuple_type":
        return "must be a list"
    if detail["type"].startswith("path_"):
        return "must be a path in quotes"
    return detail["msg"].removeprefix("Input ").replace("should", "must", 1)


def _walk(location: Location) -> tuple[object, Location]:
    """What the table around a location is, and the location as the file's author would write it: without the names of kinds."""
    annotation: object = Settings
    place: Location = ()
    for position, part in enumerate(location):
        is_kind = part in shape.kinds(annotation)
        place = place if is_kind else (*place, part)
        if position < len(location) - 1 or is_kind:
            annotation = shape.child(annotation, part)
    return annotation, place


def _mend(table: dict[str, Any], location: Location, *, unknown: bool) -> None:
    """Takes the faulty value out, or puts a stand-in where one is needed."""
    around, place = _walk(location)
    holder: Any = table
    for part in place[:-1]:
        holder = holder[part]
    last = place[-1]
    if unknown or _optional(around, last):
        holder.pop(last, None)
    else:
        holder[last] = shape.blank(shape.child(around, last))


def _optional(annotation: object, part: str | int) -> bool:
    fields = [
        model.model_fields[part] for model in shape.models(annotation) if isinstance(part, str) and part in model.model_fields
    ]
    return any(not field.is_required() for field in fields)


def dotted(place: Iterable[str | int]) -> str:
    """A location in the form that messages show: `targets.staging.port`, `environments.STAGING.holding_areas[0].target`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
