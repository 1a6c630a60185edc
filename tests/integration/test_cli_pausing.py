"""Pausing by the command, with and without somebody who carries it out."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread
from time import sleep

import pytest

from answers import engine_words
from config import Secrets, load
from database import Database, Desk, Intake, Leases, NewTask
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
    settings, stopped = load(small_site.config, {}), list[bool]()
    with queue_of(small_site) as database:

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


@contextmanager
def queue_of(site: SmallSite) -> Iterator[Database]:
    from cli.session import open_database

    with closing(open_database(load(site.config, {}), Secrets({}))) as database:
        yield database


def test_paused_draining_drained_and_started_by_hand_are_told_apart(small_site: SmallSite) -> None:
    with queue_of(small_site) as database:
        desk, settings = Desk(database), load(small_site.config, {})
        task = desk.insert(NewTask("/about", "STAGING"))
        Intake(database).accept(settings)
        assert f"waits for an engine of STAGING: {engine_words('STAGING', settings.environments['STAGING'])}" in why(small_site)
        by_hand = settings.environments["STAGING"].model_copy(update={"start": "manual"})
        assert "none starts by itself: 'python -P -m engines STAGING'" in engine_words("STAGING", by_hand)
        desk.pause("STAGING")
        Intake(database).accept(settings)
        assert f"task {task} waits because STAGING is paused: nothing more is taken" in why(small_site)
        assert "STAGING is paused" in small_site.run("doctor").stdout
        desk.pause("STAGING", drain=True)
        Intake(database).accept(settings)
        assert f"task {task} waits because STAGING is drained: its engines have left" in why(small_site)
        assert "before 'slipway queue resume STAGING'" in why(small_site)
        assert "STAGING is drained" in small_site.run("doctor").stdout
        Leases(database).register("STAGING", "here", "boot", 1, 60, "test")
        assert f"task {task} waits because STAGING is being drained" in why(small_site)
        assert "1 engine up on here; STAGING is being drained" in small_site.run("doctor").stdout
        found = {one["environment"]: one for one in small_site.json("why", "/about")["environments"]}
        assert (found["STAGING"]["state"], found["STAGING"]["engines"], found["STAGING"]["start"]) == ("draining", 1, "auto")


def test_a_takedown_is_not_said_to_wait_for_a_pause(small_site: SmallSite) -> None:
    with queue_of(small_site) as database:
        Desk(database).pause("STAGING")
        Desk(database).insert(NewTask("/about", "*", "TAKEDOWN"))
        Intake(database).accept(load(small_site.config, {}))
        said = why(small_site)
    assert "waits for an engine of STAGING" in said
    assert "waits because" not in said


def why(site: SmallSite) -> str:
    return site.run("why", "/about").stdout


def test_an_environment_that_is_not_there_is_named(small_site: SmallSite) -> None:
    result = small_site.run("queue", "pause", "STAGIN")
    assert result.exit_code == 2
    assert "STAGING" in result.stderr


def test_trying_again_says_how_many(small_site: SmallSite) -> None:
    assert "0 tasks due now" in small_site.run("queue", "run", "STAGING").stdout
