"""The daemon is killed, reloaded and stopped in the middle of the work: its engines lose nothing, and the next one goes on."""

import signal
from pathlib import Path

import pytest

from support.deployment import Deploy, Deployment, digests, eventually, tree

MODULES = 30


@pytest.fixture
def deployment(tmp_path: Path, mariadb_url: str, deploy: Deploy) -> Deployment:
    (tmp_path / "staging").mkdir()
    for number in range(MODULES):
        module = tmp_path / f"cms/courses/c{number:02d}"
        module.mkdir(parents=True)
        for page in range(10):
            (module / f"p{page}.htm").write_text(f"page {page} of {number}", encoding="utf-8")
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url, "poll": 0.1, "batch": 8},
        "engine": {"linger": 2, "workers": 1},
        "sources": {"cms": {"kind": "directory", "path": str(tmp_path / "cms"), "build_slips": True}},
        "targets": {"staging": {"kind": "local", "root": str(tmp_path / "staging")}},
        "environments": {"STAGING": {"source": "cms", "origin": "staging"}},
    }
    return deploy(tmp_path / "slipway.toml", configuration)


def done(deployment: Deployment, more_than: int) -> bool:
    return bool(deployment.rows("SELECT COUNT(*) n FROM publication_task_queue WHERE status = 'SUCCEEDED'")[0]["n"] > more_than)


def log_of(deployment: Deployment, daemon: int) -> str:
    return (deployment.logs / f"{daemon}.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_no_signal_to_the_daemon_loses_or_repeats_work(deployment: Deployment, tmp_path: Path, number: signal.Signals) -> None:
    first = deployment.daemon()
    for module in range(MODULES):
        deployment.insert(f"/courses/c{module:02d}", "STAGING")
    eventually(lambda: done(deployment, MODULES // 10), 120, "some of the work")
    first.send_signal(number)
    if number == signal.SIGHUP:
        eventually(lambda: "configuration reloaded" in log_of(deployment, 0), 60, "the reload")
    else:
        first.wait(60)
        deployment.daemon()
    deployment.quiet()
    assert done(deployment, MODULES - 1)
    attempts = deployment.rows("SELECT outcome, COUNT(*) n FROM attempt GROUP BY outcome")
    outcomes = {row["outcome"]: row["n"] for row in attempts}
    assert outcomes["SUCCEEDED"] == MODULES, "nothing ran twice to its end"
    assert "LOST" not in outcomes, "the engines outlived their daemon"
    assert digests(tree(tmp_path / "staging")) == digests(tree(tmp_path / "cms"))
