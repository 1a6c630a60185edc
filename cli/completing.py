"""What a shell offers when TAB is pressed: names from the configuration, URLs from the record.

Somebody is typing: whatever fails offers nothing and says nothing, and no list is longer than a screen or two.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

MOST = 100
"""Entries offered; who sees as many types another letter."""


class Known(click.ParamType[str]):
    """Text, of which some is known: `find` gets the configuration file that was named, and what was typed of the word."""

    name = "text"

    def __init__(self, find: Callable[[Path | None, str], Iterable[str]]) -> None:
        self._find = find

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        try:
            known = self._find(ctx.find_root().params.get("config"), incomplete)
            found = [name for name in known if name.startswith(incomplete)]
        except Exception:  # noqa: BLE001 - see above
            return []
        return [CompletionItem(name) for name in found[:MOST]]


def _named(table: str) -> Known:
    """The names in a table of the configuration."""

    def find(path: Path | None, _beginning: str) -> Iterable[str]:
        from config import load  # noqa: PLC0415 - so that verbs and options are offered at once

        names: Iterable[str] = getattr(load(path), table)
        return names

    return Known(find)


def _urls(path: Path | None, beginning: str) -> Iterable[str]:
    from cli.main import Options  # noqa: PLC0415 - as above
    from cli.session import Session  # noqa: PLC0415 - as above
    from database import Record  # noqa: PLC0415 - as above

    with Session(Options(path)) as session:
        return Record(session.database).beginning(beginning, MOST)


ENVIRONMENT = _named("environments")
TARGET = _named("targets")
NOTICE = _named("notices")
ALERT = _named("alerts")
SCHEDULE = _named("schedules")
URL = Known(_urls)
"""Of modules that are live somewhere."""
