"""The settings as a table for people: `config show`, and the source of the manual's reference pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from config import shape
from config.meanings import meaning
from config.secrets import place_of, without_password
from config.section import Secret, Section
from config.settings import Settings

WORDS: tuple[tuple[object, str], ...] = (
    (str, "text"),
    (int, "whole number"),
    (float, "number"),
    (bool, "true or false"),
    (Path, "path"),
    (Secret, "secret"),
    (object, "any value"),
)


@dataclass(frozen=True, slots=True)
class Described:
    """One setting: its key, its value as JSON could hold it (of a secret: where it is), and its meaning."""

    key: str
    value: object
    default: bool
    doc: str


@dataclass(frozen=True, slots=True)
class Documented:
    """One key that a configuration can have, with NAME where a name is free; `kind` is None where it fits every kind."""

    key: str
    kind: str | None
    type: str
    default: Any
    required: bool
    doc: str


def describe(settings: Settings) -> list[Described]:
    """Every setting in effect, in the order of the models."""
    return list(_described(settings, ""))


def reference() -> list[Documented]:
    """Every key there is, for the manual."""
    return list(_documented(Settings, "", None))


def _described(section: Section, prefix: str) -> Iterator[Described]:
    for name in type(section).model_fields:
        key, value = f"{prefix}{name}", getattr(section, name)
        if isinstance(value, Section) and not isinstance(value, Secret):
            yield from _described(value, f"{key}.")
        elif tables := _inner(value):
            for suffix, table in tables.items():
                yield from _described(table, f"{key}{suffix}.")
        else:
            default = name not in section.model_fields_set
            yield Described(key, _plain(value), default, _doc(name, type(section)))


def _inner(value: object) -> dict[str, Section]:
    """The tables inside a value, by how their keys go on."""
    named = {f".{name}": entry for name, entry in value.items()} if isinstance(value, dict) else {}
    listed = {f"[{position}]": entry for position, entry in enumerate(value)} if isinstance(value, tuple) else {}
    return {suffix: entry for suffix, entry in (named | listed).items() if isinstance(entry, Section)}


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return f"({place_of(value)})"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return without_password(value) if isinstance(value, str) else value


def _documented(model: type[Any], prefix: str, kind: str | None) -> Iterator[Documented]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        if inner := shape.entries(field.annotation):
            yield from _documented_entries(inner, key, meaning(model, name))
        elif (tables := shape.models(field.annotation)) and Secret not in tables:
            yield from _documented(tables[0], f"{key}.", kind)
        elif (item := shape.items(field.annotation)) and shape.models(item):
            yield from _documented(shape.models(item)[0], f"{key}[].", kind)
        else:
            yield _key(key, kind, field, _doc(name, model))


def _documented_entries(inner: object, key: str, doc: str) -> Iterator[Documented]:
    if not shape.models(inner):
        yield Documented(f"{key}.NAME", None, _type(inner), None, required=False, doc=doc)
    kinds = shape.kinds(inner)
    for table in shape.models(inner):
        kind = next((name for name, candidate in kinds.items() if candidate is table), None)
        yield from _documented(table, f"{key}.NAME.", kind)


def _key(key: str, kind: str | None, field: FieldInfo, doc: str) -> Documented:
    required = field.is_required()
    default = None if required else _plain(field.get_default(call_default_factory=True))
    return Documented(key, kind, _type(field.annotation), default, required, doc)


def _doc(name: str, model: type[Any]) -> str:
    # `kind` has no words of its own: what a kind is, its table says.
    return meaning(model, name) or (model.__doc__ or "").strip()


def _type(annotation: object) -> str:
    return " or ".join(_option(option) for option in shape.options(annotation))


def _option(option: object) -> str:
    if choices := shape.choices(option):
        return " or ".join(f'"{choice}"' for choice in choices)
    if item := shape.items(option):
        return f"list of {_type(item)}"
    return next((word for kind, word in WORDS if option is kind), "table")
