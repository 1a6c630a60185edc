"""What the `parameters` of each action may say. Pure."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from database.actions import Action

Rule = tuple[Callable[[Any], bool], str]
"""A test of the value, and what the value must be, in words."""


def _one_of(*values: str) -> Rule:
    return (lambda value: value in values, " or ".join(f'"{value}"' for value in values))


def _is_text(value: object) -> bool:
    """One line that a slip can hold: no control characters, no halves of surrogate pairs."""
    return isinstance(value, str) and value.isprintable()


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(each) for each in value)


def _are_passes(value: object) -> bool:
    return value is True or (isinstance(value, list) and bool(value) and all(_is_texts(each) and each for each in value))


def is_id(value: object) -> bool:
    """Whether this can be a task's id: more digits than a BIGINT has would be an error in the database."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64 and set(value) <= set("0123456789abcdef")


_FLAG: Rule = (lambda value: isinstance(value, bool), "true or false")
_TEXTS: Rule = (_is_texts, 'a list of texts, such as ["course"]')
_MODE = _one_of("smart", "full")
_TEXT: Rule = (lambda value: _is_text(value) and value.strip() != "", "text in one line")
_PATH: Rule = (lambda value: _is_text(value) and value.startswith("/"), 'a path, such as "/courses"')
_COUNT: Rule = (lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0, "a whole number from 0")
_ID: Rule = (is_id, "a task's id")
_PUBLICATION: Rule = (is_id, "a publication's id, as 'slipway rollback --list' shows them")
_HEX: Rule = (_is_hex, "the first hex digits of a version")


def _days(least: int) -> Rule:
    return (lambda value: _COUNT[0](value) and least <= value <= _MOST_DAYS, f"days, a whole number from {least} to {_MOST_DAYS}")


_MOST_DAYS = 36_500
"""A century: databases and clocks cannot count back without end."""

ALLOWED: Mapping[Action, Mapping[str, Rule]] = {
    Action.PUBLISH: {"mode": _MODE, "dry_run": _FLAG, "follow": _one_of("latest"), "wait": _FLAG},
    Action.DELIVER: {"mode": _MODE, "dry_run": _FLAG},
    Action.UNPUBLISH: {"tombstone": _FLAG, "dry_run": _FLAG},
    Action.ROLLBACK: {"to": _PUBLICATION, "version": _HEX, "mode": _MODE, "dry_run": _FLAG},
    Action.TAKEDOWN: {"below": _FLAG, "lift": _FLAG},
    Action.REPUBLISH: {
        "types": _TEXTS,
        "states": _TEXTS,
        "prefix": _PATH,
        "from": _one_of("source", "target"),
        "passes": (_are_passes, 'true, or a list of lists of types, such as [["course"], ["department"]]'),
        "pass": _COUNT,
        "mode": _MODE,
        "dry_run": _FLAG,
    },
    Action.VERIFY: {"repair": _FLAG, "all": _FLAG, "dry_run": _FLAG},
    Action.SNAPSHOT: {"mode": _MODE, "dry_run": _FLAG},
    Action.RETIRE: {"dry_run": _FLAG, "handle": _TEXT, "again": _FLAG},
    Action.FETCH: {
        "from": _TEXT,
        "form": _one_of("xml", "json", "any"),
        "merge": _TEXT,
        "key": _TEXT,
        "each": _one_of("departments"),
        "to": _TEXT,
        "type": _TEXT,
        "mode": _MODE,
        "dry_run": _FLAG,
    },
    Action.SITEMAP: {"types": _TEXTS, "dry_run": _FLAG},
    Action.ZIPLIST: {"target": _TEXT, "base": _TEXT, "dry_run": _FLAG},
    Action.REDIRECTS: {"dry_run": _FLAG},
    Action.LINKCHECK: {"external": _FLAG, "most": _COUNT, "prefix": _PATH, "dry_run": _FLAG},
    Action.EXPORT: {"all": _FLAG, "mode": _MODE, "dry_run": _FLAG},
    Action.CALL: {"path": _PATH, "method": _one_of("GET", "POST"), "dry_run": _FLAG},
    Action.PURGE: {"days": _days(0), "trash_days": _days(1), "store": _FLAG, "dry_run": _FLAG},
    Action.EXPIRE: {"dry_run": _FLAG},
    Action.NOTIFY: {},
    Action.PAUSE: {"drain": _FLAG},
    Action.RESUME: {},
    Action.APPROVE: {"task": _ID, "plan": (_is_hex, "the plan's digest, in hex"), "adopt": _FLAG},
}

REQUIRED: Mapping[Action, tuple[str, ...]] = {
    Action.APPROVE: ("task", "plan"),
    Action.FETCH: ("from",),
    Action.CALL: ("path",),
}

RERUN_OF = "rerun_of"
"""In the parameters of any row: the task that it repeats, whose target and version it takes over."""

PROCEDURE_CODE = "code"
"""In the parameters of a row that the procedure schedule_implicit_module inserted: the code that it was called with."""


def check_parameters(action: Action, parameters: Mapping[str, Any]) -> str | None:
    """A sentence about the first fault; None if all is well."""
    rules = {**ALLOWED[action], RERUN_OF: _ID, PROCEDURE_CODE: _COUNT}
    for key, value in parameters.items():
        if key not in rules:
            return _unknown(action, key, [*ALLOWED[action]])
        test, words = rules[key]
        if not test(value):
            return f"parameters: {key!r} must be {words} for {action}."
    if action is Action.ROLLBACK and {"to", "version"} <= parameters.keys():
        return "parameters: ROLLBACK takes 'to' or 'version', not both."
    missing = [key for key in REQUIRED.get(action, ()) if key not in parameters]
    if missing:
        needed = " and ".join(repr(key) for key in missing)
        return f"parameters: {action} needs {needed}. 'slipway queue show ID' prints the row to insert."
    return None


def _unknown(action: Action, key: str, known: list[str]) -> str:
    near = get_close_matches(key.lower(), known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"parameters: {action} knows no {key[:100]!r}.{hint} Known are: {', '.join(known)}."
