"""What a person reads of what an attempt met by the way."""

from datetime import UTC, datetime
from typing import Any

from answers import remarks
from database import Attempt

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def said(**summary: Any) -> tuple[str, ...]:
    return remarks(Attempt(7, 1, 1, "e", "host", NOW, summary=summary))


def test_what_an_engine_noted_is_said_in_sentences() -> None:
    assert said(put=3, lagging=["web2"], silent={"mirror": "TargetUnreachable"}) == (
        "web2 did not answer, and has an older version for now.",
        "mirror was asked for bytes and did not give them (TargetUnreachable).",
    )
    assert "died" in said(recovered=True)[0]
    assert "/css is published nowhere" in said(shared_missing=["/css"])[0]
    assert "physics has no URL" in said(unknown_departments=["physics"])[0]


def test_nothing_by_the_way_is_nothing_to_say() -> None:
    assert said(put=1, seconds={"load": 1.0}, lagging=[]) == ()


def test_the_first_ten_are_said() -> None:
    assert len(said(shared_missing=[f"/{number}" for number in range(30)])) == 10
