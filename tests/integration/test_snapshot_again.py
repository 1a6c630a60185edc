"""A second snapshot: it asks, parses, writes and moves only what has changed."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from database import Action, NewTask, State
from support.bench import Bench
from support.engine_process import Engines
from support.mirrored_site import MirroredSite, StartSite, externals
from support.outside_server import Outside
from tasks import snapshot_pages


def summary(view: Any) -> dict[str, Any]:
    found: dict[str, Any] = view.attempts[-1].summary
    return found


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Path to bytes and time."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): (path.read_bytes(), int(path.stat().st_mtime)) for path in files}


def test_one_changed_course_moves_what_changed(mirrored_site: MirroredSite) -> None:
    bench = mirrored_site.bench
    bench.well("/", "MIRROR")
    before = tree(mirrored_site.mirror)
    mirrored_site.write("courses/physics/8-02/index.htm", b"<a href='/courses/physics/8-01/'>8.01</a>, shorter")
    mirrored_site.write("courses/physics/8-02/new.pdf", b"new")
    mirrored_site.publish("/courses/physics/8-02")
    second = summary(bench.well("/", "MIRROR"))
    after = tree(mirrored_site.mirror)
    assert (second["put"], second["drop"], second["keep"]) == (2, 0, len(before) - 1)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == {"courses/physics/8-02/index.htm", "courses/physics/8-02/new.pdf"}


def test_nothing_changed_moves_nothing_and_asks_nobody(mirrored_site: MirroredSite, monkeypatch: pytest.MonkeyPatch) -> None:
    mirrored_site.bench.well("/", "MIRROR")
    mirrored_site.outside.log.clear()

    def work_again(*_: object, **__: object) -> None:
        raise AssertionError("a page that has not changed is neither read nor written again")

    monkeypatch.setattr(snapshot_pages, "scan_page", work_again)
    monkeypatch.setattr(snapshot_pages, "rewrite_page", work_again)
    second = summary(mirrored_site.bench.well("/", "MIRROR"))
    assert (second["put"], second["drop"]) == (0, 0)
    assert mirrored_site.outside.log == []


def test_a_page_is_written_again_when_what_it_links_to_comes_and_goes(mirrored_site: MirroredSite) -> None:
    bench, page = mirrored_site.bench, mirrored_site.mirror / "styles/main.css"
    bench.well("/", "MIRROR")
    assert b"url(http://ocw.example.edu/images/none.png)" in page.read_bytes()
    mirrored_site.write("images/none.png", b"now there is one")
    mirrored_site.publish("/images")
    view = summary(bench.well("/", "MIRROR"))
    assert b"url(../images/none.png)" in page.read_bytes()
    assert view["put"] == 2


def test_a_page_of_the_same_size_gets_another_time(mirrored_site: MirroredSite) -> None:
    """Partners' rsync compares sizes and times alone."""
    bench, page = mirrored_site.bench, mirrored_site.mirror / "courses/physics/8-02/index.htm"
    bench.well("/", "MIRROR")
    was = page.stat()
    content = (bench.site("/courses/physics/8-02") / "index.htm").read_bytes()
    mirrored_site.write("courses/physics/8-02/index.htm", content.replace(b"notes<", b"NOTES<"))
    mirrored_site.publish("/courses/physics/8-02")
    bench.well("/", "MIRROR")
    now = page.stat()
    assert (now.st_size, int(now.st_mtime)) == (was.st_size, int(was.st_mtime) + 1)
    again = summary(bench.well("/", "MIRROR"))
    assert again["put"] == 0
    assert int(page.stat().st_mtime) == int(was.st_mtime) + 1


@pytest.fixture
def asking_site(start_mirrored_site: StartSite, tmp_path: Path, outside: Outside) -> MirroredSite:
    """Every snapshot asks for everything elsewhere again."""
    made = start_mirrored_site(externals=externals(tmp_path, outside, recheck_days=0))
    made.bench.well("/", "MIRROR")
    outside.log.clear()
    return made


def test_items_are_asked_for_with_what_is_known_of_them(asking_site: MirroredSite) -> None:
    second = summary(asking_site.bench.well("/", "MIRROR"))
    assert {status for _, _, status in asking_site.outside.log} == {304, 404}
    assert second["put"] == second["drop"] == 0
    assert len(set(asking_site.outside.asked())) == len(asking_site.outside.asked()), "each is asked for once"


def test_an_item_that_changed_is_fetched_again(asking_site: MirroredSite) -> None:
    asking_site.outside.files["/applets/w.jar"] = ("application/java-archive", b"PK newer")
    second = summary(asking_site.bench.well("/", "MIRROR"))
    assert (asking_site.mirror / "OcwExport/applets/w.jar").read_bytes() == b"PK newer"
    assert second["put"] == 1


def test_an_item_that_cannot_be_had_stays_as_it_was_last_time(asking_site: MirroredSite) -> None:
    asking_site.outside.broken.add("/applets/w.jar")
    del asking_site.outside.files["/cultures/tea.gif"]
    second = summary(asking_site.bench.well("/", "MIRROR"))
    assert (second["put"], second["drop"]) == (0, 0)
    listed = json.loads((asking_site.workspace / "report.json").read_text())["missing"]["listed"]
    why = {each["item"].removeprefix(asking_site.outside.url): each["why"] for each in listed}
    assert "the copy of an earlier snapshot stays" in why["/applets/w.jar"]
    assert "the copy of an earlier snapshot stays" in why["/cultures/tea.gif"]
    third = summary(asking_site.bench.well("/", "MIRROR"))
    assert (third["put"], third["drop"]) == (0, 0)


def test_mode_full_asks_and_puts_everything_again(mirrored_site: MirroredSite) -> None:
    mirrored_site.bench.well("/", "MIRROR")
    mirrored_site.outside.log.clear()
    view = summary(mirrored_site.bench.well("/", "MIRROR", mode="full"))
    assert {path for _, path, _ in mirrored_site.outside.log} >= {"/applets/w.jar", "/cultures/index.html"}
    assert view["put"] == len(mirrored_site.expected)


def test_working_trees_are_hard_links_and_only_the_newest_stay(
    mirrored_site: MirroredSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    for day in range(3):
        monkeypatch.setattr(time, "time", lambda day=day: 1_400_000_000 + day * 86400.0)
        names.append(Path(summary(mirrored_site.bench.well("/", "MIRROR"))["tree"]))
    assert [path.exists() for path in names] == [False, True, True]
    assert names[2].name == "20140515T165320Z"
    wanted = {path: content for path, (content, _) in mirrored_site.expected.items()}
    assert {path: content for path, (content, _) in tree(names[2]).items()} == wanted
    assert (names[2] / "images/logo.png").samefile(names[1] / "images/logo.png"), "both are the blob of the store"
    assert (names[2] / "OcwExport/tools/key").is_symlink()
    assert sorted(path.name for path in (mirrored_site.workspace / "trees").iterdir()) == [path.name for path in names[1:]]


POINTS = ["laying", "prepared"]


@pytest.mark.parametrize("point", POINTS)
def test_a_snapshot_that_was_killed_goes_on(
    mirrored_site: MirroredSite, engines_of: Callable[[Bench], Engines], point: str
) -> None:
    bench, engines = mirrored_site.bench, engines_of(mirrored_site.bench)
    task = bench.insert("/", "MIRROR")
    engines.kill_at(point, "MIRROR")
    asked = len(mirrored_site.outside.log)
    engines.run(environment="MIRROR")
    view = bench.desk.show(task)
    assert [attempt.outcome for attempt in view.attempts] == ["LOST", "SUCCEEDED"], view.task.reason
    assert tree(mirrored_site.mirror) == mirrored_site.expected
    assert not list((mirrored_site.workspace / "trees").glob(".*")), "no half-built tree is left"
    assert len(mirrored_site.outside.log) == asked, "what was fetched before is not asked for again"


def test_a_mirror_that_would_lose_half_of_its_files_is_held_and_published_as_it_was_approved(mirrored_site: MirroredSite) -> None:
    bench = mirrored_site.bench
    bench.well("/", "MIRROR")
    before = tree(mirrored_site.mirror)
    for url in ("/courses/physics/8-01", "/images"):
        bench.well(url, "PUBLISHING", "UNPUBLISH")
    task = bench.insert("/", "MIRROR")
    bench.run("MIRROR")
    view = bench.desk.show(task)
    assert view.task.state is State.HELD
    assert "drop" in (view.task.reason or "")
    assert tree(mirrored_site.mirror) == before
    # The site moves on, and what was approved is what is published all the same.
    mirrored_site.write("index.htm", b"<p>newer")
    mirrored_site.publish("/")
    assert view.plan
    bench.desk.insert(NewTask("/", "MIRROR", Action.APPROVE, parameters={"task": task, "plan": view.plan.digest}))
    bench.run("MIRROR")
    assert bench.desk.show(task).task.state is State.SUCCEEDED, bench.desk.show(task).task.reason
    after = tree(mirrored_site.mirror)
    assert "courses/physics/8-01/index.htm" not in after
    assert after["index.htm"][0] != b"<p>newer"
    assert not list(mirrored_site.workspace.glob("held-*"))
    bench.well("/", "MIRROR")
    assert tree(mirrored_site.mirror)["index.htm"][0] == b"<p>newer"


def test_a_dry_run_after_a_snapshot_finds_nothing_to_do(asking_site: MirroredSite) -> None:
    view = asking_site.bench.well("/", "MIRROR", dry_run=True)
    assert (summary(view)["put"], summary(view)["drop"]) == (0, 0)
    assert asking_site.outside.log == []
    assert len(list((asking_site.workspace / "trees").iterdir())) == 1


def test_a_dry_run_changes_nothing_and_asks_nobody_elsewhere(mirrored_site: MirroredSite) -> None:
    view = mirrored_site.bench.well("/", "MIRROR", dry_run=True)
    assert summary(view)["put"] > 20
    assert tree(mirrored_site.mirror) == {}
    assert mirrored_site.outside.log == []
    assert not (mirrored_site.workspace / "trees").exists()


def test_blobs_that_the_store_lost_come_from_the_published_site(mirrored_site: MirroredSite) -> None:
    shutil.rmtree(mirrored_site.bench.root / "state" / "store")
    shutil.rmtree(mirrored_site.bench.root / "site" / "images")
    view = mirrored_site.bench.well("/", "MIRROR")
    assert summary(view)["fetched"] > 15
    assert tree(mirrored_site.mirror) == mirrored_site.expected
