"""ZIPLIST: the packages that wait in a holding area, one URL on each line."""

from tasks.addresses import path_of, quoted
from tasks.errors import NotAsked
from tasks.generate import publish_file
from tasks.listing import live_slips
from tasks.work import Done, Work


def ziplist(work: Work) -> Done:
    """List every zip of every module that is live on the area, sorted. Raises NotAsked."""
    area = _area(work)
    base = (work.parameter("base") or work.tools.environment.site or "").rstrip("/")
    with work.step("load"):
        paths = {path_of(slip.url, file.path) for slip in live_slips(work, area) for file in slip.files()}
    zips = sorted(base + quoted(path) for path in paths if path.lower().endswith(".zip"))
    work.summary["zips"] = len(zips)
    return publish_file(work, "".join(f"{each}\n" for each in zips).encode(), "zip-list", "List of packages")


def _area(work: Work) -> str:
    """The target that the row names, or the environment's first area of packages for download."""
    named = work.parameter("target")
    if named:
        if named not in work.tools.settings.targets:
            raise NotAsked(f"there is no target {named!r}; there are: {', '.join(sorted(work.tools.settings.targets))}")
        return str(named)
    for area in work.tools.environment.holding_areas:
        if area.form == "download":
            return area.target
    raise NotAsked(f'{work.task.environment} has no holding area of form = "download"; name one: {{"target": "..."}}')
