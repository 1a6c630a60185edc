"""One place for each kind of source, as the contract suite uses it: modules put there, and sources that read them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Protocol

import pytest

from config import HttpSource as HttpSettings
from packageslip import CatalogueEntry, Packageslip, write_catalogue, write_slip
from sources import DirectorySource, Source, TargetSource
from sources.http import HttpSource
from support.claims import TestQueue
from support.http_cms import Cms
from support.releases import changed, slip_of, unpublish
from targets import LocalDisk, OrderedTarget, PlacedOptions, Target

Files = Mapping[str, bytes]


class SourcePlace(Protocol):
    """Where one kind of source reads, seen from its other side."""

    def publish(self, url: str, files: Files, views: Files | None = None) -> None:
        """Make the module be exactly this."""

    def remove(self, url: str) -> None:
        """Take the module away."""

    def scribble(self, url: str, path: str, content: bytes | None) -> None:
        """Change or delete a file without telling the slip."""

    def open(self) -> Source: ...


def course(url: str, files: Files, views: Files | None) -> Packageslip:
    return replace(slip_of(url, files, views), module_type="course", state="published")


@dataclass(slots=True)
class FolderPlace:
    """A folder that mirrors the site."""

    root: Path

    def publish(self, url: str, files: Files, views: Files | None = None) -> None:
        self.remove(url)
        content = {**files, **(views or {}), "packageslip.xml": write_slip(course(url, files, views))}
        for path, text in content.items():
            self.scribble(url, path, text)

    def remove(self, url: str) -> None:
        for file in sorted((self.root / url.strip("/")).rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()

    def scribble(self, url: str, path: str, content: bytes | None) -> None:
        file = self.root / url.strip("/") / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink() if content is None else file.write_bytes(content)

    def open(self) -> Source:
        return DirectorySource("folder", self.root)


@dataclass(slots=True)
class HttpPlace(FolderPlace):
    """The same folder behind a web server, which writes a catalogue."""

    server: Cms

    def open(self) -> Source:
        folders = [slip.parent.relative_to(self.root) for slip in self.root.rglob("packageslip.xml")]
        entries = [CatalogueEntry("/" + "/".join(folder.parts), "course", "published") for folder in folders]
        write_catalogue(entries, document := BytesIO())
        self.server.catalogue = document.getvalue()
        return HttpSource("cms", HttpSettings(kind="http", url=self.server.url, retries=0))


@dataclass(slots=True)
class TargetPlace:
    """A target that somebody publishes to."""

    root: Path
    queue: TestQueue = field(default_factory=TestQueue)

    def publish(self, url: str, files: Files, views: Files | None = None) -> None:
        target = self._target()
        present = target.present(url, self.queue.claim())
        with target.release(present, course(url, files, views)) as release:
            release.put(changed(present, {**files, **(views or {})}))
            release.prepare()
            release.switch()

    def remove(self, url: str) -> None:
        unpublish(self._target(), url, self.queue.claim())

    def scribble(self, url: str, path: str, content: bytes | None) -> None:
        file = self.root / url.strip("/") / path
        file.unlink() if content is None else file.write_bytes(content)

    def open(self) -> Source:
        return TargetSource("target:staging", self._target)

    def _target(self) -> Target:
        return OrderedTarget("staging", LocalDisk(self.root, "staging"), PlacedOptions())


def http_place(root: Path, request: pytest.FixtureRequest) -> SourcePlace:
    serve: Callable[[Path], Cms] = request.getfixturevalue("cms")
    return HttpPlace(root, serve(root))


# One line for each kind of source; a test compares them with the kinds that the configuration knows.
SOURCE_PLACES: Mapping[str, Callable[[Path, pytest.FixtureRequest], SourcePlace]] = {
    "http": http_place,
    "directory": lambda root, _request: FolderPlace(root),
    "target": lambda root, _request: TargetPlace(root),
}


@pytest.fixture(params=sorted(SOURCE_PLACES))
def source_place(request: pytest.FixtureRequest, tmp_path: Path) -> SourcePlace:
    """An empty place of every kind in turn."""
    root = tmp_path / "site"
    root.mkdir()
    return SOURCE_PLACES[request.param](root, request)


@pytest.fixture
def open_source_there(source_place: SourcePlace) -> Iterator[Callable[[], Source]]:
    """Opens sources in the place, and closes them when the test ends."""
    opened: list[Source] = []

    def open_one() -> Source:
        opened.append(source_place.open())
        return opened[-1]

    yield open_one
    for source in opened:
        source.close()
