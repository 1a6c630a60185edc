"""Health, readiness, and the numbers for Prometheus; and that rules and dashboard ask for numbers that there are."""

import asyncio
import json
import re
import socket
from pathlib import Path
from threading import Event
from typing import Any
from urllib.request import urlopen

import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from cli.doctor_console import console_checks
from config import ConsoleSettings
from console.exposition import gauge, text_of
from database import Outcome, State
from support.console import Seat, seat_at, settings_with
from support.queue import Queue
from support.served_console import served

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCS = Path(__file__).parents[2] / "docs"
LINE = re.compile(r'(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z]+="(?:[^"\\]|\\.)*",?)*)\})? (?P<value>[-+.0-9e]+|NaN)')
NAME = re.compile(r"\bslipway_[a-z_]+\b")

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Numbers:
    """Every sample; each line must be one, or tell of one."""
    found: Numbers = {}
    for line in text.splitlines():
        if line.startswith("# "):
            assert re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ (gauge|counter|summary))", line), line
            continue
        match = LINE.fullmatch(line)
        assert match, line
        labels = frozenset(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', match["labels"] or ""))
        assert (match["name"], labels) not in found, f"twice: {line}"
        found[match["name"], labels] = float(match["value"])
    return found


def scraped(seat: Seat) -> Numbers:
    found = seat.get("/metrics")
    assert found.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return read(found.text)


def of(numbers: Numbers, metric: str, /, **labels: str) -> float:
    return numbers[metric, frozenset(labels.items())]


@pytest.fixture
def busy(queue: Queue) -> Queue:
    """One of everything that can be counted."""
    engine = queue.engine()
    for number, outcome in enumerate((Outcome.SUCCEEDED, Outcome.FAILED, Outcome.HELD, Outcome.UNREACHABLE)):
        queue.ready(f"/{number}")
        [task] = queue.claim(engine, limit=1)
        summary = {"bytes": 1000, "seconds": {"load": 0.5, "commit": 1.5}, "reasons": {"same": [3, 7000]}}
        more: dict[str, Any] = {"breaker": "staging"} if outcome is Outcome.UNREACHABLE else {}
        error = None if outcome is Outcome.SUCCEEDED else 'Odd"Error\\'
        queue.end(engine, task, outcome, summary=summary, error=error, **more)
    queue.ready("/waits", environment="PRODUCTION")
    queue.desk.pause("ARCHIVE")
    queue.intake.accept(queue.settings)
    queue.clock.forward(120)
    while queue.intake.add_up(100):
        pass
    return queue


def test_the_queue_is_told_in_numbers(seat: Seat, busy: Queue) -> None:
    seat.get("/")
    found = scraped(seat)
    assert of(found, "slipway_database_up") == 1
    assert of(found, "slipway_queue_tasks", environment="PRODUCTION", kind="due") == 1
    assert of(found, "slipway_queue_tasks", environment="STAGING", kind="held") == 1
    assert 100 < of(found, "slipway_queue_oldest_due_seconds", environment="PRODUCTION") < 300
    assert of(found, "slipway_environment_paused", environment="ARCHIVE") == 1
    assert of(found, "slipway_environment_paused", environment="STAGING") == 0
    assert of(found, "slipway_breaker_open", name="staging") == 1
    assert of(found, "slipway_environment_outages", environment="STAGING") == 1
    assert of(found, "slipway_queue_stopped") == 0
    assert of(found, "slipway_attempts_total", environment="STAGING", outcome="SUCCEEDED") == 1
    assert of(found, "slipway_attempts_total", environment="PRODUCTION", outcome="FAILED") == 0
    assert of(found, "slipway_failures_total", environment="STAGING", error='Odd\\"Error\\\\') == 3
    assert of(found, "slipway_moved_bytes_total", environment="STAGING") == 4000
    assert of(found, "slipway_saved_bytes_total", environment="STAGING") == 28000
    assert of(found, "slipway_step_seconds_sum", environment="STAGING", step="commit") == 6
    assert of(found, "slipway_step_seconds_count", environment="STAGING", step="commit") == 4
    assert of(found, "slipway_wait_seconds_count", environment="STAGING") == 4
    assert of(found, "slipway_last_success_timestamp_seconds", environment="STAGING") > 1e9
    assert of(found, "slipway_last_success_timestamp_seconds", environment="SHARED") == 0
    assert of(found, "slipway_console_requests_total", method="GET", path="/", status="200") == 1
    assert of(found, "slipway_console_request_seconds_count", method="GET", path="/") == 1


def test_a_task_whose_last_retry_is_used_up_is_told_as_failed(seat: Seat, queue: Queue) -> None:
    engine = queue.engine()
    queue.ready("/once", max_attempts=1)
    [task] = queue.claim(engine, limit=1)
    queue.end(engine, task, Outcome.RETRY)
    assert of(scraped(seat), "slipway_last_failure_timestamp_seconds", environment="STAGING") > 1e9


def test_the_doctor_asks_the_console_that_runs(sqlite_seat: Seat, sqlite_queue: Queue) -> None:
    with served(sqlite_seat.console) as address:
        bind = address.removeprefix("http://")
        asked = ConsoleSettings(start=True, bind=bind)
        assert [check.what for check in console_checks(asked)] == [f"console: ready at {bind}"]
        broken(sqlite_queue)
        [check] = console_checks(asked)
        assert (check.outcome, "0001" in check.what) == ("warning", True)


def test_who_may_read_the_numbers(sqlite_queue: Queue, tmp_path: Path) -> None:
    for metrics, status in (((), 401), (("10.0.0.0/8",), 401), (("127.0.0.1",), 200), (("127.0.0.0/8",), 200)):
        seat = seat_at(sqlite_queue.db, settings_with(tmp_path, metrics=metrics))
        assert seat.client.get("/metrics").status_code == status
        assert seat.as_("viewer").get("/metrics").status_code == 200
        seat.client.close()


def test_a_proxy_that_nobody_named_lends_nobody_its_address(sqlite_queue: Queue, tmp_path: Path) -> None:
    seat = seat_at(sqlite_queue.db, settings_with(tmp_path, metrics=("127.0.0.1",), proxy={"addresses": ["10.0.0.7"]}))
    assert seat.client.get("/metrics").status_code == 200
    assert seat.client.get("/metrics", headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 401
    seat.client.close()


def broken(queue: Queue) -> None:
    queue.sql("UPDATE alembic_version SET version_num = '0001'")


def test_alive_and_ready_need_nobody_to_sign_in(sqlite_seat: Seat, sqlite_queue: Queue) -> None:
    assert sqlite_seat.client.get("/healthz").text == "alive\n"
    assert sqlite_seat.client.get("/readyz").text == "ready\n"
    broken(sqlite_queue)
    refused = sqlite_seat.client.get("/readyz")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "0001" in refused.text
    assert sqlite_seat.client.get("/healthz").status_code == 200


@pytest.fixture
def away(sqlite_seat: Seat, sqlite_queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seat:
    """A console whose database is gone."""
    from database import DatabaseUnavailable

    def fail(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("The queue's database does not answer: 10.1.2.3 refuses.")

    monkeypatch.setattr(type(sqlite_queue.db), "look", fail)
    return sqlite_seat


def test_a_database_that_is_away_is_told_without_its_address_to_strangers(away: Seat) -> None:
    stranger = away.client.get("/readyz")
    assert (stranger.status_code, stranger.text) == (503, "not ready: the queue's database does not answer\n")
    assert "10.1.2.3" in away.client.get("/readyz", headers=away.headers).text
    assert away.client.get("/healthz").status_code == 200
    found = scraped(away)
    assert of(found, "slipway_database_up") == 0
    assert not [name for name, _ in found if name.startswith("slipway_queue")]


def test_a_database_that_hangs_is_told_before_prometheus_gives_up(sqlite_seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = Event()
    monkeypatch.setattr("console.metrics.PATIENCE", 0.1)
    monkeypatch.setattr("console.metrics.overview", lambda *_: goes_on.wait(60) and [])
    assert of(scraped(sqlite_seat), "slipway_database_up") == 0
    goes_on.set()


def test_a_load_balancer_is_told_too(sqlite_seat: Seat, sqlite_queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = Event()
    monkeypatch.setattr("console.health.PATIENCE", 0.1)
    monkeypatch.setattr(type(sqlite_queue.db), "check_schema", lambda *_: goes_on.wait(60))
    refused = sqlite_seat.client.get("/readyz")
    goes_on.set()
    assert (refused.status_code, refused.text) == (503, "not ready: the queue's database does not answer\n")


def test_rules_dashboard_and_manual_name_numbers_that_there_are(seat: Seat, busy: Queue) -> None:
    seat.get("/")
    exposed = {name for name, _ in scraped(seat)}
    families = {re.sub(r"_(sum|count)$", "", name) for name in exposed}
    for file in (DEPLOY / "prometheus/alerts.yml", DEPLOY / "grafana/slipway.json", DOCS / "metrics.md"):
        named = set(NAME.findall(file.read_text()))
        assert named, file
        assert named - exposed - families == set(), file
    assert families - set(NAME.findall((DOCS / "metrics.md").read_text())) == set()
    outcomes = set(re.findall(r'outcome!?="(\w+)"', (DEPLOY / "prometheus/alerts.yml").read_text()))
    assert outcomes <= {outcome.value for outcome in Outcome} | {state.value for state in State}


def test_the_dashboard_is_one_that_can_be_read() -> None:
    dashboard = json.loads((DEPLOY / "grafana/slipway.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_what_a_label_holds_cannot_break_a_line() -> None:
    text = text_of([gauge("a", "one\ntwo", [(1.5, {"x": 'say "no"\nnow\\'})])])
    assert text == '# HELP a one\\ntwo\n# TYPE a gauge\na{x="say \\"no\\"\\nnow\\\\"} 1.5\n'


def test_an_answer_goes_out_at_once_whoever_asks(sqlite_seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body are two packets; without TCP_NODELAY the second waits until the first was acknowledged."""
    switched: list[bool] = []

    def note(self: H11Protocol, transport: asyncio.Transport) -> None:
        switched.append(bool(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
        began(self, transport)

    began = H11Protocol.connection_made
    monkeypatch.setattr(H11Protocol, "connection_made", note)
    with served(sqlite_seat.console) as address, urlopen(f"{address}/healthz") as answer:
        assert answer.read() == b"alive\n"
    assert switched == [True]
