"""What comes next for a deposit: nothing is sent that may be at the archive already."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from database import Deposit, DepositState
from tasks.depositing import Next, identifier_of, next_step, question

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OURS, OTHER = b"v" * 32, b"w" * 32


def deposit(state: DepositState = DepositState.PREPARED, *, handle: str | None = None, sendings: int = 0) -> Deposit:
    return Deposit(
        url="/courses/a",
        version=OURS,
        archive="dspace",
        collection="https://archive/8",
        identifier="a-1",
        file="a.zip",
        digest=b"d" * 32,
        md5="ab" * 16,
        size=1,
        id=7,
        state=state,
        task=1,
        sendings=sendings,
        prepared_at=NOW,
        sent_at=None,
        confirmed_at=None,
        told_at=None,
        location=None,
        handle=handle,
        receipt=None,
        as_of=NOW,
    )


@pytest.mark.parametrize(
    ("known", "version", "again", "step"),
    [
        (None, OURS, False, Next.BUILD),
        (None, OURS, True, Next.BUILD),
        (deposit(), OURS, False, Next.SEND),
        (deposit(), OTHER, False, Next.BUILD),
        (deposit(DepositState.SENT), OURS, False, Next.LOOK),
        (deposit(DepositState.SENT), OURS, True, Next.LOOK),
        (deposit(DepositState.SENT), OTHER, True, Next.LOOK),
        (deposit(DepositState.CONFIRMED), OURS, False, Next.ASK),
        (deposit(DepositState.CONFIRMED, handle="1/2"), OURS, False, Next.FINISH),
        (deposit(DepositState.CONFIRMED, handle="1/2"), OURS, True, Next.FINISH),
        (deposit(DepositState.CONFIRMED, handle="1/2"), OTHER, False, Next.CHANGED),
        (deposit(DepositState.CONFIRMED), OTHER, False, Next.CHANGED),
        (deposit(DepositState.CONFIRMED, handle="1/2"), OTHER, True, Next.BUILD),
    ],
)
def test_the_next_step(known: Deposit | None, version: bytes, again: bool, step: Next) -> None:
    assert next_step(known, version, again=again) is step


def test_an_identifier_is_that_of_one_version_of_one_module() -> None:
    one = identifier_of("/courses/a", OURS, "a-fall-1999")
    assert one.startswith("a-fall-1999-")
    assert one == identifier_of("/courses/a", OURS, "a-fall-1999")
    assert len({one, identifier_of("/courses/b", OURS, "a-fall-1999"), identifier_of("/courses/a", OTHER, "a-fall-1999")}) == 3


def test_an_answer_is_good_for_one_question() -> None:
    asked = question(deposit(DepositState.SENT, sendings=1), OURS)
    assert asked == question(deposit(DepositState.SENT, sendings=1), OURS)
    others = [
        question(deposit(DepositState.SENT, sendings=2), OURS),
        question(deposit(DepositState.CONFIRMED, sendings=1), OURS),
        question(deposit(DepositState.SENT, sendings=1), OTHER),
        question(replace(deposit(DepositState.SENT, sendings=1), md5="cd" * 16), OURS),
    ]
    assert len({asked, *others}) == 5
