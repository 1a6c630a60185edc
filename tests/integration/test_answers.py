"""What operators ask, on each kind of database."""

from dataclasses import replace
from datetime import timedelta

from answers import WINDOWS, compare, module, module_fields, other_breakers, run_schedule, schedules, targets, trends
from config import Settings
from database import Audit as Log
from database import Entry, NewTask, Outcome, Progress, Published, State, Wanted, pack
from packageslip import Packageslip, Resource, on_target, slip_pieces
from support.queue import SETTINGS, Queue
from support.record import live, publish

SCHEDULED = Settings.model_validate(
    {**SETTINGS, "schedules": {"nightly": {"cron": "0 3 * * *", "environment": "STAGING", "url": "/about", "action": "PUBLISH"}}}
)


def put(target: str, serial: int, *files: tuple[str, bytes, int]) -> Published:
    resources = tuple(Resource(path, digest=digest * 32, size=size) for path, digest, size in files)
    slip = on_target(Packageslip("/a", resources, title="Physics"), serial=serial, queue="0" * 32)
    return Published(target, "/a", serial, slip.version, pack(slip_pieces(slip)), "course", "Physics", "published")


def test_a_module_says_what_differs_between_the_environments_that_promote(queue: Queue) -> None:
    publish(queue, put("production", 1, ("a.htm", b"1", 3), ("gone.htm", b"2", 4), ("same.htm", b"3", 9)))
    publish(queue, put("staging", 2, ("a.htm", b"5", 30), ("new.htm", b"6", 7), ("same.htm", b"3", 9)))
    state = module(queue.db, queue.settings, "/a")
    [apart] = state.apart
    assert (state.title, apart.first.environment, apart.then.environment) == ("Physics", "STAGING", "PRODUCTION")
    assert apart.difference is not None
    assert not apart.difference.same
    assert {kind: (tally.files, tally.bytes) for kind, tally in apart.difference.tallies.items()} == {
        "added": (1, 7),
        "changed": (1, 30),
        "removed": (1, 4),
        "kept": (1, 9),
    }
    assert apart.difference.described == ()
    assert [one.target for one in state.history] == ["staging", "production"]
    assert module_fields(state)["title"] == "Physics"


def test_any_two_publications_can_be_compared(queue: Queue) -> None:
    publish(queue, put("staging", 1, ("a.htm", b"1", 3)))
    publish(queue, put("staging", 2, ("b.htm", b"1", 3), ("c.htm", b"2", 1)))
    newest, oldest = queue.record.history("/a")
    forth, back = compare(queue.record, oldest, newest), compare(queue.record, newest, oldest)
    assert [(one.kind, one.was, one.path) for one in forth.files] == [("added", None, "c.htm"), ("renamed", "a.htm", "b.htm")]
    assert [(one.kind, one.was, one.path) for one in back.files] == [("renamed", "b.htm", "a.htm"), ("removed", None, "c.htm")]
    assert compare(queue.record, newest, newest).same
    assert compare(queue.record, None, newest).tallies.keys() == {"added"}
    cut = compare(queue.record, oldest, newest, listed=1)
    assert (len(cut.files), cut.not_listed) == (1, 1)


def test_a_publication_whose_slip_is_gone_says_so(queue: Queue) -> None:
    publish(queue, live("/a"))
    [one] = queue.record.history("/a")
    queue.sql("DELETE FROM document")
    assert compare(queue.record, one, one).lost == (one.id, one.id)
    assert not compare(queue.record, one, one).same


def test_a_module_that_nobody_heard_of_is_unknown(queue: Queue) -> None:
    state = module(queue.db, queue.settings, "/a")
    assert not state.known
    assert state.apart == ()
    queue.ready("/a")
    assert module(queue.db, queue.settings, "/a").known


def ended(queue: Queue, outcome: Outcome = Outcome.SUCCEEDED, **more: object) -> int:
    task = queue.ready(f"/{outcome}")
    engine = queue.engine()
    [claimed] = queue.claim(engine)
    queue.end(engine, claimed, outcome, **more)  # type: ignore[arg-type]
    queue.leases.leave(engine)
    return task


def test_what_ended_is_added_up_once(queue: Queue) -> None:
    summary = {"put": 2, "bytes": 100, "reasons": {"same": [5, 900], "new": [2, 100]}, "seconds": {"load": 0.5, "stage": 1.5}}
    ended(queue, summary=summary)
    ended(queue, summary=summary | {"seconds": {"load": 1.5}})
    ended(queue, Outcome.FAILED, error="NoSpace")
    assert queue.intake.add_up(100) == 0, "their transactions may be under way"
    queue.clock.forward(60)
    assert [queue.intake.add_up(2), queue.intake.add_up(2), queue.intake.add_up(2)] == [2, 1, 0]
    for window in ("day", "month"):
        charts = {one.name: one.lines for one in trends(queue.db, queue.clock(), window).charts}
        assert [sum(value or 0 for value in charts["throughput"][name]) for name in ("SUCCEEDED", "FAILED")] == [2, 1]
        assert sum(value or 0 for value in charts["bytes"]["moved"]) == 200
        assert sum(value or 0 for value in charts["bytes"]["saved"]) == 1800
        assert [value for value in charts["phases"]["load"] if value] == [1.0]
        assert sum(value or 0 for value in charts["failures"]["NoSpace"]) == 1
        assert any(value is not None for value in charts["age"]["mean"])


def test_the_mean_of_the_other_phases_is_that_of_all_their_runs(queue: Queue) -> None:
    large = {f"step {number}": 100.0 for number in range(10)}
    for small in ({"little": 1.0, "less": 4.0}, {"little": 1.0}, {"little": 2.0}):
        ended(queue, summary={"seconds": large | small})
    queue.clock.forward(60)
    queue.intake.add_up(100)
    phases = {one.name: one.lines for one in trends(queue.db, queue.clock(), "month").charts}["phases"]
    assert [value for value in phases["others"] if value] == [2.0], "8 s in four runs"
    assert phases.keys() == {*large, "others"}


def test_what_ends_later_is_added_to_the_same_hour(queue: Queue) -> None:
    ended(queue)
    queue.clock.forward(40)
    assert queue.intake.add_up(100) == 1
    ended(queue)
    queue.clock.forward(40)
    assert queue.intake.add_up(100) == 1
    found = trends(queue.db, queue.clock(), "month", "STAGING")
    assert sum(value or 0 for value in found.charts[0].lines["SUCCEEDED"]) == 2
    assert found.reached is not None
    assert trends(queue.db, queue.clock(), "month", "PRODUCTION").charts[0].lines == {}


def test_every_window_has_a_value_for_each_bucket(queue: Queue) -> None:
    ended(queue)
    queue.clock.forward(40)
    queue.intake.add_up(100)
    for window, (_, count) in WINDOWS.items():
        found = trends(queue.db, queue.clock(), window)
        assert len(found.buckets) == count
        assert {len(line) for chart in found.charts for line in chart.lines.values()} == {count}


def test_a_schedule_says_when_it_fires_and_what_became_of_the_last_time(queue: Queue) -> None:
    now = queue.clock()
    [before] = schedules(queue.db, SCHEDULED, now)
    assert (before.last, before.task) == (None, None)
    assert before.next is not None
    assert timedelta(0) < before.next - now <= timedelta(days=1)
    queue.intake.fire("nightly", now, NewTask("/about", "STAGING"))
    [after] = schedules(queue.db, SCHEDULED, now)
    assert after.task is not None
    assert after.task.url == "/about"
    task = queue.show(run_schedule(queue.db, SCHEDULED, "nightly", "ada")).task
    assert (task.url, task.action, task.requested_by) == ("/about", "PUBLISH", "ada")
    assert task.note == "schedule nightly, run by hand"


def verify(queue: Queue, url: str, outcome: Outcome, error: str | None = None) -> None:
    queue.ready(url, action="VERIFY")
    engine = queue.engine()
    [task] = queue.claim(engine)
    queue.end(engine, task, outcome, f"{url} was looked at", error=error)
    queue.leases.leave(engine)


def test_a_target_says_what_drifted_until_it_is_mended(queue: Queue) -> None:
    publish(queue, live("/a"), live("/b"))
    queue.clock.forward(5)
    verify(queue, "/a", Outcome.FAILED, "Drifted")
    verify(queue, "/b", Outcome.SUCCEEDED)
    staging = {one.name: one for one in targets(queue.db, queue.settings)}["staging"]
    assert [one.url for one in staging.drifted] == ["/a"]
    assert staging.drift.last is not None
    assert staging.newest is not None
    assert staging.serves == ("origin of STAGING", "origin of SHARED")
    queue.clock.forward(5)
    publish(queue, live("/a", b"2", serial=9))
    assert not {one.name: one for one in targets(queue.db, queue.settings)}["staging"].drifted
    verify(queue, "/a", Outcome.SUCCEEDED)
    assert {one.name: one for one in targets(queue.db, queue.settings)}["staging"].drift.drifted == ()


def test_a_verify_that_could_not_look_leaves_what_was_known(queue: Queue) -> None:
    publish(queue, live("/a"))
    queue.clock.forward(5)
    verify(queue, "/a", Outcome.FAILED, "Drifted")
    verify(queue, "/a", Outcome.FAILED, "VersionGone")
    staging = {one.name: one for one in targets(queue.db, queue.settings)}["staging"]
    assert [one.url for one in staging.drifted] == ["/a"]
    assert other_breakers(queue.db, queue.settings) == []


def test_the_audit_log_is_read_page_by_page(queue: Queue) -> None:
    log = Log(queue.db)
    before = log.page(Wanted()).rows[0].id
    for number in range(5):
        log.note(Entry(kind="paused" if number % 2 else "resumed", who=f"ada {number}", environment="STAGING"))
    first = log.page(Wanted(kind="resumed"), limit=2)
    assert [row.entry.who for row in first.rows] == ["ada 4", "ada 2"]
    rest = log.page(Wanted(kind="resumed"), before=first.before, limit=2)
    assert [row.entry.who for row in rest.rows] == ["ada 0"]
    assert rest.before is None
    assert [row.entry.who for row in log.page(Wanted(who="ada 3")).rows] == ["ada 3"]
    assert log.page(Wanted(), before=before + 1).rows[0].id == before
    assert {"paused", "resumed"} <= set(log.kinds())
    sealed, unsealed = log.sealed()
    assert (sealed, unsealed) == (0, log.verify().unsealed)


def test_the_audit_log_is_narrowed_by_time(queue: Queue) -> None:
    log, now = Log(queue.db), queue.clock()
    log.note(Entry(kind="paused", who="ada"))
    assert log.page(Wanted(since=now + timedelta(hours=1))).rows == ()
    assert [row.entry.kind for row in log.page(Wanted(since=now - timedelta(hours=1), who="ada")).rows] == ["paused"]
    assert log.page(Wanted(until=now - timedelta(hours=1))).rows == ()


def test_a_task_that_runs_says_how_long_its_step_has_taken(queue: Queue) -> None:
    task = queue.ready("/a")
    engine = queue.engine()
    [claimed] = queue.claim(engine)
    queue.claims.start(engine, [claimed])
    queue.claims.progress(engine, Progress(task, "stage", 1, 2, 10, 20, seconds=1.25))
    progress = queue.show(task).progress
    assert progress is not None
    assert replace(progress, at=None) == Progress(task, "stage", 1, 2, 10, 20, seconds=1.25)
    assert queue.state(task) is State.RUNNING


def test_what_has_no_summary_still_counts(queue: Queue) -> None:
    ended(queue, Outcome.RETRY, error="SourceUnreachable")
    queue.clock.forward(60)
    queue.intake.add_up(100)
    charts = {one.name: one.lines for one in trends(queue.db, queue.clock(), "day").charts}
    assert charts["actions"] == {}
    assert sum(value or 0 for value in charts["failures"]["SourceUnreachable"]) == 1
