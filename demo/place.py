"""The demo's folder: a copy of the sample site that plays the CMS, a configuration, and what gets published."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SITE = Path(__file__).parent / "site"
SLIP = "packageslip.xml"
AREA = ".slipway"
TARGETS = ("staging", "download", "production")
CONFIGURATION = """# The configuration of 'slipway demo' in {folder}; delete it to get it anew.
state_dir = {state}

[engine]
linger = 3

[retry]
base = 1

[log]
format = "json"

# The CMS: here a folder that mirrors the site. Change a file in it and run the demo again.
[sources.cms]
kind = "directory"
path = {cms}

[targets.staging]
kind = "local"
root = {staging}

[targets.download]
kind = "local"
root = {download}

[targets.production]
kind = "local"
root = {production}

[environments.STAGING]
source = "cms"
origin = "staging"

# Courses, supplements and the terms also wait in a holding area, to be collected.
[[environments.STAGING.holding_areas]]
target = "download"
modules = {{ types = ["course", "supplemental-resource"], urls = ["/terms"] }}

# What was approved on staging is what goes live, byte for byte; only feeds and JSON views are asked for anew.
[environments.PRODUCTION]
source = "target:staging"
origin = "production"
views = "cms"

[departments]
1 = "/courses/mathematics"
2 = "/courses/seamanship"
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """What lies in a folder: its files, without Slipway's own."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of one demo is."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "slipway.toml"

    @property
    def cms(self) -> Path:
        """The sample site: change something in it and run the demo again."""
        return self.folder / "cms"

    @property
    def log(self) -> Path:
        """What the daemon and its engines said."""
        return self.folder / "daemon.log"

    def target(self, name: str) -> Path:
        """The folder of the target `staging`, `production` or `download`."""
        return self.folder / name

    def modules(self) -> list[str]:
        """The URL of every module of the site, those that others show first."""
        found = [slip.parent.relative_to(self.cms).as_posix() for slip in self.cms.rglob(SLIP)]
        return sorted("/" if path == "." else f"/{path}" for path in found)

    def tree(self, name: str) -> Tree:
        """What a target holds."""
        sizes = [file.stat().st_size for file in files_below(self.target(name))]
        return Tree(len(sizes), sum(sizes))


def files_below(root: Path) -> Iterator[Path]:
    for file in root.rglob("*"):
        ours = file.name == SLIP or AREA in file.relative_to(root).parts
        if file.is_file() and not ours:
            yield file


def prepare(folder: Path) -> Place:
    """Make the demo's folder, or find the one that an earlier run made; nothing in it is overwritten.

    Raises OSError.
    """
    place = Place(folder.resolve())
    place.folder.mkdir(parents=True, exist_ok=True)
    if not place.cms.exists():
        # Under another name until it is whole, so that an interrupted first run does not leave half a site.
        half = place.folder / "cms.new"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(SITE, half)
        half.rename(place.cms)
    for target in TARGETS:
        # Slipway never makes a target's root: a missing one may be a disk that is not mounted.
        place.target(target).mkdir(exist_ok=True)
    text = configuration(place)
    if not place.config.exists() or place.config.read_text().splitlines()[:1] != text.splitlines()[:1]:
        place.config.write_text(text)
    return place


def configuration(place: Place) -> str:
    """The demo's configuration. Its first line names the folder, so that a folder that was moved gets a new one."""
    # A JSON string is a TOML string, whatever the folder's name has in it.
    paths = {name: json.dumps(str(place.folder / name)) for name in ("state", "cms", *TARGETS)}
    return CONFIGURATION.format(folder=place.folder, **paths)
