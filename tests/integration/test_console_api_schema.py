"""Schemathesis reads the API's document and tries whatever it allows and forbids, on a real server; it must find nothing."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import Secrets
from console import open_console
from console.access import Access
from console.api import ROOT
from console.limits import Limit
from console.passwords import COST, NOBODY
from database import HeldPlan, NewTask, Outcome, Published, pack
from support.console import settings_with
from support.queue import Queue
from support.served_console import served

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SEED = "4711"
EXAMPLES = "3"
"""Cases of each call and kind: with the systematic ones about a thousand requests."""


@pytest.fixture
def door(sqlite_queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The address of a console over a queue in which something happened, and the token that opens it."""
    # A wrong password costs a tenth of a second, so that nobody tries many. Here thousands are tried.
    monkeypatch.setattr("console.passwords.NOBODY", NOBODY.replace(f"${COST}$", "$2$"))
    fill(sqlite_queue)
    settings = settings_with(tmp_path, proxy={})
    console = open_console(settings, Secrets({}), sqlite_queue.db)
    # Whether too many changes and sign-ins are refused is another test's matter.
    access = Access(settings.console, console.access.sealer, console.access.ended, Limit(1_000_000, 0.001))
    console = replace(console, access=access, changes=Limit(1_000_000, 0.001))
    with served(console) as found:
        yield found, access.bearer or ""


def fill(queue: Queue) -> None:
    """Tasks in most states, and a publication; by their low numbers they are found by whoever guesses."""
    engine = queue.engine()
    for outcome in (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.HELD):
        queue.ready(f"/{outcome.lower()}")
        [task] = queue.claim(engine, limit=1)
        slip = f'<packageslip xmlns="urn:slipway:packageslip:1" url="{task.url}"><resources count="0"/></packageslip>'.encode()
        live = (Published("staging", task.url, task.serial, b"\1" * 32, pack([slip])),) if outcome is Outcome.SUCCEEDED else ()
        plan = HeldPlan("ab" * 32, '{"changes": [], "objections": []}') if outcome is Outcome.HELD else None
        queue.end(engine, task, outcome, published=live, plan=plan)
    queue.ready("/waits")
    queue.desk.insert(NewTask("not a path", "NOWHERE"))
    queue.intake.accept(queue.settings)


def test_schemathesis_finds_nothing(door: tuple[str, str], tmp_path: Path) -> None:
    told = schemathesis(
        door,
        tmp_path,
        "--checks",
        "all",
        "--exclude-checks",
        EXCLUDED,
        "--phases",
        "coverage,fuzzing",
        "--max-examples",
        EXAMPLES,
    )
    assert passed(told) > 500


def schemathesis(door: tuple[str, str], folder: Path, *words: str) -> str:
    """What it says; it fails if it finds anything."""
    address, token = door
    (folder / "schemathesis.toml").write_text(SETTINGS)
    command = [
        str(SCHEMATHESIS),
        "--no-color",
        "run",
        f"{address}{ROOT}/openapi.json",
        "--header",
        f"Authorization: Bearer {token}",
    ]
    bounded = ["--seed", SEED, "--workers", "1", "--generation-database", "none", "--suppress-health-check", "all", "--no-shrink"]
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [*command, *bounded, *words], capture_output=True, text=True, check=False, cwd=folder, timeout=280
    )
    print(done.stdout[-12000:], done.stderr[-3000:])
    assert done.returncode == 0
    return done.stdout


def passed(told: str) -> int:
    """How many cases there were; each passed."""
    found = re.search(r"(\d+) generated, (\d+) passed", told)
    assert found is not None
    assert found[1] == found[2]
    return int(found[1])


SETTINGS = """
[phases.coverage]
unexpected-methods = ["DELETE"]
"""
"""One other method tells as much as six."""
EXCLUDED = "positive_data_acceptance"
"""Whether a valid URL names an environment that there is, or a state allows the change, is not the document's to say."""
