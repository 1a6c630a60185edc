"""What is told when something broke off at the wrong moment: everything that became visible, and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from database import DatabaseUnavailable, State, TaskView
from support.bench import Bench, settings_of
from support.http_cms import until
from support.purge_server import Asked, PurgeServer
from targets import PermanentTargetError, Target, TargetUnreachable

A = "/courses/a"


def told_settings(root: Path, server: PurgeServer, **more: Any) -> Settings:
    """The usual installation; the origin of STAGING has a webhook and a cache without a token."""
    (root / "key").write_text("key\n")
    staging = settings_of(root).environments["STAGING"].model_dump()
    return settings_of(
        root,
        retry={"base": 0.01, "breaker": 0.01, "cap": 0.05, "max_attempts": 2},
        environments={"STAGING": {**staging, "site": server.url, "notices": ["cache", "hook"]}},
        notices={
            "cache": {"kind": "purge"},
            "hook": {"kind": "webhook", "url": server.url, "secret": {"file": str(root / "key")}},
        },
        **more,
    )


@pytest.fixture
def told(tmp_path: Path, purge_server: PurgeServer) -> Iterator[Bench]:
    made = Bench(tmp_path, told_settings(tmp_path, purge_server))
    yield made
    made.close()


def fail_at(at: str) -> Callable[[str], None]:
    def reached(point: str) -> None:
        if point == at:
            raise PermanentTargetError("a fault", target="origin")

    return reached


def course(bench: Bench, **files: str) -> None:
    bench.write(A, {name.replace("_", "."): text for name, text in files.items()}, module_type="course", title="A")


def heard(server: PurgeServer) -> list[tuple[str, list[str]]]:
    """What the webhook was told since the last time."""
    found = [(event["event"], event["paths"]) for event in server.events()]
    server.asked.clear()
    return found


def test_a_release_that_broke_off_is_told_when_it_is_finished(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one", old_htm="old")
    told.well(A)
    heard(purge_server)
    course(told, index_htm="two", new_htm="new")
    told.reached = fail_at("prepared")
    assert told.do(A).task.state is State.FAILED
    assert heard(purge_server) == []
    told.reached = lambda point: None
    told.well(A)
    # What the release changed, nobody knows any more: all that it had, and all that was there before.
    assert heard(purge_server) == [("published", ["index.htm", "new.htm", "old.htm"])]


def test_what_was_finished_for_a_dead_engine_is_told_although_the_task_is_held(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one", a_htm="a", b_htm="b", c_htm="c")
    told.well(A)
    course(told, index_htm="two", a_htm="a", b_htm="b", c_htm="c")
    told.reached = fail_at("prepared")
    told.do(A)
    told.reached = lambda point: None
    heard(purge_server)
    course(told, a_htm="a")
    assert told.do(A).task.state is State.HELD
    assert [event for event, _ in heard(purge_server)] == ["published"]


def test_an_unpublish_that_broke_off_is_told(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one")
    told.well(A)
    told.reached = fail_at("prepared")
    told.do(A, action="UNPUBLISH")
    told.reached = lambda point: None
    heard(purge_server)
    told.well(A, action="UNPUBLISH")
    assert purge_server.urls() == ["/courses/a", "/courses/a/", "/courses/a/index.htm", "/courses/a/packageslip.xml"]
    assert heard(purge_server) == [("unpublished", ["index.htm"])]


def test_an_attempt_that_switched_and_was_given_back_is_told_once(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one", l_pdf="pdf")
    down = ["once"]

    def reached(point: str) -> None:
        if point == "finishing" and down:
            raise DatabaseUnavailable(f"the database does not answer {down.pop()}")

    told.reached = reached
    view = told.well(A)
    assert [attempt.outcome for attempt in view.attempts] == ["RELEASED", "SUCCEEDED"]
    assert heard(purge_server) == [("published", ["index.htm", "l.pdf"])]


def test_a_publication_that_the_queue_lost_is_told_as_a_whole(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one", l_pdf="pdf")
    told.well(A)
    heard(purge_server)
    with told.database._change.begin() as connection:
        connection.exec_driver_sql("DELETE FROM publication")
    told.well(A)
    assert heard(purge_server) == [("published", ["index.htm", "l.pdf"])]


def test_a_wiped_target_that_is_unpublished_is_told(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one")
    told.well(A)
    heard(purge_server)
    told.wipe("origin")
    told.well(A, action="UNPUBLISH")
    assert heard(purge_server) == [("unpublished", ["index.htm"])]


def test_a_repair_is_told_for_what_it_put_back(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one", l_pdf="pdf")
    told.well(A)
    heard(purge_server)
    (told.target("origin") / "courses/a/l.pdf").unlink()
    told.well(A, action="VERIFY", repair=True)
    assert heard(purge_server) == [("published", ["l.pdf"])]


def test_a_dry_run_tells_nobody(told: Bench, purge_server: PurgeServer) -> None:
    course(told, index_htm="one")
    told.well(A, dry_run=True)
    assert not purge_server.seen


def test_a_notice_needs_no_origin(tmp_path: Path, purge_server: PurgeServer) -> None:
    gone: list[str] = []

    def opened(name: str, target: Target) -> Target:
        if name in gone:
            raise TargetUnreachable("the origin does not answer", target=name)
        return target

    bench = Bench(tmp_path, told_settings(tmp_path, purge_server), wrap=opened)
    try:
        purge_server.stop()
        course(bench, index_htm="one")
        bench.well(A)
        gone += ["origin", "area"]
        purge_server.start()
        until_told(bench)
    finally:
        bench.close()
    assert heard(purge_server) == [("published", ["index.htm"])]


def until_told(bench: Bench) -> None:
    for _ in range(1000):
        bench.run()
        if all(task.state is State.SUCCEEDED for task in bench.desk.find(action="NOTIFY")):
            return
    raise AssertionError([(task.state, task.reason) for task in bench.desk.find(action="NOTIFY")])


def test_a_group_is_told_as_one_place(tmp_path: Path, purge_server: PurgeServer) -> None:
    names = ("web1", "web2", "area", "production")
    places: dict[str, Any] = {name: {"kind": "local", "root": str(tmp_path / "targets" / name)} for name in names}
    for name in names:
        (tmp_path / "targets" / name).mkdir(parents=True)
    places["web1"]["public_slip"] = places["web2"]["public_slip"] = False
    origin = {"kind": "group", "members": ["web1", "web2"]}
    bench = Bench(tmp_path, told_settings(tmp_path, purge_server, targets={"origin": origin, **places}))
    try:
        course(bench, index_htm="one")
        bench.well(A)
    finally:
        bench.close()
    assert purge_server.urls() == ["/courses/a", "/courses/a/", "/courses/a/index.htm"]
    assert heard(purge_server) == [("published", ["index.htm"])]


def test_a_receiver_that_stumbles_over_one_message_keeps_no_other_from_it(told: Bench, purge_server: PurgeServer) -> None:
    def status(asked: Asked) -> int:
        return 500 if asked.method == "POST" and asked.json["url"] == A else 200

    purge_server.status = status
    for url in (A, "/courses/b"):
        told.write(url, {"index.htm": "one"}, module_type="course")
        told.insert(url)
    for _ in range(20):
        told.run()
    ended = {task.url: task for task in told.desk.find(action="NOTIFY") if task.target == "notice:hook"}
    assert ended["/courses/b"].state is State.SUCCEEDED
    assert (ended[A].state, ended[A].attempts) == (State.FAILED, 2)


def test_a_notice_that_is_refused_fails_with_what_to_correct_and_can_be_repeated(told: Bench, purge_server: PurgeServer) -> None:
    purge_server.status = lambda asked: 401 if asked.method == "POST" else 200
    course(told, index_htm="one")
    assert told.well(A)
    [failed] = [task for task in told.desk.find(action="NOTIFY") if task.state is State.FAILED]
    assert "it does not let us in; check the token or secret" in (failed.reason or "")
    [refused] = [asked.json["id"] for asked in purge_server.seen if asked.method == "POST"]
    purge_server.status = 200
    again = told.desk.retry(failed.id)
    told.run()
    assert told.desk.show(again).task.state is State.SUCCEEDED
    # It is the same event: whoever had it knows it by its id.
    assert [event["id"] for event in purge_server.events()] == [refused]


def test_a_notice_that_left_the_configuration_is_rejected(told: Bench) -> None:
    course(told, index_htm="one")
    told.insert(A)
    views: list[TaskView] = told.run()
    hook = next(view.task.id for view in views if view.task.target == "notice:hook")
    told.settings = told.settings.model_copy(update={"notices": {}})
    again = told.desk.retry(hook)
    while told.intake.accept(told.settings):
        pass
    assert told.desk.show(again).task.state is State.REJECTED


def test_rows_for_a_notice_that_left_the_configuration_meanwhile_end_with_that(tmp_path: Path, purge_server: PurgeServer) -> None:
    settings = told_settings(tmp_path, purge_server)
    purge_server.status = 503
    before = Bench(tmp_path, settings)
    course(before, index_htm="one")
    before.well(A)
    before.close()
    purge_server.status = 200
    staging = settings.environments["STAGING"].model_copy(update={"notices": ()})
    kept = {"cache": settings.notices["cache"]}
    after = Bench(tmp_path, settings.model_copy(update={"notices": kept, "environments": {"STAGING": staging}}))
    until(lambda: bool(after.run()) and not after.desk.find(states=[State.READY], action="NOTIFY"))
    ended = {task.target: task for task in after.desk.find(action="NOTIFY")}
    after.close()
    # Only the environment left the cache out: what was promised to it is still told.
    assert ended["notice:cache"].state is State.SUCCEEDED
    assert ended["notice:hook"].state is State.FAILED
    assert "notice hook is not configured any more" in (ended["notice:hook"].reason or "")
