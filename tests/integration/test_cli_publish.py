"""The verbs that add tasks, on real folders, by a real engine in this process, or by a real daemon."""

import signal
import time
from pathlib import Path

import pytest

from support.small_site import SmallSite


def test_now_publishes_and_delivers_without_a_daemon(small_site: SmallSite) -> None:
    result = small_site.run("publish", "/knots", "/about/", "--to", "STAGING", "--now")
    assert result.exit_code == 0, result.output
    assert [line.split("\t")[1:5] for line in result.stdout.splitlines()[:2]] == [
        ["SUCCEEDED", "STAGING", "PUBLISH", "/knots"],
        ["SUCCEEDED", "STAGING", "PUBLISH", "/about"],
    ]
    assert "30 files put" in result.stdout
    assert (small_site.folder / "staging/about/index.html").read_text() == "<h1>about 0</h1>"
    assert (small_site.folder / "download/knots/page29.html").exists()
    assert not (small_site.folder / "download/about").exists()


def test_json_is_one_versioned_document_with_rfc_3339_times(small_site: SmallSite) -> None:
    document = small_site.json("publish", "/about", "--to", "STAGING", "--now")
    assert (document["version"], document["exit"]) == (1, 0)
    task = document["tasks"][0]
    assert (task["state"], task["summary"]["put"], task["exit"]) == ("SUCCEEDED", 1, 0)
    assert task["finished_at"].endswith("Z")
    assert len(task["finished_at"]) == len("2026-01-01T00:00:00Z")


def test_without_a_daemon_the_row_waits_and_a_hint_says_so(small_site: SmallSite) -> None:
    result = small_site.run("publish", "/about", "--to", "STAGING", "--note", "by hand", "--priority", "5")
    assert result.exit_code == 0
    assert result.stdout.split("\t")[:5] == ["1", "NEW", "STAGING", "PUBLISH", "/about"]
    assert "slipway run" in result.stderr
    task = small_site.json("queue", "show", "1")["task"]
    assert (task["note"], task["priority"]) == ("by hand", 5)
    assert task["requested_by"]


def test_quiet_leaves_stderr_empty(small_site: SmallSite) -> None:
    assert small_site.run("-q", "publish", "/about", "--to", "STAGING").stderr == ""
    assert small_site.run("publish", "-q", "/about", "--to", "STAGING").stderr == ""
    assert small_site.run("queue", "list", "--env", "PRODUCTION", "-q").stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["publish", "/about", "--to", "STAGIN"], "did you mean STAGING?"),
        (["publish", "about", "--to", "STAGING"], "about"),
        (["publish", "/../etc", "--to", "STAGING"], ".."),
        (["publish", "--to", "STAGING"], "URL"),
        (["publish", "/about"], "--to"),
        (["publish", "/about", "--to", "STAGING", "--now", "--wait"], "choose one"),
        (["unpublish", "/about", "--from", "STAGING"], "-y"),
        (["plan", "/about", "--to", "NOWHERE"], "PRODUCTION, STAGING"),
        (["queue", "list", "--state", "DONE"], "succeeded"),
        (["target", "test", "stagin"], "did you mean staging?"),
    ],
)
def test_a_usage_error_says_what_is_possible_and_adds_no_row(small_site: SmallSite, words: list[str], said: str) -> None:
    result = small_site.run(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert small_site.json("queue", "list", "--all")["tasks"] == []


def test_a_module_that_the_source_does_not_have_is_a_source_failure(small_site: SmallSite) -> None:
    result = small_site.run("publish", "/nowhere", "--to", "STAGING", "--now")
    assert result.exit_code == 7
    assert "/nowhere" in result.stderr
    assert "Traceback" not in result.output


def test_a_broken_slip_is_a_slip_failure(small_site: SmallSite) -> None:
    (small_site.folder / "cms/about/packageslip.xml").write_text("<packageslip")
    assert small_site.run("publish", "/about", "--to", "STAGING", "--now").exit_code == 5


def test_some_done_and_some_not_is_partly(small_site: SmallSite) -> None:
    result = small_site.run("publish", "/about", "/nowhere", "--to", "STAGING", "--now")
    assert result.exit_code == 3
    assert (small_site.folder / "staging/about/index.html").exists()


def test_a_target_that_is_away_is_temporary(small_site: SmallSite) -> None:
    (small_site.folder / "staging").rmdir()
    result = small_site.run("publish", "/about", "--to", "STAGING", "--now")
    assert result.exit_code in (6, 8), result.output
    assert "staging" in result.stderr


def test_the_deletion_guard_holds_and_an_approval_lets_go_on(small_site: SmallSite) -> None:
    small_site.run("publish", "/knots", "--to", "STAGING", "--now")
    for number in range(1, 25):
        (small_site.folder / f"cms/knots/page{number}.html").unlink()
    held = small_site.run("publish", "/knots", "--to", "STAGING", "--now")
    assert held.exit_code == 25
    assert (small_site.folder / "staging/knots/page7.html").exists()
    held_id = small_site.json("queue", "list", "--state", "held")["tasks"][0]["id"]
    assert f"queue approve {held_id}" in small_site.run("why", "/knots").stdout
    shown = small_site.run("queue", "show", str(held_id))
    assert "- page7.html" in shown.stdout
    assert small_site.run("queue", "approve", str(held_id), "--plan", "abc", "-y").exit_code == 25
    assert small_site.run("queue", "approve", str(held_id)).exit_code == 2
    assert small_site.run("queue", "approve", str(held_id), "-y", "--note", "intended").exit_code == 0
    small_site.engine("STAGING")
    assert not (small_site.folder / "staging/knots/page7.html").exists()
    assert small_site.json("queue", "show", str(held_id))["task"]["state"] == "SUCCEEDED"
    assert small_site.run("queue", "approve", str(held_id), "-y").exit_code == 1


def test_unpublish_removes_the_module_there_and_in_the_holding_area(small_site: SmallSite) -> None:
    small_site.run("publish", "/knots", "--to", "STAGING", "--now")
    result = small_site.run("unpublish", "/knots", "--from", "STAGING", "-y", "--now")
    assert result.exit_code == 0, result.output
    assert not (small_site.folder / "staging/knots").exists()
    assert not (small_site.folder / "download/knots").exists()


def test_promotion_takes_what_is_on_staging(small_site: SmallSite) -> None:
    small_site.run("publish", "/about", "--to", "STAGING", "--now")
    (small_site.folder / "cms/about/index.html").write_text("not approved yet")
    assert small_site.run("publish", "/about", "--to", "PRODUCTION", "--now").exit_code == 0
    assert (small_site.folder / "production/about/index.html").read_text() == "<h1>about 0</h1>"


def test_republish_publishes_the_whole_catalogue_and_follows_it(small_site: SmallSite) -> None:
    small_site.write_slips()
    result = small_site.run("republish", "--to", "STAGING", "--now")
    assert result.exit_code == 0, result.output
    assert (small_site.folder / "staging/about/index.html").exists()
    assert (small_site.folder / "staging/knots/page29.html").exists()
    assert {line.split("\t")[3] for line in result.stdout.splitlines()} == {"REPUBLISH", "PUBLISH", "DELIVER"}


def test_republish_can_be_limited_to_a_part_of_the_site(small_site: SmallSite) -> None:
    small_site.write_slips()
    result = small_site.run("republish", "--to", "STAGING", "--prefix", "/about", "--now")
    assert result.exit_code == 0
    assert not (small_site.folder / "staging/knots").exists()


def test_republish_can_be_limited_to_a_type_and_tried_first(small_site: SmallSite) -> None:
    small_site.write_slips()
    result = small_site.run("republish", "--to", "STAGING", "--type", "knots", "--dry-run", "--now")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["/knots"]
    assert not (small_site.folder / "staging/knots").exists()


def test_verify_finds_damage_and_repairs_it(small_site: SmallSite) -> None:
    small_site.run("publish", "/about", "/knots", "--to", "STAGING", "--now")
    (small_site.folder / "staging/about/index.html").write_text("vandals")
    (small_site.folder / "staging/knots/page3.html").unlink()
    assert small_site.run("verify", "STAGING", "--now").exit_code != 0
    assert small_site.run("verify", "STAGING", "/about", "--repair", "--now").exit_code == 0
    assert (small_site.folder / "staging/about/index.html").read_text() == "<h1>about 0</h1>"
    assert small_site.run("verify", "STAGING", "--repair", "--now").exit_code == 0
    assert small_site.run("verify", "STAGING", "--now").exit_code == 0


def test_a_dry_run_by_the_queue_changes_nothing(small_site: SmallSite) -> None:
    result = small_site.run("publish", "/about", "--to", "STAGING", "--dry-run", "--now")
    assert result.exit_code == 0
    assert "+ index.html" in result.stdout
    assert not (small_site.folder / "staging/about").exists()


def test_wait_follows_the_daemon_and_ends_with_the_task(small_site: SmallSite) -> None:
    with small_site.daemon():
        good = small_site.run("publish", "/about", "--to", "STAGING", "--wait")
        bad = small_site.run("publish", "/nowhere", "--to", "STAGING", "--wait")
    assert good.exit_code == 0, good.output
    assert bad.exit_code == 7
    assert (small_site.folder / "staging/about/index.html").exists()


def test_a_superseded_task_counts_as_what_took_its_place(small_site: SmallSite) -> None:
    first = small_site.run("publish", "/about", "--to", "STAGING")
    assert first.exit_code == 0
    waiting = small_site.started("publish", "/about", "--to", "STAGING", "--wait")
    until = time.monotonic() + 20
    while len(small_site.json("queue", "list")["tasks"]) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    small_site.run("publish", "/about", "--to", "STAGING")
    small_site.engine("STAGING")
    out, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 0, err
    assert "SUCCEEDED" in out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_waiting_and_leaves_the_task(small_site: SmallSite, number: signal.Signals, code: int) -> None:
    small_site.run("queue", "list")
    waiting = small_site.started("publish", "/about", "--to", "STAGING", "--wait")
    until = time.monotonic() + 20
    while not small_site.json("queue", "list")["tasks"] and time.monotonic() < until:
        time.sleep(0.1)
    waiting.send_signal(number)
    _, said = waiting.communicate(timeout=20)
    assert waiting.returncode == code
    assert "Traceback" not in said
    assert len(small_site.json("queue", "list")["tasks"]) == 1


def test_plan_itemises_by_reading_alone(small_site: SmallSite) -> None:
    small_site.run("publish", "/knots", "--to", "STAGING", "--now")
    knots = small_site.folder / "cms/knots"
    (knots / "new.html").write_text("new")
    (knots / "page1.html").write_text("other")
    (knots / "page2.html").unlink()
    before = sorted(Path(small_site.folder / "staging").rglob("*"))
    result = small_site.run("plan", "/knots", "--to", "STAGING")
    assert result.exit_code == 0
    marks = {line[:1] for line in result.stdout.splitlines()}
    assert {line.split("\t")[0] for line in result.stdout.splitlines()} == {"+ new.html", "> page1.html", "- page2.html"}, marks
    assert "28 the same" in result.stderr
    assert ". page3.html" in small_site.run("plan", "/knots", "--to", "STAGING", "--all").stdout
    assert small_site.json("plan", "/knots", "--to", "STAGING")["plan"]["counts"]["put"] == 2
    assert sorted(Path(small_site.folder / "staging").rglob("*")) == before
    assert len(small_site.json("queue", "list", "--all")["tasks"]) == 2


def test_plan_names_what_the_guard_would_say(small_site: SmallSite) -> None:
    small_site.run("publish", "/knots", "--to", "STAGING", "--now")
    (small_site.folder / "cms/knots/index.html").unlink()
    result = small_site.run("plan", "/knots", "--to", "STAGING")
    assert result.exit_code == 0
    assert any(line.startswith("! ") and "index.html" in line for line in result.stdout.splitlines())


def test_plan_of_a_module_that_does_not_exist_fails_as_publishing_would(small_site: SmallSite) -> None:
    assert small_site.run("plan", "/nowhere", "--to", "STAGING").exit_code == 7
