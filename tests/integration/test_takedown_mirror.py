"""TAKEDOWN and a mirror: the module's files are cut out, a snapshot that waits is cancelled, and the next one has none of it."""

from pathlib import Path

import pytest

from database import Action, NewTask, State
from support.mirrored_site import MirroredSite

GONE, STAYS = "courses/physics/8-02", "courses/physics/8-01"
ENVIRONMENTS = ("PUBLISHING", "ZIPS", "MIRROR")


def files(site: MirroredSite, module: str) -> list[Path]:
    return [path for path in (site.mirror / module).rglob("*") if path.is_file()]


def test_its_files_are_cut_from_the_mirror_and_no_snapshot_brings_them_back(mirrored_site: MirroredSite) -> None:
    bench = mirrored_site.bench
    bench.well("/", "MIRROR")
    kept = files(mirrored_site, STAYS)
    assert files(mirrored_site, GONE)
    root = bench.desk.insert(NewTask(f"/{GONE}", "*", Action.TAKEDOWN, requested_by="ana"))
    for environment in ENVIRONMENTS:
        bench.run(environment)
    bench.intake.settle_takedowns()
    view = bench.desk.show(root)
    assert view.task.state is State.SUCCEEDED, view.task.reason
    assert any("files cut from the mirror at /" in str(child.reason) for child in view.children)
    assert files(mirrored_site, GONE) == []
    assert files(mirrored_site, STAYS) == kept
    bench.well("/", "MIRROR")
    assert files(mirrored_site, GONE) == []
    assert bench.do(f"/{GONE}", "PUBLISHING").task.state is State.REJECTED


def test_a_mirror_that_was_held_before_it_is_never_published_as_it_was(mirrored_site: MirroredSite) -> None:
    bench = mirrored_site.bench
    bench.well("/", "MIRROR")
    for url in (f"/{STAYS}", "/images"):
        bench.well(url, "PUBLISHING", "UNPUBLISH")
    held = bench.do("/", "MIRROR")
    assert held.task.state is State.HELD
    assert held.plan
    bench.desk.insert(NewTask(f"/{GONE}", "*", Action.TAKEDOWN, requested_by="ana"))
    for environment in ENVIRONMENTS:
        bench.run(environment)
    bench.intake.settle_takedowns()
    bench.desk.insert(NewTask("/", "MIRROR", Action.APPROVE, parameters={"task": held.task.id, "plan": held.plan.digest}))
    bench.run("MIRROR")
    assert bench.desk.show(held.task.id).task.state is State.CANCELLED, bench.desk.show(held.task.id).task.reason
    assert files(mirrored_site, GONE) == []


@pytest.mark.parametrize("point", ["staging", "prepared"])
def test_a_snapshot_that_is_under_way_brings_nothing_into_the_mirror(mirrored_site: MirroredSite, point: str) -> None:
    """Before its note is on the mirror it is made anew without the module; after that it is finished and cut."""
    bench, roots, shown = mirrored_site.bench, list[int](), list[bool]()

    def reached(at: str) -> None:
        if at == "switched":
            shown.append(bool(files(mirrored_site, GONE)))
        if at == point and not roots:
            roots.append(bench.desk.insert(NewTask(f"/{GONE}", "*", Action.TAKEDOWN, requested_by="ana")))
            bench.intake.accept(bench.settings)
            for environment in ("PUBLISHING", "ZIPS"):
                bench.run(environment)

    snapshot = bench.insert("/", "MIRROR")
    bench.reached = reached
    bench.run("MIRROR")
    assert roots
    # What is on its way to visitors cannot be called back; what is not never gets there.
    assert any(shown) is (point == "prepared")
    bench.database.change(lambda c: c.exec_driver_sql("UPDATE publication_task_queue SET run_after = created_at"))
    bench.run("MIRROR")
    bench.intake.settle_takedowns()
    assert bench.desk.show(roots[0]).task.state is State.SUCCEEDED, bench.desk.show(roots[0]).task.reason
    assert bench.desk.show(snapshot).task.state is State.SUCCEEDED, bench.desk.show(snapshot).task.reason
    assert files(mirrored_site, GONE) == []
    assert files(mirrored_site, STAYS)
    bench.well("/", "MIRROR")
    assert files(mirrored_site, GONE) == []
