"""Logs: one line for each event, for people or machines, without secrets, and never in the way."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from config import LogSettings, Secret, Secrets, configure_logging

CANARY = "canary-4711"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def logged(secrets: Secrets | None = None, **settings: Any) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(LogSettings(**settings), stream, secrets)
    return stream


def test_an_event_is_one_json_document_for_machines() -> None:
    stream = logged()
    structlog.get_logger("engines").info("file put", task=7, path="a/ö.htm", size=None)
    event = json.loads(stream.getvalue())
    assert (event["event"], event["task"], event["path"], event["level"]) == ("file put", 7, "a/ö.htm", "info")
    assert event["logger"] == "engines"
    assert event["timestamp"].endswith("Z")
    assert list(event)[:3] == ["timestamp", "level", "event"]


def test_an_event_is_readable_on_a_terminal() -> None:
    stream = logged(format="console")
    structlog.get_logger("engines").info("file put", task=7)
    line = stream.getvalue()
    assert "file put" in line
    assert "task=7" in line
    assert not line.startswith("{")


def test_the_level_is_the_least_that_is_written() -> None:
    stream = logged(level="warning")
    structlog.get_logger().info("file put")
    structlog.get_logger().warning("engine died")
    assert "file put" not in stream.getvalue()
    assert "engine died" in stream.getvalue()


def test_warnings_of_libraries_come_the_same_way_and_their_chatter_does_not() -> None:
    stream = logged()
    logging.getLogger("paramiko.transport").info("Connected (version 2.0)")
    logging.getLogger("paramiko.transport").warning("Oops, %s", "unhandled type 3")
    event = json.loads(stream.getvalue())
    assert (event["event"], event["logger"], event["level"]) == ("Oops, unhandled type 3", "paramiko.transport", "warning")


def test_no_known_secret_reaches_the_log(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(CANARY, encoding="utf-8")
    secrets = Secrets({})
    stream = logged(secrets)
    secrets.read(Secret(file=tmp_path / "s"))
    log = structlog.get_logger()
    message = f"said {CANARY}"
    log.warning(message, text=f"x{CANARY}y", nested={"a": [CANARY, 1]}, path=Path(CANARY), several={CANARY})
    logging.getLogger("library").error("it was %s", CANARY)
    try:
        raise ValueError(CANARY)
    except ValueError:
        log.exception("failed")
    assert CANARY not in stream.getvalue()
    assert stream.getvalue().count("***") >= 6


def test_values_under_telling_names_and_passwords_in_addresses_are_masked() -> None:
    stream = logged()
    structlog.get_logger().info("connected", password=CANARY, api_token=CANARY, url=f"mysql://u:{CANARY}@db/x", ok=True)
    event = json.loads(stream.getvalue())
    assert (event["password"], event["api_token"], event["url"], event["ok"]) == ("***", "***", "mysql://u:***@db/x", True)


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    stream = logged()
    stream.close()
    structlog.get_logger().info("file put")
    logging.getLogger("library").error("lost")


def test_what_was_bound_in_the_context_is_on_every_line() -> None:
    stream = logged()
    with structlog.contextvars.bound_contextvars(task=7):
        structlog.get_logger().info("file put")
    assert json.loads(stream.getvalue())["task"] == 7
