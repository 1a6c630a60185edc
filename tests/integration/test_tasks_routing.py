"""What of a module goes where: feeds, views, and holding areas that take some modules only."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from database import TaskView
from packageslip import Packageslip, View, ViewKind
from support.bench import Bench, settings_of

A, LIST = "/courses/a", "/list"


def bench_with(root: Path, **more: Any) -> Bench:
    settings = settings_of(root)
    return Bench(root, settings.model_validate(settings.model_dump(exclude_unset=True) | more))


def routed(root: Path, areas: list[dict[str, Any]], **production: Any) -> Bench:
    """STAGING with these holding areas, PRODUCTION with these settings."""
    staging = {"source": "cms", "origin": "origin", "holding_areas": areas}
    promoting = {"source": "target:origin", "origin": "production", "views": "cms", **production}
    return bench_with(root, environments={"STAGING": staging, "PRODUCTION": promoting})


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Bench]:
    """No holding area; PRODUCTION publishes the feeds of everything but courses."""
    made = routed(tmp_path, [], feeds={"except_types": ["course"]})
    yield made
    made.close()


@pytest.fixture
def zipped(tmp_path: Path) -> Iterator[Bench]:
    """One area, for courses that require a zip."""
    made = routed(tmp_path, [{"target": "area", "modules": {"types": ["course"], "zip_required": True}}])
    yield made
    made.close()


@pytest.fixture
def bare_tree(tmp_path: Path) -> Iterator[Bench]:
    """One area, that gets modules without their views."""
    made = routed(tmp_path, [{"target": "area", "views": False}])
    yield made
    made.close()


@pytest.fixture
def mirroring(tmp_path: Path) -> Iterator[Bench]:
    """One area, that gets what may be mirrored."""
    made = routed(tmp_path, [{"target": "area", "only": "mirror"}])
    yield made
    made.close()


def with_views(bench: Bench, url: str, module_type: str, page: str | None = "one", **more: Any) -> Packageslip:
    """A module with a feed and a JSON view, and perhaps with a page."""
    files = {"rss.xml": "<rss/>", "index.json": "{}"} | ({"index.htm": page} if page else {})
    slip = bench.write(url, files, module_type=module_type)
    resources = tuple(each for each in slip.resources if each.path == "index.htm")
    views = (View("rss.xml", ViewKind.FEED), View("index.json", ViewKind.JSON))
    return bench.put_slip(replace(slip, resources=resources, views=views, **more))


def children(view: TaskView) -> list[tuple[str, str | None]]:
    return [(child.action, child.target) for child in view.children]


def test_feeds_of_modules_that_are_not_selected_stay_behind(plain: Bench) -> None:
    with_views(plain, A, "course")
    with_views(plain, LIST, "global")
    for url in (A, LIST):
        plain.well(url)
        plain.well(url, "PRODUCTION")
    assert plain.live("production").keys() == {
        "list/index.htm",
        "list/index.json",
        "list/rss.xml",
        "courses/a/index.htm",
        "courses/a/index.json",
    }
    assert "courses/a/rss.xml" in plain.live("origin")


def test_a_module_of_views_alone_is_published_in_every_environment(plain: Bench) -> None:
    with_views(plain, LIST, "global", page=None)
    for environment, target in (("STAGING", "origin"), ("PRODUCTION", "production")):
        plain.well(LIST, environment)
        assert plain.live(target).keys() == {"list/index.json", "list/rss.xml"}
    (plain.site(LIST) / "rss.xml").write_text("<rss>new</rss>")
    plain.well(LIST)
    plain.well(LIST, "PRODUCTION")
    assert plain.live("production") == plain.live("origin")


def test_an_area_without_views_gets_the_resources_alone(bare_tree: Bench) -> None:
    with_views(bare_tree, A, "course")
    assert children(bare_tree.well(A)) == [("DELIVER", "area")]
    assert bare_tree.live("area").keys() == {"courses/a/index.htm"}
    assert not bare_tree.well(A).children


def test_what_a_slip_keeps_out_of_mirrors_stays_out_of_an_area_for_them(mirroring: Bench) -> None:
    slip = mirroring.write(A, {"index.htm": "one", "lecture.mp4": "video"}, module_type="course")
    kept = tuple(replace(each, mirror=each.path != "lecture.mp4") for each in slip.resources)
    mirroring.put_slip(replace(slip, resources=kept, views=()))
    mirroring.well(A)
    assert mirroring.live("area").keys() == {"courses/a/index.htm"}
    assert not mirroring.well(A).children
    mirroring.put_slip(slip)
    assert children(mirroring.well(A)) == [("DELIVER", "area")]
    assert mirroring.live("area").keys() == {"courses/a/index.htm", "courses/a/lecture.mp4"}


def test_a_module_of_views_alone_is_not_delivered_to_an_area_without_views(bare_tree: Bench) -> None:
    with_views(bare_tree, LIST, "global", page=None)
    assert not bare_tree.well(LIST).children


def test_only_modules_that_require_a_zip_go_to_an_area_for_them(zipped: Bench) -> None:
    with_views(zipped, A, "course")
    assert not zipped.well(A).children
    with_views(zipped, A, "course", zip_required=True)
    assert children(zipped.well(A)) == [("DELIVER", "area")]


def test_a_module_that_requires_no_zip_any_more_leaves_the_area(zipped: Bench) -> None:
    with_views(zipped, A, "course", zip_required=True)
    zipped.well(A)
    assert zipped.live("area")
    with_views(zipped, A, "course")
    assert children(zipped.well(A)) == [("UNPUBLISH", "area")]
    assert not zipped.live("area")
    assert zipped.live("origin")
