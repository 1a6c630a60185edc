"""What the command says of tasks in every state, on rows that were brought there by the queue's own verbs."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest

from answers import size, when
from cli.exits import Exit
from cli.main import Options
from cli.session import Failure, Session
from config import Secrets, load
from database import Claims, Database, Desk, Engine, Intake, Lane, Leases, NewTask, Outcome, Progress, Result, Task
from support.small_site import SmallSite


@contextmanager
def queue_of(site: SmallSite) -> Iterator[Database]:
    from cli.session import open_database

    database = open_database(load(site.config, {}), Secrets({}))
    try:
        yield database
    finally:
        database.close()


@contextmanager
def claimed(site: SmallSite, url: str = "/about") -> Iterator[tuple[Claims, Engine, Task]]:
    """A task that an engine of this test holds."""
    with queue_of(site) as database:
        Desk(database).insert(NewTask(url, "STAGING"))
        Intake(database).accept(load(site.config, {}))
        engine = Leases(database).register("STAGING", "here", "boot", 1, 60, "test")
        claims = Claims(database)
        (task,) = claims.claim(engine, [Lane("staging", 1)])
        claims.start(engine, [task])
        yield claims, engine, task


def test_a_running_task_shows_how_far_it_is(small_site: SmallSite) -> None:
    with claimed(small_site) as (claims, engine, task):
        assert "just started" in small_site.run("why", "/about").stdout
        claims.progress(engine, Progress(task.id, "transfer", 3, 12, 300, 1200))
        assert "is running: transfer, 3 of 12 files" in small_site.run("why", "/about").stdout
        assert small_site.json("queue", "show", str(task.id))["progress"]["files_done"] == 3
        assert "under way" in small_site.run("queue", "show", str(task.id)).stdout


def test_a_task_that_is_tried_again_says_when_and_why(small_site: SmallSite) -> None:
    with claimed(small_site) as (claims, engine, task):
        claims.finish(engine, [Result(task.id, task.fence, Outcome.RETRY, "the disk stuttered", retry_after=600)])
        said = small_site.run("why", "/about").stdout
        assert "waits until 20" in said
        assert "the disk stuttered" in said


def test_a_target_that_does_not_answer_is_named(small_site: SmallSite) -> None:
    with claimed(small_site) as (claims, engine, task):
        away = Result(task.id, task.fence, Outcome.UNREACHABLE, "no route to staging", breaker="staging")
        claims.finish(engine, [away])
        said = small_site.run("why", "/about").stdout
        assert "waits for staging, which has not answered since 20" in said
        assert "no route to staging" in said
        breaker = small_site.json("why", "/about")["breakers"][0]
        assert (breaker["name"], breaker["failures"]) == ("staging", 1)


def test_a_source_that_does_not_answer_is_in_the_way_of_what_needs_it_only(small_site: SmallSite) -> None:
    with claimed(small_site) as (claims, engine, task), queue_of(small_site) as database:
        claims.finish(engine, [Result(task.id, task.fence, Outcome.UNREACHABLE, "502", breaker="source:cms")])
        Desk(database).insert(NewTask("/knots", "STAGING", "UNPUBLISH"))
        assert "waits for source:cms, which has not answered since 20" in small_site.run("why", "/about").stdout
        assert "waits for source:cms" not in small_site.run("why", "/knots").stdout


def test_a_dependent_says_which_batch_it_follows(small_site: SmallSite) -> None:
    with claimed(small_site, "/knots") as (claims, engine, task):
        dependent = NewTask("/about", "STAGING", "PUBLISH", target="staging", batch=task.id, generation=1, parent=task.id)
        claims.finish(engine, [Result(task.id, task.fence, Outcome.SUCCEEDED, "done", new_tasks=(dependent,))])
        assert f"follows batch {task.id}" in small_site.run("why", "/about").stdout


def test_a_future_or_paused_task_says_so(small_site: SmallSite) -> None:
    with queue_of(small_site) as database:
        Desk(database).insert(NewTask("/about", "STAGING", run_after=datetime.now(UTC) + timedelta(hours=1)))
        Desk(database).insert(NewTask("/knots", "*", "TAKEDOWN"))
        Desk(database).pause("STAGING")
        Intake(database).accept(load(small_site.config, {}))
        said, of_takedown = (small_site.run("why", url).stdout for url in ("/about", "/knots"))
    assert "waits until 20" in said
    assert "is paused" in said
    assert "waits for an engine of STAGING" in of_takedown
    assert "is paused" not in of_takedown, "no pause holds it up"


def test_waiting_ends_with_a_lost_engine_here_as_a_failure(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_words: Any, **_more: Any) -> int:
        raise RuntimeError("the engine fell over")

    monkeypatch.setattr("cli.follow.run_engine", broken)
    result = small_site.run("publish", "/about", "--to", "STAGING", "--now")
    assert result.exit_code == 1
    assert "the engine fell over" in result.stderr
    assert "fault of Slipway" in result.stderr


def test_verbose_tells_of_each_task_that_ended(small_site: SmallSite) -> None:
    result = small_site.run("-v", "publish", "/about", "--to", "STAGING", "--now")
    assert "STAGING /about: 1 file put" in result.stderr
    assert "STAGING /about: " in small_site.run("publish", "/about", "--to", "STAGING", "--now", "-v").stderr


def test_queued_rows_as_json(small_site: SmallSite) -> None:
    document = json.loads(small_site.run("publish", "/about", "/knots", "--to", "STAGING", "--json").stdout)
    assert [task["state"] for task in document["tasks"]] == ["NEW", "NEW"]


def test_doctor_without_any_configuration_warns(small_site: SmallSite) -> None:
    small_site.config.write_text('state_dir = "state"\n')
    result = small_site.run("doctor")
    assert result.exit_code == 0
    assert "slipway init" in result.stdout


def test_a_file_that_cannot_be_read_is_named(small_site: SmallSite) -> None:
    target = small_site.folder / "nowhere" / "slip.xml"
    result = small_site.run("slip", "build", str(small_site.folder / "cms/about"), "--url", "/about", "-o", str(target))
    assert result.exit_code == 1
    assert result.stderr.strip() == f"slipway: {target}: No such file or directory"


def test_diff_tells_what_else_changed(small_site: SmallSite) -> None:
    small_site.write_slips()
    slip = small_site.folder / "cms/about/packageslip.xml"
    other = small_site.folder / "other.xml"
    small_site.run("slip", "build", str(slip.parent), "--url", "/about", "--title", "Other", "-o", str(other))
    assert "title" in small_site.run("slip", "diff", str(slip), str(other)).stderr


@pytest.mark.parametrize(("answer", "goes_on"), [(True, True), (False, False)])
def test_a_person_at_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch, answer: bool, goes_on: bool) -> None:
    session = Session(Options())
    monkeypatch.setattr(Session, "terminal", True)
    monkeypatch.setattr(click, "confirm", lambda *_words, **_more: answer)
    if goes_on:
        session.confirm("Really?", yes=False)
        return
    with pytest.raises(Failure) as failure:
        session.confirm("Really?", yes=False)
    assert failure.value.code is Exit.FAILED


def test_nobody_is_asked_where_nobody_can_answer() -> None:
    with pytest.raises(click.UsageError, match="-y"):
        Session(Options()).confirm("Really?", yes=False)


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (3 * 10**13, "30.0 TB")]
)
def test_sizes_for_people(count: int, words: str) -> None:
    assert size(count) == words


def test_times_are_rfc_3339_in_utc() -> None:
    assert when(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    assert when(None) is None


def test_an_account_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.places import person

    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert person().isdigit()


def test_the_plans_of_a_group_are_summed_up_one_by_one() -> None:
    from cli.plan import plan_words

    counts = {"put": 1, "drop": 0, "keep": 2, "bytes": 10}
    one = {"url": "/a", "target": "left", "counts": counts, "changes": [], "objections": []}
    assert plan_words({"digest": "x", "members": [one, {**one, "target": "right"}]}).count("1 file to put") == 2


def test_patience_ends_the_following_of_what_only_waits(small_site: SmallSite) -> None:
    from cli.follow import follow

    small_site.run("publish", "/about", "--to", "STAGING")
    began = time.monotonic()
    with Session(Options(small_site.config, quiet=True), {}) as session:
        (left,) = follow(session, [1], patience=0.5)
    assert left.code is Exit.TEMPORARY
    assert time.monotonic() - began < 15
    assert left.task.state == "NEW"
