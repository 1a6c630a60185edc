"""Options that several verbs share."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.completing import ENVIRONMENT
from cli.main import Options

F = TypeVar("F", bound=Callable[..., Any])

AS_JSON: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


def _form(ctx: click.Context, _parameter: click.Parameter, form: str | None) -> bool:
    """Whether anything but words was asked for; lines are noted where every verb's output looks."""
    if form == "lines":
        root = ctx.find_root()
        root.obj = replace(root.obj or Options(), lines=True)
    return form is not None


_DOCUMENT = click.option("--json", "as_json", flag_value="json", callback=_form, help="One JSON document on stdout.")
_LINES = click.option("--json-lines", "as_json", flag_value="lines", callback=_form, help="JSON events on stdout, one a line.")


def json_or_lines(verb: F) -> F:
    """The forms of a verb that waits or lists; it gets whether one was chosen as `as_json`, and `Session` knows which."""
    return _DOCUMENT(_LINES(verb))


YES: Callable[[F], F] = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
DRY_RUN: Callable[[F], F] = click.option(
    "-n", "--dry-run", is_flag=True, help="Show what would happen, by the same planner, and do nothing."
)
TO: Callable[[F], F] = click.option(
    "--to", "environment", type=ENVIRONMENT, metavar="ENV", required=True, help="The environment."
)
WAIT: Callable[[F], F] = click.option("--wait", is_flag=True, help="Follow the tasks until they have ended, and fail with them.")
NOW: Callable[[F], F] = click.option("--now", is_flag=True, help="Run the engine here until the tasks have ended.")
NOTE: Callable[[F], F] = click.option("--note", metavar="TEXT", help="Why, for the record.")
PRIORITY: Callable[[F], F] = click.option("--priority", type=int, default=100, show_default=True, help="Lower runs first.")

FILE = click.Path(path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Way:
    """How a verb that adds tasks goes about it."""

    dry_run: bool
    wait: bool
    now: bool
    as_json: bool
    note: str | None
    priority: int

    def __post_init__(self) -> None:
        if self.wait and self.now:
            raise click.UsageError("--wait follows the daemon, --now works here: choose one")


def following(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options of every verb that adds tasks; it gets them as one argument, `way`."""

    @functools.wraps(verb)
    def packed(
        *, dry_run: bool, wait: bool, now: bool, as_json: bool, note: str | None, priority: int, **others: object
    ) -> object:
        return verb(way=Way(dry_run, wait, now, as_json, note, priority), **others)

    for flag in (json_or_lines, PRIORITY, NOTE, NOW, WAIT, DRY_RUN):
        packed = flag(packed)
    return packed
