"""What follows a publication: deliveries, dependents, promotion, withdrawal."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from database import State, TaskView
from engines.workshop import Targets
from packageslip import Packageslip, Resource, View, ViewKind, read_slip
from support.bench import Bench

A, B, PHYSICS = "/courses/a", "/courses/b", "/courses/physics"


def course(bench: Bench, url: str = A, **files: str) -> Packageslip:
    named = {name.replace("_", "."): text for name, text in (files or {"index_htm": "one"}).items()}
    return bench.write(url, named, module_type="course")


def course_with_feed(bench: Bench) -> None:
    slip = course(bench, index_htm="one", feed_xml="feed 1")
    resources = tuple(each for each in slip.resources if each.path != "feed.xml")
    bench.put_slip(replace(slip, resources=resources, views=(View("feed.xml", ViewKind.FEED),)))


def kinds(views: list[TaskView]) -> list[tuple[str, str, str | None]]:
    return [(view.task.action, view.task.url, view.task.target) for view in views]


def test_a_course_is_delivered_to_the_holding_area_that_takes_courses(bench: Bench) -> None:
    course(bench)
    bench.insert(A)
    assert kinds(bench.run()) == [("PUBLISH", A, "origin"), ("DELIVER", A, "area")]
    assert bench.live("area") == bench.live("origin") == bench.wanted(A)


def test_other_types_are_not_delivered(bench: Bench) -> None:
    bench.write("/about", {"index.htm": "x"}, module_type="page")
    bench.insert("/about")
    assert kinds(bench.run()) == [("PUBLISH", "/about", "origin")]


def test_a_delivery_is_asked_for_again_until_the_area_has_it(bench: Bench) -> None:
    course(bench)
    bench.insert(A)
    bench.run()
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql("DELETE FROM publication WHERE target='area'")
    bench.insert(A)
    assert kinds(bench.run()) == [("PUBLISH", A, "origin"), ("DELIVER", A, "area")]


def test_a_delivery_brings_the_very_views_of_the_origin(bench: Bench) -> None:
    course_with_feed(bench)
    bench.insert(A)
    bench.reached = lambda point: rewrite(bench) if point == "switched" else None
    bench.run()
    assert bench.live("area") == bench.live("origin")
    assert (bench.target("area") / "courses/a/feed.xml").read_text() == "feed 1"


def rewrite(bench: Bench) -> None:
    (bench.site(A) / "feed.xml").write_text("feed 2")


def test_a_view_whose_bytes_are_gone_is_asked_anew_for_the_delivery(bench: Bench) -> None:
    course_with_feed(bench)
    first = bench.insert(A)
    one_round(bench)
    delivery = [child.id for child in bench.desk.show(first).children]
    bench.desk.hold(delivery)
    rewrite(bench)
    slip = read_slip((bench.site(A) / "packageslip.xml").read_bytes(), A)
    (bench.site(A) / "new.htm").write_text("new")
    bench.put_slip(replace(slip, resources=(*slip.resources, Resource("new.htm"))))
    later = bench.insert(A)
    one_round(bench)
    bench.desk.cancel([child.id for child in bench.desk.show(later).children])
    bench.intake.sweep()
    bench.desk.release(delivery)
    forget(bench)
    assert kinds(bench.run()) == [("DELIVER", A, "area")]
    assert not (bench.target("area") / "courses/a/new.htm").exists()
    assert (bench.target("area") / "courses/a/feed.xml").read_text() == "feed 2"


def one_round(bench: Bench) -> None:
    """Execute what can be claimed now, and not what it makes."""
    workshop = bench.workshop("STAGING")
    tasks = bench.claim("STAGING")
    workshop.claims.start(workshop.engine, tasks)
    results = [workshop.carry_out(task, Targets(workshop.open_target)) for task in tasks]
    workshop.claims.finish(workshop.engine, [result for result in results if result])


def forget(bench: Bench) -> None:
    for blob in (bench.root / "state/store").rglob("*"):
        if blob.is_file():
            blob.unlink()


def test_a_delivery_without_the_store_takes_the_bytes_from_the_origin(bench: Bench) -> None:
    course(bench, index_htm="one", l_pdf="pdf")
    bench.insert(A)
    one_round(bench)
    forget(bench)
    (bench.site(A) / "l.pdf").unlink()
    views = bench.run()
    assert kinds(views) == [("DELIVER", A, "area")]
    assert views[0].attempts[-1].summary["copied"] == 2
    assert bench.live("area") == bench.live("origin")


def test_what_was_unpublished_meanwhile_is_not_delivered(bench: Bench) -> None:
    course(bench)
    bench.well(A)
    bench.well(A, action="UNPUBLISH")
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO publication_task_queue (url, environment, action, target, status, priority, hold, run_after)"
            f" SELECT '{A}', 'STAGING', 'DELIVER', 'area', 'READY', 100, 0, '2020-01-01 00:00:00'"
        )
    views = bench.run()
    assert "no longer published on origin" in (views[0].task.reason or "")
    assert not bench.live("area")


def test_dependents_are_published_once_after_their_batch(bench: Bench) -> None:
    for url in (A, B):
        slip = course(bench, url)
        bench.put_slip(replace(slip, dependents=(PHYSICS,), linked_departments=("8", "99")))
    bench.write(PHYSICS, {"index.htm": "list"})
    bench.insert("/", action="REPUBLISH", prefix="/courses", types=["course"])
    views = bench.run()
    assert [view.task.url for view in views if view.task.action == "PUBLISH" and view.task.generation] == [PHYSICS]
    last = [view for view in views if view.task.target == "origin"][-1]
    assert (last.task.url, last.task.generation, last.task.batch) == (PHYSICS, 1, views[0].task.id)
    assert views[1].attempts[-1].summary["unknown_departments"] == ["99"]


def test_modules_that_name_each_other_do_not_run_for_ever(bench: Bench) -> None:
    for url, other in ((A, B), (B, A)):
        slip = bench.write(url, {"index.htm": url})
        bench.put_slip(replace(slip, dependents=(other,)))
    bench.insert(A)
    assert [view.task.url for view in bench.run()] == [A, B, A]


def test_dependents_can_be_switched_off(bench: Bench) -> None:
    bench.settings = bench.settings.model_copy(
        update={"environments": {"STAGING": bench.settings.environments["STAGING"].model_copy(update={"dependents": False})}}
    )
    slip = course(bench)
    bench.put_slip(replace(slip, dependents=(PHYSICS,)))
    assert PHYSICS not in {child.url for child in bench.well(A).children}


@pytest.fixture
def staged(bench: Bench) -> Bench:
    course(bench, A, index_htm="approved")
    bench.well(A)
    return bench


def test_a_promotion_publishes_what_is_live_on_the_other_target(staged: Bench) -> None:
    (staged.site(A) / "index.htm").write_text("not approved")
    view = staged.well(A, "PRODUCTION")
    assert staged.live("production") == staged.live("origin")
    assert view.attempts[-1].summary["fetched"] == 0


def test_a_promotion_is_bound_to_the_version_of_its_intake(staged: Bench) -> None:
    task = staged.insert(A, "PRODUCTION")
    while staged.intake.accept(staged.settings):
        pass
    course(staged, A, index_htm="later")
    staged.well(A)
    staged.run("PRODUCTION")
    assert staged.desk.show(task).task.state is State.SUCCEEDED
    assert (staged.target("production") / "courses/a/index.htm").read_text() == "approved"


def test_a_bound_version_whose_bytes_are_gone_fails_with_a_sentence(staged: Bench) -> None:
    task = staged.insert(A, "PRODUCTION")
    while staged.intake.accept(staged.settings):
        pass
    course(staged, A, index_htm="later")
    staged.well(A)
    forget(staged)
    staged.run("PRODUCTION")
    view = staged.desk.show(task)
    assert view.task.state is State.FAILED
    assert "publish the present version instead" in (view.task.reason or "")
    assert not staged.live("production")


def test_what_was_approved_is_published_although_it_has_left_the_other_target(staged: Bench) -> None:
    task = staged.insert(A, "PRODUCTION")
    while staged.intake.accept(staged.settings):
        pass
    staged.well(A, action="UNPUBLISH")
    staged.run("PRODUCTION")
    assert staged.desk.show(task).task.state is State.SUCCEEDED
    assert (staged.target("production") / "courses/a/index.htm").read_text() == "approved"


def test_a_version_that_the_record_lost_too_fails_with_a_sentence(staged: Bench) -> None:
    task = staged.insert(A, "PRODUCTION")
    while staged.intake.accept(staged.settings):
        pass
    staged.well(A, action="UNPUBLISH")
    with staged.database._change.begin() as connection:
        connection.exec_driver_sql("DELETE FROM publication")
    staged.run("PRODUCTION")
    view = staged.desk.show(task)
    assert view.task.state is State.FAILED
    assert "neither there nor in the record any more" in (view.task.reason or "")


def test_a_promotion_without_the_store_reads_the_other_target(staged: Bench) -> None:
    forget(staged)
    assert staged.well(A, "PRODUCTION").attempts[-1].summary["fetched"] == 1
    assert staged.live("production") == staged.live("origin")


def test_views_of_a_promotion_are_asked_anew(bench: Bench) -> None:
    course_with_feed(bench)
    bench.well(A)
    (bench.site(A) / "feed.xml").write_text("feed 2")
    assert bench.well(A, "PRODUCTION").attempts[-1].summary["fetched"] == 1
    assert (bench.target("production") / "courses/a/feed.xml").read_text() == "feed 2"
    assert (bench.target("origin") / "courses/a/feed.xml").read_text() == "feed 1"


def test_a_dependent_that_is_not_there_to_be_promoted_is_left_out(bench: Bench) -> None:
    slip = course(bench)
    bench.put_slip(replace(slip, dependents=(PHYSICS, B)))
    bench.write(B, {"index.htm": "b"})
    bench.write(PHYSICS, {"index.htm": "p"})
    bench.well(B)
    bench.settings.environments["STAGING"]
    bench.do(A)
    with bench.database._change.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM publication WHERE url='{PHYSICS}'")
    assert [child.url for child in bench.well(A, "PRODUCTION").children] == [B]


def test_what_was_never_staged_cannot_be_promoted(bench: Bench) -> None:
    view = bench.do(A, "PRODUCTION")
    assert view.task.state is State.FAILED
    assert "is not published there" in (view.task.reason or "")


def test_unpublish_takes_the_module_from_the_origin_and_its_areas(bench: Bench) -> None:
    slip = course(bench, A, index_htm="one", b_pdf="two")
    bench.put_slip(replace(slip, dependents=(PHYSICS,)))
    course(bench, B)
    bench.write(PHYSICS, {"index.htm": "p"})
    bench.well(A)
    bench.well(B)
    bench.insert(A, action="UNPUBLISH")
    views = bench.run()
    assert sorted(kinds(views)) == [("PUBLISH", PHYSICS, "origin"), ("UNPUBLISH", A, "area"), ("UNPUBLISH", A, "origin")]
    assert views[0].task.reason == "gone from origin: 2 files dropped"
    assert bench.live("area") == bench.wanted(B)
    assert not (bench.target("origin") / "courses/a").exists()
    record = bench.workshop("STAGING").record
    assert record.current("origin", A) is None
    assert record.current("area", A) is None


def test_unpublish_of_what_is_not_published_says_so(bench: Bench) -> None:
    view = bench.well(A, action="UNPUBLISH")
    assert view.task.reason == "was not published on origin"
    assert not view.children


def test_unpublish_leaves_files_that_are_not_ours(bench: Bench) -> None:
    course(bench)
    bench.well(A)
    (bench.target("origin") / "courses/a/theirs.htm").write_text("theirs")
    bench.well(A, action="UNPUBLISH")
    assert list(bench.live("origin")) == ["courses/a/theirs.htm"]


def test_unpublish_leaves_a_deeper_module(bench: Bench) -> None:
    course(bench)
    course(bench, "/courses/a/lab")
    bench.well("/courses/a/lab")
    bench.well(A)
    bench.well(A, action="UNPUBLISH")
    assert list(bench.live("origin")) == ["courses/a/lab/index.htm"]


def test_a_dry_unpublish_touches_nothing(bench: Bench) -> None:
    course(bench)
    bench.well(A)
    view = bench.well(A, action="UNPUBLISH", dry_run=True)
    assert "0 files to put, 1 to drop" in (view.task.reason or "")
    assert bench.live("origin") == bench.wanted(A)
    assert not view.children


def test_an_unpublish_that_broke_off_is_finished_and_recorded(bench: Bench) -> None:
    course(bench)
    bench.well(A)
    bench.reached = fail_at("prepared")
    assert bench.do(A, action="UNPUBLISH").task.state is State.FAILED
    assert bench.workshop("STAGING").record.current("origin", A) is not None
    bench.reached = lambda point: None
    view = bench.well(A, action="UNPUBLISH")
    assert view.task.reason == "was not published on origin"
    assert view.attempts[-1].summary["recovered"]
    assert bench.workshop("STAGING").record.current("origin", A) is None
    assert [child.target for child in view.children] == ["area"]


def test_a_record_that_believes_in_a_wiped_target_is_told(bench: Bench) -> None:
    course(bench)
    bench.well(A)
    bench.wipe("origin")
    view = bench.well(A, action="UNPUBLISH")
    assert bench.workshop("STAGING").record.current("origin", A) is None
    assert [child.target for child in view.children] == ["area"]


def fail_at(at: str) -> Callable[[str], None]:
    def reached(point: str) -> None:
        if point == at:
            raise RuntimeError(at)

    return reached


def test_a_delivery_to_an_area_that_left_the_configuration_ends_with_that(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"}, module_type="course")
    publish = bench.insert(A)
    [task] = bench.claim("STAGING")
    workshop = bench.workshop("STAGING")
    targets = Targets(workshop.open_target)
    workshop.claims.start(workshop.engine, [task])
    result = workshop.carry_out(task, targets)
    assert result is not None
    workshop.claims.finish(workshop.engine, [result])
    targets.close()
    # While the delivery waits, the area goes: first from its environment, then from the targets altogether.
    for left, reason in (
        ({}, "area is no holding area of STAGING any more, so /courses/a was not delivered there"),
        ({"area"}, "the target area is not configured any more"),
    ):
        environments = dict(bench.settings.environments)
        environments["STAGING"] = environments["STAGING"].model_copy(update={"holding_areas": ()})
        places = {name: each for name, each in bench.settings.targets.items() if name not in left}
        while bench.intake.accept(bench.settings):
            pass
        smaller = Bench(bench.root, bench.settings.model_copy(update={"environments": environments, "targets": places}))
        smaller.run()
        [delivery] = [child for child in bench.desk.show(publish).children if child.action == "DELIVER"]
        assert (delivery.state, reason in str(delivery.reason)) == (State.FAILED, True), delivery.reason
        smaller.close()
        bench.database.change(put_back)


def put_back(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE publication_task_queue SET status = 'READY' WHERE action = 'DELIVER'")
