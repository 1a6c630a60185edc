"""Deliveries of packages: built once, recognised again, made anew when anything that they depend on changes."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from packageslip import Kind, Packageslip
from support.bench import Bench, settings_of

A, ASSETS = "/courses/a", "/assets"
PAGE = '<html><head><link href="/assets/site.css" rel="stylesheet"></head><body><a href="notes.pdf">notes</a></body></html>'


def settings_with(root: Path, areas: list[dict[str, Any]], **packages: Any) -> Any:
    settings = settings_of(root)
    staging = {"source": "cms", "origin": "origin", "holding_areas": areas}
    more = {"environments": {"STAGING": staging}, "packages": packages}
    return settings.model_validate(settings.model_dump(exclude_unset=True) | more)


@pytest.fixture
def packing(tmp_path: Path) -> Iterator[Bench]:
    """Courses go to `area` as a download package; their pages share the assets of another module."""
    area = {"target": "area", "form": "download", "modules": {"types": ["course"]}}
    made = Bench(tmp_path, settings_with(tmp_path, [area], site="https://www.example.edu", shared=[ASSETS]))
    made.write(ASSETS, {"site.css": "body { margin: 0 }"}, module_type="assets")
    made.well(ASSETS)
    yield made
    made.close()


def course(bench: Bench, notes: str = "notes", **more: Any) -> Packageslip:
    slip = bench.write(A, {"index.htm": PAGE, "notes.pdf": notes}, module_type="course", title="A course", **more)
    pages = tuple(replace(each, kind=Kind.PAGE) if each.path == "index.htm" else each for each in slip.resources)
    return bench.put_slip(replace(slip, resources=pages, module_short_id="a-2026", modified=1_700_000_000))


def package(bench: Bench) -> Path:
    [path] = bench.target("area").joinpath("courses/a").glob("*.zip")
    return path


def built(bench: Bench) -> bool:
    """Whether the last delivery had to build."""
    [delivery] = bench.desk.find(action="DELIVER", limit=1)
    return "package" in bench.desk.show(delivery.id).attempts[-1].summary


def test_an_area_gets_one_package_of_the_module_and_a_slip_that_says_what_it_is(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    assert packing.live("area").keys() == {"courses/a/a-2026.zip"}
    assert zipfile.is_zipfile(package(packing))
    slip = packing.workshop("STAGING").record.slip("area", A)
    live = packing.workshop("STAGING").record.current("origin", A)
    assert slip
    assert live
    assert live.version
    assert (slip.revision or "").split("-")[0] == live.version.hex()
    assert (slip.title, slip.module_type, slip.module_short_id, slip.modified) == ("A course", "course", "a-2026", 1_700_000_000)


def test_the_package_holds_what_its_pages_share(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    with zipfile.ZipFile(package(packing)) as opened:
        assert any(name.endswith("site.css") and "common" in name for name in opened.namelist())


def test_the_same_version_is_neither_asked_for_nor_built_again(packing: Bench) -> None:
    course(packing)
    packing.well(A)
    assert not packing.well(A).children
