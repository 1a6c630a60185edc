"""The watch: what it finds in a real database goes out by a real mail server, once, and nothing is lost on the way."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from config import Secrets, Settings, breakers_of
from database import Interest, Outcome, Watching
from notices import Alerter, Watch
from support.deployment import eventually
from support.mail_server import MailServer
from support.queue import Queue

ALL = Interest(("failed", "held", "overdue", "breaker"), 900)
Watches = Callable[..., Watch]


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def watch(sqlite_queue: Queue, mail_server: MailServer) -> Iterator[Watches]:
    """A daemon's watch with one alert by mail; its first turn says where it begins."""
    made: list[Watch] = []

    def begin(name: str = "ops", **more: Any) -> Watch:
        mail = {"kind": "email", "host": "127.0.0.1", "port": mail_server.port, "sender": "s@a", "recipients": ["o@a"]}
        settings = Settings.model_validate({"alerts": {name: mail | {"timeout": 2}}})
        ledgers = {name: Watching(sqlite_queue.db, name, ALL)}
        made.append(Watch(ledgers, Alerter(settings.alerts, Secrets({}), "here").send, **more))
        made[-1].turn()
        return made[-1]

    yield begin
    for each in made:
        each.stop(5)


def fail(queue: Queue, *urls: str, outcome: Outcome = Outcome.FAILED, **more: Any) -> None:
    for url in urls:
        queue.ready(url)
    engine = queue.engine()
    for task in queue.claim(engine):
        queue.end(engine, task, outcome, "why not", **more)
    queue.leases.leave(engine)


def subjects(server: MailServer) -> list[str]:
    return [mail["Subject"] for mail in server.mails]


def test_many_failures_at_once_are_one_message(sqlite_queue: Queue, mail_server: MailServer, watch: Watches) -> None:
    one = watch()
    fail(sqlite_queue, *[f"/{number:02}" for number in range(30)])
    one.turn()
    assert subjects(mail_server) == ["[slipway] 30 tasks failed: /00, ..."]


def test_there_is_one_message_a_minute(sqlite_queue: Queue, mail_server: MailServer, watch: Watches) -> None:
    one = watch()
    fail(sqlite_queue, "/a")
    one.turn()
    fail(sqlite_queue, "/b")
    fail(sqlite_queue, "/c")
    one.turn()
    assert len(mail_server.mails) == 1
    sqlite_queue.clock.forward(61)
    one.turn()
    assert subjects(mail_server) == ["[slipway] 1 task failed: /a", "[slipway] 2 tasks failed: /b, ..."]


def test_two_daemons_tell_everything_once(sqlite_queue: Queue, mail_server: MailServer, watch: Watches) -> None:
    first, second = watch(), watch()
    for round_ in range(3):
        fail(sqlite_queue, f"/{round_}")
        first.turn()
        second.turn()
        sqlite_queue.clock.forward(61)
        second.turn()
        first.turn()
    assert subjects(mail_server) == [f"[slipway] 1 task failed: /{round_}" for round_ in range(3)]


def test_nothing_is_lost_while_the_mail_server_is_down(sqlite_queue: Queue, mail_server: MailServer, watch: Watches) -> None:
    one = watch()
    mail_server.stop()
    with capture_logs() as logs:
        for round_ in range(4):
            fail(sqlite_queue, f"/{round_}")
            one.turn()
            sqlite_queue.clock.forward(1000)
        mail_server.start()
        one.turn()
        one.turn()
    assert subjects(mail_server) == ["[slipway] 4 tasks failed: /0, ..."]
    said = [log["event"] for log in logs if log["event"].startswith("alert")]
    assert said == ["alert not sent, it is tried again", "alerts are sent again", "alert sent"]


def test_a_new_daemon_goes_on_where_the_last_one_stopped(sqlite_queue: Queue, mail_server: MailServer, watch: Watches) -> None:
    watch().stop(1)
    fail(sqlite_queue, "/a")
    watch().turn()
    assert subjects(mail_server) == ["[slipway] 1 task failed: /a"]


def test_a_place_that_is_down_is_told_and_its_end_too(sqlite_queue: Queue, mail_server: MailServer, watch: Watches) -> None:
    one = watch()
    fail(sqlite_queue, "/a", outcome=Outcome.UNREACHABLE, breaker="staging")
    for _ in range(3):
        sqlite_queue.clock.forward(61)
        one.turn()
    sqlite_queue.sql("UPDATE target SET is_open = 0, since = NULL")
    for _ in range(3):
        sqlite_queue.clock.forward(61)
        one.turn()
    assert subjects(mail_server) == ["[slipway] 1 not reachable: staging", "[slipway] 1 reachable again: staging"]


def test_a_database_that_is_down_is_logged_once_and_waited_for(
    sqlite_queue: Queue, mail_server: MailServer, watch: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = watch()
    fail(sqlite_queue, "/a")
    look = sqlite_queue.db.look
    monkeypatch.setattr(sqlite_queue.db, "look", unavailable)
    with capture_logs() as logs:
        one.turn()
        one.turn()
        monkeypatch.setattr(sqlite_queue.db, "look", look)
        one.turn()
    assert [log["event"] for log in logs if log["event"].startswith("alert")] == ["alert cannot look", "alert sent"]
    assert len(mail_server.mails) == 1


def unavailable(_work: object) -> Any:
    raise OSError("the database is down")


def test_the_thread_looks_by_itself_and_ends_when_asked(sqlite_queue: Queue, mail_server: MailServer, watch: Watches) -> None:
    one = watch(look=0.02)
    one.start()
    fail(sqlite_queue, "/a")
    eventually(lambda: mail_server.mails, 30, "a mail")
    one.stop(10)
    sqlite_queue.clock.forward(61)
    fail(sqlite_queue, "/b")
    time.sleep(0.1)
    assert len(mail_server.mails) == 1


def test_a_watch_that_was_stopped_looks_no_more(sqlite_queue: Queue, mail_server: MailServer, watch: Watches) -> None:
    one = watch()
    fail(sqlite_queue, "/a")
    one.stop(1)
    one.turn()
    assert not mail_server.mails


def test_without_alerts_there_is_no_thread() -> None:
    before = threading.active_count()
    idle = Watch({}, lambda *_: None)
    idle.start()
    assert threading.active_count() == before
    idle.stop(0)


def test_an_environments_outages_are_those_of_everything_it_works_with() -> None:
    settings = Settings.model_validate(
        {
            "targets": {name: {"kind": "memory"} for name in ("staging", "www", "zips", "out")},
            "sources": {"cms": {"kind": "directory", "path": "x"}},
            "notices": {"cdn": {"kind": "webhook", "url": "https://x", "secret": {"file": "f"}}},
            "environments": {
                "STAGING": {"source": "cms", "origin": "staging"},
                "PRODUCTION": {
                    "source": "target:staging",
                    "views": "cms",
                    "origin": "www",
                    "holding_areas": [{"target": "zips"}],
                    "exports": {"target": "out"},
                    "notices": ["cdn"],
                },
            },
        }
    )
    assert breakers_of(settings, ["PRODUCTION"]) == frozenset({"staging", "www", "zips", "out", "source:cms", "notice:cdn"})
    assert breakers_of(settings, ["STAGING"]) == frozenset({"staging", "source:cms"})
    assert breakers_of(settings, []) is None
