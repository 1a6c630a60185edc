"""What a NOTIFY row says: everything that its notice needs to be sent, made when the module changed. Pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from config import FastlyNotice, NoticeSettings, PurgeNotice, Selection
from notices.addresses import SLIP, addresses, keys, prefix
from notices.event import Event

MOST_ROW = 60_000
"""Bytes of JSON in one row: its column holds 65,535."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How the public sees a module."""

    site: str | None = None
    """The URL under which it sees the environment."""
    index_pages: tuple[str, ...] = ()
    """Names under which a folder's page lies."""
    slip: bool = False
    """Whether the slip lies beside the module's files."""


def order(notice: NoticeSettings, event: Event, seen: Seen, takes: Callable[[Selection], bool]) -> dict[str, Any]:
    """The parameters of the row that tells this event. `takes`: whether a selection has the module."""
    made = _order(notice, event, seen, takes)
    if len(json.dumps(made)) <= MOST_ROW:
        return made
    return _order(notice, replace(event, paths=(), whole=True), seen, takes)


def _order(notice: NoticeSettings, event: Event, seen: Seen, takes: Callable[[Selection], bool]) -> dict[str, Any]:
    brief = {name: value for name, value in event.fields().items() if name != "paths"} | {"site": seen.site}
    brief |= {"hard": True} if event.hard else {}
    if isinstance(notice, FastlyNotice):
        return brief | {"keys": list(keys(event.url, takes, notice.classes))}
    if isinstance(notice, PurgeNotice):
        return brief | _addressed(event, seen)
    return event.fields() | {"site": seen.site}


def _addressed(event: Event, seen: Seen) -> dict[str, Any]:
    paths = [*(seen.index_pages if event.whole else event.paths), *([SLIP] if seen.slip else [])]
    urls = list(addresses(event.url, paths, seen.index_pages))
    return {"urls": urls} | ({"prefix": prefix(event.url)} if event.whole else {})
