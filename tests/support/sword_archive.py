"""What the fake archive keeps: items and the faults that are due, in a folder, so that they outlive its process."""

import json
import os
import shutil
import tempfile
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with deposits. `when`: before or after the item is stored. `times`: for how many (None: for all)."""

    what: str
    """slow, hang, cut, status or half (an answer that is cut off in its body)."""
    when: str = "before"
    seconds: float = 0
    status: int = 503
    retry_after: str | None = None
    body: str = ""
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the archive."""

    number: int
    collection: str
    md5: str
    size: int
    filename: str
    handle: str | None
    identifiers: list[str]
    headers: dict[str, str] = field(default_factory=dict)


class Archive:
    """The folder of one archive. Any process may read and change it while the server runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._items = folder / "items"
        self._items.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()

    def items(self) -> list[Item]:
        """Every item, in the order of deposit."""
        return [self._item(place) for place in sorted(self._items.glob("*/item.json"))]

    def package(self, item: Item) -> bytes:
        """The bytes that were deposited."""
        return (self._items / f"{item.number:04d}" / "package.zip").read_bytes()

    def keep(self, item: Item, package: Path) -> Item:
        """Make a new item; it is there in whole or not at all."""
        with self._lock:
            number = len(list(self._items.iterdir())) + 1
            made = Item(**(asdict(item) | {"number": number, "handle": item.handle and f"{item.handle}/{1000 + number}"}))
            new = Path(tempfile.mkdtemp(dir=self.folder))
            shutil.move(package, new / "package.zip")
            (new / "item.json").write_text(json.dumps(asdict(made)))
            new.rename(self._items / f"{number:04d}")
            return made

    def give_handle(self, number: int, handle: str) -> None:
        """What reviewers do when they accept an item."""
        place = self._items / f"{number:04d}" / "item.json"
        place.write_text(json.dumps(json.loads(place.read_text()) | {"handle": handle}))

    def break_with(self, fault: Fault | None) -> None:
        """From now on this goes wrong; None: nothing does."""
        place = self.folder / "fault.json"
        if fault is None:
            place.unlink(missing_ok=True)
            return
        new = self.folder / f"fault.{os.getpid()}"
        new.write_text(json.dumps(asdict(fault)))
        new.rename(place)

    def take_fault(self) -> Fault | None:
        """The fault that this deposit meets."""
        with self._lock:
            place = self.folder / "fault.json"
            if not place.exists():
                return None
            fault = Fault(**json.loads(place.read_text()))
            if fault.times is not None:
                self.break_with(Fault(**(asdict(fault) | {"times": fault.times - 1})) if fault.times > 1 else None)
            return fault

    def note(self, line: dict[str, object]) -> None:
        """Add to the log of requests."""
        with self._lock, (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")

    def log(self) -> list[dict[str, object]]:
        """Every request that came in whole: method, path, status."""
        place = self.folder / "log.jsonl"
        return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []

    def _item(self, place: Path) -> Item:
        return Item(**json.loads(place.read_text()))
