"""The real daemon with real engines: a task that fails reaches a mailbox, whatever the mail server did meanwhile."""

import signal
from pathlib import Path

from support.deployment import Deploy, eventually, toml
from support.mail_server import MailServer
from support.purge_server import PurgeServer


def test_a_failed_task_reaches_a_mailbox_and_a_webhook(
    tmp_path: Path, deploy: Deploy, mail_server: MailServer, purge_server: PurgeServer
) -> None:
    for folder in ("cms/about", "www"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "cms/about/index.htm").write_text("about")
    (tmp_path / "key").write_text("key\n")
    mail = {"kind": "email", "host": "127.0.0.1", "port": mail_server.port, "sender": "s@a.edu", "recipients": ["o@a.edu"]}
    hook = {"kind": "webhook", "url": f"{purge_server.url}/hook", "secret": {"file": str(tmp_path / "key")}}
    site = deploy(
        tmp_path / "etc" / "config.toml",
        {
            "state_dir": str(tmp_path / "state"),
            "queue": {"url": f"sqlite:///{tmp_path}/queue.db"},
            "retry": {"base": 0.2, "breaker": 0.2, "cap": 1},
            "sources": {"cms": {"kind": "directory", "path": str(tmp_path / "cms"), "build_slips": True}},
            "targets": {"www": {"kind": "local", "root": str(tmp_path / "www")}},
            "environments": {"PRODUCTION": {"source": "cms", "origin": "www", "notices": ["hook"]}},
            "notices": {"hook": hook},
            "alerts": {"mail": mail, "chat": {**hook, "on": ["failed"]}},
        },
    )
    mail_server.refusal = "451 not now"
    daemon = site.daemon()
    eventually(lambda: len(site.rows("SELECT * FROM setting WHERE name LIKE 'alert:%'")) == 2, 60, "the beginning of the watch")
    gone = site.insert("/nowhere", "PRODUCTION")
    assert site.settled(gone)["status"] == "FAILED"
    eventually(lambda: mail_server.attempts, 60, "an attempt to send a mail")
    done = site.insert("/about", "PRODUCTION")
    assert site.settled(done)["status"] == "SUCCEEDED"
    told = eventually(
        lambda: {event["event"]: event for event in purge_server.events() if len(purge_server.events()) == 2}, 60, "word"
    )
    assert told["published"]["url"] == "/about"
    assert [one["task"] for one in told["alert"]["incidents"]] == [gone]
    mail_server.refusal = ""
    daemon.kill()
    daemon.wait()
    with site.database.begin() as connection:
        # As if the pause after a failed attempt were over.
        connection.exec_driver_sql("UPDATE setting SET value = replace(value, '\"next\"', '\"was\"') WHERE name = 'alert:mail'")
    site.daemon()
    [message] = eventually(lambda: mail_server.mails, 90, "the mail")
    assert f"slipway queue show {gone}" in message.get_content()
    assert "slipway why /nowhere" in message.get_content()


def test_a_cdn_that_hangs_delays_no_publish_and_hears_everything_later(
    tmp_path: Path, deploy: Deploy, purge_server: PurgeServer, mail_server: MailServer
) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "key").write_text("key\n")
    names = [f"c{number}" for number in range(12)]
    for name in names:
        (tmp_path / "cms/courses" / name).mkdir(parents=True)
        (tmp_path / "cms/courses" / name / "index.htm").write_text(name)
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": f"sqlite:///{tmp_path}/queue.db"},
        "retry": {"base": 0.2, "breaker": 0.2, "cap": 1},
        "sources": {"cms": {"kind": "directory", "path": str(tmp_path / "cms"), "build_slips": True}},
        "targets": {"www": {"kind": "local", "root": str(tmp_path / "www")}},
        "environments": {"PRODUCTION": {"source": "cms", "origin": "www", "notices": ["cdn"]}},
        "notices": {
            "cdn": {
                "kind": "fastly",
                "api": purge_server.url,
                "service": "S",
                "token": {"file": str(tmp_path / "key")},
                "timeout": 1,
                "classes": {"courses": {"urls": ["/courses"]}},
            }
        },
    }
    site = deploy(tmp_path / "etc" / "config.toml", configuration)
    purge_server.hang = 600
    daemon = site.daemon()
    tasks = [site.insert(f"/courses/{name}", "PRODUCTION") for name in names]
    for task in tasks:
        assert site.settled(task)["status"] == "SUCCEEDED"
    assert not site.rows("SELECT id FROM publication_task_queue WHERE action = 'NOTIFY' AND status = 'SUCCEEDED'")
    # An alert that is added while the daemon runs begins there: of what was before, it says nothing.
    mail = {"kind": "email", "host": "127.0.0.1", "port": mail_server.port, "sender": "s@a.edu", "recipients": ["o@a.edu"]}
    site.config.write_text("\n".join(toml({**configuration, "alerts": {"mail": mail}})) + "\n")
    daemon.send_signal(signal.SIGHUP)
    eventually(lambda: site.rows("SELECT * FROM setting WHERE name = 'alert:mail'"), 60, "the beginning of the watch")
    purge_server.stop()
    purge_server.hang = 0
    purge_server.start()
    site.quiet()
    told = site.rows("SELECT status, attempts FROM publication_task_queue WHERE action = 'NOTIFY'")
    assert [(row["status"], row["attempts"]) for row in told] == [("SUCCEEDED", 1)] * 12
    assert {key: purge_server.purged_keys().count(key) >= 1 for key in names} == dict.fromkeys(names, True)
    assert set(purge_server.purged_keys()) == {*names, "courses"}
    assert not mail_server.mails
