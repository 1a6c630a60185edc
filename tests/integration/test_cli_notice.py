"""The verbs notice and alert, and what doctor and why say about notices."""

from pathlib import Path

import pytest

from support.mail_server import MailServer
from support.purge_server import PurgeServer
from support.small_site import SmallSite, make_small_site


@pytest.fixture
def told(tmp_path: Path, purge_server: PurgeServer, mail_server: MailServer) -> SmallSite:
    """The small site, with a notice and an alert of each kind."""
    site = make_small_site(tmp_path)
    (tmp_path / "token").write_text("s3cret\n")
    text = site.config.read_text().replace(
        'origin = "staging"', 'origin = "staging"\nsite = "http://site.example.edu"\nnotices = ["cdn", "cache", "hook"]'
    )
    site.config.write_text(f"""{text}
[notices.cdn]
kind = "fastly"
api = "{purge_server.url}"
service = "S1"
token = {{ file = "token" }}
[notices.cache]
kind = "purge"
url = "{purge_server.url}"
[notices.hook]
kind = "webhook"
url = "{purge_server.url}/hook/s3cret"
secret = {{ file = "token" }}
[notices.unused]
kind = "webhook"
url = "{purge_server.url}/unused"
secret = {{ file = "missing" }}
[alerts.mail]
kind = "email"
host = "127.0.0.1"
port = {mail_server.port}
sender = "slipway@example.edu"
recipients = ["ops@example.edu"]
[alerts.chat]
kind = "webhook"
url = "{purge_server.url}/chat"
""")
    return site


def test_a_notice_of_each_kind_can_be_tried_out(told: SmallSite, purge_server: PurgeServer) -> None:
    assert told.run("notice", "test", "cdn").stdout == "cdn: purged by key: slipway-notice-test\n"
    assert told.run("notice", "test", "cache", "--env", "STAGING").stdout == "cache: purged 1 URLs\n"
    assert "test /slipway-notice-test" in told.run("notice", "test", "hook").stdout
    assert purge_server.purged_keys() == ["slipway-notice-test"]
    assert purge_server.urls() == ["/slipway-notice-test"]
    assert purge_server.asked[1].headers["Host"] == "site.example.edu"
    assert [event["event"] for event in purge_server.events()] == ["test"]


def test_an_alert_of_each_kind_can_be_tried_out(told: SmallSite, purge_server: PurgeServer, mail_server: MailServer) -> None:
    assert told.run("alert", "test", "mail").stdout == "mail: sent to ops@example.edu\n"
    assert told.run("alert", "test", "chat").stdout == "chat: sent to its webhook\n"
    assert len(mail_server.mails) == len(purge_server.events()) == 1


def test_what_goes_wrong_is_one_sentence_and_an_exit_code(told: SmallSite, purge_server: PurgeServer) -> None:
    purge_server.status = 403
    refused = told.run("notice", "test", "cdn")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "it does not let us in" in refused.stderr
    assert "fault of Slipway" not in refused.stderr
    purge_server.status = 502
    assert told.run("alert", "test", "chat").exit_code == 8
    assert told.run("notice", "test", "unused").exit_code == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("notice", "test", "cdm"), "there is no notice cdm: did you mean cdn?"),
        (("notice", "test", "cdn", "--env", "PRODUCTION"), "PRODUCTION does not name the notice cdn"),
        (("alert", "test", "male"), "there is no alert male: did you mean mail?"),
    ],
)
def test_what_is_not_there_is_a_usage_error(told: SmallSite, words: tuple[str, ...], said: str) -> None:
    done = told.run(*words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_doctor_lists_them_and_sends_nothing(told: SmallSite, purge_server: PurgeServer, mail_server: MailServer) -> None:
    lines = told.run("doctor").stdout.splitlines()
    port = mail_server.port
    assert f"ok       notice cdn: purges by key at {purge_server.url}, service S1" in lines
    assert f"ok       notice cache: purges by URL at {purge_server.url}" in lines
    assert f"ok       notice hook: posts to {purge_server.url}" in lines
    assert f"ok       alert mail: failed, held, overdue, breaker by mail to ops@example.edu, by 127.0.0.1:{port}" in lines
    assert f"ok       alert chat: failed, held, overdue, breaker to {purge_server.url}" in lines
    assert any(line.startswith("FAILURE  notice unused: the secret from file") for line in lines)
    assert not purge_server.seen
    assert not mail_server.mails


def test_doctor_names_a_notice_that_nobody_tells(told: SmallSite) -> None:
    (told.folder / "missing").write_text("key\n")
    text = (
        told.config.read_text().replace('kind = "purge"\nurl', 'kind = "purge"\n# url').replace("[alerts.mail]", "[alerts.mail]")
    )
    told.config.write_text(text)
    lines = told.run("doctor").stdout.splitlines()
    assert any("notice unused" in line and 'add notices = ["unused"] to an environment' in line for line in lines)
    assert "ok       notice cache: purges by URL at its environment's site" in lines


def test_why_says_that_a_cache_was_not_told(told: SmallSite, purge_server: PurgeServer) -> None:
    purge_server.status = lambda asked: 403 if asked.path.endswith("/purge") else 200
    done = told.run("publish", "/about", "--to", "STAGING", "--now")
    assert done.exit_code == 3
    said = told.run("why", "/about").stdout
    assert "live since" in said
    assert "notice:cdn was not told" in said
    assert "what it shows may be old" in said
    assert "s3cret" not in said + done.stdout + done.stderr
    purge_server.status = 200
    told.run(
        "queue", "retry", *[line.split("\t")[0] for line in told.run("queue", "list", "--state", "FAILED").stdout.splitlines()]
    )
    told.engine("STAGING")
    assert "was not told" not in told.run("why", "/about").stdout
