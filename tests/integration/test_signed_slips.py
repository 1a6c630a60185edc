"""Signed slips through real tasks: from a folder and from a CMS over HTTP, to STAGING and on to PRODUCTION."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from database import Audit, State, TaskView
from packageslip import LONGEST_SIGNATURE
from support.bench import Bench, settings_of
from support.http_cms import Cms, Fault
from support.signers import Signers

URL = "/courses/physics"
BOTH = ("PRODUCTION", "STAGING")


@pytest.fixture(params=["directory", "http"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def signers(tmp_path: Path) -> Signers:
    return Signers(tmp_path / "keys")


Opening = Callable[..., Bench]


@pytest.fixture
def server(tmp_path: Path, cms: Callable[..., Cms]) -> Cms:
    (tmp_path / "site").mkdir()
    return cms(tmp_path / "site")


@pytest.fixture
def opened(tmp_path: Path, kind: str, server: Cms, signers: Signers) -> Iterator[Opening]:
    made: list[Bench] = []

    def opening(**signatures: Any) -> Bench:
        asked = {"keys": [signers.key()], "max_jump": 100, **signatures}
        place = (
            {"kind": "directory", "path": str(tmp_path / "site")} if kind == "directory" else {"kind": "http", "url": server.url}
        )
        base = settings_of(tmp_path).model_dump(mode="json", exclude_defaults=True)
        base["sources"] = {"cms": {**place, "signatures": asked}}
        made.append(Bench(tmp_path, Settings.model_validate(base)))
        return made[-1]

    (tmp_path / "site").mkdir(exist_ok=True)
    yield opening
    for bench in made:
        bench.close()


def slip_file(bench: Bench) -> Path:
    return bench.site(URL) / "packageslip.xml"


def put(bench: Bench, signers: Signers, text: str, *names: str, **how: Any) -> None:
    bench.write(URL, {"index.htm": text})
    signers.beside(slip_file(bench), *names, **{"to": BOTH, **how})


def wanted(bench: Bench) -> dict[str, str]:
    """The module's files, as they should be on a target: without what belongs to the slip."""
    return {path: digest for path, digest in bench.wanted(URL).items() if not path.endswith(".sig")}


def refused(view: TaskView, bench: Bench, state: State, *words: str) -> TaskView:
    """The task ended so, with these words, and nothing is visible of what it was to publish."""
    assert (view.task.state, bench.live("origin").get("courses/physics/evil.htm")) == (state, None), view.task.reason
    for word in words:
        assert word in (view.task.reason or "")
    return view


def test_a_signed_slip_goes_live_and_on_to_production_with_its_proof(opened: Opening, signers: Signers) -> None:
    bench = opened()
    put(bench, signers, "one")
    bench.well(URL)
    bench.well(URL, "PRODUCTION")
    assert bench.live("production") == bench.live("origin") == wanted(bench)


def test_what_was_signed_for_staging_alone_never_reaches_production(opened: Opening, signers: Signers) -> None:
    bench = opened()
    put(bench, signers, "one", to=("STAGING",))
    bench.well(URL)
    refused(bench.do(URL, "PRODUCTION"), bench, State.FAILED, "signed for STAGING, not for PRODUCTION", "G6")
    assert bench.live("production") == {}


def test_a_slip_that_was_changed_on_the_staging_server_never_reaches_production(opened: Opening, signers: Signers) -> None:
    bench = opened()
    put(bench, signers, "one")
    bench.well(URL)
    record = next(bench.target("origin").glob(".slipway/modules-*/modules/*/slip.xml"))
    record.write_text(record.read_text().replace('type="text/html"', 'type="text/plain"'))
    refused(bench.do(URL, "PRODUCTION"), bench, State.FAILED, "is not what was signed", "G9")
    assert bench.live("production") == {}


def test_an_unsigned_slip_is_refused(opened: Opening, signers: Signers) -> None:
    bench = opened()
    bench.write(URL, {"index.htm": "one"})
    view = refused(bench.do(URL), bench, State.FAILED, "is not signed", "slipway slip sign", "G1")
    assert view.attempts[-1].error == "SignatureRefused"
    assert [row.entry.kind for row in Audit(bench.database).find(task=view.task.id)][-1] == "refused"


BAD: dict[str, tuple[str, Callable[[Bench, Signers, Path], object]]] = {
    "a stranger's key": ("G4", lambda bench, signers, slip: signers.beside(slip, "stranger")),
    "another slip's signature": ("G3", lambda bench, signers, slip: exchange(bench, slip)),
    "expired": ("G7", lambda bench, signers, slip: signers.beside(slip, expires=1_000_000_000)),
    "another environment": ("G6", lambda bench, signers, slip: signers.beside(slip, to=("MIRROR",))),
    "no JSON": ("G2", lambda bench, signers, slip: beside(slip).write_bytes(b"<html>")),
    "empty": ("G2", lambda bench, signers, slip: beside(slip).write_bytes(b"")),
    "cut": ("G2", lambda bench, signers, slip: beside(slip).write_bytes(beside(slip).read_bytes()[:300])),
    "a gigabyte of nothing": ("G2", lambda bench, signers, slip: huge(beside(slip))),
    "a serial written in": (
        "G4",
        lambda bench, signers, slip: signers.beside(slip, change=lambda w: w["statement"].update(serial=9)),
    ),
}


def beside(slip: Path) -> Path:
    return slip.with_name("packageslip.xml.sig")


def exchange(bench: Bench, slip: Path) -> None:
    kept = beside(slip).read_bytes()
    bench.write(URL, {"index.htm": "evil"})
    beside(slip).write_bytes(kept)


def huge(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(1 << 30)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_signature_publishes_nothing(name: str, opened: Opening, signers: Signers) -> None:
    bench = opened()
    put(bench, signers, "one")
    rule, spoil = BAD[name]
    spoil(bench, signers, slip_file(bench))
    refused(bench.do(URL), bench, State.FAILED, rule)
    assert bench.live("origin") == {}


def test_an_older_slip_is_held_until_a_person_approves_it(opened: Opening, signers: Signers) -> None:
    bench = opened()
    put(bench, signers, "one", serial=7)
    bench.well(URL)
    put(bench, signers, "older", serial=6)
    view = refused(bench.do(URL), bench, State.HELD, "serial 6, but 7 was published", "approve it")
    assert view.plan is not None
    approve = bench.desk.approve(view.task.id, view.plan.digest, by="eve", note="the CMS was restored")
    bench.run()
    assert bench.desk.show(view.task.id).task.state is State.SUCCEEDED
    assert bench.desk.show(approve).task.state is State.SUCCEEDED
    assert bench.live("origin") == wanted(bench)
    kinds = [row.entry.kind for row in Audit(bench.database).find(task=view.task.id)]
    assert kinds == ["asked", "held", "approved", "published"]


def test_the_same_serial_for_another_slip_and_a_jump_are_held(opened: Opening, signers: Signers) -> None:
    bench = opened()
    put(bench, signers, "one", serial=7)
    bench.well(URL)
    put(bench, signers, "two", serial=7)
    refused(bench.do(URL), bench, State.HELD, "two different slips")
    put(bench, signers, "two", serial=108)
    refused(bench.do(URL), bench, State.HELD, "more than 100 above 7")
    put(bench, signers, "two", serial=107)
    bench.well(URL)


def test_the_same_slip_with_a_later_end_is_good(opened: Opening, signers: Signers) -> None:
    bench = opened()
    put(bench, signers, "one", serial=7)
    bench.well(URL)
    signers.beside(slip_file(bench), serial=7, to=BOTH, expires=4_100_000_000)
    bench.well(URL)


def test_a_refused_serial_is_not_remembered(opened: Opening, signers: Signers) -> None:
    """A stranger's huge number must not make every later slip look old."""
    bench = opened()
    put(bench, signers, "evil", "stranger", serial=2**50)
    refused(bench.do(URL), bench, State.FAILED, "G4")
    put(bench, signers, "one", serial=1)
    bench.well(URL)


def test_a_signature_that_was_taken_off_needs_a_person(opened: Opening, signers: Signers) -> None:
    bench = opened(required=False)
    bench.write("/plain", {"index.htm": "never signed"})
    bench.well("/plain")
    put(bench, signers, "one")
    bench.well(URL)
    bench.write(URL, {"index.htm": "two"})
    assert not beside(slip_file(bench)).exists()
    refused(bench.do(URL), bench, State.HELD, "somebody may have taken it off")


def test_two_keys_are_needed_where_two_are_configured(opened: Opening, signers: Signers) -> None:
    bench = opened(keys=[signers.key(), signers.key("second")], threshold=2)
    put(bench, signers, "one")
    refused(bench.do(URL), bench, State.FAILED, "signed by 1 of the source's keys, 2 are needed")
    put(bench, signers, "one", "cms", "second")
    bench.well(URL)


def test_files_longer_than_what_was_signed_are_not_published(opened: Opening, signers: Signers, server: Cms, kind: str) -> None:
    bench = opened()
    put(bench, signers, "one")
    (bench.site(URL) / "index.htm").write_text("one and a great deal more")
    refused(bench.do(URL), bench, State.FAILED, "bytes")
    assert bench.live("origin") == {}


def test_a_dry_run_remembers_nothing(opened: Opening, signers: Signers) -> None:
    bench = opened()
    put(bench, signers, "one", serial=9)
    bench.well(URL, dry_run=True)
    put(bench, signers, "two", serial=3)
    bench.well(URL)


@pytest.mark.parametrize("kind", ["http"], indirect=True)
def test_no_more_of_an_endless_signature_is_read_than_one_can_have(opened: Opening, signers: Signers, server: Cms) -> None:
    bench = opened()
    put(bench, signers, "one")
    server.faults[f"{URL}/packageslip.xml.sig"] = Fault(endless=True)
    refused(bench.do(URL), bench, State.FAILED, f"longer than {LONGEST_SIGNATURE} bytes", "G2")


@pytest.mark.parametrize("kind", ["http"], indirect=True)
def test_an_html_page_in_place_of_a_signature_is_none(opened: Opening, signers: Signers, server: Cms) -> None:
    bench = opened()
    put(bench, signers, "one")
    server.faults[f"{URL}/packageslip.xml.sig"] = Fault(body=b"<html>not here", headers={"Content-Type": "text/html"})
    refused(bench.do(URL), bench, State.FAILED, "is not signed", "G1")


@pytest.mark.parametrize("kind", ["http"], indirect=True)
def test_a_slip_and_its_signature_that_are_just_written_are_read_once_more(
    opened: Opening, signers: Signers, server: Cms
) -> None:
    bench = opened()
    put(bench, signers, "one")
    old = beside(slip_file(bench)).read_bytes()
    put(bench, signers, "two", serial=2)
    server.faults[f"{URL}/packageslip.xml.sig"] = Fault(body=old, times=1)
    bench.well(URL)
