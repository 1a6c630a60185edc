"""Options that several verbs share."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.completing import ENVIRONMENT

F = TypeVar("F", bound=Callable[..., Any])

AS_JSON: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
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

    for flag in (AS_JSON, PRIORITY, NOTE, NOW, WAIT, DRY_RUN):
        packed = flag(packed)
    return packed
