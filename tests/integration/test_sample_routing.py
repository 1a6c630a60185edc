"""The sample configuration of the four environments: which module goes where. Its servers are folders here, its CMS too."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import DirectorySource, LocalTarget, Settings, load
from database import State
from packageslip import View, ViewKind
from support.bench import Bench

SAMPLE = Path(__file__).parents[2] / "deploy" / "ocw.toml"
VIEWS = (View("rss.xml", ViewKind.FEED), View("index.json", ViewKind.JSON))

COURSE = "/courses/physics/8-01"
DOWNLOAD, MIRROR, DSPACE = "download", "mirror-staging", "dspace-staging"
PAGE, FEED, LIST = "index.htm", "rss.xml", "index.json"

ROUTES: dict[tuple[str, str | None, bool], tuple[set[str], set[str]]] = {
    (COURSE, "course", True): ({DOWNLOAD, MIRROR, DSPACE}, {"mirror", "zips", "dspace"}),
    ("/courses/physics/8-02", "course", False): ({DOWNLOAD, MIRROR, DSPACE}, {"mirror", "dspace"}),
    ("/resources/calculus", "supplemental-resource", True): ({DOWNLOAD, MIRROR, DSPACE}, {"mirror", "zips", "dspace"}),
    ("/terms", "global-module", False): ({DOWNLOAD, MIRROR, DSPACE}, {"mirror"}),
    ("/terms/privacy", "global-module", False): ({DOWNLOAD, MIRROR, DSPACE}, {"mirror"}),
    ("/termsheet", "global-module", False): ({MIRROR}, {"mirror"}),
    ("/courses/physics", "department", False): ({MIRROR}, {"mirror"}),
    ("/about", "global-module", True): ({MIRROR}, {"mirror"}),
    ("/high-school/biology", "hfh-course", True): ({MIRROR}, {"mirror"}),
    ("/high-school", "hfh-module", False): ({MIRROR}, {"mirror"}),
    ("/images", None, False): ({MIRROR}, {"mirror"}),
}
"""(URL, type, whether a zip is required) -> the holding areas of STAGING, and those of PRODUCTION."""


@pytest.fixture
def sample(tmp_path: Path) -> Settings:
    """The sample, with a folder for each target, and one for the CMS."""
    settings = load(SAMPLE, {})
    targets = {name: LocalTarget(kind="local", root=str(tmp_path / "targets" / name)) for name in settings.targets}
    for target in targets.values():
        Path(target.root).mkdir(parents=True)
    (tmp_path / "site").mkdir()
    (tmp_path / "state").mkdir()
    sources = {"cms": DirectorySource(kind="directory", path=tmp_path / "site")}
    queue = settings.queue.model_copy(update={"url": None, "password": None})
    return settings.model_copy(update={"targets": targets, "sources": sources, "queue": queue, "state_dir": tmp_path / "state"})


@pytest.fixture
def bench(sample: Settings, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, sample)
    yield made
    made.close()


def put(bench: Bench, url: str, module_type: str | None, zip_required: bool) -> None:
    more: dict[str, Any] = {"module_type": module_type, "title": url}
    slip = bench.write(url, {PAGE: f"<html><body>{url}</body></html>", FEED: "<rss/>", LIST: "{}"}, **more)
    resources = tuple(each for each in slip.resources if each.path == PAGE)
    bench.put_slip(replace(slip, resources=resources, views=VIEWS, zip_required=zip_required, modified=1_700_000_000))


def areas(bench: Bench, url: str, environment: str) -> set[str]:
    """The holding areas that hold the module now; every task of it must have succeeded."""
    bench.insert(url, environment)
    assert {view.task.state for view in bench.run(environment)} == {State.SUCCEEDED}
    record = bench.workshop(environment).record
    names = {area.target for area in bench.settings.environments[environment].holding_areas}
    return {name for name in names if record.current(name, url)}


def held(bench: Bench, target: str, url: str) -> set[str]:
    folder = bench.target(target) / url.strip("/")
    return {path.name for path in folder.iterdir() if path.is_file()} - {"packageslip.xml"}


@pytest.mark.parametrize("module", ROUTES)
def test_each_kind_of_module_goes_to_its_areas_and_nowhere_else(bench: Bench, module: tuple[str, str | None, bool]) -> None:
    put(bench, *module)
    assert (areas(bench, module[0], "STAGING"), areas(bench, module[0], "PRODUCTION")) == ROUTES[module]


def test_a_course_lies_in_each_place_in_the_form_that_is_wanted_there(bench: Bench) -> None:
    put(bench, COURSE, "course", zip_required=True)
    areas(bench, COURSE, "STAGING")
    areas(bench, COURSE, "PRODUCTION")
    assert {name: held(bench, name, COURSE) for name in bench.settings.targets if (bench.target(name) / COURSE[1:]).exists()} == {
        "staging": {PAGE, FEED, LIST},
        "download": {"8-01.zip"},
        "mirror-staging": {PAGE, FEED, LIST},
        "dspace-staging": {PAGE},
        "production": {PAGE, LIST},
        "mirror": {PAGE, LIST},
        "zips": {"8-01.zip"},
        "dspace": {PAGE},
    }


def test_feeds_go_live_for_modules_that_are_not_courses(bench: Bench) -> None:
    put(bench, "/courses/physics", "department", zip_required=False)
    areas(bench, "/courses/physics", "STAGING")
    areas(bench, "/courses/physics", "PRODUCTION")
    assert held(bench, "production", "/courses/physics") == held(bench, "mirror", "/courses/physics") == {PAGE, FEED, LIST}


def test_the_environments_work_in_the_documented_order(sample: Settings) -> None:
    environments = sample.environments
    assert list(environments) == ["STAGING", "PRODUCTION", "MIRROR", "DSPACE"]
    assert {name: (one.source, one.origin, one.default_action, one.code) for name, one in environments.items()} == {
        "STAGING": ("cms", "staging", "PUBLISH", None),
        "PRODUCTION": ("target:staging", "production", "PUBLISH", None),
        "MIRROR": ("target:production", "rsync", "SNAPSHOT", None),
        "DSPACE": ("target:dspace", "retired", "RETIRE", 3),
    }
    assert sample.republish.passes == (
        ("course", "supplemental-resource"),
        ("global-module",),
        ("department",),
        ("hfh-module", "hfh-course"),
    )
    assert environments["PRODUCTION"].republish_states == ("published_in_production",)
    assert environments["STAGING"].republish_states == ("staged", "submitted_for_fqa", "published_in_production")
