"""Tasks on other targets than one folder: groups, memory; and on targets that are down, busy or newer than the queue."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from database import State
from packageslip import Packageslip, Resource
from sources import SourceUnreachable
from support.bench import Bench, settings_of
from targets import CorruptTransfer, MemoryFiles, PathBlocked, Target, TargetUnreachable

A = "/courses/a"


def grouped(tmp_path: Path, **more: Any) -> Bench:
    """A bench whose origin is a group of two."""
    places = {
        name: {"kind": "local", "root": str(tmp_path / "targets" / name)} for name in ("web1", "web2", "area", "production")
    }
    for name in places:
        (tmp_path / "targets" / name).mkdir(parents=True)
    settings = settings_of(tmp_path, targets={"origin": {"kind": "group", "members": ["web1", "web2"], **more}, **places})
    return Bench(tmp_path, settings)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Bench]:
    bench = grouped(tmp_path)
    yield bench
    bench.close()


def test_a_group_holds_the_module_on_every_member(group: Bench) -> None:
    group.write(A, {"index.htm": "one"}, module_type="course")
    group.well(A)
    assert group.live("web1") == group.live("web2") == group.live("area") == group.wanted(A)


def test_an_emptied_member_gets_everything_and_the_others_only_what_changed(group: Bench) -> None:
    group.write(A, {"index.htm": "one", "b.htm": "two"})
    group.well(A)
    for path in sorted(group.target("web2").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    group.write(A, {"index.htm": "changed", "b.htm": "two"})
    group.well(A)
    assert group.live("web1") == group.live("web2") == group.wanted(A)


def test_a_plan_of_a_group_is_approved_as_a_whole(group: Bench) -> None:
    group.write(A, {f"{n:02}.htm": str(n) for n in range(40)})
    group.well(A)
    group.write(A, {"00.htm": "0"})
    held = group.do(A)
    assert held.task.state is State.HELD
    assert held.plan is not None
    group.desk.approve(held.task.id, held.plan.digest)
    group.run()
    assert group.desk.show(held.task.id).task.state is State.SUCCEEDED
    assert group.live("web1") == group.live("web2") == group.wanted(A)


def test_a_promotion_from_a_group(group: Bench) -> None:
    group.write(A, {"index.htm": "one"})
    group.well(A)
    group.well(A, "PRODUCTION")
    assert group.live("production") == group.live("web1")


def test_unpublish_on_a_group(group: Bench) -> None:
    group.write(A, {"index.htm": "one"})
    group.well(A)
    group.well(A, action="UNPUBLISH")
    assert not group.live("web1")
    assert not group.live("web2")


def test_memory_targets_are_targets_like_others(tmp_path: Path) -> None:
    memory = {name: MemoryFiles() for name in ("origin", "area", "production")}
    settings = settings_of(tmp_path, targets={name: {"kind": "memory"} for name in memory})
    bench = Bench(tmp_path, settings, memory=memory)
    bench.write(A, {"index.htm": "one"}, module_type="course")
    bench.well(A)
    bench.well(A, "PRODUCTION")
    for name in memory:
        with bench.workshop("STAGING").open_target(name).open(A, "index.htm") as stream:
            assert stream.read() == b"one"
    bench.close()


class Failing:
    """A target of which one method raises, as long as the test says so."""

    def __init__(self, whole: Target, method: str, error: Callable[[], Exception | None]) -> None:
        self._whole, self._method, self._error = whole, method, error

    def __getattr__(self, name: str) -> Any:
        error = self._error() if name == self._method else None
        if error is not None:
            raise error
        return getattr(self._whole, name)


def failing(bench: Bench, target: str, method: str, *errors: Exception) -> list[Exception]:
    """Make this target raise these errors, one after another."""
    left = list(errors)
    bench.wrap = lambda name, whole: Failing(whole, method, lambda: left.pop(0) if left else None) if name == target else whole
    return left


def test_an_unreachable_target_opens_its_breaker_and_spends_no_attempt(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    failing(bench, "origin", "present", TargetUnreachable("origin does not answer", target="origin"))
    view = bench.do(A)
    assert view.task.state is State.READY
    assert view.task.attempts == 0
    assert view.attempts[-1].outcome == "UNREACHABLE"
    assert [breaker.name for breaker in bench.desk.breakers() if breaker.open] == ["origin"]


def test_a_root_that_is_not_there_is_an_outage(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.target("origin").rmdir()
    view = bench.do(A)
    assert (view.task.state, view.task.attempts) == (State.READY, 0)
    assert "origin: its root folder is not there; is it mounted?" in (view.task.reason or "")
    assert [breaker.name for breaker in bench.desk.breakers() if breaker.open] == ["origin"]


def test_a_group_goes_on_without_a_member_that_is_not_mounted(tmp_path: Path) -> None:
    bench = grouped(tmp_path, quorum=1)
    bench.target("web2").rmdir()
    bench.write(A, {"index.htm": "one"})
    assert bench.well(A).attempts[-1].summary["lagging"] == ["web2"]
    assert bench.live("web1") == bench.wanted(A)
    bench.close()


def test_an_unreachable_source_opens_its_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write(A, {"index.htm": "one"})

    def down(url: str) -> Packageslip:
        raise SourceUnreachable("cms does not answer", source="cms")

    monkeypatch.setattr(bench.workshop("STAGING").sources.get("cms"), "slip", down)
    assert bench.do(A).task.state is State.READY
    assert [breaker.name for breaker in bench.desk.breakers() if breaker.open] == ["source:cms"]


def test_a_corrupt_transfer_is_tried_again_later(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    failing(bench, "origin", "release", CorruptTransfer("origin stored other bytes"))
    view = bench.do(A)
    assert (view.task.state, view.task.attempts) == (State.READY, 1)


def test_a_fault_of_the_program_fails_the_task_and_not_the_engine(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    failing(bench, "origin", "release", ZeroDivisionError("bug"))
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert "a fault of Slipway itself" in (view.task.reason or "")


def test_a_link_in_the_way_fails_with_the_remedy(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one", "notes/l.pdf": "pdf"})
    (bench.target("origin") / "courses/a").mkdir(parents=True)
    (bench.target("origin") / "courses/a/notes").symlink_to(bench.root)
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert view.attempts[-1].error == PathBlocked.__name__


def test_a_folder_in_a_files_place_fails_with_the_remedy(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    (bench.target("origin") / "courses/a/index.htm").mkdir(parents=True)
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert "move it away" in (view.task.reason or "").lower()


def test_a_target_that_does_not_answer_with_bytes_is_not_the_end(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one", "l.pdf": "pdf"}, module_type="course")
    bench.well(A)
    for blob in (bench.root / "state/store").rglob("*"):
        if blob.is_file():
            blob.unlink()
    bench.write(A, {"index.htm": "one", "renamed.pdf": "pdf"}, module_type="course")
    failing(bench, "origin", "open", *[TargetUnreachable("cut", target="origin")] * 9)
    summary = bench.well(A).attempts[-1].summary
    # The holding area had them.
    assert (summary["copied"], summary["fetched"]) == (1, 0)


def test_a_live_slip_that_is_newer_than_the_queue_waits_for_a_person(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql("UPDATE counter SET value=100 WHERE name='fence'")
    bench.write(A, {"index.htm": "restored backup"})
    bench.well(A)
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql("UPDATE counter SET value=200 WHERE name='fence'")
    # A queue restored from a backup counts its serials from before; its fence was raised above the target's token.
    bench.write(A, {"index.htm": "after"})
    task = bench.insert(A)
    claimed = bench.claim("STAGING")
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql(f"UPDATE publication_task_queue SET serial=50 WHERE id={task}")
    bench_run(bench, task, serial=50)
    held = bench.desk.show(task)
    assert claimed
    assert held.task.state is State.HELD
    assert held.plan is not None
    bench.desk.approve(task, held.plan.digest)
    bench.run()
    assert bench.desk.show(task).task.state is State.SUCCEEDED
    assert bench.live("origin") == bench.wanted(A)


def bench_run(bench: Bench, task: int, serial: int) -> None:
    """Execute a claimed task as if its first claim had been long ago."""
    from dataclasses import replace

    from engines.workshop import Targets

    workshop = bench.workshop("STAGING")
    claimed = replace(bench.desk.show(task).task, serial=serial)
    workshop.claims.start(workshop.engine, [claimed])
    result = workshop.carry_out(claimed, Targets(workshop.open_target))
    assert result is not None
    workshop.claims.finish(workshop.engine, [result])


def test_an_action_nobody_knows_fails_with_a_sentence(bench: Bench) -> None:
    from dataclasses import replace

    from engines.workshop import Targets

    bench.insert(A, action="VERIFY")
    claimed = bench.claim("STAGING")[0]
    workshop = bench.workshop("STAGING")
    result = workshop.carry_out(replace(claimed, action="DANCE"), Targets(workshop.open_target))
    assert result is not None
    assert "knows the action DANCE; known are PUBLISH, DELIVER" in result.reason


def test_a_slip_with_faults_fails_with_the_line(bench: Bench) -> None:
    bench.put_slip(Packageslip(A, (Resource("index.htm"),)))
    slip = bench.site(A) / "packageslip.xml"
    slip.write_text(slip.read_text().replace('count="1"', 'count="2"'))
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert view.attempts[-1].error == "BadSlip"
