"""The models seen as a tree of keys: what may stand where, and which kinds an entry can have."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from config.places import SourceSettings, TargetSettings


def options(annotation: object) -> tuple[object, ...]:
    """The alternatives of an annotation, without None and without metadata."""
    if get_origin(annotation) is Annotated:
        return options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(option for part in get_args(annotation) for option in options(part))
    return () if annotation is NoneType else (annotation,)


def models(annotation: object) -> tuple[type[BaseModel], ...]:
    """The tables with fixed keys that may stand here."""
    return tuple(option for option in options(annotation) if isinstance(option, type) and issubclass(option, BaseModel))


def entries(annotation: object) -> object | None:
    """What the entries of a table with free names are (targets, environments, ...), or None if this is no such table."""
    return next((get_args(option)[1] for option in options(annotation) if get_origin(option) is dict), None)


def items(annotation: object) -> object | None:
    """What the items of a list are, or None if this is no list."""
    return next((get_args(option)[0] for option in options(annotation) if get_origin(option) is tuple), None)


def structured(annotation: object) -> bool:
    """Whether this is a table or a list, not a single value."""
    return bool(models(annotation)) or entries(annotation) is not None or items(annotation) is not None


def child(annotation: object, part: str | int) -> object | None:
    """What may stand under this key (or index), or None if the key is unknown. A kind's name narrows to that kind."""
    if isinstance(part, int):
        return items(annotation)
    if part in (narrowed := kinds(annotation)):
        return narrowed[part]
    fields = [model.model_fields[part].annotation for model in models(annotation) if part in model.model_fields]
    return fields[0] if fields else entries(annotation)


def choices(annotation: object) -> tuple[object, ...]:
    """The values that a Literal allows; empty for anything else."""
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def keys(annotation: object) -> Iterator[str]:
    """Every key that any of the tables here knows."""
    for model in models(annotation):
        yield from model.model_fields


def kinds(annotation: object) -> Mapping[str, type[BaseModel]]:
    """The kinds that an entry can have, by the value of its `kind`; empty if it has no kinds."""
    found: dict[str, type[BaseModel]] = {}
    if len(models(annotation)) < 2:
        # The kind is settled: a key of that name is an ordinary key.
        return found
    for model in models(annotation):
        field = model.model_fields.get("kind")
        if field is not None and get_origin(field.annotation) is Literal:
            found[get_args(field.annotation)[0]] = model
    return found


def blank(annotation: object) -> object:
    """A stand-in that validates and means nothing: lets the checks behind a faulty value go on."""
    if found := models(annotation):
        required = {name: field for name, field in found[0].model_fields.items() if field.is_required()}
        return {name: blank(field.annotation) for name, field in required.items()}
    first = options(annotation)[0]
    if get_origin(first) is Literal:
        return get_args(first)[0]
    if first == dict[str, str]:
        # One that must not be empty has to be valid, too.
        return {"": ""}
    if get_origin(first) in (tuple, dict):
        return [""] if get_origin(first) is tuple else {}
    return "." if first is Path else ""


SOURCE_KINDS = kinds(SourceSettings)
TARGET_KINDS = kinds(TargetSettings)
