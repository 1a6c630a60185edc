"""What a shell offers when TAB is pressed: names from the configuration, URLs from the record.

Somebody is typing: whatever fails offers nothing and says nothing, and no list is longer than a screen or two.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from cli.session import Session

MOST = 100
"""Entries offered; who sees as many types another letter."""


class Known(click.ParamType[str]):
    """Text, of which some is known."""

    name = "text"

    def __init__(self, find: Callable[["Session", str], Iterable[str]]) -> None:
        self._find = find

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        from cli.main import Options  # noqa: PLC0415 - that module imports every verb's
        from cli.session import Session  # noqa: PLC0415 - as above

        options = Options(config=ctx.find_root().params.get("config"))
        try:
            with Session(options) as session:
                found = [name for name in self._find(session, incomplete) if name.startswith(incomplete)]
        except Exception:  # noqa: BLE001 - see above
            return []
        return [CompletionItem(name) for name in found[:MOST]]


def _urls(session: "Session", beginning: str) -> Iterable[str]:
    from database import Record  # noqa: PLC0415 - only who asks for URLs needs the queue

    return Record(session.database).beginning(beginning, MOST)


ENVIRONMENT = Known(lambda session, _: session.settings.environments)
TARGET = Known(lambda session, _: session.settings.targets)
NOTICE = Known(lambda session, _: session.settings.notices)
ALERT = Known(lambda session, _: session.settings.alerts)
SCHEDULE = Known(lambda session, _: session.settings.schedules)
URL = Known(_urls)
"""Of modules that are live somewhere."""
