"""Deliveries of packages: built once, recognised again, made anew when anything that they depend on changes."""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from archives import check_package
from config import HoldingAreaSettings
from database import State, TaskView
from engines.workshop import Targets
from packageslip import Kind, Packageslip, View, ViewKind
from support.bench import Bench, settings_of
from support.engine_process import Engines
from support.s3_server import PREFIX, S3Server
from support.sshd import Sshd
from targets import Target, TargetUnreachable

A, ASSETS = "/courses/a", "/assets"
PAGE = '<html><head><link href="/assets/site.css" rel="stylesheet"></head><body><a href="notes.pdf">notes</a></body></html>'


def settings_with(root: Path, areas: list[dict[str, Any]], **packages: Any) -> Any:
    settings = settings_of(root)
    staging = {"source": "cms", "origin": "origin", "holding_areas": areas}
    more = {"environments": {"STAGING": staging}, "packages": packages}
    return settings.model_validate(settings.model_dump(exclude_unset=True) | more)


AREA = {"target": "area", "form": "download", "modules": {"types": ["course"]}}


def packing_bench(root: Path, **packages: Any) -> Bench:
    root.mkdir(exist_ok=True)
    made = Bench(root, settings_with(root, [AREA], **{"site": "https://www.example.edu", "shared": [ASSETS], **packages}))
    made.put_slip(at_one_time(made.write(ASSETS, {"site.css": "body { margin: 0 }"}, module_type="assets")))
    made.well(ASSETS)
    return made


@pytest.fixture
def packing(tmp_path: Path) -> Iterator[Bench]:
    """Courses go to `area` as a download package; their pages share the assets of another module."""
    made = packing_bench(tmp_path)
    yield made
    made.close()


def at_one_time(slip: Packageslip) -> Packageslip:
    """The slip as it would be on any day: files have the time of the test's run otherwise."""
    return replace(slip, resources=tuple(replace(each, modified=1_700_000_000) for each in slip.resources))


def course(bench: Bench, notes: str = "notes", **more: Any) -> Packageslip:
    slip = bench.write(A, {"index.htm": PAGE, "notes.pdf": notes}, module_type="course", **{"title": "A course"} | more)
    pages = tuple(replace(each, kind=Kind.PAGE) if each.path == "index.htm" else each for each in slip.resources)
    return bench.put_slip(at_one_time(replace(slip, resources=pages, module_short_id="a-2026", modified=1_700_000_000)))


def settle(bench: Bench, **packages: Any) -> None:
    """Give the bench other settings of packages; its engines are new ones."""
    options = bench.settings.packages.model_copy(update=packages)
    bench.settings = bench.settings.model_copy(update={"packages": options})
    bench.anew()


def package(bench: Bench) -> Path:
    [path] = bench.target("area").joinpath("courses/a").glob("*.zip")
    return path


def names(bench: Bench) -> list[str]:
    with zipfile.ZipFile(package(bench)) as opened:
        return opened.namelist()


def last(bench: Bench) -> TaskView:
    """The last delivery."""
    [delivery] = bench.desk.find(action="DELIVER", limit=1)
    return bench.desk.show(delivery.id)


def built(bench: Bench) -> bool:
    """Whether the last delivery had to build."""
    return "package" in last(bench).attempts[-1].summary


def ask_for_delivery(bench: Bench, parameters: str) -> TaskView:
    """One more delivery, as no person can ask for it."""
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO publication_task_queue (url, environment, action, target, parent, parameters) VALUES (?, ?, ?, ?, 1, ?)",
            (A, "STAGING", "DELIVER", "area", parameters),
        )
    bench.run()
    return last(bench)


def forget(bench: Bench) -> None:
    """Empty the content store."""
    for blob in (bench.root / "state/store").rglob("*"):
        if blob.is_file():
            blob.unlink()


def test_an_area_gets_one_package_of_the_module_and_a_slip_that_says_what_it_is(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    assert packing.live("area").keys() == {"courses/a/a-2026.zip"}
    assert zipfile.is_zipfile(package(packing))
    record = packing.workshop("STAGING").record
    slip, live = record.slip("area", A), record.current("origin", A)
    assert slip
    assert live
    assert live.version
    assert (slip.revision or "").split("-")[0] == live.version.hex()
    assert (slip.title, slip.module_type, slip.module_short_id, slip.modified) == ("A course", "course", "a-2026", 1_700_000_000)


def test_the_package_holds_what_its_pages_share(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    assert any(name.endswith("site.css") and "common" in name for name in names(packing))


def test_the_same_version_is_neither_asked_for_nor_built_again(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    assert built(packing)
    assert not packing.well(A).children
    ask_for_delivery(packing, "{}")
    assert not built(packing)
    assert last(packing).task.reason == "live on area: nothing had to move, 1 files are as they should be"


def test_a_view_that_is_made_anew_builds_no_package(packing: Bench) -> None:
    slip = course(packing)
    (packing.site(A) / "rss.xml").write_text("<rss/>")
    packing.put_slip(replace(slip, views=(View("rss.xml", ViewKind.FEED),)))
    packing.well(A)
    (packing.site(A) / "rss.xml").write_text("<rss>new</rss>")
    packing.well(A)
    assert not built(packing)


def new_template(bench: Bench) -> None:
    (bench.root / "texts").mkdir()
    (bench.root / "texts/ReadMe.txt").write_text("Other words.")
    settle(bench, texts=bench.root / "texts")


def other_words(bench: Bench) -> None:
    (bench.root / "texts/ReadMe.txt").write_text("Still other words.")


def new_asset(bench: Bench) -> None:
    bench.write(ASSETS, {"site.css": "body { margin: 1em }"}, module_type="assets")
    bench.well(ASSETS)


CHANGES: dict[str, Callable[[Bench], object]] = {
    "the files": lambda bench: course(bench, notes="other notes"),
    "the title": lambda bench: course(bench, title="Another course"),
    "a template": new_template,
    "a setting": lambda bench: settle(bench, site="https://other.example.edu"),
    "a shared asset": new_asset,
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_package_is_made_anew_when_it_depends_on_what_changed(packing: Bench, what: str) -> None:
    course(packing)
    packing.well(A)
    CHANGES[what](packing)
    assert [child.action for child in packing.well(A).children] == ["DELIVER"]
    assert built(packing)
    assert not packing.well(A).children


def test_the_words_of_a_template_count_and_not_its_name(packing: Bench) -> None:
    new_template(packing)
    course(packing)
    packing.well(A)
    other_words(packing)
    packing.well(A)
    with zipfile.ZipFile(package(packing)) as opened:
        [readme] = [name for name in opened.namelist() if name.endswith("ReadMe.txt")]
        assert opened.read(readme).decode().startswith("Still other words.")


def test_a_full_delivery_makes_the_same_bytes_again(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    before = package(packing).read_bytes()
    view = ask_for_delivery(packing, '{"mode": "full"}')
    assert built(packing)
    assert view.attempts[-1].summary["put"] == 1
    assert package(packing).read_bytes() == before


def test_a_dry_delivery_builds_nothing(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    view = ask_for_delivery(packing, '{"dry_run": true}')
    assert "dry run: 0 files to put, 0 to drop, 1 to keep" in (view.task.reason or "")
    settle(packing, site="https://other.example.edu")
    view = ask_for_delivery(packing, '{"dry_run": true}')
    assert "dry run: 1 files to put, 0 to drop, 0 to keep" in (view.task.reason or "")
    assert not built(packing)


def test_the_bytes_come_from_the_origin_when_the_store_has_lost_them(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    before = package(packing).read_bytes()
    forget(packing)
    for path in packing.root.joinpath("site").rglob("*.*"):
        path.unlink()
    ask_for_delivery(packing, '{"mode": "full"}')
    assert package(packing).read_bytes() == before


def test_shared_assets_that_are_nowhere_fail_the_delivery_with_a_sentence(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    forget(packing)
    (packing.target("origin") / "assets/site.css").unlink()
    view = ask_for_delivery(packing, '{"mode": "full"}')
    assert view.task.state is State.FAILED
    assert "1 files of /assets, which packages share, are neither in the content store nor on origin" in (view.task.reason or "")


class Away:
    """A target that cannot be read at present."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def open(self, url: str, path: str) -> BinaryIO:
        raise TargetUnreachable(f"{self._target.name}: no answer for {url} {path}", target=self._target.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


@pytest.mark.parametrize("shared", [(), (ASSETS,)])
def test_an_origin_that_does_not_answer_is_waited_for(packing: Bench, shared: tuple[str, ...]) -> None:
    course(packing)
    packing.well(A)
    before = package(packing).read_bytes()
    settle(packing, shared=shared)
    forget(packing)
    for path in packing.root.joinpath("site").rglob("*.*"):
        path.unlink()
    packing.wrap = lambda name, target: Away(target) if name == "origin" else target
    view = ask_for_delivery(packing, '{"mode": "full"}')
    assert (view.task.state, view.task.attempts) == (State.READY, 0)
    assert "loses no attempt" in (view.task.reason or "")
    assert package(packing).read_bytes() == before


def test_a_shared_module_that_is_not_published_is_named_and_left_out(tmp_path: Path) -> None:
    bench = packing_bench(tmp_path, shared=[ASSETS, "/nowhere"])
    course(bench)
    bench.well(A)
    assert last(bench).attempts[-1].summary["shared_missing"] == ["/nowhere"]
    bench.close()


def test_a_package_has_the_name_that_the_area_gives_it(packing: Bench) -> None:
    rename(packing, "packages/$form-$name.zip")
    course(packing)
    packing.well(A)
    assert packing.live("area").keys() == {"courses/a/packages/download-a-2026.zip"}
    rename(packing, "$name.zip")
    packing.well(A)
    assert packing.live("area").keys() == {"courses/a/a-2026.zip"}


def test_a_name_that_cannot_be_filled_in_fails_the_delivery_with_a_sentence(packing: Bench) -> None:
    rename(packing, "$course.zip")
    course(packing)
    packing.well(A)
    view = last(packing)
    assert view.task.state is State.FAILED
    assert "the holding area area calls its files '$course.zip', which cannot be filled in" in (view.task.reason or "")
    assert "once that is mended, insert the task again" in (view.task.reason or "")


def rename(bench: Bench, file: str) -> None:
    area = HoldingAreaSettings.model_validate({**AREA, "file": file})
    staging = bench.settings.environments["STAGING"].model_copy(update={"holding_areas": (area,)})
    bench.settings = bench.settings.model_copy(update={"environments": {"STAGING": staging}})
    bench.anew()


def test_templates_that_cannot_be_read_do_not_keep_the_page_off_the_site(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    settle(packing, texts=packing.root / "none")
    assert [child.action for child in packing.well(A).children] == ["DELIVER"]


def test_unpublishing_takes_the_package_away(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    packing.well(A, action="UNPUBLISH")
    assert not packing.live("area")


@pytest.mark.parametrize("form", ["imscp", "mets", "saf", "bagit"])
def test_archive_forms_are_delivered_like_any_other(packing: Bench, form: str) -> None:
    area = HoldingAreaSettings.model_validate({**AREA, "form": form})
    staging = packing.settings.environments["STAGING"].model_copy(update={"holding_areas": (area,)})
    packing.settings = packing.settings.model_copy(update={"environments": {"STAGING": staging}})
    course(packing)
    packing.well(A)
    assert not [finding for finding in check_package(package(packing)) if finding.outcome == "failure"]


def test_a_package_goes_over_ssh_as_well(tmp_path: Path, sshd: Sshd) -> None:
    bench = packing_bench(tmp_path)
    targets = bench.settings.targets | {"area": sshd.settings()}
    bench.settings = bench.settings.model_copy(update={"targets": targets})
    bench.anew()
    course(bench)
    bench.well(A)
    [there] = sshd.accounts[0].root.rglob("a-2026.zip")
    assert zipfile.is_zipfile(there)
    bench.well(A, action="UNPUBLISH")
    assert not there.exists()
    bench.close()


def test_a_package_goes_to_a_bucket_as_well(tmp_path: Path, s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    bench = packing_bench(tmp_path)
    (tmp_path / "secret").write_text("tester")
    place = bucket.settings(secret_key={"file": str(tmp_path / "secret")})
    bench.settings = bench.settings.model_copy(update={"targets": bench.settings.targets | {"area": place}})
    bench.anew()
    course(bench)
    bench.well(A)
    view = last(bench)
    assert view.task.state is State.SUCCEEDED, view.task.reason
    body = bucket.client.get_object(Bucket=bucket.name, Key=f"{PREFIX}/courses/a/a-2026.zip")["Body"].read()
    assert zipfile.is_zipfile(BytesIO(body))
    bench.close()


def test_an_engine_that_dies_over_a_package_leaves_nothing_and_the_next_makes_the_same_bytes(
    tmp_path: Path, engines_of: Callable[[Bench], Engines]
) -> None:
    one, other = packing_bench(tmp_path / "one"), packing_bench(tmp_path / "other")
    engines = engines_of(one)
    for bench in (one, other):
        course(bench)
    other.well(A)
    one.insert(A)
    deliver_alone(one)
    engines.kill_at("packaged")
    assert not list((tmp_path / "one/state/store/incoming").iterdir())
    assert not list(one.target("area").rglob("*.zip"))
    engines.run()
    assert package(one).read_bytes() == package(other).read_bytes()
    one.close()
    other.close()


def deliver_alone(bench: Bench) -> None:
    """Publish, and leave the delivery to another engine."""
    workshop = bench.workshop("STAGING")
    tasks = bench.claim("STAGING")
    workshop.claims.start(workshop.engine, tasks)
    results = [workshop.carry_out(task, Targets(workshop.open_target)) for task in tasks]
    assert not workshop.claims.finish(workshop.engine, [result for result in results if result])
