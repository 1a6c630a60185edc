"""TAKEDOWN of a module that a mirror took its pages from."""

from pathlib import Path

from database import Action, NewTask, State, TaskView
from support.mirrored_site import MirroredSite, StartSite

URL, FOLDER = "/courses/physics/8-02", "courses/physics/8-02"


def take_down(site: MirroredSite) -> TaskView:
    task = site.bench.desk.insert(NewTask(URL, "PUBLISHING", Action.TAKEDOWN))
    for environment in site.bench.settings.environments:
        site.bench.run(environment)
    site.bench.intake.settle_takedowns()
    return site.bench.desk.show(task)


def of_module(site: MirroredSite) -> list[str]:
    return [str(path) for path in (site.mirror / FOLDER).rglob("*") if path.is_file()]


def test_its_files_are_cut_out_of_the_mirror(mirrored_site: MirroredSite) -> None:
    mirrored_site.bench.well("/", "MIRROR")
    assert of_module(mirrored_site)
    others = len(list(mirrored_site.mirror.rglob("*"))) - len(list((mirrored_site.mirror / FOLDER).rglob("*"))) - 1
    view = take_down(mirrored_site)
    assert view.task.state is State.SUCCEEDED, view.task.reason
    assert "files cut from the mirror at /" in str([child.reason for child in view.children])
    assert of_module(mirrored_site) == []
    assert len(list(mirrored_site.mirror.rglob("*"))) == others


def test_what_is_stale_in_the_mirror_is_cut_out_too(start_mirrored_site: StartSite, tmp_path: Path) -> None:
    place = {"kind": "local", "root": str(tmp_path / "targets" / "mirror"), "area": str(tmp_path / "targets" / ".area-mirror")}
    site = start_mirrored_site({**place, "public_slip": False, "delete_grace": 3600})
    site.bench.well("/", "MIRROR")
    site.bench.well(URL, "PUBLISHING", "UNPUBLISH")
    site.bench.well("/", "MIRROR")
    assert of_module(site), "they stay for visitors with an older page"
    view = take_down(site)
    assert view.task.state is State.SUCCEEDED, view.task.reason
    assert of_module(site) == []
