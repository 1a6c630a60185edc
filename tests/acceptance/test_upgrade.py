"""An older program, from this repository's history, and this one on one queue, which is upgraded under the older one's engines."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from packageslip import build_slip, write_slip
from reliability.history import check
from reliability.rows import read_rows, slips_in
from reliability.soak_verdict import public_files
from reliability.target_rules import unequal
from support.deployment import ROOT, Deployment, eventually, toml
from support.mariadb import missing

EARLIER = "1c0c794"
"""A commit before engines noted what they understand."""

MODULES = 30


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The program as it was."""
    folder = tmp_path / "earlier"
    folder.mkdir()
    packed = subprocess.run(["git", "archive", EARLIER], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode != 0:
        missing(f"the commit {EARLIER} is not here: this test needs the repository's whole history (git fetch --unshallow)")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return folder


@pytest.fixture
def deployment(tmp_path: Path, mariadb_url: str, earlier: Path) -> Iterator[Deployment]:
    (tmp_path / "www").mkdir()
    for number in range(MODULES):
        folder = tmp_path / "cms" / _module(number)[1:]
        folder.mkdir(parents=True)
        (folder / "index.htm").write_text(f"course {number}", encoding="utf-8")
        (folder / "notes.txt").write_text(f"notes {number}", encoding="utf-8")
        (folder / "packageslip.xml").write_bytes(write_slip(build_slip(folder, _module(number))))
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url, "poll": 0.1, "batch": 4},
        "engine": {"linger": 60, "workers": 1},
        "sources": {"cms": {"kind": "directory", "path": str(tmp_path / "cms")}},
        "targets": {"origin": {"kind": "local", "root": str(tmp_path / "www"), "durability": "none"}},
        "environments": {"STAGING": {"source": "cms", "origin": "origin", "engines": 1}},
    }
    config = tmp_path / "slipway.toml"
    config.write_text("\n".join(toml(configuration)) + "\n", encoding="utf-8")
    made = Deployment(config, mariadb_url)
    upgrade = ("-P", "-c", "import cli; cli.main()", "--config", str(config), "db", "upgrade")
    assert made.start(*upgrade, PYTHONPATH=str(earlier)).wait(60) == 0, made.tail()
    yield made
    made.stop()


def _module(number: int) -> str:
    return f"/courses/c{number:02d}"


def _insert(deployment: Deployment) -> list[int]:
    return [deployment.insert(_module(number), "STAGING", parameters='{"mode": "full"}') for number in range(MODULES)]


def _done_by(deployment: Deployment, engines: str) -> int:
    counted = "SELECT COUNT(*) AS n FROM attempt a JOIN engine e ON e.start = a.engine WHERE a.outcome = 'SUCCEEDED' AND "
    return int(deployment.rows(counted + engines)[0]["n"])


def test_a_daemon_of_an_earlier_version_shares_a_queue_that_is_upgraded_under_it(
    deployment: Deployment, earlier: Path, tmp_path: Path
) -> None:
    before = deployment.start("-P", str(earlier / "scheduler.py"), "--config", str(deployment.config), PYTHONPATH=str(earlier))
    accepted = _insert(deployment)
    running = "SELECT id FROM publication_task_queue WHERE status = 'RUNNING'"
    eventually(lambda: deployment.rows(running), 60, "tasks in flight")
    deployment.command("db", "upgrade")
    deployment.daemon()
    eventually(lambda: _done_by(deployment, "e.protocol = 1"), 60, "a task done by the older program")

    def newer_took_part() -> int:
        accepted.append(deployment.insert(_module(len(accepted) % MODULES), "STAGING", parameters='{"mode": "full"}'))
        return _done_by(deployment, "e.protocol > 1")

    eventually(newer_took_part, 90, "a task done by the newer program")
    before.terminate()
    accepted += _insert(deployment)
    deployment.quiet(180)
    before.wait(120)
    history = read_rows(deployment.url, accepted=accepted, settled=True)
    assert check(history) == []
    assert {task.status for task in history.tasks} <= {"SUCCEEDED", "SUPERSEDED"}, deployment.tail()
    slips = slips_in(path.read_bytes() for path in (tmp_path / "www").glob(".slipway/modules-*/modules/*/slip.xml"))
    assert list(unequal("origin", slips, public_files(tmp_path / "www"))) == []
    assert len(slips) == MODULES
