"""What happened to a module, as it is told to others; it lives in the parameters of a NOTIFY row until it is sent."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MOST_PATHS = 300
"""Changed paths that are told one by one; with more, the module is told as a whole."""
MOST_BYTES = 30_000
"""The same in bytes of JSON: a row's parameters hold 65,535, and a purge needs up to two addresses for each path."""
MOST_TITLE = 500
"""Characters of a title that are told: the row has other things to say."""


@dataclass(frozen=True, slots=True)
class Event:
    """A module was published or unpublished. `id` stays the same however often it is sent; `serial` rises with each change."""

    event: str
    id: str
    environment: str
    url: str
    type: str | None = None
    title: str | None = None
    version: str | None = None
    """Hex; None: nothing is live any more."""
    serial: int = 0
    paths: tuple[str, ...] = ()
    """What was put or dropped, relative to the module, sorted."""
    whole: bool = False
    """Too many paths changed to name them: take all of the module for changed."""
    hard: bool = False
    """It was taken down: no copy may be served any more, not even as a stale one."""

    def fields(self) -> dict[str, Any]:
        """The event as JSON."""
        return {
            "event": self.event,
            "id": self.id,
            "environment": self.environment,
            "url": self.url,
            "type": self.type,
            "title": self.title,
            "version": self.version,
            "serial": self.serial,
            "paths": list(self.paths),
            "whole": self.whole,
        }


def bounded(paths: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """The paths, sorted, and whether they are too many; then there are none."""
    found = sorted(set(paths))
    if len(found) > MOST_PATHS or len(json.dumps(found)) > MOST_BYTES:
        return (), True
    return tuple(found), False
