"""A site whose every byte can be judged by whoever reads it: each file names its module, path and version and carries its own
checksum, and each page names the assets that it needs, with their digests."""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from packageslip import CatalogueEntry, Kind, Packageslip, Resource, write_catalogue, write_slip

PAGES = ("index.htm", "more/page.htm")
ASSETS = tuple(f"img/a{n}.bin" for n in range(8))
SMALLEST, LARGEST = 200, 60_000
NESTED = "/m0"
"""A module with another one below it."""


@dataclass(frozen=True)
class Version:
    """What a module was at one moment."""

    module: str
    number: int
    files: Mapping[str, bytes]


@dataclass
class Site:
    """Modules below a folder that an HTTP server serves. A steady module always has its pages and is never unpublished.

    Bytes lie at places of their own for each version, and a slip is replaced in one step, so that every version that anybody
    reads is whole; whatever is mixed or torn on a target was made so on the way there.
    """

    folder: Path
    chance: random.Random
    steady: tuple[str, ...] = (NESTED, f"{NESTED}/deep", "/m1", "/m2")
    fickle: tuple[str, ...] = ("/m3", "/m4", "/m5/in", "/m6")
    versions: dict[str, int] = field(default_factory=dict)
    known: dict[tuple[str, str], set[bytes]] = field(default_factory=dict)
    """(module, path) to the digests that any slip ever listed."""
    since: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def modules(self) -> tuple[str, ...]:
        return (*self.steady, *self.fickle)

    @property
    def alone(self) -> tuple[str, ...]:
        """Those that are neither above nor below another."""
        return tuple(module for module in self.modules if not module.startswith(NESTED))

    def change(self, module: str, *, shrunk: bool = False) -> Version:
        """Make the next version and publish its slip; `shrunk`: it lists so little that the guard must ask."""
        number = self.versions.get(module, 0) + 1
        self.versions[module] = number
        version = Version(module, number, self._files(module, number, shrunk=shrunk))
        for path, content in version.files.items():
            place = self.folder / self._place(version, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            self.known.setdefault((module, path), set()).add(hashlib.sha256(content).digest())
        self._replace(self.folder / module.strip("/") / "packageslip.xml", write_slip(self._slip(version)))
        return version

    def _files(self, module: str, number: int, *, shrunk: bool) -> dict[str, bytes]:
        assets = self.chance.sample(ASSETS, 1 if shrunk else self.chance.randint(5, len(ASSETS)))
        files = {path: self._asset(module, path, number) for path in sorted(assets)}
        needs = [f"needs {path} {hashlib.sha256(content).hexdigest()}" for path, content in files.items()]
        for page in PAGES[: 1 if shrunk else 2]:
            files[page] = sealed(module, page, number, "\n".join(needs).encode())
        if module in self.fickle:
            # A name that is now a file and now a folder; no page needs it, for it must be gone for a moment.
            turn = ("turn", "turn/in.txt")[number % 2]
            files[turn] = sealed(module, turn, number, b"turned")
        return files

    def _asset(self, module: str, path: str, number: int) -> bytes:
        """Half of the assets stay what they were, so that there is something to keep; none ever goes back to older bytes."""
        if self.chance.random() < 0.5:
            self.since[module, path] = number
        since = self.since.setdefault((module, path), number)
        # The same bytes for the same version, whenever they are asked for.
        sized = random.Random(f"{module}{path}{since}")
        return sealed(module, path, since, sized.randbytes(sized.randint(SMALLEST, LARGEST)))

    def _slip(self, version: Version) -> Packageslip:
        with_digests = version.module not in {"/m2", "/m6"}
        return Packageslip(
            version.module, tuple(self._resource(version, path, with_digests) for path in version.files), title=version.module
        )

    def _resource(self, version: Version, path: str, with_digests: bool) -> Resource:
        content = version.files[path]
        kind, type_ = (Kind.PAGE, "text/html") if path in PAGES else (Kind.FILE, "application/octet-stream")
        size, digest = (len(content), hashlib.sha256(content).digest()) if with_digests else (None, None)
        return Resource(path, kind, type_, size, digest, href=f"/{self._place(version, path)}")

    def _place(self, version: Version, path: str) -> str:
        return f"versions{version.module}/{version.number}/{path}"

    def write_catalogue(self) -> None:
        """Every module, for REPUBLISH."""
        document = BytesIO()
        write_catalogue([CatalogueEntry(module) for module in sorted(self.modules)], document)
        self._replace(self.folder / "packageslips.xml", document.getvalue())

    def _replace(self, place: Path, document: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(place.name + ".new")
        new.write_bytes(document)
        new.replace(place)


def sealed(module: str, path: str, version: int, body: bytes) -> bytes:
    """A file that says what it is; the last word of its first line is the checksum of all that follows."""
    return f"soak {module} {path} {version} {hashlib.sha256(body).hexdigest()}\n".encode() + body
