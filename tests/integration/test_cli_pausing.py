"""Pausing by the command, with and without somebody who carries it out."""

from contextlib import closing
from threading import Thread
from time import sleep

import pytest

from config import Secrets, load
from database import Intake
from support.small_site import SmallSite


def test_without_a_daemon_it_says_when_it_will_be_done(small_site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.pausing.PATIENCE", 0.2)
    result = small_site.run("queue", "pause", "STAGING", "--note", "the disk is full")
    assert result.exit_code == 8
    assert "as soon as a daemon or an engine runs" in result.stdout
    # An engine takes the row in before it looks for work.
    assert small_site.run("publish", "/about", "--to", "STAGING", "--now").exit_code != 0
    assert "is paused" in small_site.run("why", "/about").stdout


def test_with_a_daemon_it_is_done_at_once(small_site: SmallSite) -> None:
    from cli.session import open_database

    settings, stopped = load(small_site.config, {}), list[bool]()
    with closing(open_database(settings, Secrets({}))) as database:

        def poll() -> None:
            while not stopped:
                Intake(database).accept(settings)
                sleep(0.02)

        daemon = Thread(target=poll)
        daemon.start()
        try:
            paused = small_site.run("queue", "pause", "STAGING", "--drain")
            resumed = small_site.run("queue", "resume", "STAGING")
        finally:
            stopped.append(True)
            daemon.join()
    assert (paused.exit_code, resumed.exit_code) == (0, 0)
    assert "STAGING is drained" in paused.stdout
    assert "STAGING works again." in resumed.stdout


def test_an_environment_that_is_not_there_is_named(small_site: SmallSite) -> None:
    result = small_site.run("queue", "pause", "STAGIN")
    assert result.exit_code == 2
    assert "STAGING" in result.stderr


def test_trying_again_says_how_many(small_site: SmallSite) -> None:
    assert "0 tasks due now" in small_site.run("queue", "run", "STAGING").stdout
