"""ROLLBACK where the source is signed: back only to what was signed for this environment, or by a person's word."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from database import State
from database.signatures import Signatures
from support.bench import Bench, settings_of
from support.signers import LATER, Signers

A = "/courses/a"


def opened(tmp_path: Path, **signatures: Any) -> Bench:
    table = settings_of(tmp_path).model_dump(mode="json", exclude_unset=True)
    if signatures:
        table["sources"]["cms"]["signatures"] = signatures
    return Bench(tmp_path, Settings.model_validate(table))


@pytest.fixture
def signers(tmp_path: Path) -> Signers:
    return Signers(tmp_path / "keys")


@pytest.fixture
def bench(tmp_path: Path, signers: Signers) -> Iterator[Bench]:
    made = opened(tmp_path, keys=[signers.key()], max_jump=100)
    yield made
    made.close()


def publish(bench: Bench, signers: Signers, serial: int, *, expires: int = LATER) -> None:
    bench.write(A, {"index.htm": f"text {serial}"})
    signers.beside(bench.site(A) / "packageslip.xml", serial=serial, expires=expires, to=("PRODUCTION", "STAGING"))
    bench.well(A)


def text(bench: Bench, target: str = "origin") -> str:
    return (bench.target(target) / "courses/a/index.htm").read_text()


def test_a_version_that_was_signed_goes_live_again_and_the_last_serial_stays(bench: Bench, signers: Signers) -> None:
    for serial in (1, 2):
        publish(bench, signers, serial)
    bench.well(A, action="ROLLBACK")
    assert text(bench) == "text 1"
    # What was seen stays seen: the CMS's next slip has to have a later serial still.
    publish(bench, signers, 3)
    signers.beside(bench.site(A) / "packageslip.xml", serial=2, to=("STAGING",))
    assert bench.do(A).task.state is State.HELD


def test_a_signature_that_ran_out_is_held_and_one_word_is_enough(
    bench: Bench, signers: Signers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the guard objects to the same plan: a person agrees to both at once."""
    publish(bench, signers, 1)
    many = {"index.htm": "text 2"} | {f"{number}.htm": "x" for number in range(30)}
    bench.write(A, many)
    signers.beside(bench.site(A) / "packageslip.xml", serial=2, to=("PRODUCTION", "STAGING"))
    bench.well(A)
    monkeypatch.setattr(Signatures, "now", lambda _: datetime.fromtimestamp(LATER + 1, UTC))
    view = bench.do(A, action="ROLLBACK")
    assert view.task.state is State.HELD
    assert "was good until 2096-" in str(view.task.reason)
    assert view.plan is not None
    assert "would drop 30 of its 31 files" in str(view.task.reason)
    assert text(bench) == "text 2"
    bench.desk.approve(view.task.id, view.plan.digest)
    bench.run()
    assert bench.desk.show(view.task.id).task.state is State.SUCCEEDED
    assert text(bench) == "text 1"


def test_a_key_that_is_trusted_no_more_takes_nothing_back(bench: Bench, tmp_path: Path, signers: Signers) -> None:
    for serial in (1, 2):
        publish(bench, signers, serial)
    other = opened(tmp_path, keys=[signers.key("new")], max_jump=100)
    for workshop in bench.workshops.values():
        workshop.leases.leave(workshop.engine)
    view = other.do(A, action="ROLLBACK")
    other.close()
    assert (view.task.state, text(bench)) == (State.FAILED, "text 2")
    assert "G4" in str(view.task.reason)


def unsigned(tmp_path: Path, *texts: str) -> None:
    """Published before anything was signed."""
    before = opened(tmp_path)
    for each in texts:
        before.write(A, {"index.htm": each})
        before.well(A)
    for workshop in before.workshops.values():
        workshop.leases.leave(workshop.engine)
    before.close()


@pytest.mark.parametrize(("required", "state"), [(True, State.FAILED), (False, State.HELD)])
def test_from_signed_to_unsigned_nothing_goes_back_by_itself(
    tmp_path: Path, signers: Signers, required: bool, state: State
) -> None:
    unsigned(tmp_path, "unsigned")
    bench = opened(tmp_path, keys=[signers.key()], max_jump=100, required=required)
    publish(bench, signers, 1)
    view = bench.do(A, action="ROLLBACK")
    bench.close()
    assert (view.task.state, text(bench)) == (state, "text 1"), view.task.reason
    assert "is not signed" in str(view.task.reason)


def test_what_never_was_signed_is_held_where_signatures_are_required_now(tmp_path: Path, signers: Signers) -> None:
    unsigned(tmp_path, "one", "two")
    bench = opened(tmp_path, keys=[signers.key()], max_jump=100)
    view = bench.do(A, action="ROLLBACK")
    assert (view.task.state, text(bench)) == (State.HELD, "two")
    assert "older than the signatures, or was made here" in str(view.task.reason)
    assert view.plan is not None
    bench.desk.approve(view.task.id, view.plan.digest)
    bench.run()
    assert text(bench) == "one"
    bench.close()


def test_where_none_is_required_and_none_was_seen_nobody_is_asked(tmp_path: Path, signers: Signers) -> None:
    unsigned(tmp_path, "one", "two")
    bench = opened(tmp_path, keys=[signers.key()], max_jump=100, required=False)
    bench.well(A, action="ROLLBACK")
    bench.close()
    assert text(bench) == "one"


def test_a_dry_run_says_it_too(bench: Bench, signers: Signers, monkeypatch: pytest.MonkeyPatch) -> None:
    for serial in (1, 2):
        publish(bench, signers, serial)
    monkeypatch.setattr(Signatures, "now", lambda _: datetime.fromtimestamp(LATER + 1, UTC))
    view = bench.well(A, action="ROLLBACK", dry_run=True)
    assert "it would not go on by itself: the signature on that version" in str(view.task.reason)
