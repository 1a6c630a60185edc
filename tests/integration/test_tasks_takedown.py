"""TAKEDOWN through the real queue and real targets: gone everywhere, looked at, and not coming back."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from database import Action, NewTask, Record, State, TaskView
from engines.workshop import Targets
from support.bench import Bench, settings_of
from targets import Target, TargetUnreachable

A, B = "/courses/a", "/courses/a/labs"
FILES = {"index.htm": "one", "notes.pdf": "notes"}


@pytest.fixture
def live(bench: Bench) -> Bench:
    """A module on the origin, in the holding area and in production; another one below it."""
    for url in (A, B):
        bench.write(url, FILES, module_type="course", title=url, linked_departments=("8",))
        bench.well(url)
        bench.well(url, "PRODUCTION")
    assert bench.live("area")
    return bench


def take_down(bench: Bench, url: str = A, *, run: bool = True, **parameters: Any) -> TaskView:
    task = bench.desk.insert(
        NewTask(url, "PRODUCTION", Action.TAKEDOWN, parameters=parameters, requested_by="ana", note="a complaint")
    )
    if run:
        work(bench)
    return bench.desk.show(task)


def work(bench: Bench) -> None:
    """Engines of every environment, and whoever polls."""
    for environment in bench.settings.environments:
        bench.run(environment)
    bench.intake.settle_takedowns()


def own(bench: Bench, target: str, url: str = A) -> list[str]:
    """The module's files on a target, less those of the one below it."""
    folder = bench.target(target) / url.strip("/")
    return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.exists() else []


def nowhere(bench: Bench, url: str = A) -> bool:
    record = Record(bench.database)
    return not any(own(bench, name, url) or record.current(name, url) for name in ("origin", "area", "production"))


def test_it_is_gone_everywhere_and_what_lies_below_stays(live: Bench) -> None:
    view = take_down(live)
    assert view.task.state is State.SUCCEEDED, view.task.reason
    assert view.task.reason == "Gone from all 3 targets: area, origin, production."
    assert nowhere(live)
    for target in ("origin", "area", "production"):
        assert own(live, target, B) == ["index.htm", "notes.pdf", "packageslip.xml"]
    [child] = [child for child in view.children if child.target == "origin"]
    assert child.reason == "gone from origin: 2 files dropped; looked at 2 paths, nothing is left"


def test_with_below_everything_under_it_goes_too(live: Bench) -> None:
    view = take_down(live, below=True)
    assert view.task.state is State.SUCCEEDED, view.task.reason
    assert nowhere(live)
    assert nowhere(live, B)


def test_pages_that_show_it_are_published_again(live: Bench) -> None:
    live.write("/courses/physics", {"index.htm": "all"})
    [child] = [child for child in take_down(live).children if child.target == "origin"]
    [dependent] = live.desk.show(child.id).children
    assert (dependent.action, dependent.url, dependent.state) == ("PUBLISH", "/courses/physics", "SUCCEEDED")


def test_a_target_that_left_no_record_is_looked_at_itself(live: Bench) -> None:
    live.database.change(lambda connection: connection.exec_driver_sql("DELETE FROM publication"))
    assert take_down(live).task.state is State.SUCCEEDED
    assert nowhere(live)


def test_nothing_brings_it_back_until_it_is_lifted(live: Bench) -> None:
    take_down(live)
    for action in ("PUBLISH", "ROLLBACK"):
        assert live.do(A, action=action).task.state is State.REJECTED
    assert live.do(A, "PRODUCTION").task.state is State.REJECTED
    republish = live.well("/", action="REPUBLISH")
    live.run()
    states = {child.url: str(child.state) for child in live.desk.show(republish.task.id).children}
    assert states == {A: "CANCELLED", B: "SUCCEEDED"}
    assert live.do(A, action="VERIFY", repair=True).task.state is State.SUCCEEDED
    assert nowhere(live)
    lift = take_down(live, lift=True)
    assert (lift.task.state, Record(live.database).takedowns()) == (State.SUCCEEDED, [])
    live.well(A)
    live.well(A, "PRODUCTION")
    assert own(live, "origin") == own(live, "production") == ["index.htm", "notes.pdf", "packageslip.xml"]


def test_what_was_removed_comes_back_by_a_rollback_after_the_lift(live: Bench) -> None:
    take_down(live)
    take_down(live, lift=True)
    shutil.rmtree(live.site("/"))
    live.well(A, "PRODUCTION", "ROLLBACK")
    assert own(live, "production") == ["index.htm", "notes.pdf", "packageslip.xml"]


@pytest.mark.parametrize("point", ["loading", "staging"])
def test_a_publish_that_is_about_to_switch_does_not(live: Bench, point: str) -> None:
    live.write(A, {"index.htm": "two", "new.htm": "new"})
    roots = []

    def reached(at: str) -> None:
        if at == point:
            live.reached = lambda _: None
            roots.append(take_down(live, run=False).task.id)
            live.intake.accept(live.settings)

    live.reached = reached
    publish = live.insert(A)
    finish_whatever(live)
    assert live.desk.show(publish).task.state is State.CANCELLED
    work(live)
    assert live.desk.show(roots[0]).task.state is State.SUCCEEDED
    assert nowhere(live)


def test_a_publish_that_has_its_note_on_the_target_is_finished_and_taken_away(live: Bench) -> None:
    live.write(A, {"index.htm": "two", "new.htm": "new"})
    roots = []

    def reached(at: str) -> None:
        if at == "prepared":
            live.reached = lambda _: None
            roots.append(take_down(live, run=True).task.id)

    live.reached = reached
    publish = live.insert(A)
    finish_whatever(live)
    # The takedown ran in between, under a later fence: the publish failed at its first rename.
    assert live.desk.show(publish).task.state is State.CANCELLED
    work(live)
    assert live.desk.show(roots[0]).task.state is State.SUCCEEDED
    assert nowhere(live)


def finish_whatever(bench: Bench, environment: str = "STAGING") -> None:
    """As an engine does: what it reports of tasks that are not its own any more is left out."""
    workshop = bench.workshop(environment)
    targets = Targets(workshop.open_target)
    for task in bench.claim(environment):
        workshop.claims.start(workshop.engine, [task])
        if result := workshop.carry_out(task, targets):
            workshop.claims.finish(workshop.engine, [result])
    targets.close()


def test_an_unlifted_takedown_stops_a_dry_run_too(live: Bench) -> None:
    take_down(live)
    assert live.do(A, dry_run=True).task.state is State.REJECTED


def test_twice_and_once_more_when_nothing_is_there(live: Bench) -> None:
    for _ in range(2):
        assert take_down(live).task.state is State.SUCCEEDED
    [child] = [child for child in take_down(live).children if child.target == "origin"]
    assert child.reason == "was not on origin; looked at 0 paths, nothing is left"


def test_a_file_that_stays_is_named_and_fails_it(live: Bench) -> None:
    # Somebody emptied our area: the record knows what lies there, the target has no slip of it any more.
    for module in (live.target("production") / ".slipway").glob("modules-*/modules/*"):
        shutil.rmtree(module)
    view = take_down(live)
    assert view.task.state is State.FAILED
    assert "courses/a/index.htm, courses/a/notes.pdf still lies on production" in str(view.task.reason)
    assert own(live, "production") == ["index.htm", "notes.pdf", "packageslip.xml"]


def test_an_engine_that_dies_in_the_middle_is_followed_by_one_that_ends_it(live: Bench) -> None:
    for point in ("prepared", "switched", "finishing"):

        def reached(at: str, point: str = point) -> None:
            if at == point:
                live.reached = lambda _: None
                raise KeyboardInterrupt

        live.reached = reached
        root = take_down(live, run=False).task.id
        with pytest.raises(KeyboardInterrupt):
            work(live)
        for workshop in live.workshops.values():
            workshop.leases.bury(workshop.engine.start)
        live.anew()
        work(live)
        assert live.desk.show(root).task.state is State.SUCCEEDED, live.desk.show(root).task.reason
        assert nowhere(live)
        take_down(live, lift=True)
        live.well(A)
        live.well(A, "PRODUCTION")


@pytest.fixture
def down(tmp_path: Path) -> Iterator[tuple[Bench, set[str]]]:
    """An installation, and the names of its targets that do not answer now."""
    away: set[str] = set()

    class Flaky:
        def __init__(self, name: str, target: Target) -> None:
            self._name, self._target = name, target

        def __getattr__(self, attribute: str) -> Any:
            if self._name in away and attribute not in {"name", "close"}:
                raise TargetUnreachable(f"{self._name}: no answer", target=self._name)
            return getattr(self._target, attribute)

    table = settings_of(tmp_path).model_dump(mode="json", exclude_unset=True)
    table["targets"]["web2"] = {"kind": "local", "root": str(tmp_path / "targets" / "web2")}
    table["targets"]["web1"] = {"kind": "local", "root": str(tmp_path / "targets" / "web1")}
    table["targets"]["both"] = {"kind": "group", "members": ["web1", "web2"], "quorum": 1}
    table["environments"]["PRODUCTION"]["origin"] = "both"
    for name in ("web1", "web2"):
        (tmp_path / "targets" / name).mkdir(parents=True)
    made = Bench(tmp_path, type(settings_of(tmp_path)).model_validate(table), wrap=Flaky)
    for environment in ("STAGING", "PRODUCTION"):
        made.write(A, FILES, module_type="course")
        made.well(A, environment)
    yield made, away
    made.close()


def test_a_target_that_is_down_keeps_it_open_until_it_has_confirmed(down: tuple[Bench, set[str]]) -> None:
    bench, away = down
    away.add("area")
    view = take_down(bench)
    assert view.task.state is State.READY
    assert "2 of 3 targets have confirmed that it is gone. Not yet: area (area: no answer" in str(view.task.reason)
    assert own(bench, "area")
    away.clear()
    bench.database.change(lambda c: c.exec_driver_sql("UPDATE publication_task_queue SET run_after = created_at"))
    work(bench)
    assert bench.desk.show(view.task.id).task.state is State.SUCCEEDED
    assert not own(bench, "area")


def test_a_group_confirms_only_when_each_member_has(down: tuple[Bench, set[str]]) -> None:
    bench, away = down
    bench.wrap = lambda name, target: target
    assert own(bench, "web1") == own(bench, "web2") == ["index.htm", "notes.pdf", "packageslip.xml"]
    shutil.move(bench.target("web2"), bench.root / "away")
    view = take_down(bench)
    assert view.task.state is State.READY
    assert "both (both: web2 did not answer" in str(view.task.reason)
    assert not own(bench, "web1")
    shutil.move(bench.root / "away", bench.target("web2"))
    bench.database.change(lambda c: c.exec_driver_sql("UPDATE publication_task_queue SET run_after = created_at"))
    work(bench)
    assert bench.desk.show(view.task.id).task.state is State.SUCCEEDED
    assert not own(bench, "web2")
    assert not away


@pytest.mark.parametrize("unpublished", [False, True])
def test_kept_releases_and_files_in_their_grace_go_too(tmp_path: Path, unpublished: bool) -> None:
    table = settings_of(tmp_path).model_dump(mode="json", exclude_unset=True)
    table["targets"]["origin"]["delete_grace"] = 3600
    table["targets"]["production"]["layout"] = "versioned"
    bench = Bench(tmp_path, type(settings_of(tmp_path)).model_validate(table))
    for text in ("one", "two"):
        bench.write(A, {"index.htm": f"canary {text}", f"{text}.htm": f"canary page {text}"})
        bench.well(A)
        bench.well(A, "PRODUCTION")
    assert len(canaries(bench, "origin")) > 2
    assert len(canaries(bench, "production")) > 2
    if unpublished:
        bench.well(A, "PRODUCTION", "UNPUBLISH")
    view = take_down(bench)
    assert view.task.state is State.SUCCEEDED, view.task.reason
    assert canaries(bench, "origin") == canaries(bench, "production") == []
    bench.close()


def canaries(bench: Bench, target: str) -> list[Path]:
    """Files anywhere on the target, our own area included, that have a byte of the module."""
    files = (path for path in bench.target(target).rglob("*") if path.is_file())
    return [path for path in files if b"canary" in path.read_bytes()]
