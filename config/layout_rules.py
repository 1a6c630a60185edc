"""What must be true of the folder for releases: inside the root, where links can be relative, and apart from the area."""

from collections.abc import Iterator

from config.places import LaidOut, PlacedTarget
from config.validate import Finding, Location

DEFAULT_AREA = ".slipway"


def layout_findings(place: Location, target: LaidOut) -> Iterator[Finding]:
    """Every contradiction in how one target's modules lie."""
    parts = target.releases.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\\" in target.releases:
        yield Finding((*place, "releases"), "must be a folder in the root, such as .slipway-releases, named relative to it")
        return
    area = (target.area if isinstance(target, PlacedTarget) else None) or DEFAULT_AREA
    if f"{target.releases}/".startswith(f"{area.strip('/')}/"):
        yield Finding((*place, "releases"), f"lies in {area}, which only Slipway may read; visitors must reach the releases")
    if target.layout == "ordered" and target.versioned_modules != type(target.versioned_modules)():
        yield Finding((*place, "versioned_modules"), 'is for layout = "versioned"')
