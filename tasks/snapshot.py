"""SNAPSHOT: make a mirror of everything that is published, with what its pages point to, and publish it as one release.

It is built from what went live (slips and store), read while it may change. Each step can be killed: what it has done stays
in the store and in the workspace, and the next attempt goes on from there.
"""

import json
import time
from dataclasses import replace
from pathlib import Path

import structlog

from archives import Laid, Linker, Memo, WorkingTrees, alone
from config import SnapshotSettings
from packageslip import Kind, Limits, Packageslip, Resource, collisions, read_slip, write_slip
from tasks.areas import GENERATED
from tasks.errors import NotAsked, PlanHeld
from tasks.generate import publish_generated
from tasks.planner import Ground
from tasks.snapshot_externals import Fetching, wish_for_links
from tasks.snapshot_folders import take_folders, wish_for_lists
from tasks.snapshot_modules import take_modules, take_zips
from tasks.snapshot_pages import rewrite_pages, scan_pages
from tasks.snapshot_state import Mirror
from tasks.tools import promoted_from
from tasks.work import Done, Work

log = structlog.get_logger(__name__)

MIRROR = "mirror"
"""The module type of a mirror."""


def snapshot(work: Work) -> Done:
    """Make the mirror and publish it. One that would lose too much is held like any publish."""
    settings = _settings(work)
    folder = _workspace(work, settings)
    with alone(folder):
        work.known_takedowns = frozenset(each.id for each in work.tools.record.takedowns())
        held = folder / f"held-{work.task.id}.xml"
        slip = _approved(work, held) or _build(work, Mirror(settings, folder), time.time())
        try:
            done = publish_generated(work, slip, consent=False)
        except PlanHeld:
            held.write_bytes(write_slip(slip))
            raise
        for old in folder.glob("held-*.xml"):
            old.unlink()
        return replace(done, reason=done.reason + _sentence(work, folder))


def _sentence(work: Work, folder: Path) -> str:
    """What else a person should know at once; nothing of a mirror that was made before it was approved."""
    found = work.summary.get("mirror")
    if found is None:
        return ""
    return (
        f"; {found['files']} files of {found['modules']} modules, {found['missing']} items missing, "
        f"{found['broken_links']['after']} links lead nowhere ({folder / 'report.json'})"
    )


def _approved(work: Work, held: Path) -> Packageslip | None:
    """The very mirror that a person approved. The site has moved on since, and another one would be held again."""
    if work.task.approved_plan is None or not held.exists():
        return None
    slip = read_slip(held.read_bytes(), str(held), Limits(bytes=2**40, resources=2**31))
    # What the store has lost meanwhile is fetched and made anew with the whole mirror.
    return None if work.tools.store.missing(file.digest for file in slip.resources if file.digest) else slip


def _settings(work: Work) -> SnapshotSettings:
    task, environment = work.task, work.tools.environment
    settings = environment.snapshot
    if settings is None:
        raise NotAsked(f"environment {task.environment} makes no mirror: it has no 'snapshot' in the configuration")
    if promoted_from(environment) is None:
        raise NotAsked(f"a mirror is made of what is published: the source of {task.environment} must be target:NAME")
    if task.url != settings.url:
        raise NotAsked(f"the mirror of {task.environment} is published at {settings.url}; insert the task with that URL")
    return settings


def _workspace(work: Work, settings: SnapshotSettings) -> Path:
    folder = settings.workspace or work.tools.settings.state_dir / "snapshots"
    return folder / work.task.environment


def _build(work: Work, mirror: Mirror, now: float) -> Packageslip:
    """The slip of the whole mirror; its bytes are in the store, and its working tree is complete."""
    trees, memo = WorkingTrees(mirror.workspace / "trees"), Memo(mirror.workspace / "pages")
    trees.reap()
    linker = Linker(
        mirror.settings.rules,
        mirror.settings.site,
        mirror.files.__contains__,
        mirror.outside,
        mirror.settings.index_pages,
    )
    take_modules(work, mirror)
    take_zips(work, mirror)
    take_folders(work, mirror)
    work.tools.reached("modules read")
    _fetch(work, mirror, linker, memo, now)
    work.tools.reached("externals fetched")
    _leave_out_clashes(work, mirror)
    used = rewrite_pages(work, mirror, memo, linker)
    work.tools.reached("pages written")
    _drop_unreferenced(mirror, used)
    memo.forget_others(iter(mirror.pages))
    _report(work, mirror, now)
    if not work.dry_run:
        _lay_out(work, mirror, trees, now)
    files = tuple(mirror.files[path] for path in sorted(mirror.files))
    return Packageslip(mirror.settings.url, files, module_type=MIRROR, state=GENERATED)


def _fetch(work: Work, mirror: Mirror, linker: Linker, memo: Memo, now: float) -> None:
    fetching = Fetching(work, mirror, linker, memo, now)
    wish_for_lists(work, mirror, fetching)
    wish_for_links(scan_pages(work, mirror, memo), mirror, linker, fetching)
    fetching.run()


def _leave_out_clashes(work: Work, mirror: Mirror) -> None:
    """Names that many systems take for one, and what other modules of the mirror's target own."""
    for earlier, later in collisions(sorted(mirror.files)):
        mirror.files.pop(later, None)
        mirror.report.lacks(later, f"it cannot lie beside {earlier}: they are one name on many systems")
    ground = Ground(below=frozenset(work.tools.record.below(work.target, mirror.settings.url)))
    owned = {path: url for path in mirror.files if (url := ground.owner(mirror.settings.url, path))}
    for path, url in owned.items():
        del mirror.files[path]
        mirror.report.lacks(path, f"the module {url} of {work.target} owns it there")
    for url in [url for url, path in mirror.outside.items() if path not in mirror.files]:
        # Links to it lead to where it came from.
        del mirror.outside[url]


def _drop_unreferenced(mirror: Mirror, used: set[str]) -> None:
    endings = mirror.settings.drop_unreferenced
    dropped = [path for path in mirror.files if endings and path.lower().endswith(endings) and path not in used]
    for path in dropped:
        del mirror.files[path]
    mirror.report.unreferenced = len(dropped)


def _report(work: Work, mirror: Mirror, now: float) -> None:
    """What a person wants to know: in the task's summary, in the workspace, and if asked for in the mirror itself."""
    document = mirror.report.document(mirror.files)
    work.summary["mirror"] = document | {
        "broken_links": {key: document["broken_links"][key] for key in ("before", "after")},
        "missing": document["missing"]["count"],
    }
    content = json.dumps(document, indent=1, ensure_ascii=False).encode()
    (mirror.workspace / "report.json").write_bytes(content)
    log.info("mirror made", task=work.task.id, files=document["files"], size=document["bytes"], at=now)
    path = mirror.settings.report
    if path:
        with work.tools.store.incoming() as incoming:
            incoming.write(content)
            digest, size = incoming.commit()
        newest = max((file.modified for file in mirror.files.values() if file.modified is not None), default=None)
        mirror.files[path] = Resource(path, Kind.METADATA, "application/json", size, digest, newest)


def _lay_out(work: Work, mirror: Mirror, trees: WorkingTrees, now: float) -> None:
    """The working tree, complete or not there at all."""
    with work.step("tree", files=len(mirror.files)):
        tree = trees.build(now, (_laid(work, mirror, path, file) for path, file in mirror.files.items()))
        work.tools.reached("tree laid")
        trees.thin(mirror.settings.keep)
    work.summary["tree"] = str(tree)


def _laid(work: Work, mirror: Mirror, path: str, file: Resource) -> Laid:
    assert file.digest is not None, "every file of a mirror has a digest"
    work.tools.pause_point()
    work.tools.reached("laying")
    work.file_done(file.size or 0)
    if path in mirror.linked:
        return Laid(path, mirror.linked[path], link=True)
    return Laid(path, work.tools.store.path(file.digest))
