"""REPUBLISH in passes, and which states of the CMS's workflow it takes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from database import NewTask, State, TaskView
from packageslip import read_slip
from support.bench import Bench, settings_of
from targets import Claim, Present, Target, TargetBusy

PASSES = [["course", "supplemental-resource"], ["global-module"], ["department"], ["hfh-module", "hfh-course"]]
TYPES = [module_type for types in PASSES for module_type in types]
STAGED = ("staged", "submitted_for_fqa", "published_in_production")
STATES = (*STAGED, "in_process", "approved_for_staging", "unlocked_for_editing")
SOME = ("staged", "in_process")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Bench]:
    """A module of every type in SOME states; nothing is published yet."""
    made = site_with(tmp_path, SOME)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "mariadb"])
def whole_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A module of every type in every state; nothing is published yet."""
    url = str(request.getfixturevalue("mariadb_url")) if request.param == "mariadb" else None
    made = site_with(tmp_path, STATES, queue={"url": url, "poll": 0.05})
    yield made
    made.close()


def site_with(tmp_path: Path, states: tuple[str, ...], **more: Any) -> Bench:
    settings = settings_of(tmp_path)
    staging = {"source": "cms", "origin": "origin", "republish_states": STAGED}
    production = {
        "source": "target:origin",
        "origin": "production",
        "views": "cms",
        "republish_states": ["published_in_production"],
    }
    environments = {"STAGING": staging, "PRODUCTION": production}
    more |= {"environments": environments, "republish": {"passes": PASSES}}
    made = Bench(tmp_path, settings.model_validate(settings.model_dump(exclude_unset=True) | more))
    for module_type in TYPES:
        for state in states:
            made.write(url(module_type, state), {"index.htm": module_type}, module_type=module_type, state=state)
    return made


def url(module_type: str, state: str) -> str:
    return f"/{module_type}/{state}"


def meant(states: tuple[str, ...]) -> list[set[str]]:
    """The modules of each pass."""
    return [{url(module_type, state) for module_type in types for state in states} for types in PASSES]


def in_order(views: list[TaskView]) -> list[str]:
    return [view.task.url for view in views if view.task.action == "PUBLISH" and view.task.state is State.SUCCEEDED]


def as_passes(urls: list[str], states: tuple[str, ...]) -> list[set[str]]:
    """The modules in the order of their tasks, cut at the sizes of the passes."""
    found, start = [], 0
    for modules in meant(states):
        found.append(set(urls[start : start + len(modules)]))
        start += len(modules)
    assert start == len(urls)
    return found


def test_the_four_passes_fill_an_empty_target_one_after_the_other(whole_site: Bench) -> None:
    task = whole_site.insert("/", action="REPUBLISH", passes=True)
    views = whole_site.run()
    assert as_passes(in_order(views), STAGED) == meant(STAGED)
    assert whole_site.live("origin").keys() == {f"{module[1:]}/index.htm" for modules in meant(STAGED) for module in modules}
    rows = [view.task for view in views if view.task.action == "REPUBLISH"]
    assert [row.url for row in rows] == ["/", "/republish/pass-2", "/republish/pass-3", "/republish/pass-4"]
    assert {view.task.batch for view in views} == {task}
    assert rows[1].reason == "pass 2 of 4: 3 modules have their PUBLISH task"


def test_production_takes_what_the_cms_says_is_published(site: Bench) -> None:
    site.well("/", action="REPUBLISH", states=["*"])
    for module_type in ("course", "department"):
        # On staging it is as it was; the CMS has moved on.
        path = site.site(url(module_type, "staged")) / "packageslip.xml"
        site.put_slip(replace(read_slip(path.read_bytes(), "slip"), state="published_in_production"))
    site.insert("/", "PRODUCTION", "REPUBLISH", passes=True)
    assert in_order(site.run("PRODUCTION")) == ["/course/staged", "/department/staged"]


def test_states_that_the_row_names_go_before_the_environments(site: Bench) -> None:
    site.insert("/", action="REPUBLISH", states=["in_process"], types=["department", "course"], passes=True)
    views = site.run()
    assert in_order(views) == ["/course/in_process", "/department/in_process"]
    assert [view.task.reason for view in views if view.task.action == "REPUBLISH"] == [
        "pass 1 of 2: 1 modules have their PUBLISH task",
        "pass 2 of 2: 1 modules have their PUBLISH task",
    ]


def test_any_state_can_be_asked_for(site: Bench) -> None:
    assert "dry run: 12 modules would get a PUBLISH task" in (
        site.well("/", action="REPUBLISH", states=["*"], dry_run=True).task.reason or ""
    )


def test_what_the_target_holds_is_taken_in_every_state(site: Bench) -> None:
    site.well(url("course", "in_process"))
    view = site.well("/", action="REPUBLISH", dry_run=True, **{"from": "target"})
    assert view.attempts[-1].summary["urls"] == ["/course/in_process"]


def test_a_part_of_the_site_stays_that_part_in_every_pass(site: Bench) -> None:
    site.write("/course/deep/department", {"index.htm": "x"}, module_type="department", state="staged")
    site.insert("/course", action="REPUBLISH", passes=True)
    assert in_order(site.run()) == ["/course/staged", "/course/deep/department"]


def test_a_dry_run_counts_the_modules_of_each_pass(site: Bench) -> None:
    view = site.well("/", action="REPUBLISH", passes=True, dry_run=True)
    assert view.attempts[-1].summary["passes"] == [{"types": sorted(types), "modules": len(types)} for types in PASSES]
    assert view.task.reason == "dry run: 6 modules would get a PUBLISH task, in 4 passes of 2, 1, 1, 2"
    assert not view.children
    assert not site.live("origin")


def test_a_pass_can_be_done_again_with_all_that_follow(site: Bench) -> None:
    site.desk.insert(NewTask("/", "STAGING", "REPUBLISH", parameters={"passes": True, "pass": 3}))
    assert set(in_order(site.run())) == set.union(*meant(("staged",))[2:])


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"passes": PASSES, "pass": 5}, "there is no pass 5: there are 4"),
        ({"passes": PASSES, "types": ["unknown"]}, "no pass has any of the types unknown"),
    ],
)
def test_passes_that_do_not_exist_fail_with_a_sentence(site: Bench, parameters: dict[str, Any], sentence: str) -> None:
    view = site.do("/", action="REPUBLISH", **parameters)
    assert view.task.state is State.FAILED
    assert sentence in (view.task.reason or "")


def test_without_passes_in_the_configuration_the_row_must_list_them(bench: Bench) -> None:
    view = bench.do("/", action="REPUBLISH", passes=True)
    assert view.task.state is State.FAILED
    assert "the configuration names no passes" in (view.task.reason or "")


class Busy:
    """A target that is busy for one module, as long as it is said to be."""

    def __init__(self, target: Target, modules: set[str]) -> None:
        self._target, self._modules = target, modules

    def present(self, module: str, claim: Claim) -> Present:
        if module in self._modules:
            raise TargetBusy("busy")
        return self._target.present(module, claim)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def test_a_pass_waits_for_a_retry_of_the_one_before_but_not_for_what_failed(site: Bench) -> None:
    busy = {url("course", "staged")}
    site.wrap = lambda _, target: Busy(target, busy)
    broken = url("supplemental-resource", "staged")
    (site.site(broken) / "index.htm").write_text("other bytes than the slip says")
    site.insert("/", action="REPUBLISH", passes=True)
    first = {view.task.url: view.task.state for view in site.run()}
    assert first == {"/": State.SUCCEEDED, url("course", "staged"): State.READY, broken: State.FAILED}
    busy.clear()
    make_due(site)
    assert [view.task.url for view in site.run()][:2] == [url("course", "staged"), "/republish/pass-2"]


def make_due(bench: Bench) -> None:
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql("UPDATE publication_task_queue SET run_after='2020-01-01 00:00:00' WHERE status='READY'")


def test_a_home_page_that_is_a_dependent_does_not_stand_in_the_way_of_a_pass(site: Bench) -> None:
    path = site.site(url("course", "staged")) / "packageslip.xml"
    site.put_slip(replace(read_slip(path.read_bytes(), "slip"), dependents=("/",)))
    site.desk.insert(NewTask("/", "STAGING", "REPUBLISH", parameters={"passes": PASSES}))
    views = site.run()
    assert [view.task.action for view in views if view.task.url == "/"] == ["REPUBLISH", "PUBLISH"]
    assert "/republish/pass-4" in {view.task.url for view in views}
