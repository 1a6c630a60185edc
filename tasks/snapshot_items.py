"""What is known of each URL that a mirror took something from, kept in the workspace from one snapshot to the next."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from os import SEEK_END
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """One URL as it was last answered. `digest` in hex, empty if there was nothing to have; `error` says why."""

    url: str
    asked: float
    """Seconds since the epoch."""
    digest: str = ""
    size: int = 0
    type: str = ""
    at: str = ""
    """The URL after redirects."""
    etag: str | None = None
    modified: int | None = None
    error: str = ""

    @property
    def is_html(self) -> bool:
        """Whether it is a page."""
        return self.type.lower().startswith(("text/html", "application/xhtml"))

    @property
    def is_sheet(self) -> bool:
        """Whether it is a style sheet."""
        return self.type.lower().startswith("text/css")


class Items:
    """The map of URLs, for one thread. Each answer is on the disk at once: a snapshot that is killed goes on behind it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._items = {item.url: item for item in _read(file)}
        _end_line(file)

    def get(self, url: str) -> Item | None:
        """What is known of a URL."""
        return self._items.get(url)

    def note(self, item: Item) -> None:
        """Remember an answer."""
        self._items[item.url] = item
        with self._file.open("a", encoding="utf-8") as out:
            out.write(_line(item))

    def tidy(self, wanted: frozenset[str]) -> None:
        """Write the map anew, without what no page points to any more."""
        new = self._file.with_suffix(".new")
        self._items = {url: item for url, item in self._items.items() if url in wanted}
        new.write_text("".join(_line(item) for item in self._items.values()), encoding="utf-8")
        new.replace(self._file)


def _line(item: Item) -> str:
    return json.dumps(asdict(item), separators=(",", ":")) + "\n"


def _end_line(file: Path) -> None:
    """Let what is noted next begin a line of its own, behind the half one of a killed process."""
    with suppress(FileNotFoundError), file.open("r+b") as lines:
        if lines.seek(0, SEEK_END) and (lines.seek(-1, SEEK_END), lines.read(1))[1] != b"\n":
            lines.write(b"\n")


def _read(file: Path) -> Iterator[Item]:
    """Every line that is whole: the last one of a killed process may not be."""
    with suppress(FileNotFoundError), file.open(encoding="utf-8") as lines:
        for line in lines:
            with suppress(ValueError, TypeError):
                document: dict[str, Any] = json.loads(line)
                yield Item(**document)
