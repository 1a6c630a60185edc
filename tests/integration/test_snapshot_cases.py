"""What a snapshot does when something is not as it should be."""

import errno
import json
import os
import shutil
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from database import State
from packageslip import CatalogueEntry
from sources import SourceChanged
from support.engine_process import until
from support.expected_mirror import PNG
from support.mirrored_site import MirroredSite, StartSite, externals
from support.outside_server import Outside
from targets import Target
from tasks.snapshot_wishes import Wishes, below


def report(made: MirroredSite) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made.workspace / "report.json").read_text())
    return found


def missing(made: MirroredSite) -> dict[str, str]:
    return {each["item"].removeprefix(made.outside.url): each["why"] for each in report(made)["missing"]["listed"]}


def test_the_report_says_what_is_missing_and_broken(mirrored_site: MirroredSite) -> None:
    view = mirrored_site.bench.well("/", "MIRROR")
    found = report(mirrored_site)
    assert found["modules"] == 6
    assert found["files"] == len(mirrored_site.expected)
    assert found["bytes"] == sum(len(content) for content, _ in mirrored_site.expected.values())
    assert found["kinds"]["page"]["files"] == 16
    assert found["unreferenced"] == 1
    assert found["broken_links"]["after"] == 0
    broken = {(each["page"], each["link"]) for each in found["broken_links"]["listed"]}
    assert ("courses/physics/8-01/based.htm", "nothing.pdf") in broken
    assert ("styles/main.css", "/images/none.png") in broken
    assert not [link for _, link in broken if link in {"big.zip", "/private/"}], "what is only left out was not broken"
    assert set(missing(mirrored_site)) == {"/download/8.01/gone.mp4", "/yt/gone.mp4", "/cultures/", "no URL at all"}
    sentence = "38 files of 6 modules, 4 items missing, 0 links lead nowhere"
    assert sentence in (view.task.reason or "")
    summary = view.attempts[-1].summary["mirror"]
    assert summary["missing"] == 4
    assert summary["broken_links"] == {"before": len(broken), "after": 0}


def test_the_report_can_be_a_file_of_the_mirror(start_mirrored_site: StartSite) -> None:
    made = start_mirrored_site(report="about/mirror.json")
    made.bench.well("/", "MIRROR")
    assert json.loads((made.mirror / "about/mirror.json").read_text()) == report(made)
    assert made.bench.well("/", "MIRROR").attempts[-1].summary["put"] == 0, "the same mirror has the same report"


def test_without_the_sites_url_broken_links_stay_and_are_counted(start_mirrored_site: StartSite) -> None:
    made = start_mirrored_site(site=[])
    made.bench.well("/", "MIRROR")
    assert b'href="nothing.pdf"' not in (made.mirror / "courses/physics/8-01/based.htm").read_bytes()
    assert b"url(/images/none.png)" in (made.mirror / "styles/main.css").read_bytes()
    assert report(made)["broken_links"]["after"] > 0


def test_a_mirror_can_lie_below_the_top(start_mirrored_site: StartSite) -> None:
    made = start_mirrored_site(url="/mirrors/ocw")
    assert made.bench.do("/", "MIRROR").task.state is State.FAILED
    made.bench.well("/mirrors/ocw", "MIRROR")
    found = {path.relative_to(made.mirror / "mirrors/ocw").as_posix() for path in made.mirror.rglob("*") if path.is_file()}
    assert found == set(made.expected)


def test_what_another_module_of_the_target_owns_is_left_to_it(mirrored_site: MirroredSite) -> None:
    bench = mirrored_site.bench
    settings = bench.settings.environments
    extra = settings["PUBLISHING"].model_copy(update={"origin": "mirror"})
    bench.settings = bench.settings.model_copy(update={"environments": {**settings, "EXTRA": extra}})
    bench.well("/scripts", "EXTRA")
    bench.well("/", "MIRROR")
    assert "owns it" in missing(mirrored_site)["scripts/main.js"]
    assert (mirrored_site.mirror / "scripts/main.js").exists()
    assert bench.workshop("MIRROR").record.current("mirror", "/scripts")


def test_an_environment_without_settings_makes_no_mirror(mirrored_site: MirroredSite) -> None:
    view = mirrored_site.bench.do("/", "PUBLISHING", "SNAPSHOT")
    assert view.task.state is State.FAILED
    assert "makes no mirror" in (view.task.reason or "")


def test_a_mirror_of_a_cms_is_refused(mirrored_site: MirroredSite) -> None:
    bench = mirrored_site.bench
    settings = bench.settings.environments
    wrong = settings["MIRROR"].model_copy(update={"source": "cms"})
    bench.settings = bench.settings.model_copy(update={"environments": {**settings, "MIRROR": wrong}})
    view = bench.do("/", "MIRROR")
    assert "must be target:NAME" in (view.task.reason or "")


class Changing:
    """A published target on which a module is published again each time that its slip was read."""

    def __init__(self, target: Target, times: int, change: Any) -> None:
        self._target, self._times, self._change = target, times, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def slip(self, url: str) -> Any:
        found = self._target.slip(url)
        if url == "/courses/physics/8-02" and self._times:
            self._times -= 1
            self._change()
        return found


@pytest.mark.parametrize(("times", "state"), [(1, State.SUCCEEDED), (2, State.SUCCEEDED), (99, State.READY)])
def test_a_module_that_changes_while_it_is_read_is_read_again(mirrored_site: MirroredSite, times: int, state: State) -> None:
    bench, count = mirrored_site.bench, iter(range(99))

    def change() -> None:
        bench.wrap = lambda _, target: target
        mirrored_site.write("courses/physics/8-02/index.htm", f"<p>version {next(count)}".encode())
        bench.workshops.pop("PUBLISHING", None)
        mirrored_site.publish("/courses/physics/8-02")

    changing = [True]

    def wrap(name: str, target: Target) -> Target:
        if name == "production" and changing.pop():
            return Changing(target, times, change)
        return target

    bench.wrap = wrap
    view = bench.do("/", "MIRROR")
    assert view.task.state is state, view.task.reason
    if state is State.SUCCEEDED:
        live = (bench.target("production") / "courses/physics/8-02/index.htm").read_bytes()
        assert (mirrored_site.mirror / "courses/physics/8-02/index.htm").read_bytes() == live
    else:
        assert "changed" in (view.task.reason or "")
        assert view.attempts[-1].error == SourceChanged.__name__


def test_a_host_that_does_not_answer_is_given_up(start_mirrored_site: StartSite, tmp_path: Path, outside: Outside) -> None:
    dead = "http://127.0.0.1:9"
    made = start_mirrored_site(externals=[{"match": f"^{dead}/", "into": "/dead"}])
    links = "".join(f"<img src={dead}/{number}.png>" for number in range(30))
    made.write("courses/physics/8-02/index.htm", links.encode())
    made.publish("/courses/physics/8-02")
    made.bench.well("/", "MIRROR")
    why = {each["item"]: each["why"] for each in report(made)["missing"]["listed"]}
    assert len([item for item in why if item.startswith(dead)]) == 30
    assert sum(reason == f"{dead} does not answer" for reason in why.values()) >= 9, why


@pytest.mark.parametrize("limit", ["files", "bytes"])
def test_an_external_has_limits(start_mirrored_site: StartSite, tmp_path: Path, outside: Outside, limit: str) -> None:
    changed = externals(tmp_path, outside)
    changed[2] |= {limit: 1}
    made = start_mirrored_site(externals=changed)
    made.bench.well("/", "MIRROR")
    assert "more than /OcwExport/cultures may have" in missing(made)["/cultures/essay/"]
    assert not (made.mirror / "OcwExport/cultures/essay").exists()
    assert b'href="essay/"' not in (made.mirror / "OcwExport/cultures/index.html").read_bytes()


def test_a_recursive_fetch_ends_at_its_depth(start_mirrored_site: StartSite, tmp_path: Path, outside: Outside) -> None:
    for number in range(9):
        outside.files[f"/cultures/deep{number}.html"] = ("text/html", f"<a href=deep{number + 1}.html>on</a>".encode())
    outside.files["/cultures/index.html"] = ("text/html", b"<a href=deep0.html>on</a>")
    changed = externals(tmp_path, outside)
    changed[2] |= {"depth": 3}
    made = start_mirrored_site(externals=changed)
    made.bench.well("/", "MIRROR")
    assert sorted(path.name for path in (made.mirror / "OcwExport/cultures").iterdir()) == [
        "deep0.html",
        "deep1.html",
        "deep2.html",
        "index.html",
    ]


def test_a_cancelled_snapshot_does_not_wait_for_a_slow_server(mirrored_site: MirroredSite) -> None:
    bench, outside = mirrored_site.bench, mirrored_site.outside
    outside.silent.add("/applets/w.jar")
    task = bench.insert("/", "MIRROR")
    lease, store = bench.workshop("MIRROR").lease, bench.workshop("MIRROR").store
    essay = sha256(outside.files["/cultures/essay/"][1]).digest()

    def cancel_once_asked() -> None:
        until(lambda: "/applets/w.jar" in outside.asked() and store.has(essay), "one answer, and the request that has none")
        lease.cancelled = frozenset([task])

    thread = threading.Thread(target=cancel_once_asked)
    thread.start()
    bench.run("MIRROR")
    thread.join()
    assert bench.desk.show(task).task.state is State.CANCELLED
    assert not outside.go.is_set(), "the server has not answered yet"
    outside.go.set()
    lease.cancelled = frozenset()
    bench.well("/", "MIRROR")
    assert outside.asked().count("/cultures/essay/") == 1, "what was had before is known"


def test_an_external_name_that_no_target_takes_is_missing(mirrored_site: MirroredSite) -> None:
    outside = mirrored_site.outside
    outside.files["/download/CON"] = outside.files["/download/a%2F..%2Fb"] = ("text/plain", b"x")
    page = f"<a href={outside.url}/download/CON>1</a><a href={outside.url}/download/a%2F..%2Fb>2</a>"
    mirrored_site.write("courses/physics/8-02/index.htm", page.encode())
    mirrored_site.publish("/courses/physics/8-02")
    mirrored_site.bench.well("/", "MIRROR")
    assert "[N8]" in missing(mirrored_site)["/download/CON"]
    assert "[N1]" in missing(mirrored_site)["/download/a%2F..%2Fb"]


def test_names_that_differ_in_case_alone_do_not_both_go_in(mirrored_site: MirroredSite) -> None:
    outside = mirrored_site.outside
    outside.files["/download/Case.txt"] = ("text/plain", b"1")
    outside.files["/download/case.txt"] = ("text/plain", b"2")
    outside.files["/download/CASE.txt"] = ("text/plain", b"1")
    links = "".join(f"<a href={outside.url}/download/{name}.txt>x</a>" for name in ("Case", "case"))
    mirrored_site.write("courses/physics/8-02/index.htm", links.encode())
    mirrored_site.publish("/courses/physics/8-02")
    mirrored_site.bench.well("/", "MIRROR")
    names = [path.name for path in (mirrored_site.mirror / "OcwExport/InternetArchive").glob("*.txt")]
    assert len(names) == 1
    assert [item for item in missing(mirrored_site) if item.endswith(".txt")]


def test_a_link_to_what_was_left_out_leads_to_where_it_came_from(start_mirrored_site: StartSite) -> None:
    made = start_mirrored_site(rules=[])
    outside = made.outside
    outside.files["/download/Case.txt"], outside.files["/download/case.txt"] = ("text/plain", b"1"), ("text/plain", b"2")
    links = "".join(f"<a href={outside.url}/download/{name}.txt>x</a>" for name in ("Case", "case"))
    made.write("courses/physics/8-02/index.htm", links.encode())
    made.publish("/courses/physics/8-02")
    made.bench.well("/", "MIRROR")
    page = (made.mirror / "courses/physics/8-02/index.htm").read_text()
    assert page == f"<a href=../../../OcwExport/InternetArchive/Case.txt>x</a><a href={outside.url}/download/case.txt>x</a>"


def test_a_folder_or_list_that_is_not_there_is_missing(start_mirrored_site: StartSite) -> None:
    made = start_mirrored_site(externals=[{"folder": "/nowhere/at/all", "into": "/x"}, {"list": "/none.tsv", "into": "/y"}])
    made.bench.well("/", "MIRROR")
    assert {"/nowhere/at/all", "/none.tsv"} <= set(missing(made))


def test_a_list_may_say_anything(mirrored_site: MirroredSite) -> None:
    mirrored_site.write("youtube.tsv", b"http://[half\tx.mp4\nhttp://\ty.mp4\n")
    mirrored_site.publish("/")
    mirrored_site.bench.well("/", "MIRROR")
    assert {"http://[half\tx.mp4", "http://\ty.mp4"} <= set(missing(mirrored_site))


def test_of_a_folder_only_what_has_a_hidden_name_is_left_out_unsaid(mirrored_site: MirroredSite) -> None:
    tools = mirrored_site.bench.root / "tools"
    for name in (b".hidden", b".git/config", b"deep/.git/config", b"caf\xe9.txt"):
        file = tools / os.fsdecode(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    mirrored_site.bench.well("/", "MIRROR")
    there = mirrored_site.mirror / "OcwExport/tools"
    assert not [path for path in there.rglob("*") if path.name in {".hidden", ".git"}]
    assert [item for item in missing(mirrored_site) if item.startswith(f"{tools}/caf")]


def test_a_folder_that_cannot_be_read_is_missing(mirrored_site: MirroredSite, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = mirrored_site.bench.root / "tools" / "deep"
    deep.mkdir()
    (deep / "key").write_bytes(b"x")
    look = os.scandir

    def refused(place: str) -> object:
        if str(place) == str(deep):
            raise PermissionError(errno.EACCES, "Permission denied", str(deep))
        return look(place)

    monkeypatch.setattr(os, "scandir", refused)
    mirrored_site.bench.well("/", "MIRROR")
    assert "Permission denied" in missing(mirrored_site)[str(deep)]


def test_files_of_a_folder_are_read_once(mirrored_site: MirroredSite) -> None:
    tools = mirrored_site.bench.root / "tools"
    (tools / "link").symlink_to(tools / "key")
    (tools / "nul.txt").write_text("x")
    mirrored_site.bench.well("/", "MIRROR")
    assert not (mirrored_site.mirror / "OcwExport/tools/link").exists()
    assert "[N8]" in missing(mirrored_site)[str(tools / "nul.txt")]
    key = tools / "key"
    known = key.stat()
    mirrored_site.write("key", b"yek", folder="tools")
    assert (known.st_size, known.st_mtime_ns) == (key.stat().st_size, key.stat().st_mtime_ns)
    mirrored_site.bench.well("/", "MIRROR")
    assert (mirrored_site.mirror / "OcwExport/tools/key").read_bytes() == b"key"
    key.write_bytes(b"another")
    mirrored_site.bench.well("/", "MIRROR")
    assert (mirrored_site.mirror / "OcwExport/tools/key").read_bytes() == b"another"


def test_a_redirected_index_page_leads_to_what_is_below_its_new_place(mirrored_site: MirroredSite) -> None:
    wishes = Wishes(mirrored_site.bench.settings.environments["MIRROR"].snapshot.externals)  # type: ignore[union-attr]
    out = mirrored_site.outside.url
    wish = wishes.of(f"{out}/cultures/")
    assert wish
    moved = wish.redirected("https://new.example.org/vc/index.html")
    further = wishes.further(moved, "https://new.example.org/vc/tea/a.gif")
    assert further
    assert further.place == "OcwExport/cultures/tea/a.gif"
    assert further.redirected("https://x/") == further
    assert wishes.further(moved, f"{out}/cultures/old.gif") is None


def test_names_of_what_lies_elsewhere() -> None:
    assert below("/x", "a/b.pdf") == "x/a/b.pdf"
    assert below("/x/", "") == "x/index.htm"
    assert below("/", "a%20b/") == "a b/index.htm"
    assert below("/x", "get?id=7") == "x/get-f422c82d"
    assert below("/x", "a.b/get.php?id=7") == "x/a.b/get-f422c82d.php"


def test_a_module_that_goes_while_modules_are_read_is_left_out(mirrored_site: MirroredSite) -> None:
    bench = mirrored_site.bench

    class Leaving:
        """The published target, whose list has one module more than is there."""

        def __init__(self, target: Target) -> None:
            self._target = target

        def __getattr__(self, name: str) -> Any:
            return getattr(self._target, name)

        def modules(self) -> Any:
            yield from self._target.modules()
            yield CatalogueEntry("/gone")

    bench.wrap = lambda name, target: Leaving(target) if name in {"production", "zips"} else target
    bench.well("/", "MIRROR")
    assert report(mirrored_site)["modules"] == 6


def test_a_file_that_goes_while_it_is_read_is_looked_for_again(mirrored_site: MirroredSite) -> None:
    bench = mirrored_site.bench
    shutil.rmtree(bench.root / "state/store")
    page = bench.target("production") / "courses/physics/8-02/index.htm"
    aside = page.rename(page.with_name("aside"))
    view = bench.do("/", "MIRROR")
    assert view.task.state is State.READY
    assert "is not there" in (view.task.reason or "") or "changed" in (view.task.reason or "")
    aside.rename(page)
    bench.well("/", "MIRROR")


def test_the_site_comes_before_what_is_from_elsewhere(start_mirrored_site: StartSite, tmp_path: Path) -> None:
    (tmp_path / "tools/logo.png").parent.mkdir()
    (tmp_path / "tools/logo.png").write_bytes(b"another logo")
    made = start_mirrored_site(externals=[{"folder": str(tmp_path / "tools"), "into": "/images"}])
    made.bench.well("/", "MIRROR")
    assert (made.mirror / "images/logo.png").read_bytes() == PNG
    assert missing(made)[str(tmp_path / "tools/logo.png")] == "another file of the mirror lies at images/logo.png"


def test_large_files_that_the_site_keeps_elsewhere_are_fetched_and_others_are_not(
    start_mirrored_site: StartSite, outside: Outside
) -> None:
    made = start_mirrored_site(site=[outside.url], externals=[{"match": f"^{outside.url}/", "into": "/"}], rules=[])
    outside.files["/ans7870/film.avi"] = ("video/avi", b"film")
    made.write("courses/physics/8-02/index.htm", b'<a href="../../../ans7870/film.avi">film</a> <img src="/images/logo.png">')
    made.publish("/courses/physics/8-02")
    made.bench.well("/", "MIRROR")
    assert (made.mirror / "ans7870/film.avi").read_bytes() == b"film"
    assert b'<a href="../../../ans7870/film.avi">' in (made.mirror / "courses/physics/8-02/index.htm").read_bytes()
    assert "/images/logo.png" not in outside.asked()


def test_a_view_of_the_same_size_gets_another_time(mirrored_site: MirroredSite) -> None:
    mirrored_site.bench.well("/", "MIRROR")
    view = mirrored_site.mirror / "courses/physics/8-01/index.json"
    was = int(view.stat().st_mtime)
    mirrored_site.write("courses/physics/8-01/index.json", view.read_bytes().replace(b"a", b"b"))
    mirrored_site.publish("/courses/physics/8-01")
    mirrored_site.bench.well("/", "MIRROR")
    assert b'"b"' in view.read_bytes()
    assert int(view.stat().st_mtime) == was + 1
