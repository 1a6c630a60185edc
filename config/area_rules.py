"""What must be true of a holding area: a package's name that can be filled in, and no setting of another form."""

from collections.abc import Iterator
from string import Template

from config.settings import HoldingAreaSettings
from config.validate import Finding, Location


def area_findings(place: Location, area: HoldingAreaSettings) -> Iterator[Finding]:
    """Every contradiction in one holding area's table."""
    if area.form == "tree":
        return
    if not _is_path(area.file):
        yield Finding((*place, "file"), "must be a path inside the module's folder, made of letters, $name and $form")
    if area.only is not None:
        yield Finding((*place, "only"), 'is for form = "tree"; what goes into a package is said in [packages]')


def _is_path(file: str) -> bool:
    try:
        path = Template(file).substitute(name="name", form="form")
    except (KeyError, ValueError):
        return False
    return all(part not in {"", ".", ".."} for part in path.split("/")) and path != "packageslip.xml"
