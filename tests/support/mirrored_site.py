"""The small, nasty site of `expected_mirror`, published, with everything that a mirror of it needs."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from packageslip import Packageslip, View, ViewKind, build_slip, write_slip
from support import expected_mirror as site
from support.bench import Bench
from support.outside_server import Outside, outside_server

TYPES = {"/courses/physics/8-01": "course", "/courses/physics/8-02": "course", "/private": "private"}

StartSite = Callable[..., "MirroredSite"]
"""start(mirror=None, notices=None, **snapshot) -> MirroredSite"""


@dataclass
class MirroredSite:
    """`bench` has the environments PUBLISHING (to `production`), ZIPS (to `zips`) and MIRROR; all modules are published."""

    bench: Bench
    outside: Outside

    @property
    def expected(self) -> dict[str, tuple[bytes, int]]:
        return site.expected(self.outside.url)

    @property
    def mirror(self) -> Path:
        return self.bench.target("mirror")

    @property
    def workspace(self) -> Path:
        return self.bench.root / "state" / "snapshots" / "MIRROR"

    def write(self, path: str, content: bytes, *, folder: str = "site") -> None:
        place = self.bench.root / folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        os.utime(place, (site.time_of(path), site.time_of(path)))

    def put_slip(self, url: str, *, folder: str = "site") -> Packageslip:
        """The slip of a module as its CMS would write it."""
        place = self.bench.root / folder / url.strip("/")
        inside = [path.removeprefix(url[1:] + "/") for path in site.VIEWS if path.startswith(url[1:] + "/")]
        views = tuple(View(path, ViewKind.JSON) for path in inside if (place / path).exists())
        slip = build_slip(place, url, views=views, modified=site.TIME, module_type=TYPES.get(url))
        resources = tuple(replace(each, mirror=each.path != "big.zip") for each in slip.resources)
        slip = replace(slip, resources=resources)
        (place / "packageslip.xml").write_bytes(write_slip(slip))
        return slip

    def publish(self, url: str) -> None:
        self.put_slip(url)
        self.bench.well(url, "PUBLISHING")


def settings_of(
    root: Path,
    out: str,
    mirror: Mapping[str, Any] | None = None,
    notices: Mapping[str, Any] | None = None,
    **snapshot: Any,
) -> Settings:
    """`mirror`: the target of the mirror, where it is no local folder; `notices`: who is told of the mirror; `snapshot`: settings that differ."""
    (root / "state").mkdir(exist_ok=True)
    places: dict[str, Any] = {}
    for name in ("production", "zips", "mirror"):
        (root / "targets" / name).mkdir(parents=True, exist_ok=True)
        area = str(root / "targets" / f".area-{name}")
        places[name] = {"kind": "local", "root": str(root / "targets" / name), "area": area, "public_slip": False}
    if mirror:
        places["mirror"] = mirror
    quoted = out.replace(".", r"\.")
    table: dict[str, Any] = {
        "state_dir": str(root / "state"),
        "queue": {"poll": 0.05},
        "web": {"allow_private": True, "connect_timeout": 2, "read_timeout": 5},
        "sources": {
            "cms": {"kind": "directory", "path": str(root / "site")},
            "zipper": {"kind": "directory", "path": str(root / "zips")},
        },
        "targets": places,
        "notices": notices or {},
        "environments": {
            "PUBLISHING": {"source": "cms", "origin": "production"},
            "ZIPS": {"source": "zipper", "origin": "zips"},
            "MIRROR": {
                "source": "target:production",
                "origin": "mirror",
                "notices": sorted(notices or {}),
                "views": "cms",
                "default_action": "SNAPSHOT",
                "snapshot": {
                    "site": ["http://ocw.example.edu", "https://ocw.example.edu"],
                    "modules": {"except_types": ["private"]},
                    "zips": "zips",
                    "drop_unreferenced": [".mp4"],
                    "externals": [
                        {"match": f"^{quoted}/download/", "into": "/OcwExport/InternetArchive"},
                        {"match": f"^{quoted}/applets/", "into": "/OcwExport/applets"},
                        {"match": f"^{quoted}/cultures/", "into": "/OcwExport/cultures", "recursive": True},
                        {"list": "/youtube.tsv", "into": "/OcwExport/YouTube"},
                        {"folder": str(root / "tools"), "into": "/OcwExport/tools", "method": "link"},
                    ],
                    "rules": [
                        {"match": f"^{quoted}/download/", "replace": "/OcwExport/InternetArchive/"},
                        {"match": "^/donate/", "replace": "http://giving.example.edu/mirror/", "on": "link"},
                        {
                            "match": r"^https?://www\.youtube\.com/embed/([\w-]+)[^#]*",
                            "replace": r"/OcwExport/YouTube/\1.mp4",
                            "on": "embed",
                        },
                        {"match": "^/ans15436/ZipForEndUsers/", "replace": "/zips/"},
                        {"match": "^/tools/", "replace": "/OcwExport/tools/"},
                    ],
                }
                | snapshot,
            },
        },
    }
    return Settings.model_validate(table)


def make_mirrored_site(root: Path, outside: Outside) -> MirroredSite:
    """The site, published, with its zips and its list; no snapshot yet."""
    made = MirroredSite(Bench(root, settings_of(root, outside.url)), outside)
    for path, (lines, encoding) in site.PAGES.items():
        made.write(path, site.source(lines, outside.url, encoding))
    for path, content in {**site.PLAIN, **site.LEFT_OUT, **site.VIEWS}.items():
        made.write(path, content)
    for path, content in site.ZIPS.items():
        made.write(path, content, folder="zips")
    for name, (lines_or_bytes, _) in site.FOLDER.items():
        made.write(name, site.source(lines_or_bytes, outside.url), folder="tools")
    for url in sorted(site.MODULES, reverse=True):
        made.publish(url)
    made.write("youtube.tsv", site.LIST.replace("@OUT@", outside.url).encode())
    made.put_slip("/courses/physics/8-01", folder="zips")
    made.bench.well("/courses/physics/8-01", "ZIPS")
    return made


def externals(root: Path, outside: Outside, **changes: Any) -> list[dict[str, Any]]:
    """The externals of the sample settings, each with these changes."""
    snapshot = settings_of(root, outside.url).environments["MIRROR"].snapshot
    assert snapshot
    return [{**each.model_dump(), **changes} for each in snapshot.externals]


@pytest.fixture(scope="session")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Outside]]:
    """A folder in which the site is published, to be copied, and the server elsewhere that its pages name."""
    root = tmp_path_factory.mktemp("mirrored")
    with outside_server() as running:
        make_mirrored_site(root, running).bench.close()
        yield root, running


@pytest.fixture
def outside(published_once: tuple[Path, Outside]) -> Outside:
    """The server elsewhere, with all of its files and an empty log."""
    running = published_once[1]
    running.files = {path: (kind, site.source(content, running.url)) for path, (kind, content, _) in site.OUTSIDE.items()}
    running.log.clear()
    running.broken.clear()
    running.silent.clear()
    running.go.clear()
    return running


@pytest.fixture
def start_mirrored_site(tmp_path: Path, published_once: tuple[Path, Outside], outside: Outside) -> Iterator[StartSite]:
    """start(mirror=None, notices=None, **snapshot): a copy of the site, published on folders of this machine, with these settings."""
    with ExitStack() as stack:

        def start(
            mirror: Mapping[str, Any] | None = None, notices: Mapping[str, Any] | None = None, **snapshot: Any
        ) -> MirroredSite:
            shutil.copytree(published_once[0], tmp_path, dirs_exist_ok=True)
            made = MirroredSite(Bench(tmp_path, settings_of(tmp_path, outside.url, mirror, notices, **snapshot)), outside)
            stack.callback(made.bench.close)
            return made

        yield start


@pytest.fixture
def mirrored_site(start_mirrored_site: StartSite) -> MirroredSite:
    """The site, published on folders of this machine."""
    return start_mirrored_site()
