"""SITEMAP, ZIPLIST, REDIRECTS, EXPORT, PURGE on a bench with real targets."""

import json
import os
import shutil
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from database import State, TaskView
from packageslip import Resource
from support.bench import Bench, settings_of
from support.http_cms import Cms
from tasks import urlsets

SITE = "https://ocw.example.edu"
PHYSICS, MATHS = "/courses/physics/8-01", "/courses/mathematics/18-06"
SITEMAPS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def bench_with(tmp_path: Path, **staging: Any) -> Bench:
    """A bench whose STAGING is like this. `url`: where its source of views is."""
    views = staging.pop("url", "http://127.0.0.1:9")
    settings = settings_of(tmp_path)
    for name in ("exports", "downloads"):
        (tmp_path / "targets" / name).mkdir()
    table = settings.model_dump(exclude_unset=True)
    table["targets"] |= {name: {"kind": "local", "root": str(tmp_path / "targets" / name)} for name in ("exports", "downloads")}
    (tmp_path / "key").touch()
    dead = {"kind": "sftp", "host": "127.0.0.1", "port": 9, "user": "x", "root": "/", "key": str(tmp_path / "key")}
    table["targets"]["dead"] = dead | {"host_key": "ssh-ed25519 AAAA"}
    table["environments"]["STAGING"] |= {"site": SITE, **staging}
    table["sources"] |= {"views": {"kind": "http", "url": views, "retries": 0}}
    return Bench(tmp_path, type(settings).model_validate(table))


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[Bench]:
    made = bench_with(tmp_path)
    yield made
    made.close()


def publish(bench: Bench, url: str, files: dict[str, str] | None = None, **metadata: Any) -> None:
    bench.write(url, files or {"index.htm": url}, **({"module_type": "course"} | metadata))
    bench.well(url)


def pages_on_disk(bench: Bench) -> set[str]:
    """What the public can see of pages, by walking the folder."""
    root = bench.target("origin")
    found = {file.relative_to(root).as_posix() for file in root.rglob("*.htm") if ".slipway" not in file.parts}
    return {f"{SITE}/{path.removesuffix('index.htm')}" for path in found}


def locations(bench: Bench, path: str = "sitemap.xml") -> list[str]:
    """What a search engine reads in a sitemap, unquoted."""
    root = ET.parse(bench.target("origin") / path).getroot()
    return [unquote(each.text or "") for each in root.iter(f"{SITEMAPS}loc")]


def test_a_sitemap_lists_every_page_on_the_disk_once(lists: Bench) -> None:
    publish(lists, PHYSICS, {"index.htm": "a", "week 1/index.htm": "b", "week 1/q&a é.htm": "c", "l.pdf": "d"})
    publish(lists, "/about", {"index.htm": "about"}, module_type="page")
    lists.well("/sitemap.xml", action="SITEMAP")
    assert sorted(locations(lists)) == sorted(pages_on_disk(lists))
    text = (lists.target("origin") / "sitemap.xml").read_text()
    assert f"{SITE}{PHYSICS}/week%201/q&amp;a%20%C3%A9.htm</loc><lastmod>20" in text
    again = lists.well("/sitemap.xml", action="SITEMAP")
    assert "nothing had to move" in (again.task.reason or "")
    lists.well("/about", action="UNPUBLISH")
    publish(lists, MATHS)
    lists.well("/courses.xml", action="SITEMAP", types=["page"])
    lists.well("/sitemap.xml", action="SITEMAP")
    assert (locations(lists, "courses.xml"), sorted(locations(lists))) == ([], sorted(pages_on_disk(lists)))


def test_a_large_sitemap_has_parts_which_are_live_before_their_index(lists: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urlsets, "MOST_URLS", 2)
    for number in range(5):
        publish(lists, f"/courses/c{number}")
    lists.insert("/sitemap.xml", action="SITEMAP")
    done = lists.run()
    assert [view.task.url for view in done] == ["/sitemap.xml", *(f"/sitemap-{n}.xml" for n in (1, 2, 3)), "/sitemap.xml"]
    assert locations(lists) == [f"{SITE}/sitemap-{n}.xml" for n in (1, 2, 3)]
    parts = [location for n in (1, 2, 3) for location in locations(lists, f"sitemap-{n}.xml")]
    assert sorted(parts) == sorted(pages_on_disk(lists))
    rehearsed = lists.well("/sitemap.xml", action="SITEMAP", dry_run=True)
    assert rehearsed.task.reason == "dry run: 5 pages in 3 parts and an index"
    lists.insert("/sitemap.xml", action="SITEMAP")
    assert [view.task.url for view in lists.run()] == ["/sitemap.xml"] * 2, "parts that did not change get no task"
    for number in (3, 4):
        lists.well(f"/courses/c{number}", action="UNPUBLISH")
    lists.well("/sitemap.xml", action="SITEMAP")
    assert locations(lists) == [f"{SITE}/sitemap-{n}.xml" for n in (1, 2)]
    assert not (lists.target("origin") / "sitemap-3.xml").exists()
    monkeypatch.undo()
    lists.well("/sitemap.xml", action="SITEMAP")
    assert sorted(locations(lists)) == sorted(pages_on_disk(lists))
    assert not list(lists.target("origin").glob("sitemap-*.xml"))


def test_a_part_that_is_too_large_in_bytes_ends_earlier(lists: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urlsets, "MOST_BYTES", 300)
    for number in range(3):
        publish(lists, f"/courses/c{number}")
    lists.well("/sitemap.xml", action="SITEMAP")
    parts = sorted(lists.target("origin").glob("sitemap-*.xml"))
    assert len(parts) == 3
    assert all(part.stat().st_size <= 300 for part in parts)


def test_an_index_waits_for_a_person_where_a_part_is_missing(lists: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urlsets, "MOST_URLS", 1)
    for number in range(2):
        publish(lists, f"/courses/c{number}")
    (lists.target("origin") / "sitemap-2.xml").mkdir()
    lists.insert("/sitemap.xml", action="SITEMAP")
    *_, part, index = lists.run()
    assert (part.task.state, index.task.state) == (State.FAILED, State.FAILED)
    assert "/sitemap-2.xml is not live" in (index.task.reason or "")
    assert not (lists.target("origin") / "sitemap.xml").exists()
    for blob in (lists.root / "state/store").rglob("*"):
        blob.unlink() if blob.is_file() else None
    retried = lists.desk.retry(index.task.id)
    lists.run()
    assert "does not have what was made" in (lists.desk.show(retried).task.reason or "")


def test_whole_urls_need_a_site(bench: Bench) -> None:
    assert "give [environments.STAGING] site" in (bench.do("/sitemap.xml", action="SITEMAP").task.reason or "")
    for action in ("SITEMAP", "ZIPLIST", "REDIRECTS", "LINKCHECK"):
        assert bench.do("/", action=action).task.state is State.FAILED


def test_the_list_of_packages_is_what_find_finds(tmp_path: Path) -> None:
    area = {"target": "downloads", "form": "download", "modules": {"types": ["course"]}}
    lists = bench_with(tmp_path, holding_areas=[area])
    for url in (PHYSICS, MATHS):
        publish(lists, url, module_short_id=f"{url.rpartition('/')[2]}-fall-2020")
    publish(lists, "/about", module_type="page")
    lists.run()
    lists.well("/zips.txt", action="ZIPLIST", base=f"{SITE}/zips/")
    root = lists.target("downloads")
    zips = {file.relative_to(root).as_posix() for file in root.rglob("*.zip") if ".slipway" not in file.parts}
    assert len(zips) == 2
    assert (lists.target("origin") / "zips.txt").read_text() == "".join(f"{SITE}/zips/{path}\n" for path in sorted(zips))
    lists.well("/none.txt", action="ZIPLIST", target="exports")
    assert (lists.target("origin") / "none.txt").read_bytes() == b""
    assert "there is no target 'nowhere'" in (lists.do("/x.txt", action="ZIPLIST", target="nowhere").task.reason or "")
    lists.close()


def test_a_list_of_packages_needs_an_area(lists: Bench) -> None:
    assert "has no holding area" in (lists.do("/zips.txt", action="ZIPLIST").task.reason or "")


def test_what_moved_and_what_is_gone_is_in_the_map(lists: Bench) -> None:
    for url, uid in (("/courses/old", "1"), ("/courses/gone", "2"), ("/courses/gone/inner", "3"), ("/courses/back", "4")):
        publish(lists, url, uid=uid)
    for url in ("/courses/old", "/courses/gone", "/courses/back"):
        lists.well(url, action="UNPUBLISH")
    publish(lists, "/courses/new", uid="1")
    publish(lists, "/courses/back", uid="4")
    view = lists.well("/redirects.map", action="REDIRECTS")
    assert (view.attempts[-1].summary["moved"], view.attempts[-1].summary["gone"]) == (1, 1)
    text = (lists.target("origin") / "redirects.map").read_text()
    assert '"~^/courses/old(/|$)" "/courses/new/";' in text
    assert '"~^/courses/gone(/|$)" 1;' in text
    assert '"~^/courses/gone/inner(/|$)" "";' in text
    assert "back" not in text
    again = lists.well("/redirects.map", action="REDIRECTS")
    assert "nothing had to move" in (again.task.reason or "")


def test_a_site_below_another_redirects_within_itself(tmp_path: Path) -> None:
    lists = bench_with(tmp_path, site=f"{SITE}/ocw")
    publish(lists, "/old", uid="1")
    lists.well("/old", action="UNPUBLISH")
    publish(lists, "/new", uid="1")
    lists.well("/redirects.map", action="REDIRECTS")
    assert '"~^/ocw/old(/|$)" "/ocw/new/";' in (lists.target("origin") / "redirects.map").read_text()
    lists.close()


@pytest.fixture
def exporting(tmp_path: Path, cms: Callable[..., Cms]) -> Iterator[tuple[Bench, Cms]]:
    (tmp_path / "views").mkdir()
    server = cms(tmp_path / "views")
    made = bench_with(tmp_path, url=server.url, views="views", exports={"target": "exports"})
    yield made, server
    made.close()


def serve_export(server: Cms, url: str, text: str) -> None:
    file = server.folder / f"{url.strip('/')}/export.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def exports(bench: Bench) -> dict[str, str]:
    root = bench.target("exports")
    return {f"/{file.parent.relative_to(root)}": file.read_text() for file in root.rglob("export.json")}


def children(view: TaskView) -> list[tuple[str, str, str]]:
    return sorted((child.action, child.url, child.state.value) for child in view.children)


def test_every_course_is_exported_once_for_each_publication(exporting: tuple[Bench, Cms]) -> None:
    bench, server = exporting
    for url in (PHYSICS, MATHS):
        publish(bench, url)
        serve_export(server, url, json.dumps({"url": url}))
    publish(bench, "/about", module_type="page")
    first = bench.well("/", action="EXPORT", all=True)
    assert children(first) == [("EXPORT", url, "SUCCEEDED") for url in sorted((PHYSICS, MATHS))]
    assert exports(bench) == {url: json.dumps({"url": url}) for url in (PHYSICS, MATHS)}
    assert bench.well("/", action="EXPORT", all=True).task.reason == "0 modules have their task"
    publish(bench, MATHS, {"index.htm": "changed"})
    serve_export(server, MATHS, "[2]")
    assert children(bench.well("/", action="EXPORT", all=True)) == [("EXPORT", MATHS, "SUCCEEDED")]
    assert exports(bench)[MATHS] == "[2]"
    assert len(children(bench.well("/", action="EXPORT", all=True, mode="full"))) == 2
    bench.well(MATHS, action="UNPUBLISH")
    assert children(bench.well("/", action="EXPORT", all=True)) == [("UNPUBLISH", MATHS, "SUCCEEDED")]
    assert list(exports(bench)) == [PHYSICS]
    bench.well(PHYSICS, action="UNPUBLISH")
    bench.well(PHYSICS, action="EXPORT")
    assert exports(bench) == {}


def test_an_export_that_is_no_json_fails_and_the_old_one_stays(exporting: tuple[Bench, Cms]) -> None:
    bench, server = exporting
    publish(bench, PHYSICS)
    serve_export(server, PHYSICS, "[1]")
    bench.well(PHYSICS, action="EXPORT")
    serve_export(server, PHYSICS, "[1")
    assert "not well-formed JSON" in (bench.do(PHYSICS, action="EXPORT").task.reason or "")
    assert exports(bench) == {PHYSICS: "[1]"}
    publish(bench, "/about", module_type="page")
    assert "is none of the modules" in (bench.do("/about", action="EXPORT").task.reason or "")


def test_exports_wait_together_for_a_cms_that_is_down(exporting: tuple[Bench, Cms]) -> None:
    bench, server = exporting
    for url in (PHYSICS, MATHS):
        publish(bench, url)
    server.stop()
    bench.well("/", action="EXPORT", all=True)
    waiting = [task for task in bench.desk.find(states=[State.READY]) if task.action == "EXPORT"]
    assert [task.attempts for task in waiting] == [0, 0]
    assert [breaker.name for breaker in bench.desk.breakers() if breaker.open] == ["source:views"]


def test_an_export_is_delivered_to_no_holding_area(tmp_path: Path, cms: Callable[..., Cms]) -> None:
    (tmp_path / "views").mkdir()
    server = cms(tmp_path / "views")
    area = {"target": "area", "modules": {"urls": ["/courses"]}}
    bench = bench_with(tmp_path, url=server.url, views="views", exports={"target": "exports"}, holding_areas=[area])
    publish(bench, PHYSICS)
    serve_export(server, PHYSICS, "[1]")
    assert not bench.well(PHYSICS, action="EXPORT").children
    bench.close()


def test_a_purge_clears_rows_trash_and_store_and_counts_them(lists: Bench) -> None:
    publish(lists, PHYSICS, {"index.htm": "one"})
    publish(lists, PHYSICS, {"index.htm": "two"})
    with lists.database._change.begin() as connection:
        connection.exec_driver_sql("UPDATE publication_task_queue SET finished_at = '2020-01-01 00:00:00'")
        connection.exec_driver_sql("DELETE FROM publication WHERE until IS NOT NULL")
    old = time.time() - 3 * 86_400
    blobs = [file for file in (lists.root / "state/store").rglob("*") if file.is_file()]
    for blob in blobs:
        os.utime(blob, (old, old))
    dry = lists.well("/", action="PURGE", store=True, dry_run=True)
    assert "rows of tasks that ended more than 90 days ago would go" in (dry.task.reason or "")
    assert "files of the store" in (dry.task.reason or "")
    view = lists.well("/", action="PURGE", store=True, days=30)
    assert view.task.reason == "4 rows and 0 abandoned things deleted, 1 files (3 bytes) of the store"
    assert len([file for file in blobs if file.exists()]) == len(blobs) - 1
    assert lists.well("/", action="PURGE").task.reason == "0 rows and 0 abandoned things deleted"


def test_a_target_that_does_not_answer_is_left_out_of_a_purge(tmp_path: Path) -> None:
    lists = bench_with(tmp_path, holding_areas=[{"target": "dead"}], exports={"target": "exports"})
    view = lists.well("/", action="PURGE")
    assert (view.task.reason or "").startswith("0 rows and 0 abandoned things deleted; dead was left out (")
    lists.close()


def test_republishing_a_target_leaves_out_what_tasks_made(lists: Bench) -> None:
    publish(lists, PHYSICS)
    lists.well("/sitemap.xml", action="SITEMAP")
    root = lists.well("/", action="REPUBLISH", **{"from": "target"})
    assert [child.url for child in root.children] == [PHYSICS]
    promoted = lists.do("/", "PRODUCTION", action="REPUBLISH")
    assert [child.url for child in lists.desk.show(promoted.task.id).children] == [PHYSICS]


def test_a_generated_file_that_nobody_has_any_more_can_be_made_again_and_put_back(lists: Bench) -> None:
    lists.well("/sitemap.xml", action="SITEMAP")
    file = lists.target("origin") / "sitemap.xml"
    made = file.read_bytes()
    file.unlink()
    shutil.rmtree(lists.root / "state" / "store")
    lost = lists.do("/sitemap.xml", action="VERIFY", repair=True).task
    assert (lost.state, "let the task that made it make it again" in (lost.reason or "")) == (State.FAILED, True)
    lists.well("/sitemap.xml", action="SITEMAP")
    lists.well("/sitemap.xml", action="VERIFY", repair=True)
    assert file.read_bytes() == made


def test_a_generated_file_is_delivered_like_any_module(tmp_path: Path) -> None:
    areas = [{"target": "area", "modules": {"urls": ["/sitemap.xml"]}}, {"target": "downloads", "form": "download"}]
    lists = bench_with(tmp_path, holding_areas=areas)
    publish(lists, PHYSICS)
    lists.well("/sitemap.xml", action="SITEMAP")
    assert (lists.target("area") / "sitemap.xml").read_bytes() == (lists.target("origin") / "sitemap.xml").read_bytes()
    assert not (lists.target("downloads") / "sitemap.xml").exists(), "nobody wants a package of it"
    lists.well("/sitemap.xml", action="VERIFY")
    (lists.target("origin") / "sitemap.xml").write_text("damaged")
    assert lists.do("/sitemap.xml", action="VERIFY").task.state is State.FAILED
    lists.well("/sitemap.xml", action="VERIFY", repair=True)
    assert locations(lists)
    lists.close()


def test_two_modules_of_the_same_uid_and_one_whose_slip_is_lost_are_no_trouble(lists: Bench) -> None:
    publish(lists, PHYSICS, uid="1")
    publish(lists, "/x.htm", {"index.htm": "x"})
    publish(lists, "/nameless")
    lists.well("/nameless", action="UNPUBLISH")
    lists.well("/x.htm", action="UNPUBLISH")
    with lists.database._change.begin() as connection:
        connection.exec_driver_sql("DELETE FROM document WHERE digest IN (SELECT document FROM publication WHERE url = '/x.htm')")
        connection.exec_driver_sql(
            f"DELETE FROM document WHERE digest IN (SELECT document FROM publication WHERE url = '{PHYSICS}')"
        )
    lists.well("/redirects.map", action="REDIRECTS")
    assert "/nameless(/|$)" in (lists.target("origin") / "redirects.map").read_text()
    lists.well("/sitemap.xml", action="SITEMAP")
    assert locations(lists) == []


def test_a_dry_run_of_any_task_changes_nothing(exporting: tuple[Bench, Cms]) -> None:
    bench, server = exporting
    publish(bench, PHYSICS)
    bench.run()
    serve_export(server, PHYSICS, "[1]")
    before = [bench.live(name) for name in ("origin", "exports")]
    rows = [("/sitemap.xml", "SITEMAP"), ("/redirects.map", "REDIRECTS"), ("/l.json", "LINKCHECK"), (PHYSICS, "EXPORT")]
    for url, action in [*rows, ("/zips.txt", "ZIPLIST")]:
        more = {"target": "area"} if action == "ZIPLIST" else {}
        view = bench.well(url, action=action, dry_run=True, **more)
        assert "dry run: 1 files to put" in (view.task.reason or "")
        assert not view.children
    everything = bench.well("/", action="EXPORT", all=True, dry_run=True)
    assert (everything.task.reason, everything.children) == ("dry run: 1 modules would get their task", ())
    assert [bench.live(name) for name in ("origin", "exports")] == before
    bench.well(PHYSICS, action="EXPORT")
    bench.well(PHYSICS, action="UNPUBLISH")
    gone = bench.well(PHYSICS, action="EXPORT", dry_run=True)
    assert "dry run: 0 files to put, 1 to drop" in (gone.task.reason or "")
    assert exports(bench) == {PHYSICS: "[1]"}


def test_an_environment_without_exports_says_so(lists: Bench) -> None:
    assert lists.do("/", action="EXPORT").task.state is State.REJECTED


def test_a_slip_without_times_gives_no_lastmod(lists: Bench) -> None:
    slip = lists.write("/about", {"index.htm": "about"})
    lists.put_slip(replace(slip, resources=tuple(replace(each, modified=None) for each in slip.resources)))
    lists.put_slip(replace(slip, resources=(Resource("index.htm", slip.resources[0].kind, "text/html"),)))
    lists.well("/about")
    lists.well("/sitemap.xml", action="SITEMAP")
    assert locations(lists) == [f"{SITE}/about/"]
