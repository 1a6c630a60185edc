"""The verbs that look: why, history, queue, config, db, doctor, store, target, init, run."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import slipway
from support.small_site import SLIPWAY, SmallSite, make_small_site


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> SmallSite:
    """Published once: everything in it is relative, so that copies work."""
    site = make_small_site(tmp_path_factory.mktemp("template"))
    assert site.run("publish", "/knots", "/about", "--to", "STAGING", "--now").exit_code == 0
    return site


@pytest.fixture
def published(template: SmallSite, tmp_path: Path) -> SmallSite:
    return SmallSite(Path(shutil.copytree(template.folder, tmp_path / "site")))


def test_why_says_what_is_live_since_when_and_from_which_task(published: SmallSite) -> None:
    lines = published.run("why", "/knots").stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["STAGING (staging)", "STAGING (download)", "PRODUCTION (production)"]
    assert "live since 20" in lines[0]
    assert "from task 1" in lines[0]
    assert "not published" in lines[2]


def test_why_takes_the_address_of_a_page(published: SmallSite) -> None:
    result = published.run("why", "https://www.example.edu/knots/page3.html?x=1#top")
    assert timeless(result.stdout) == timeless(published.run("why", "/knots").stdout)
    assert result.stderr == "that page belongs to /knots\n"


def timeless(text: str) -> str:
    """Without how long ago things were: that goes on between two looks."""
    return re.sub(r" \((now|\d+ \w+ ago)\)", "", text)


def test_why_says_that_a_page_is_not_in_what_is_live(published: SmallSite) -> None:
    result = published.run("why", "https://www.example.edu/knots/page99.html")
    assert result.stderr == "that page belongs to /knots\n"
    assert "  what is live on staging has no page99.html: the slip that was published lists no such file." in result.stdout
    assert "production has no" not in result.stdout


def test_why_takes_the_path_of_a_page_but_no_module_for_a_page(published: SmallSite) -> None:
    page = published.run("why", "/knots/page3.html")
    assert page.stderr == "that page belongs to /knots\n"
    assert timeless(page.stdout) == timeless(published.run("why", "/knots").stdout)
    nobody = published.run("why", "/knots/bowline")
    assert nobody.stdout.startswith("STAGING (staging): not published\n")
    assert "nobody has published /knots/bowline or asked for it; what is live of /knots, the module above it" in nobody.stderr


def test_why_as_json(published: SmallSite) -> None:
    document = published.json("why", "/knots")
    staging = document["environments"][0]
    assert document["version"] == 1
    assert staging["live"]["staging"]["task"] == 1
    assert staging["live"]["staging"]["since"].endswith("Z")
    assert document["environments"][1]["live"] == {"production": None}


def test_why_names_everything_that_stands_in_the_way(published: SmallSite) -> None:
    published.run("publish", "/about", "--to", "STAGING")
    assert "none is running" in published.run("why", "/about").stdout
    published.run("queue", "hold", "4")
    assert "queue release 4" in published.run("why", "/about").stdout
    published.run("queue", "release", "4")
    published.run("queue", "cancel", "4")
    assert "being cancelled" in published.run("why", "/about").stdout


def test_why_tells_of_a_failure_until_something_newer_succeeds(published: SmallSite) -> None:
    hidden = published.folder / "cms" / "hidden"
    (published.folder / "cms" / "about").rename(hidden)
    published.run("publish", "/about", "--to", "STAGING", "--now")
    said = published.run("why", "/about").stdout
    assert "FAILED" in said
    assert "live since" in said
    assert published.json("why", "/about")["environments"][0]["failed"]["attempts"][0]["error"] == "NoSuchModule"
    hidden.rename(published.folder / "cms" / "about")
    published.run("publish", "/about", "--to", "STAGING", "--now")
    assert "FAILED" not in published.run("why", "/about").stdout


def test_why_tells_of_a_source_that_does_not_answer(published: SmallSite) -> None:
    shutil.move(published.folder / "cms", published.folder / "gone")
    assert published.run("publish", "/about", "--to", "STAGING", "--now").exit_code in (7, 8)
    said = published.run("why", "/about").stdout
    assert "cms" in said


def test_history_lists_publications_the_newest_first(published: SmallSite) -> None:
    (published.folder / "cms/about/index.html").write_text("second")
    published.run("publish", "/about", "--to", "STAGING", "--now")
    rows = [line.split("\t") for line in published.run("history", "/about").stdout.splitlines()]
    assert [row[0] for row in rows] == ["staging", "staging"]
    assert rows[0][2] == "live"
    assert rows[1][2].endswith("Z")
    assert len(published.json("history", "/about", "--limit", "1")["publications"]) == 1
    assert "never published" in published.run("history", "/nowhere").stderr


def test_history_says_what_changed_between_two_publications(published: SmallSite) -> None:
    (published.folder / "cms/about/index.html").write_text("second")
    (published.folder / "cms/about/new.html").write_text("new")
    published.run("publish", "/about", "--to", "STAGING", "--now")
    newest, oldest = (one["id"] for one in published.json("history", "/about")["publications"])
    said = published.run("history", "/about", "--diff", str(oldest), str(newest))
    assert [line.split("\t")[0] for line in said.stdout.splitlines()] == ["+ new.html", "> index.html"]
    assert "2 files differ" in said.stderr
    assert published.run("history", "/about", "--last", "STAGING").stdout == said.stdout
    back = published.json("history", "/about", "--diff", str(newest), str(oldest))
    assert back["tallies"]["removed"] == {"files": 1, "bytes": 3}
    everything = published.json("history", "/about", "--diff", "PRODUCTION", "STAGING")
    assert everything["before"] is None
    assert everything["tallies"].keys() == {"added"}


def test_what_cannot_be_compared_is_said(published: SmallSite) -> None:
    assert "has no publication 99" in published.run("history", "/about", "--diff", "99", "STAGING").stderr
    assert published.run("history", "/about", "--diff", "NOWHERE", "STAGING").exit_code == 2
    assert published.run("history", "/about", "--diff", "1", "2", "--last", "STAGING").exit_code == 2


def test_the_queue_lists_what_is_open_and_all_on_request(published: SmallSite) -> None:
    assert published.run("queue", "list").stdout == ""
    assert "nothing waits" in published.run("queue", "list").stderr
    assert len(published.run("queue", "list", "--all").stdout.splitlines()) == 3
    assert len(published.json("queue", "list", "--all", "--limit", "2")["tasks"]) == 2
    assert [task["url"] for task in published.json("queue", "list", "--url", "/about")["tasks"]] == ["/about"]
    assert published.json("queue", "list", "--env", "PRODUCTION", "--all")["tasks"] == []


def test_the_queue_shows_attempts_and_events(published: SmallSite) -> None:
    said = published.run("queue", "show", "1").stdout
    assert "PUBLISH /knots in STAGING, SUCCEEDED" in said
    assert "attempt 1" in said
    assert "its tasks: 3 SUCCEEDED" in said
    assert "changed on staging: " in said
    assert "files added (" in said
    document = published.json("queue", "show", "1")
    assert document["attempts"][0]["outcome"] == "SUCCEEDED"
    assert [event["state"] for event in document["events"]][-1] == "SUCCEEDED"


def test_a_rerun_is_a_new_row(published: SmallSite) -> None:
    result = published.run("queue", "retry", "2")
    assert result.exit_code == 0
    assert result.stdout == "4\ta rerun of 2\n"
    assert published.json("queue", "show", "2")["task"]["state"] == "SUCCEEDED"


@pytest.mark.parametrize("words", [["show", "99"], ["cancel", "99"], ["hold", "1"], ["retry", "99"], ["approve", "1", "-y"]])
def test_what_cannot_be_done_is_said_in_a_sentence(published: SmallSite, words: list[str]) -> None:
    result = published.run("queue", *words)
    assert result.exit_code == 1
    assert result.stderr.startswith("slipway: ")
    assert words[1] in result.stderr
    assert "Traceback" not in result.output


def test_store_gc_keeps_what_is_published(published: SmallSite) -> None:
    store = published.folder / "state" / "store"
    before = sorted(store.rglob("*"))
    document = published.json("store", "gc", "--older-than", "0")
    assert document["files"] == 0
    assert sorted(store.rglob("*")) == before
    stray = store / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"nobody needs this")
    os.utime(stray, (1, 1))
    assert "1 file deleted" in published.run("store", "gc").stdout


def test_a_target_can_be_tested(published: SmallSite) -> None:
    result = published.run("target", "test", "staging")
    assert result.exit_code == 0, result.output
    assert all(line.startswith("ok") for line in result.stdout.splitlines())
    shutil.rmtree(published.folder / "staging")
    bad = published.run("target", "test", "staging")
    assert bad.exit_code == 6
    assert "FAILURE" in bad.stdout
    assert "->" in bad.stdout


def test_a_dry_run_of_adopting_says_what_a_republish_would_change(published: SmallSite) -> None:
    published.write_slips()
    shutil.rmtree(published.folder / "state")
    (published.folder / "cms/knots/page3.html").unlink()
    (published.folder / "cms/knots/packageslip.xml").unlink()
    published.run(
        "slip",
        "build",
        str(published.folder / "cms/knots"),
        "--url",
        "/knots",
        "-o",
        str(published.folder / "cms/knots/packageslip.xml"),
    )
    shutil.rmtree(published.folder / "cms/about")
    (published.folder / "cms/new").mkdir()
    (published.folder / "cms/new/packageslip.xml").write_text(
        '<packageslip xmlns="urn:slipway:packageslip:1" url="/new"><resources count="0"/></packageslip>'
    )
    said = {line.split("\t")[0]: line for line in published.run("target", "adopt", "staging", "-n").stdout.splitlines()}
    assert "1 to drop" in said["/knots"]
    assert "fail" in said["/about"]
    assert "/new" in said
    document = published.json("target", "adopt", "staging", "-n")
    modules = document["modules"]
    assert document["unclaimed"] == []
    assert [module["url"] for module in modules] == ["/about", "/knots"]


def test_a_target_of_a_lost_queue_is_adopted_and_then_nothing_moves(published: SmallSite) -> None:
    published.write_slips()
    shutil.rmtree(published.folder / "state")
    refused = published.run("publish", "/knots", "--to", "STAGING", "--now")
    assert refused.exit_code == 6
    assert "target adopt" in refused.stderr
    tried = published.run("target", "adopt", "staging", "--dry-run")
    assert tried.exit_code == 0
    assert [line.split("\t")[0] for line in tried.stdout.splitlines()] == ["/about", "/knots"]
    assert "0 files to put" in tried.stdout
    assert "30 the same" in tried.stdout
    assert published.run("target", "adopt", "staging").exit_code == 2
    for target in ("staging", "download"):
        assert published.run("target", "adopt", target, "-y").exit_code == 0
    assert "adopted" in published.run("why", "/knots").stdout
    again = published.json("publish", "/knots", "--to", "STAGING", "--now")
    assert again["exit"] == 0
    assert again["tasks"][0]["summary"]["put"] == 0


def test_config_check_names_every_fault_at_once(small_site: SmallSite) -> None:
    assert small_site.run("config", "check").exit_code == 0
    text = small_site.config.read_text().replace("linger", "lingr").replace('origin = "production"', 'origin = "prodction"')
    small_site.config.write_text(text)
    result = small_site.run("config", "check")
    assert result.exit_code == 4
    assert "linger" in result.stdout
    assert "did you mean production?" in result.stdout
    faults = small_site.json("config", "check")["faults"]
    assert any(fault["nearest"] == "linger" for fault in faults)
    for verb in (["publish", "/about", "--to", "STAGING"], ["config", "show"], ["queue", "list"]):
        other = small_site.run(*verb)
        assert other.exit_code == 4
        assert "lingr" in other.stderr
    assert small_site.run("doctor").exit_code == 1


def test_config_show_marks_what_is_set(small_site: SmallSite) -> None:
    lines = small_site.run("config", "show").stdout.splitlines()
    assert "* engine.linger = 1.0" in lines
    assert "  engine.workers = 4" in lines
    rows = {row["key"]: row for row in small_site.json("config", "show")["settings"]}
    assert rows["engine.workers"]["default"] is True


def test_a_configuration_that_does_not_exist_is_a_fault(tmp_path: Path) -> None:
    result = CliRunner().invoke(slipway, ["-c", str(tmp_path / "none.toml"), "queue", "list"])
    assert result.exit_code == 4
    assert "none.toml" in result.stderr


def test_the_embedded_queue_is_made_on_first_use_and_db_check_tells(small_site: SmallSite) -> None:
    before = small_site.run("db", "check")
    assert before.exit_code == 4
    assert "db upgrade" in before.stderr
    assert small_site.run("queue", "list").exit_code == 0
    assert small_site.run("db", "check").exit_code == 0
    assert small_site.json("db", "check")["ok"] is True
    assert "nothing to do" in small_site.run("db", "upgrade").stderr


def test_db_upgrade_can_print_its_sql(small_site: SmallSite) -> None:
    printed = small_site.run("db", "upgrade", "--sql")
    assert printed.exit_code == 0
    connection = sqlite3.connect(":memory:")
    connection.create_function("UTC_TIMESTAMP", 1, lambda _digits: "2026-01-01 00:00:00.000000")
    connection.executescript(printed.stdout)
    connection.close()
    assert not (small_site.folder / "state").exists()
    assert small_site.run("db", "upgrade", "--since", "0005").exit_code == 2


def test_doctor_finds_all_well(published: SmallSite) -> None:
    result = published.run("doctor")
    assert result.exit_code == 0, result.output
    said = result.stdout
    for what in (
        "configuration",
        "queue",
        "state directory",
        "content store",
        "disk",
        "source cms",
        "target staging",
        "target download",
    ):
        assert what in said
    document = published.json("doctor")
    assert document["ok"] is True
    assert {check["outcome"] for check in document["checks"]} <= {"ok", "warning"}


def test_doctor_names_each_fault_with_its_remedy(published: SmallSite) -> None:
    shutil.rmtree(published.folder / "production")
    shutil.move(published.folder / "cms", published.folder / "gone")
    result = published.run("doctor")
    assert result.exit_code == 1
    failures = [line for line in result.stdout.splitlines() if line.startswith("FAILURE")]
    assert any("target production" in line for line in failures)
    assert any("source cms" in line for line in failures)
    assert "Traceback" not in result.output
    assert published.json("doctor")["ok"] is False


def test_doctor_looks_at_everything_although_a_secret_cannot_be_read(published: SmallSite) -> None:
    secret = published.folder / "gone.secret"
    lost = f'[sources.other]\nkind = "http"\nurl = "http://127.0.0.1:9"\nusername = "me"\npassword = {{ file = "{secret}" }}\n'
    published.config.write_text(published.config.read_text() + lost)
    result = published.run("doctor")
    assert result.exit_code == 1
    failures = [line for line in result.stdout.splitlines() if line.startswith("FAILURE")]
    assert len(failures) == 1
    assert str(secret) in failures[0]
    assert "target production" in result.stdout


def test_init_writes_a_configuration_that_is_good_and_never_replaces_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = tmp_path / "etc" / "slipway.toml"
    result = CliRunner().invoke(slipway, ["-c", str(file), "init"])
    assert result.exit_code == 0, result.output
    assert CliRunner().invoke(slipway, ["-c", str(file), "config", "check"]).exit_code == 0
    assert (tmp_path / "state/slipway/queue.db").exists()
    file.write_text("# mine\n")
    again = CliRunner().invoke(slipway, ["-c", str(file), "init"])
    assert again.exit_code == 1
    assert file.read_text() == "# mine\n"
    assert CliRunner().invoke(slipway, ["-c", str(file), "init", "--force"]).exit_code == 0


def test_init_puts_the_state_where_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "slipway.toml"
    result = CliRunner().invoke(slipway, ["-c", str(file), "init", "--state", 'my "état"'])
    assert result.exit_code == 0, result.output
    assert (tmp_path / 'my "état"/queue.db').exists()
    assert CliRunner().invoke(slipway, ["-c", str(file), "config", "check"]).exit_code == 0


def test_run_is_the_daemon_and_drains_on_sigterm(small_site: SmallSite) -> None:
    with small_site.daemon() as daemon:
        assert small_site.run("publish", "/about", "--to", "STAGING", "--wait").exit_code == 0
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0


def test_run_with_a_bad_configuration_ends_with_4(small_site: SmallSite) -> None:
    small_site.config.write_text("nonsense = 1\n")
    assert small_site.run("run").exit_code == 4


def test_a_reader_that_has_seen_enough_is_no_fault(published: SmallSite) -> None:
    command = f"{SLIPWAY} -c {published.config} config show | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout.startswith("*")
    assert "BrokenPipe" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_gets_columns_and_a_pipe_gets_tabs(published: SmallSite) -> None:
    assert "\t" in published.run("queue", "list", "--all").stdout
    typescript = published.folder / "typescript"
    command = f"{SLIPWAY} -c {published.config} queue list --all"
    subprocess.run(
        ["script", "-qec", command, str(typescript)],
        check=True,
        capture_output=True,
        timeout=30,
        env={**os.environ, "NO_COLOR": "1"},
    )
    seen = typescript.read_text()
    assert "ENVIRONMENT" in seen
    assert "\t" not in seen.split("\n", 1)[1]


def test_two_vs_show_the_traceback(small_site: SmallSite) -> None:
    (small_site.folder / "cms/about/packageslip.xml").write_text("<")
    command = [sys.executable, "-c", "from cli import main; main()", "-vv", "-c", str(small_site.config), "slip", "diff"]
    bad = str(small_site.folder / "cms/about/packageslip.xml")
    done = subprocess.run([*command, bad, bad], capture_output=True, text=True, check=False, timeout=30)
    assert "Traceback" in done.stderr
    assert done.returncode == 5


def test_json_of_every_looking_verb_has_the_version(published: SmallSite) -> None:
    for words in (["why", "/about"], ["history", "/about"], ["queue", "list"], ["queue", "show", "1"], ["config", "check"],
                  ["config", "show"], ["db", "check"], ["doctor"], ["store", "gc"], ["target", "test", "staging"]):  # fmt: skip
        assert json.loads(published.run(*words, "--json").stdout)["version"] == 1
