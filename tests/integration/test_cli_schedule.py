"""`slipway schedule`, and schedules that would be rejected, found by day."""

from datetime import UTC, datetime

from database import Database, Intake, NewTask
from support.small_site import SmallSite

SCHEDULES = """
[schedules.map]
cron = "0 4 * * *"
timezone = "Europe/Berlin"
environment = "STAGING"
action = "SITEMAP"
url = "/sitemap.xml"
priority = 7
[schedules.again]
cron = "*/5 * * * *"
environment = "STAGING"
url = "/about"
[schedules.all]
cron = "0 0 1 1 *"
environment = "STAGING"
action = "REPUBLISH"
parameters = { prefix = "/" }
"""


def scheduled(site: SmallSite, more: str = SCHEDULES) -> SmallSite:
    text = site.config.read_text().replace(
        "[environments.STAGING]\n", '[environments.STAGING]\nsite = "https://ocw.example.edu"\n'
    )
    site.config.write_text(text + more)
    return site


def test_schedules_are_listed_with_their_next_moment(small_site: SmallSite) -> None:
    scheduled(small_site)
    assert small_site.run("schedule", "list").stdout.count("\n") == 3
    found = {one["name"]: one for one in small_site.json("schedule", "list")["schedules"]}
    assert list(found) == ["again", "all", "map"]
    assert (found["again"]["action"], found["again"]["last_fired"]) == ("PUBLISH", None)
    assert found["map"]["next"][11:16] in {"02:00", "03:00"}, "four o'clock in Berlin"
    assert found["all"]["next"] == f"{datetime.now(UTC).year + 1}-01-01T00:00:00Z"
    moment = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
    database = Database.connect(f"sqlite:///{small_site.folder}/state/queue.db")
    Intake(database).fire("map", moment, NewTask("/sitemap.xml", "STAGING"))
    database.close()
    found = {one["name"]: one for one in small_site.json("schedule", "list")["schedules"]}
    assert found["map"]["last_fired"] == "2026-01-02T03:00:00Z"


def test_no_schedules_are_said_to_be_none(small_site: SmallSite) -> None:
    assert "the configuration has no [schedules]" in small_site.run("schedule", "list").stderr


def test_a_schedule_is_run_by_hand(small_site: SmallSite) -> None:
    scheduled(small_site)
    (task,) = small_site.json("schedule", "run", "map")["tasks"]
    assert (task["action"], task["url"], task["priority"], task["note"]) == (
        "SITEMAP",
        "/sitemap.xml",
        7,
        "schedule map, run by hand",
    )
    done = small_site.json("schedule", "run", "again", "--now", "--note", "why not")
    assert (done["exit"], done["tasks"][0]["note"]) == (0, "why not")
    assert small_site.json("schedule", "run", "map", "--now")["exit"] == 0
    assert "https://ocw.example.edu/about/" in (small_site.folder / "staging/sitemap.xml").read_text()
    rehearsed = small_site.json("schedule", "run", "all", "--now", "--dry-run")
    assert rehearsed["tasks"][0]["reason"].startswith("dry run: ")
    refused = small_site.run("schedule", "run", "mao")
    assert (refused.exit_code, "did you mean map?" in refused.stderr) == (2, True)


def test_waiting_for_one_that_stands_for_many_follows_the_many(small_site: SmallSite) -> None:
    scheduled(small_site, '[departments]\n8 = "/about"\n9 = "/knots"\n')
    (small_site.folder / "cms/x.json").write_text("[1]")
    more = '[schedules.lists]\ncron = "0 0 * * *"\nenvironment = "STAGING"\naction = "FETCH"\nurl = "/lists/$name.json"\n'
    small_site.config.write_text(
        small_site.config.read_text() + more + 'parameters = { each = "departments", from = "/x.json" }\n'
    )
    done = small_site.json("schedule", "run", "lists", "--now")
    assert [task["url"] for task in done["tasks"]] == ["/lists/$name.json", "/lists/about.json", "/lists/knots.json"]


def test_a_row_that_would_be_rejected_is_found_by_day(small_site: SmallSite) -> None:
    more = """
[schedules.news]
cron = "0 * * * *"
environment = "STAGING"
action = "FETCH"
url = "/news.xml"
parameters = { frm = "https://news.example.edu/" }
[schedules.typo]
cron = "0 * * * *"
environment = "STAGING"
action = "SITEMAPS"
[schedules.exports]
cron = "0 * * * *"
environment = "STAGING"
action = "EXPORT"
"""
    scheduled(small_site, more)
    result = small_site.run("config", "check")
    assert result.exit_code == 4
    assert "schedules.news: its row would be rejected: parameters: FETCH knows no 'frm'. Did you mean 'from'?" in result.stdout
    assert "schedules.typo: its row would be rejected: action 'SITEMAPS' is not known. Did you mean SITEMAP?" in result.stdout
    assert "STAGING exports nothing" in result.stdout
    assert len(small_site.json("config", "check")["faults"]) == 3
    doctor = small_site.run("doctor")
    assert (doctor.exit_code, doctor.stdout.count("its row would be rejected")) == (1, 3)
