"""PUBLISH from a directory to a local target, through the real queue."""

import hashlib
from dataclasses import replace

import pytest

from database import State
from packageslip import Packageslip, Resource, View, ViewKind
from support.bench import Bench

A = "/courses/a"


def test_a_module_is_published_and_recorded(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one", "notes/l1.pdf": "pdf"}, title="A")
    view = bench.well(A)
    assert bench.live("origin") == bench.wanted(A)
    record = bench.workshop("STAGING").record.current("origin", A)
    assert record is not None
    assert (record.serial, record.title, record.task) == (view.task.serial, "A", view.task.id)
    summary = view.attempts[-1].summary
    assert summary["put"] == 2
    assert summary["room"] > 0, "a person sees how much room there was"
    assert view.task.reason == "live on origin: 2 files put, 0 dropped, 0 kept"


def test_a_second_publish_moves_nothing(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    before = bench.workshop("STAGING").record.history(A)
    view = bench.well(A)
    assert view.task.reason == "live on origin: nothing had to move, 1 files are as they should be"
    assert not view.children
    assert bench.workshop("STAGING").record.history(A) == before


def test_full_mode_puts_everything_again(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    (bench.target("origin") / "courses/a/index.htm").write_text("vandal")
    assert bench.well(A, mode="full").attempts[-1].summary["put"] == 1
    assert bench.live("origin") == bench.wanted(A)


def test_only_what_differs_moves(bench: Bench) -> None:
    files = {f"{n}.htm": str(n) for n in range(9)}
    bench.write(A, files | {"old.pdf": "old", "turn": "a file", "dir/x.htm": "x"})
    bench.well(A)
    changed = {**files, "0.htm": "changed", "new.pdf": "new", "turn/inside.htm": "now a folder", "moved/x.htm": "x"}
    bench.write(A, changed)
    summary = bench.well(A).attempts[-1].summary
    assert bench.live("origin") == bench.wanted(A)
    assert (summary["put"], summary["drop"], summary["keep"]) == (4, 3, 8)
    # The renamed file's bytes are in the store; nothing but what is new came from the source.
    assert summary["fetched"] == 3
    # What people look at afterwards: why, how many bytes, the first files, and what took how long.
    assert summary["reasons"] == {"same": [8, 8], "new": [3, 16], "changed": [1, 7], "stale": [3, 10]}
    assert ["0.htm", "put", "changed", 7] in summary["changes"]
    assert len(summary["changes"]) == 7
    assert list(summary["seconds"]) == ["look", "load", "take over", "resolve", "plan", "transfer", "stage", "switch"]


def test_bytes_that_several_files_have_are_fetched_once(bench: Bench) -> None:
    bench.write(A, {"index.htm": "page", "a.png": "the same", "b.png": "the same", "sub/c.png": "the same"})
    summary = bench.well(A).attempts[-1].summary
    assert (summary["fetched"], summary["put"]) == (2, 4)
    assert bench.live("origin") == bench.wanted(A)


def test_a_new_title_alone_writes_the_slip_anew(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one"}, title="Old")
    bench.well(A)
    bench.put_slip(replace(slip, title="New"))
    view = bench.well(A)
    assert view.attempts[-1].summary["put"] == 0
    found = bench.workshop("STAGING").record.slip("origin", A)
    assert found is not None
    assert found.title == "New"


def test_a_slip_without_digests_asks_with_validators(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one", "b.htm": "two"})
    bench.put_slip(replace(slip, resources=tuple(replace(r, digest=None, size=None) for r in slip.resources)))
    assert bench.well(A).attempts[-1].summary["fetched"] == 2
    again = bench.well(A).attempts[-1].summary
    assert (again["fetched"], again["unchanged"], again["put"]) == (0, 2, 0)
    (bench.site(A) / "b.htm").write_text("changed")
    third = bench.well(A).attempts[-1].summary
    assert (third["fetched"], third["unchanged"], third["put"]) == (1, 1, 1)
    assert bench.live("origin") == bench.wanted(A)


def test_views_are_asked_anew_each_time(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one", "feed.xml": "feed 1"})
    view = View("feed.xml", ViewKind.FEED)
    bench.put_slip(replace(slip, resources=tuple(r for r in slip.resources if r.path != "feed.xml"), views=(view,)))
    bench.well(A)
    version = bench.workshop("STAGING").record.current("origin", A)
    (bench.site(A) / "feed.xml").write_text("feed 2")
    assert bench.well(A).attempts[-1].summary["put"] == 1
    after = bench.workshop("STAGING").record.current("origin", A)
    assert version is not None
    assert after is not None
    assert (after.version, bench.live("origin")) == (version.version, bench.wanted(A))
    assert bench.well(A).attempts[-1].summary["put"] == 0


def test_a_module_of_views_alone_is_published(bench: Bench) -> None:
    bench.write(A, {"feed.xml": "feed"})
    bench.put_slip(Packageslip(A, views=(View("feed.xml", ViewKind.FEED),)))
    bench.well(A)
    assert bench.live("origin") == bench.wanted(A)


def test_an_empty_slip_is_refused_and_deletes_nothing(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    bench.put_slip(Packageslip(A))
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert "lists no file at all" in (view.task.reason or "")
    assert set(bench.live("origin")) == {"courses/a/index.htm"}


def test_a_shrunken_slip_is_held_until_this_very_plan_is_approved(bench: Bench) -> None:
    files = {f"{n:02}.htm": str(n) for n in range(40)}
    bench.write(A, files)
    bench.well(A)
    bench.write(A, {"00.htm": "0"})
    held = bench.do(A)
    assert held.task.state is State.HELD
    assert "would drop 39 of its 40 files" in (held.task.reason or "")
    assert len(bench.live("origin")) == 40
    assert held.plan is not None
    bench.desk.approve(held.task.id, held.plan.digest, by="ann")
    bench.run()
    assert bench.desk.show(held.task.id).task.state is State.SUCCEEDED
    assert bench.live("origin") == bench.wanted(A)


def test_an_approval_of_another_plan_is_held_again(bench: Bench) -> None:
    bench.write(A, {f"{n:02}.htm": str(n) for n in range(40)})
    bench.well(A)
    bench.write(A, {"00.htm": "0", "01.htm": "1"})
    held = bench.do(A)
    assert held.plan is not None
    bench.desk.approve(held.task.id, held.plan.digest)
    bench.write(A, {"00.htm": "0"})
    bench.run()
    again = bench.desk.show(held.task.id)
    assert again.task.state is State.HELD
    assert again.plan is not None
    assert again.plan.digest != held.plan.digest


def test_strangers_are_adopted_if_equal_and_held_if_not(bench: Bench) -> None:
    bench.write(A, {"same.htm": "same", "other.htm": "ours"})
    folder = bench.target("origin") / "courses/a"
    folder.mkdir(parents=True)
    (folder / "same.htm").write_text("same")
    (folder / "other.htm").write_text("theirs")
    (folder / "unlisted.htm").write_text("theirs")
    held = bench.do(A)
    assert held.task.state is State.HELD
    assert "other.htm" in (held.task.reason or "")
    assert held.plan is not None
    bench.desk.approve(held.task.id, held.plan.digest)
    bench.run()
    assert bench.desk.show(held.task.id).task.state is State.HELD
    bench.desk.approve(held.task.id, held.plan.digest, adopt=True)
    bench.run()
    view = bench.desk.show(held.task.id)
    assert view.task.state is State.SUCCEEDED
    assert (view.attempts[-1].summary["put"], view.attempts[-1].summary["keep"]) == (1, 1)
    assert (folder / "other.htm").read_text() == "ours"
    assert (folder / "unlisted.htm").read_text() == "theirs"


def test_a_dry_run_writes_nothing_and_tells_the_plan(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one", "b.htm": "two"})
    view = bench.well(A, dry_run=True)
    assert view.task.reason is not None
    assert view.task.reason.startswith("dry run: 2 files to put, 0 to drop, 0 to keep")
    assert [change["path"] for change in view.attempts[-1].summary["plan"]["changes"]] == ["b.htm", "index.htm"]
    assert not list(bench.target("origin").iterdir())
    assert not view.children


def test_a_dry_run_says_what_it_cannot_know(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one"})
    bench.well(A)
    bench.put_slip(replace(slip, resources=(Resource("index.htm"),)))
    changes = bench.well(A, dry_run=True).attempts[-1].summary["plan"]["changes"]
    assert changes[0]["sentence"] == "index.htm may have changed: unknown until fetched"


def test_a_dry_run_names_what_would_be_held(bench: Bench) -> None:
    bench.write(A, {f"{n:02}.htm": str(n) for n in range(40)})
    bench.well(A)
    bench.write(A, {"00.htm": "0"})
    view = bench.well(A, dry_run=True)
    assert "it would not go on by itself" in (view.task.reason or "")
    held = bench.do(A)
    assert held.plan is not None
    assert view.attempts[-1].summary["plan"]["digest"] == held.plan.digest


def test_a_missing_resource_fails_the_task_and_deletes_nothing(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one", "b.htm": "two"})
    bench.well(A)
    bench.write(A, {"index.htm": "one", "b.htm": "three"})
    (bench.site(A) / "b.htm").unlink()
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert "b.htm" in (view.task.reason or "")
    assert len(bench.live("origin")) == 2


def test_an_unknown_module_fails_with_a_sentence(bench: Bench) -> None:
    view = bench.do("/courses/nowhere")
    assert view.task.state is State.FAILED
    assert "there is no module /courses/nowhere" in (view.task.reason or "")


def test_wrong_bytes_at_the_source_fail_the_task(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    (bench.site(A) / "index.htm").write_text("two")
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert not bench.live("origin")


def test_a_module_that_changes_while_it_is_read_is_read_again(bench: Bench) -> None:
    slip = bench.write(A, {"index.htm": "one"})
    bench.put_slip(replace(slip, resources=(Resource("index.htm"),)))
    points: list[str] = []

    def change(point: str) -> None:
        points.append(point)
        if points.count("staging") == 1 and point == "staging":
            (bench.site(A) / "index.htm").write_text("two")
            bench.put_slip(replace(slip, revision="2", resources=(Resource("index.htm"),)))

    bench.reached = change
    view = bench.well(A)
    assert points.count("loading") == 2
    assert view.attempts[-1].summary["started_over"]
    assert bench.live("origin") == bench.wanted(A)


def test_what_the_store_lost_is_taken_from_a_target_that_has_it(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one", "lecture.pdf": "pdf"})
    bench.well(A)
    for blob in (bench.root / "state/store").rglob("*"):
        if blob.is_file():
            blob.unlink()
    bench.write(A, {"index.htm": "one", "renamed.pdf": "pdf"})
    (bench.site(A) / "renamed.pdf").unlink()
    summary = bench.well(A).attempts[-1].summary
    assert (summary["copied"], summary["fetched"]) == (1, 0)
    assert "courses/a/renamed.pdf" in bench.live("origin")


def test_a_slip_may_not_list_what_lies_in_a_deeper_module(bench: Bench) -> None:
    bench.write("/courses/a/lab", {"index.htm": "lab"})
    bench.well("/courses/a/lab")
    bench.write(A, {"index.htm": "one"})
    slip = bench.put_slip(Packageslip(A, (Resource("index.htm"), Resource("lab/index.htm"))))
    assert slip.url == A
    view = bench.do(A)
    assert view.task.state is State.FAILED
    assert "/courses/a/lab" in (view.task.reason or "")


def test_a_file_that_became_a_deeper_module_is_left_alone(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one", "lab/index.htm": "lab"})
    bench.well(A)
    bench.write("/courses/a/lab", {"index.htm": "lab"})
    bench.well("/courses/a/lab")
    bench.put_slip(Packageslip(A, (Resource("index.htm"),)))
    view = bench.well(A)
    assert view.attempts[-1].summary["leave"] == 1
    assert "courses/a/lab/index.htm" in bench.live("origin")


def test_a_lost_record_is_told_what_the_target_holds(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql("DELETE FROM publication")
    view = bench.well(A)
    assert view.attempts[-1].summary["put"] == 0
    assert bench.workshop("STAGING").record.current("origin", A) is not None


@pytest.mark.parametrize("point", ["loading", "staging"])
def test_a_cancelled_task_changes_nothing(bench: Bench, point: str) -> None:
    bench.write(A, {"index.htm": "one"})
    task = bench.insert(A)

    def cancel(reached: str) -> None:
        if reached == point:
            bench.workshop("STAGING").lease.cancelled = frozenset({task})

    bench.reached = cancel
    bench.run()
    assert bench.desk.show(task).task.state is State.CANCELLED
    assert not bench.live("origin")


def test_a_cancellation_after_the_note_comes_too_late(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    task = bench.insert(A)

    def cancel(reached: str) -> None:
        if reached == "prepared":
            bench.workshop("STAGING").lease.cancelled = frozenset({task})

    bench.reached = cancel
    bench.run()
    assert bench.desk.show(task).task.state is State.SUCCEEDED
    assert bench.live("origin") == bench.wanted(A)


def test_the_slip_on_the_target_has_every_digest(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    view = bench.well(A)
    slip = bench.workshop("STAGING").open_target("origin").slip(A)
    assert slip is not None
    assert [(r.path, r.digest) for r in slip.resources] == [("index.htm", hashlib.sha256(b"one").digest())]
    assert slip.serial == view.task.serial
